"""Does the student look where the teacher looks: the answer, beside floors, by part, corrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import measured, state
from pages.ui.explanations import ShownMaps
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


def show_agreement(shown: ShownMaps) -> None:
    """Draw the choice of a measure and a view, the answer in words, and the view."""
    from kdcore.evaluate.transfer import MEASURE
    from kdcore.predict.map_scores import AGREEMENT
    from kdcore.report.explanations import METRICS

    st.markdown(
        "A dot is how alike a student's maps and the teacher's are on average, its line the 95 % "
        "interval. It says something only as far as it is above the floors: maps of other images, "
        "and the same network trained without a teacher."
    )
    if not shown.students:
        st.info("Choose a student above.", icon=":material/checklist:")
        return
    left, right = st.columns([2, 3])
    with left:
        measure = state.choice(
            st.selectbox, "map_measure", "Measure", list(AGREEMENT), format_func=METRICS.get
        )
    with right:
        view = _choose_view(shown)
    shown = _answered(shown, measure)
    if measure != MEASURE:
        st.caption(f"The answer was to be given by the {METRICS[MEASURE]}; this is beside it.")
    _DRAW[view](shown, measure)


def _choose_view(shown: ShownMaps) -> str:
    has = {row.scope for rows in shown.found.means.values() for row in rows}
    has |= {row.scope for rows in shown.found.corrupted.values() for row in rows}
    views = [view for view in _VIEWS if view in has]
    return state.choice(st.segmented_control, "map_view", "View", views, format_func=_VIEWS.get)


def _answered(shown: ShownMaps, measure: str) -> ShownMaps:
    """Write the answers by a measure, and return the study with those in it."""
    from kdcore.report.explanations_text import transfer_text

    answers = _transfers(list(shown.records.values()), shown.content, measure)
    answers = tuple(answer for answer in answers if answer.student in shown.students)
    for answer in answers:
        st.markdown(f"- {transfer_text(shown.found, answer)}")
    if not answers:
        st.caption(
            "None of these students has a baseline, the same network trained without a teacher, "
            "in this study: what distillation added can't be told."
        )
    return replace(shown, found=replace(shown.found, transfers=answers))


def _show_all(shown: ShownMaps, measure: str) -> None:
    from kdcore.charts.explanations import floor_dots
    from kdcore.report.explanations import floor_rows, metric_note, transfer_rows
    from kdcore.report.explanations_floors import floor_verdicts

    name, note = file_stem("maps", measure), metric_note(shown.found, measure)
    show_figure(floor_dots(shown.found, measure, shown.colours), name, note)
    for told in floor_verdicts(shown.found, shown.students, measure):
        st.markdown(f"- {told}")
    _show_gains(shown, measure, "all")
    with guard():
        _show_seeds(shown)
    with st.expander("Tables", icon=":material/table:"):
        show_table(floor_rows(shown.found, (measure,)), name, note=note, told=False)
        if shown.found.transfers:
            show_table(transfer_rows(shown.found), f"{name}-transfer", note=note, told=False)


def _show_classes(shown: ShownMaps, measure: str) -> None:
    _show_parts(shown, measure, "class")
    _show_gains(shown, measure, "class")


def _show_quadrants(shown: ShownMaps, measure: str) -> None:
    st.markdown("Each model has quadrants of its own: who is right, and who answers the same.")
    _show_parts(shown, measure, "quadrant")


def _show_parts(shown: ShownMaps, measure: str, scope: str) -> None:
    from kdcore.charts.explanations import part_dots
    from kdcore.predict.map_scores import AGREEMENT
    from kdcore.report.explanations import mean_table, metric_note

    name, note = file_stem("maps", measure, scope), metric_note(shown.found, measure)
    show_figure(part_dots(shown.found, measure, scope, shown.colours), name, note)
    with st.expander("Table", icon=":material/table:"):
        show_table(mean_table(shown.found, AGREEMENT, scope), name, note=note, told=False)


def _show_gains(shown: ShownMaps, measure: str, scope: str) -> None:
    from kdcore.charts.explanations import gain_dots
    from kdcore.report.explanations import difference_rows, metric_note

    chart = gain_dots(shown.found, measure, scope, shown.colours)
    if chart is None:
        return
    st.markdown(
        "**What distillation added.** Each image's agreement of the student less that of its "
        "baseline; an interval that crosses the dashed line does not show a "
        "difference."
    )
    name, note = file_stem("maps-gain", measure, scope), metric_note(shown.found, measure)
    show_figure(chart, name, note)
    with st.expander("Table of differences", icon=":material/table:"):
        show_table(difference_rows(shown.found), name, note=note, told=False)


def _show_seeds(shown: ShownMaps) -> None:
    """Draw what is known of other training seeds, where that was measured."""
    from kdcore.base import results_folder
    from kdcore.report.map_seeds import NOTE, map_seed_rows

    found = shown.found
    rows = map_seed_rows(results_folder(), found.method, found.split, found.teacher)
    if rows:
        st.markdown(
            "**Over training seeds.** Would other runs of the same recipes say the same? All "
            "measures, those of lesions too, of every student whose seeds were measured."
        )
        note = f"{measured.counted(found)} {NOTE}"
        show_table(rows, file_stem("maps-seeds", found.method, found.split), note=note)


def _show_corrupted(shown: ShownMaps, measure: str) -> None:
    from kdcore.charts.explanations import severity_lines
    from kdcore.report.explanations import corrupted_rows, map_corruptions, metric_note

    corruptions = map_corruptions(shown.found)
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
    note = metric_note(shown.found, measure, corrupted=True)
    show_figure(severity_lines(shown.found, measure, corruption, shown.colours), name, note)
    with st.expander("Table", icon=":material/table:"):
        show_table(corrupted_rows(shown.found), "maps-corrupted", note=note, told=False)


@st.cache_resource(max_entries=16, show_spinner="Measuring…")
def _transfers(_records: list[MapScores], content: str, measure: str) -> tuple[Transfer, ...]:
    from kdcore.evaluate.explanations import transfers

    return transfers(_records, measure, measured.RESAMPLES)


_DRAW: dict[str, Callable[[ShownMaps, str], None]] = {
    "all": _show_all,
    "class": _show_classes,
    "quadrant": _show_quadrants,
    "corruption": _show_corrupted,
}
