"""How alike the teacher's and the student's map are, and what such numbers are worth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.controls import Pair
from pages.ui.explaining import Request
from pages.ui.frame import guard

if TYPE_CHECKING:
    from kdcore.evaluate.agreement_floors import AgreementFloors
    from kdcore.explain.explain_pair import PairExplanation

_LAST = -1  # the stage that a study looks at
_MEASURES = {
    "cosine": ("Cosine", "of two maps without negative values never below 0"),
    "spearman": ("Spearman", "correlation of ranks, so of the order of places"),
    "ssim": ("SSIM", "alike in level, contrast and pattern nearby"),
    "iou": ("Top 20 %", "of the places in either map's top 20 %, the share in both (IoU)"),
    "pearson": ("Pearson", "correlation of values: 0 is unrelated"),
}


def show(pair: Pair, explained: PairExplanation, request: Request) -> None:
    """Draw five measures of agreement, each beside its floors where a study has the pair.

    With an empty map there is none: only that is said.
    """
    from kdcore.explain import METHODS, agreements
    from kdcore.report.checkpoints import data_name

    if explained.empty:
        st.markdown(
            f"**How alike the two maps are** can't be said, as {explained.empty}: an empty map "
            "shows no place that could be compared."
        )
        return
    found = agreements(explained.teacher_map, explained.student_map)
    floors = None
    with guard():
        floors = _floors(pair, explained, request)
    st.markdown("**How alike the two maps are.** 1 is the same map.")
    st.table([_row(measure, found, floors) for measure in _MEASURES], hide_index=True)
    st.caption(" · ".join(f"{title}: {meaning}" for title, meaning in _MEASURES.values()))
    if floors is None:
        st.caption(
            "On centred lesions even unrelated maps are alike to a degree. By how much, a study of "
            "this pair and method would tell: `python -m kdcore explanations`."
        )
        return
    data = data_name(pair.teacher.card.classes)
    method = METHODS.get(floors.method).title
    st.caption(
        f"All but the first column: means over {floors.n:,} {floors.split} images of {data}, maps "
        f"by {method} of the last stage for the teacher's first choice. Unrelated: the student's "
        "map against the teacher's of another lesion."
        + (f" Without a teacher: {floors.baseline_title}." if floors.baseline else "")
    )


def _row(measure: str, found: dict[str, float], floors: AgreementFloors | None) -> dict[str, str]:
    """Return one line of the table: a measure here, and what a study found on average."""
    row = {"Measure": _MEASURES[measure][0], "This picture": _number(found[measure])}
    if floors is None:
        return row
    row["This pair"] = _number(floors.student[measure])
    row["Unrelated"] = _number(floors.unrelated[measure])
    if floors.baseline:
        row["Without a teacher"] = _number(floors.baseline.get(measure, math.nan))
    return row


def _number(value: float) -> str:
    return f"{value:.2f}".replace("nan", "none")


def _floors(pair: Pair, explained: PairExplanation, request: Request) -> AgreementFloors | None:
    """Return what a saved study says of the pair and method, None where there is none."""
    from kdcore.base import results_folder

    method = explained.manifest["method"]
    if method["uses_stage"] and request.stage != _LAST:
        return None
    folder = results_folder() / "explanations"
    if not folder.is_dir():
        return None
    files = tuple((p.name, p.stat().st_mtime_ns) for p in sorted(folder.glob("*.npz")))
    names = ("score-cam", "score-cam-fast") if method["name"] == "score-cam" else (method["name"],)
    for name in names:
        found = _read(str(results_folder()), files, pair.teacher.hash, pair.student.hash, name)
        if found is not None:
            return found
    return None


@st.cache_resource(max_entries=32, show_spinner=False)
def _read(
    folder: str, files: tuple[tuple[str, int], ...], teacher: str, student: str, method: str
) -> AgreementFloors | None:
    from pathlib import Path

    from kdcore.evaluate.agreement_floors import agreement_floors
    from kdcore.report.explanations_files import read_studies

    return agreement_floors(read_studies(Path(folder)).values(), teacher, student, method)
