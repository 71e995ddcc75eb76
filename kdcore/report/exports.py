"""Exported files as a table and in sentences: how large, how checked, and what they lose."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kdcore.base.words import percent, size_text
from kdcore.deploy.artefact import Artefact
from kdcore.deploy.check import TOLERANCES
from kdcore.deploy.export import FORMATS
from kdcore.deploy.export_plan import title_of
from kdcore.evaluate import Interval
from kdcore.report.cells import Rows, number, signed_text

LOSS = 0.01  # of macro-F1: more is told even where the images are too few to be sure
_CHECK = ["export", "input", "MB", "largest logit change", "noise", "allowed", "same answers"]
_SCORES = ["export", "macro-F1", "change of macro-F1", "ECE", "ECE of the network", "same answers"]


def by_kind(artefacts: Iterable[Artefact]) -> list[Artefact]:
    """Return files of one checkpoint by format, precision and input, as they are chosen."""
    forms, precisions = list(FORMATS), list(TOLERANCES)

    def place(artefact: Artefact) -> tuple[int, int, bool, str]:
        form, precision = artefact.format, artefact.precision
        return forms.index(form), precisions.index(precision), artefact.folded, artefact.file

    return sorted(artefacts, key=place)


def check_rows(artefacts: Sequence[Artefact]) -> Rows:
    """Return one row for each file: what it is, how large, and how it was checked."""
    return [list(_CHECK), *map(_checked, artefacts)]


def score_rows(artefacts: Sequence[Artefact]) -> Rows:
    """Return one row for each file that was measured; nothing where none was."""
    rows = [_scores(artefact) for artefact in artefacts if artefact.quality]
    return [list(_SCORES), *rows] if rows else []


def artefact_title(artefact: Artefact) -> str:
    """Return what a file is called in a list: "ONNX, INT8, 2.6 MB"."""
    pixels = ", from pixels" if artefact.folded else ""
    return f"{title_of(artefact.format, artefact.precision)}{pixels}, {size_text(artefact.size)}"


def check_note(artefacts: Sequence[Artefact]) -> str:
    """Return what the columns of the check say, and on which pictures it was."""
    on = sorted({_checked_on(artefact) for artefact in artefacts})
    return (
        f"Checked against the PyTorch network on {' or '.join(on)}. Noise is the root mean square "
        "change of the logits over their own size; a file with more than is allowed is not kept."
    )


def quality_note(artefacts: Sequence[Artefact]) -> str:
    """Return on what the scores were measured; "" where none was."""
    found = {_measured_on(artefact.quality) for artefact in artefacts if artefact.quality}
    return " ".join(sorted(found))


def loss_sentence(artefact: Artefact) -> str:
    """Return what a file loses of its network's macro-F1; "" if less than can be told.

    Told is a loss whose interval excludes 0, and one of more than `LOSS`, sure or not.
    """
    change = _change(artefact.quality)
    sure = change.high < 0
    if not sure and not change.value < -LOSS:
        return ""
    quality = artefact.quality
    before, after = (_number(q, "macro_f1") for q in (quality.get("network"), quality))
    differ = 1 - _number(quality, "agreement")
    doubt = "" if sure else " With so few images, that may be chance."
    return (
        f"{title_of(artefact.format, artefact.precision)} loses: its macro-F1 is "
        f"{number(after)} where the network has {number(before)}, a change of "
        f"{signed_text(change)}, and {percent(differ, 1)} of its answers differ "
        f"({_part(quality)}).{doubt}"
    )


def kept_sentence(artefact: Artefact) -> str:
    """Return that a smaller precision loses nothing to be seen; "" where it does, or is none."""
    change = _change(artefact.quality)
    if artefact.precision == "float32" or math.isnan(change.value) or loss_sentence(artefact):
        return ""
    return (
        f"{title_of(artefact.format, artefact.precision)}: its change of macro-F1, "
        f"{signed_text(change)}, is no loss that could be told from chance "
        f"({_part(artefact.quality)})."
    )


def _checked(artefact: Artefact) -> list[Any]:
    check = artefact.check
    return [
        title_of(artefact.format, artefact.precision),
        "pixels" if artefact.folded else "normalised",
        round(artefact.size / 1e6, 1),
        f"{check.max_delta:.1e}",
        f"{check.noise:.1e}",
        f"{check.tolerance:g}",
        f"{check.same} of {check.n}",
    ]


def _scores(artefact: Artefact) -> list[Any]:
    quality = artefact.quality
    share = _number(quality, "agreement")
    return [
        artefact_title(artefact).rpartition(",")[0],
        number(_number(quality, "macro_f1")),
        signed_text(_change(quality)),
        number(_number(quality, "ece")),
        number(_number(quality.get("network"), "ece")),
        "n/a" if math.isnan(share) else f"{percent(share, 1)}",
    ]


def _checked_on(artefact: Artefact) -> str:
    return f"{artefact.check.n} {artefact.notes.get('checked_on', 'pictures')}"


def _measured_on(quality: Mapping[str, Any]) -> str:
    return (
        f"Scores: {_part(quality)}, less the lesions that the network was trained on. Intervals: "
        f"{quality.get('interval', 'none')}."
    )


def _part(quality: Mapping[str, Any]) -> str:
    return f"{quality.get('split', '?')} part, n = {_number(quality, 'n'):,.0f} images"


def _change(quality: Mapping[str, Any]) -> Interval:
    found = quality.get("macro_f1_change")
    return Interval(*(_number(found, name) for name in ("value", "low", "high")))


def _number(found: Any, name: str) -> float:
    """Return a number of a record, NaN where it has none."""
    value = found.get(name) if isinstance(found, Mapping) else None
    return float(value) if isinstance(value, int | float) else math.nan
