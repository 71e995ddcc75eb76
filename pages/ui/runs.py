"""The Runs page's first half: the table of runs, and several of them beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import state
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.distill import Run

LINK = ("runs", "runstate", "column")
_EVERY_S = 5.0
_MOST = 6  # curves that can be told apart
_STATES = {
    "all": "All",
    "live": "Under way",
    "done": "Done",
    "cancelled": "Cancelled",
    "failed": "Failed",
    "interrupted": "Interrupted",
}


def read_runs() -> list[Run]:
    """Return the runs, and say which folders among them hold none."""
    from kdcore.base import runs_folder
    from kdcore.distill import list_runs

    runs = list_runs()
    known, root = {run.name for run in runs}, runs_folder()
    folders = [p.name for p in root.iterdir() if p.is_dir()] if root.is_dir() else []
    empty = sorted(n for n in folders if n not in known and not n.startswith("."))
    if empty:
        st.caption(
            f":material/info: No recipe, so no run: {', '.join(empty[:5])}"
            f"{' and others' if len(empty) > 5 else ''} in `{root}`."
        )
    if unreadable := [run.name for run in runs if run.recipe is None]:
        st.warning(
            f"The recipe of {', '.join(unreadable[:5])} can't be read. Its history can be shown "
            "and its folder deleted; it can't be resumed or compared.",
            icon=":material/warning:",
        )
    return runs


def show_runs(runs: list[Run]) -> None:
    """Draw the table of runs with its filters; while one is live, again every few seconds."""
    live = {run.name for run in runs if run.status.live}
    if not live:
        _table(runs)
        return

    @st.fragment(run_every=_EVERY_S)
    def poll() -> None:
        from kdcore.distill import list_runs

        now = list_runs()
        if {run.name for run in now if run.status.live} != live:
            st.rerun()  # one ended, or began: what can be done with it is another thing now
        _table(now)
        state.refresh_link()  # the filter is in it, and a change of it runs the fragment alone

    poll()


def _table(runs: list[Run]) -> None:
    from kdcore.report.runs import run_rows

    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        wanted = state.choice(
            st.segmented_control, "runstate", "State", list(_STATES), format_func=_STATES.get
        )
    with right:
        text = st.text_input(
            "Filter",
            key="w:run-filter",
            placeholder="name, network or teacher",
            help="Runs in whose row this text stands.",
        )
    head, *body = run_rows([run for run in runs if _has_state(run, wanted)])
    shown = [row for row in body if text.strip().lower() in " ".join(map(str, row)).lower()]
    if shown:
        show_table([head, *shown], "runs")
    else:
        st.caption("No run is like this. Choose another state or text.")


def _has_state(run: Run, wanted: str) -> bool:
    return wanted == "all" or (run.status.live if wanted == "live" else run.status.state == wanted)


def pick(runs: list[Run]) -> list[Run]:
    """Draw the picker of runs and return those picked, the latest one at first."""
    names = [run.name for run in runs]
    kept = [name for name in str(state.get("runs") or "").split(",") if name in names]
    st.session_state.setdefault("w:runs", kept or names[:1])
    held = [name for name in st.session_state["w:runs"] if name in names]
    if held != st.session_state["w:runs"]:  # one was deleted meanwhile
        st.session_state["w:runs"] = held
    picked = st.multiselect(
        "Runs to look at",
        names,
        key="w:runs",
        max_selections=_MOST,
        help=f"Up to {_MOST}. Their curves are laid over each other.",
    )
    state.put("runs", ",".join(picked))
    return [run for name in picked for run in runs if run.name == name]


def compare(picked: list[Run]) -> None:
    """Draw one column of the picked runs' histories, and how two recipes differ."""
    from kdcore.charts.training import comparison_chart
    from kdcore.report.runs import COLUMN_TITLES, curve_rows, shared_columns

    columns = shared_columns(picked)
    if not columns:
        st.caption("Curves appear after a run's first epoch.")
    else:
        column = state.choice(
            st.selectbox, "column", "Curve of", columns, format_func=COLUMN_TITLES.get
        )
        title = COLUMN_TITLES[column]
        st.altair_chart(
            comparison_chart(curve_rows(picked, column), title),
            width="stretch",
            alt=f"{title} over epochs of {', '.join(run.name for run in picked)}",
        )
    if len(picked) > 1:
        _differences(picked)


def _differences(picked: list[Run]) -> None:
    from kdcore.report.runs import difference_rows

    st.markdown("**How their recipes differ**")
    by_name = {run.name: run for run in picked}
    names = list(by_name)
    left, right = st.columns(2)
    with left:
        one = state.choice(st.selectbox, "one", "One run", names)
    with right:
        others = [name for name in names if name != one]
        other = state.choice(st.selectbox, "other", "The other", others)
    rows = difference_rows(by_name[one], by_name[other])
    if None in (by_name[one].recipe, by_name[other].recipe):
        st.caption("One of these recipes can't be read.")
    elif len(rows) == 1:
        st.caption("Their recipes are the same, names aside.")
    else:
        show_table(rows, file_stem(one, other, "recipes"))
