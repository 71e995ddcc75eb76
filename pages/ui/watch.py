"""A training run while it goes on, read from its folder: state, progress, numbers and curves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui.confirm import ask
from pages.ui.frame import escaped

if TYPE_CHECKING:
    from kdcore.distill import Run

_EVERY_S = 2.0
_CURVES_EVERY_S = 10.0


def show_live() -> list[Run]:
    """Draw the runs that are under way and the one that ended last; return those under way."""
    from kdcore.distill import list_runs

    runs = list_runs()
    live = [run for run in runs if run.status.live]
    over = [run for run in runs if run.status.state and not run.status.live]
    st.subheader("Under way" if live else "The last run")
    if not live and not over:
        st.caption("Nothing has been trained yet. A run is shown here from its start on.")
    for run in sorted(live, key=lambda run: run.status.state == "queued"):
        show_run(run)
    if over:
        if live:
            st.subheader("The last to end")
        show_run(max(over, key=_heartbeat))
    return live


def show_run(run: Run) -> None:
    """Draw a run; while it is live, again every two seconds, its curves every ten."""
    with st.container(border=True):
        if run.status.live:
            _poll(run.folder.path)
        else:
            _draw(run)
            _after(run)


def show_summary(run: Run) -> None:
    """Draw a run's state and numbers without its curves; while it is live, every two seconds."""
    with st.container(border=True):
        if run.status.live:
            _poll_state(run.folder.path)
        else:
            _draw(run)


def _poll_state(path: Path, draw_more: Callable[[Run], None] | None = None) -> None:
    """Draw a run's state until it ends, then let the page be drawn again."""

    @st.fragment(run_every=_EVERY_S)
    def poll() -> None:
        from kdcore.distill import read_run

        run = read_run(path)
        if not run.status.live:  # ended, or deleted in another session
            st.rerun()
        _draw(run)
        if draw_more is not None:
            draw_more(run)

    poll()


def _poll(path: Path) -> None:
    # Apart from the buttons: a click during the run that draws a button for the first time is
    # lost, so that run has to be short.
    @st.fragment(run_every=_CURVES_EVERY_S)
    def curves() -> None:
        from kdcore.distill import read_run

        show_curves(read_run(path))

    _poll_state(path, _controls)
    curves()


def _draw(run: Run) -> None:
    """Draw name, state, progress and numbers."""
    from kdcore.report.checkpoints import score_figures
    from kdcore.report.runs import figures, fraction_done, state_words

    st.markdown(f"**{escaped(run.name)}**")
    if run.status.live:
        st.progress(fraction_done(run), text=state_words(run))
    else:
        _say_end(run, state_words(run))
    found = figures(run) | score_figures(run.folder.checkpoint)
    if found:
        st.markdown(" · ".join(f"{label} **{value}**" for label, value in found.items()))


def _say_end(run: Run, words: str) -> None:
    kinds = {"done": st.success, "failed": st.error, "interrupted": st.warning}
    icons = {"done": ":material/check:", "failed": ":material/error:"}
    state = run.status.state
    kinds.get(state, st.info)(f"{words}.", icon=icons.get(state, ":material/stop_circle:"))


def _controls(run: Run) -> None:
    """Draw pause, resume and cancel: each leaves or takes a file that the run looks for."""
    from kdcore.distill import cancel_run, pause_run
    from kdcore.report.runs import kept_words

    folder = run.folder
    if run.status.state == "measuring":
        return  # its process does not listen any more
    if folder.cancel_requested():
        st.caption("Asked to stop; it ends after the step it is in.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if folder.pause_requested():
            st.button(
                "Resume", key=f"w:go-{run.name}", icon=":material/play_arrow:",
                on_click=pause_run, args=(folder, False),
            )  # fmt: skip
        elif run.status.state in ("running", "paused"):
            st.button(
                "Pause", key=f"w:pause-{run.name}", icon=":material/pause:",
                on_click=pause_run, args=(folder, True),
            )  # fmt: skip
        ask(
            f"cancel-{run.name}",
            "Cancel",
            f"Stop **{escaped(run.name)}**? {kept_words(run)}",
            "Yes, stop it",
            ":material/close:",
            cancel_run,
            folder,
        )


def explain_link(run: Run) -> None:
    """Draw the way to explain a lesion with a run's result, where it is of lesions."""
    if run.has_checkpoint and run.recipe is not None and run.recipe.dataset == "ham10000":
        role = "teacher" if run.recipe.role == "teacher" else "student"
        st.page_link(
            "pages/see/explain.py",
            label="Explain a lesion with it",
            icon=":material/search_insights:",
            query_params={role: run.name},
        )


def _after(run: Run) -> None:
    """Draw what can be done with a run that has ended, its curves, and why it failed."""
    from kdcore.distill import log_tail

    with st.container(horizontal=True):
        explain_link(run)
        st.page_link(
            "pages/build/runs.py",
            label="See it on the Runs page",
            icon=":material/list_alt:",
            query_params={"runs": run.name},
        )
    if run.status.state in ("failed", "interrupted"):
        st.markdown("The end of what its process printed:")
        st.code(log_tail(run.folder) or "Nothing.", language=None, wrap_lines=True)
    show_curves(run)


def show_curves(run: Run) -> None:
    """Draw the history's charts two by two, once there is an epoch."""
    from kdcore.base.counting import in_rows

    if not run.history:
        st.caption("Curves appear after the first epoch.")
        return
    charts = _charts(str(run.folder.path), str(run.history[-1]), run)
    for row in in_rows(charts, 2):
        for column, (title, chart) in zip(st.columns(2), row):
            with column:
                st.markdown(f"**{title}**")
                st.vega_lite_chart(chart, width="stretch", alt=f"{title} of {run.name} over epochs")


@st.cache_data(max_entries=32, show_spinner=False)
def _charts(folder: str, last_epoch: str, _run: Run) -> list[tuple[str, dict[str, Any]]]:
    from kdcore.charts import training as charts
    from kdcore.distill.presets import weighted_parts

    history = _run.history
    made = {
        "Validation scores": charts.score_chart(history),
        "Loss and its parts": charts.loss_chart(history, weighted_parts(_run.recipe, history)),
        "Agreement with the teacher": charts.agreement_chart(history),
        "Learning rate": charts.rate_chart(history),
        "Throughput": charts.throughput_chart(history),
    }
    return [(title, chart.to_dict()) for title, chart in made.items() if chart is not None]


def _heartbeat(run: Run) -> float:
    value = run.status.facts.get("heartbeat")
    return float(value) if isinstance(value, int | float) else 0.0
