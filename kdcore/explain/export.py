"""An explanation as files: raw maps, manifest, panels, and all of them in one zip."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdcore.explain.check_pair import PairTrust
from kdcore.explain.everything import Everything
from kdcore.explain.explain_pair import PairExplanation
from kdcore.explain.panel import panel_png, panel_svg

Arrays = Mapping[str, NDArray[Any]]


def file_stem(pair: PairExplanation) -> str:
    """Return a file name without suffix: method, class, teacher and student, image."""
    m = pair.manifest
    words = (
        m["method"]["name"] + ("" if pair.exact else "-approximate"),
        m["target"]["name"],
        m["teacher"]["name"],
        m["student"]["name"],
        m["image"]["sha256"][:8],
    )
    return "_".join(re.sub(r"[^A-Za-z0-9.-]+", "-", w).strip("-.") or "x" for w in words)


def maps_npz(pair: PairExplanation, arrays: Arrays | None = None) -> bytes:
    """Return raw maps and logits as `.npz`: teacher, student, difference, *_logits, `arrays`."""
    all_arrays: dict[str, Any] = {
        "teacher": pair.teacher_map,
        "student": pair.student_map,
        "difference": pair.difference,
        "teacher_logits": pair.teacher.logits,
        "student_logits": pair.student.logits,
        **(arrays or {}),
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **all_arrays)
    return buffer.getvalue()


def everything_else(
    result: Everything,
    picture: dict[str, str | None] | None = None,
    trust: PairTrust | None = None,
) -> dict[str, Any]:
    """Return `extra` and `arrays` for `export_files`, so that its files hold all of `result`.

    The arrays are both networks' Grad-CAM maps, attention (h, w) per stage and causal masks
    (h, w); the manifest gets q, what the intervention tests found, how far Score-CAM is,
    `picture`: what people call the image (title, kind, true class), where that is known, and
    `trust`, what the checks found of the pair's maps, where they were made.
    """
    arrays: dict[str, NDArray[Any]] = {
        "grad_cam_teacher": result.grad_cam.teacher_map,
        "grad_cam_student": result.grad_cam.student_map,
        "score_cam_teacher": result.score_cam.teacher_map,
        "score_cam_student": result.score_cam.student_map,
    }
    tests = {}
    for role, view in (("teacher", result.teacher), ("student", result.student)):
        arrays[f"{role}_causal_mask"] = view.mask
        arrays |= {f"{role}_attention_{i}": grid for i, grid in enumerate(view.attention)}
        tests[role] = view.test.as_dict()
    correlations = {
        "score-cam": _defined(result.score_cam.correlation),
        "grad-cam": _defined(result.grad_cam.correlation),
    }
    extra: dict[str, Any] = {"interventions": tests, "q": result.q, "correlations": correlations}
    score = {"teacher": result.score_cam.teacher, "student": result.score_cam.student}
    counts = {role: e.masks.words for role, e in score.items() if e.masks is not None}
    extra["score_cam"] = {
        "exact": result.score_cam.exact,
        "correlation_with_fast": dict(zip(score, map(_defined, result.fast))),
        **counts,
    }
    if trust is not None:
        extra["trust"] = trust.as_dict()
    if picture:
        extra["picture"] = picture
    return {"extra": extra, "arrays": arrays}


def _defined(value: float) -> float | None:
    """Return a number as JSON has it: that of an empty map, NaN, is null."""
    return None if math.isnan(value) else value


def manifest_json(pair: PairExplanation, extra: dict[str, Any] | None = None) -> str:
    """Return the manifest as JSON; `extra` is added to it (temperature shown, interventions)."""
    return json.dumps(pair.manifest | (extra or {}), indent=2, ensure_ascii=False) + "\n"


def export_files(
    pair: PairExplanation,
    opacity: float = 0.5,
    colormap: str = "inferno",
    extra: dict[str, Any] | None = None,
    arrays: Arrays | None = None,
) -> dict[str, bytes]:
    """Return file name to content: panel as PNG and SVG, raw maps, manifest of `pair`.

    `opacity` in [0, 1] and `colormap` are those of the panel; `extra` goes into the manifest
    and `arrays` to the raw maps: see `everything_else`.
    """
    stem = file_stem(pair)
    shown = {"panel": {"opacity": opacity, "colormap": colormap}} | (extra or {})
    return {
        f"{stem}_panel.png": panel_png(pair, opacity, colormap),
        f"{stem}_panel.svg": panel_svg(pair, opacity, colormap).encode(),
        f"{stem}_maps.npz": maps_npz(pair, arrays),
        # A file's name may be no text; its code between the quotes is JSON's own way to write it.
        f"{stem}_manifest.json": manifest_json(pair, shown).encode(errors="backslashreplace"),
    }


def export_zip(
    pair: PairExplanation,
    opacity: float = 0.5,
    colormap: str = "inferno",
    extra: dict[str, Any] | None = None,
    arrays: Arrays | None = None,
) -> bytes:
    """Return one zip of the same files as `export_files`, which explains the parameters."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in export_files(pair, opacity, colormap, extra, arrays).items():
            # A fixed date: the same explanation gives the same names and entries every time.
            archive.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()
