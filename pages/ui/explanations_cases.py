"""The images whose maps agree least: pictures, answers, and the way to explain one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import measured, state
from pages.ui.cases import show_pictures
from pages.ui.explanations import ShownMaps, models_by_name
from pages.ui.frame import guard
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.predict.map_scores import MapScores

LINK = ("map_student", "lowest_page")
_COUNT = 60


def show_lowest(shown: ShownMaps) -> None:
    """Draw the images where a student's map and the teacher's agree least, by the measure above."""
    from kdcore.evaluate.explanations import lowest_agreement
    from kdcore.evaluate.transfer import MEASURE
    from kdcore.report.explanations import METRICS
    from kdcore.report.map_cases import map_case_lines, map_case_rows

    if not shown.students:
        st.info("Choose a student above.", icon=":material/checklist:")
        return
    measure = state.get("map_measure", MEASURE)
    student = state.choice(
        st.selectbox,
        "map_student",
        "Student",
        shown.students,
        format_func=shown.found.titles.get,
        width=300,
    )
    record = shown.records[student]
    rows = lowest_agreement(record, measure, _COUNT)
    st.markdown(
        f"The least {METRICS[measure]} first; the number under a picture is that. Look for what "
        "they share before calling any of them an error: where both are right, two ways to see it "
        "may both do."
    )
    lines = map_case_lines(record, rows, measure)
    with guard():
        # The Explain page shows the fast map of Score-CAM first, under the name of the exact one.
        method = record.method.removesuffix("-fast")
        show_pictures(list(lines), lines, "lowest", _pair(record), method)
    table = map_case_rows(record, rows, measure)
    show_table(
        table, file_stem("maps-lowest", student, measure), note=measured.counted(shown.found)
    )


def _pair(record: MapScores) -> tuple[str, str] | None:
    """Return the folders of teacher and student for the Explain page, None where one is not there.

    The Explain page offers teachers on one side and all others on the other.
    """
    shelf = models_by_name()
    teacher, student = (shelf.get(name) for name in (record.teacher, record.checkpoint))
    if not teacher or not student or teacher.role != "teacher" or student.role == "teacher":
        return None
    return teacher.folder, student.folder
