"""Does the student look where the teacher looks: the answer, beside floors, by part, corrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import measured, state
from pages.ui.explanations import Study
from pages.ui.figures import show_figure
from pages.ui.frame import guard
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.evaluate.transfer import Transfer
    from kdcore.predict.map_scores import MapScores

LINK = ("map_measure", "map_view", "map_corruption")
_VIEWS = {
    "all": "All",
    "class": "Class",
    "quadrant": "Who is right",
    "corruption": "Corruption",
}


def show_agreement(study: Study) -> None:
    """Draw the choice of a measure and a view, the answer in words, and the view."""
    from kdcore.evaluate.transfer import MEASURE
    from kdcore.predict.map_scores import AGREEMENT
    from kdcore.report.explanations import METRICS

    st.markdown(
        "A dot is how alike a student's maps and the teacher's are on average, its line the 95 % "
        "interval. It says something only as far as it is above the floors: maps of other images, "
        "and the same network trained without a teacher."
    )
    if not study.students:
        st.info("Choose a student above.", icon=":material/checklist:")
        return
    left, right = st.columns([2, 3])
    with left:
        measure = state.choice(
            st.selectbox, "map_measure", "Measure", list(AGREEMENT), format_func=METRICS.get
        )
    with right:
        view = _choose_view(study)
    study = _answered(study, measure)
    if measure != MEASURE:
        st.caption(f"The answer was to be given by the {METRICS[MEASURE]}; this is beside it.")
    _DRAW[view](study, measure)


def _choose_view(study: Study) -> str:
    has = {row.scope for rows in study.found.means.values() for row in rows}
    has |= {row.scope for rows in study.found.corrupted.values() for row in rows}
    views = [view for view in _VIEWS if view in has]
    return state.choice(st.segmented_control, "map_view", "View", views, format_func=_VIEWS.get)


def _answered(study: Study, measure: str) -> Study:
    """Write the answers by a measure, and return the study with those in it."""
    from kdcore.report.explanations_text import transfer_text

    answers = _transfers(list(study.records.values()), study.content, measure)
    answers = tuple(answer for answer in answers if answer.student in study.students)
    for answer in answers:
        st.markdown(f"- {transfer_text(study.found, answer)}")
    if not answers:
        st.caption(
            "None of these students has a baseline, the same network trained without a teacher, "
            "in this study: what distillation added can't be told."
        )
    return replace(study, found=replace(study.found, transfers=answers))


def _show_all(study: Study, measure: str) -> None:
    from kdcore.charts.explanations import floor_dots
    from kdcore.report.explanations import floor_rows, metric_note, transfer_rows
    from kdcore.report.explanations_floors import floor_verdicts

    name, note = file_stem("maps", measure), metric_note(study.found, measure)
    show_figure(floor_dots(study.found, measure, study.colours), name, note)
    for told in floor_verdicts(study.found, study.students, measure):
        st.markdown(f"- {told}")
    _show_gains(study, measure, "all")
    with guard():
        _show_seeds(study)
    with st.expander("Tables", icon=":material/table:"):
        show_table(floor_rows(study.found, (measure,)), name, note=note, told=False)
        if study.found.transfers:
            show_table(transfer_rows(study.found), f"{name}-transfer", note=note, told=False)


def _show_classes(study: Study, measure: str) -> None:
    _show_parts(study, measure, "class")
    _show_gains(study, measure, "class")


def _show_quadrants(study: Study, measure: str) -> None:
    st.markdown("Each model has quadrants of its own: who is right, and who answers the same.")
    _show_parts(study, measure, "quadrant")


def _show_parts(study: Study, measure: str, scope: str) -> None:
    from kdcore.charts.explanations import part_dots
    from kdcore.predict.map_scores import AGREEMENT
    from kdcore.report.explanations import mean_table, metric_note

    name, note = file_stem("maps", measure, scope), metric_note(study.found, measure)
    show_figure(part_dots(study.found, measure, scope, study.colours), name, note)
    with st.expander("Table", icon=":material/table:"):
        show_table(mean_table(study.found, AGREEMENT, scope), name, note=note, told=False)


def _show_gains(study: Study, measure: str, scope: str) -> None:
    from kdcore.charts.explanations import gain_dots
    from kdcore.report.explanations import difference_rows, metric_note

    chart = gain_dots(study.found, measure, scope, study.colours)
    if chart is None:
        return
    st.markdown(
        "**What distillation added.** Each image's agreement of the student less that of its "
        "baseline; an interval that crosses the dashed line does not show a "
        "difference."
    )
    name, note = file_stem("maps-gain", measure, scope), metric_note(study.found, measure)
    show_figure(chart, name, note)
    with st.expander("Table of differences", icon=":material/table:"):
        show_table(difference_rows(study.found), name, note=note, told=False)


def _show_seeds(study: Study) -> None:
    """Draw what is known of other training seeds, where that was measured."""
    from kdcore.base import results_folder
    from kdcore.report.map_seeds import NOTE, map_seed_rows

    found = study.found
    rows = map_seed_rows(results_folder(), found.method, found.split, found.teacher)
    if rows:
        st.markdown(
            "**Over training seeds.** Would other runs of the same recipes say the same? All "
            "measures, those of lesions too, of every student whose seeds were measured."
        )
        note = f"{measured.counted(found)} {NOTE}"
        show_table(rows, file_stem("maps-seeds", found.method, found.split), note=note)


def _show_corrupted(study: Study, measure: str) -> None:
    from kdcore.charts.explanations import severity_lines
    from kdcore.report.explanations import corrupted_rows, map_corruptions, metric_note

    corruptions = map_corruptions(study.found)
    corruption = state.choice(
        st.selectbox,
        "map_corruption",
        "Corruption",
        list(corruptions),
        format_func=corruptions.get,
        width=300,
    )
    st.markdown("Both models see the same corrupted image; severity 0 is the same images clean.")
    name = file_stem("maps", measure, corruption)
    note = metric_note(study.found, measure, corrupted=True)
    show_figure(severity_lines(study.found, measure, corruption, study.colours), name, note)
    with st.expander("Table", icon=":material/table:"):
        show_table(corrupted_rows(study.found), "maps-corrupted", note=note, told=False)


@st.cache_resource(max_entries=16, show_spinner="Measuring…")
def _transfers(_records: list[MapScores], content: str, measure: str) -> tuple[Transfer, ...]:
    from kdcore.evaluate.explanations import transfers

    return transfers(_records, measure, measured.RESAMPLES)


_DRAW: dict[str, Callable[[Study, str], None]] = {
    "all": _show_all,
    "class": _show_classes,
    "quadrant": _show_quadrants,
    "corruption": _show_corrupted,
}
