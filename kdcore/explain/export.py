"""An explanation as files: raw maps, manifest, panels, and all of them in one zip."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import numpy as np

from kdcore.explain.explain_pair import PairExplanation
from kdcore.explain.panel import panel_png, panel_svg


def file_stem(pair: PairExplanation) -> str:
    """Return a file name without suffix: method, class, teacher and student, image."""
    m = pair.manifest
    words = (
        m["method"]["name"],
        m["target"]["name"],
        m["teacher"]["name"],
        m["student"]["name"],
        m["image"]["sha256"][:8],
    )
    return "_".join(re.sub(r"[^A-Za-z0-9.-]+", "-", w).strip("-.") or "x" for w in words)


def maps_npz(pair: PairExplanation) -> bytes:
    """Return the raw maps and logits as `.npz`: teacher, student, difference, *_logits."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        teacher=pair.teacher_map,
        student=pair.student_map,
        difference=pair.difference,
        teacher_logits=pair.teacher.logits,
        student_logits=pair.student.logits,
    )
    return buffer.getvalue()


def manifest_json(pair: PairExplanation, extra: dict[str, Any] | None = None) -> str:
    """Return the manifest as JSON; `extra` is added to it (temperature shown, interventions)."""
    return json.dumps(pair.manifest | (extra or {}), indent=2, ensure_ascii=False) + "\n"


def export_files(
    pair: PairExplanation,
    opacity: float = 0.5,
    colormap: str = "inferno",
    extra: dict[str, Any] | None = None,
) -> dict[str, bytes]:
    """Return file name to content: panel as PNG and SVG, raw maps, manifest of `pair`.

    `opacity` in [0, 1] and `colormap` are those of the panel; `extra` goes into the manifest.
    """
    stem = file_stem(pair)
    shown = {"panel": {"opacity": opacity, "colormap": colormap}} | (extra or {})
    return {
        f"{stem}_panel.png": panel_png(pair, opacity, colormap),
        f"{stem}_panel.svg": panel_svg(pair, opacity, colormap).encode(),
        f"{stem}_maps.npz": maps_npz(pair),
        f"{stem}_manifest.json": manifest_json(pair, shown).encode(),
    }


def export_zip(
    pair: PairExplanation,
    opacity: float = 0.5,
    colormap: str = "inferno",
    extra: dict[str, Any] | None = None,
) -> bytes:
    """Return one zip of the same files as `export_files`, which explains the parameters."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in export_files(pair, opacity, colormap, extra).items():
            # A fixed date: the same explanation gives the same names and entries every time.
            archive.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()
