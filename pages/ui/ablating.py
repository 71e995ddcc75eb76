"""The Results page's ablation: what each way to teach brought, over seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import state
from pages.ui.figures import show_figure
from pages.ui.results import sweeps
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.evaluate import Significance
    from kdcore.report.sweep_scores import SweepScores

LINK = ("sweep", "sweep_student", "sweep_score")


def show_ablation() -> None:
    """Draw the pickers of a sweep and a score, its methods' means, and their gains."""
    from kdcore.charts.ablation import gain_dots, mean_dots
    from kdcore.report.cells import joined, text_rows
    from kdcore.report.sweep_methods import method_lines, student_name
    from kdcore.report.sweep_scores import ablation_rows, ablation_sentence

    st.subheader("What each method brings")
    st.markdown(
        "The same student, trained by each method with the same seeds: only the teacher's part "
        "differs. A gain counts where its interval stays on one side of 0 and p is small."
    )
    found = {sweep.name: sweep for sweep in sweeps()}
    if not found:
        st.info(
            "No sweep's results are here. Make some with `python -m kdcore sweep`.",
            icon=":material/science:",
        )
        return
    sweep, student, score, title = _choose(found)
    result = sweep.ablation(score, student)
    note = _note(sweep, result, score)
    st.markdown(ablation_sentence(result))
    name = file_stem("ablation", sweep.name, student, score)
    if result.references:
        show_figure(gain_dots(result, title), f"{name}-gains", note, told=False)
    show_figure(mean_dots(result, title), f"{name}-means", note, told=False)
    network = student_name(sweep, student)
    rows = ablation_rows(result, f"{title} of {network}" if network else title)
    data = joined({sweep.name: rows}, "sweep")
    show_table(data, name, note=note, shown=text_rows(rows), printed=rows)
    lines = method_lines(sweep, result, student)
    if lines:
        st.caption("The methods, by their settings:")
        st.caption("\n".join(f"- **{method}**: {words}." for method, words in lines.items()))


def _choose(found: dict[str, SweepScores]) -> tuple[SweepScores, str, str, str]:
    from kdcore.evaluate.held_out import VAL_SCORE
    from kdcore.report.results import SCORES

    titles = {**SCORES, VAL_SCORE: f"{SCORES['macro_f1']} on validation"}
    # The one with most to tell, of the data set that the released models know if there is one.
    methods = {name: {run.method for run in sweep.runs} for name, sweep in found.items()}
    default = max(found, key=lambda name: (name.startswith("ham10000"), len(methods[name])))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sweep = found[
            state.choice(
                st.selectbox, "sweep", "Sweep", list(found), default=default,
                format_func=lambda name: found[name].title,
            )
        ]  # fmt: skip
        student = sweep.students[0]
        if len(sweep.students) > 1:
            student = state.choice(st.selectbox, "sweep_student", "Student", sweep.students)
        score = state.choice(
            st.selectbox, "sweep_score", "Score", list(titles), format_func=titles.get, width=260
        )
    return sweep, student, score, titles[score]


def _note(sweep: SweepScores, result: Significance, score: str) -> str:
    from kdcore.report.sweep_scores import ablation_note

    return ablation_note(sweep, result, score)
