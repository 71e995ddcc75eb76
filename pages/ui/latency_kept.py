"""Latency benchmarks that are kept: which is shown, two side by side, import, export, delete."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import state
from pages.ui.confirm import ask
from pages.ui.figures import show_figure
from pages.ui.frame import escaped, show_error
from pages.ui.tables import show_table

if TYPE_CHECKING:
    from kdcore.base import KdError
    from kdcore.deploy.latency_store import Kept

LINK = ("bench", "against", "setting", "timed", "engines", "threads", "batches", "whole")
NEW = "latency-new"
_ADDED, _FAILED = "latency-added", "latency-failed"


def choose() -> Kept | None:
    """Draw the choice of a kept benchmark and return it; None where there is none."""
    found, problems = _kept()
    for problem in problems:
        show_error(problem)
    if not found:
        st.info(
            "No benchmark of your own is kept yet. Time the models above, or import one below. "
            "Times that ship with the project are on the [Trade-off page](tradeoff).",
            icon=":material/timer:",
        )
        return None
    new, before = state.get(NEW) or (None, None)
    # Unless another was picked since; before the widget is drawn, as in a callback.
    if new in found and state.peek("bench") in (None, before, new):
        state.choose("bench", new)
    return _choose("bench", "Benchmark shown", found)


def _choose(name: str, label: str, found: dict[str, Kept]) -> Kept:
    titles = _titles(found)
    chosen = state.choice(st.selectbox, name, label, list(found), format_func=titles.get)
    return found[chosen]


def _kept() -> tuple[dict[str, Kept], list[KdError]]:
    from kdcore.deploy.latency_store import list_benchmarks

    found, problems = list_benchmarks()
    return {kept.name: kept for kept in found}, problems


def _titles(found: dict[str, Kept]) -> dict[str, str]:
    from kdcore.report.latency import benchmark_title

    titles = {n: benchmark_title(kept.benchmark, kept.imported) for n, kept in found.items()}
    known = Counter(titles.values())  # the browser sends the title: two of one would be the last
    return {n: f"{t} · {n[-8:]}" if known[t] > 1 else t for n, t in titles.items()}


def show_comparison(kept: Kept) -> None:
    """Draw the shown benchmark beside another: machines and what both have timed."""
    from kdcore.charts.latency import ratio_dots
    from kdcore.report.latency import compare_benchmarks, comparison_rows, fact_rows

    others = {name: other for name, other in _kept()[0].items() if name != kept.name}
    if not others:
        return
    st.subheader("Beside another benchmark")
    other = _choose("against", "Compare with", others)
    ratios = compare_benchmarks(other.benchmark, kept.benchmark)
    if not ratios:
        st.info("These two have timed nothing alike: no model in the same setting.")
        return
    st.markdown("Right of the line, the benchmark shown above was faster than this one.")
    show_figure(
        ratio_dots(ratios, "Times as fast as the other"),
        "latency-machines",
        "Ratio of medians; its ends are those of both intervals at their worst.",
    )
    show_table(comparison_rows(ratios, ("other", "shown")), "latency-machines")
    show_table(
        fact_rows({"other": other.benchmark, "shown": kept.benchmark}), "latency-conditions-2"
    )


def show_history() -> None:
    """Draw what is kept, each with its file and a way to delete it, and the import."""
    # Not before the page's end: a run that cuts this one short has the browser's old choice.
    state.put(NEW, None)
    found, problems = _kept()
    titles = _titles(found)
    told = state.get(_ADDED) or state.get(_FAILED)
    with st.expander("History, import and export", expanded=bool(told), key="w:latency-history"):
        for name, kept in found.items():
            _entry(name, kept, titles[name])
        if problems:
            st.caption("What can't be read is listed at the top; delete its file by hand.")
        _import()


def _entry(name: str, kept: Kept, title: str) -> None:
    from kdcore.deploy.latency_record import to_json
    from kdcore.deploy.latency_store import delete_benchmark

    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(escaped(title))
        st.download_button(
            "JSON",
            lambda: to_json(kept.benchmark),
            file_name=f"latency-{name}.json",
            mime="application/json",
            on_click="ignore",
            icon=":material/download:",
            key=f"w:latency-json-{name}",
            help="This benchmark as a file, to import on another machine",
        )
        ask(
            f"delete-latency-{name}",
            "Delete",
            f"Delete the benchmark of {escaped(title)}? This can't be undone.",
            "Yes, delete it",
            ":material/delete:",
            delete_benchmark,
            kept,
        )


def _import() -> None:
    st.markdown("Import a benchmark of another machine: the JSON that its Latency page exported.")
    with st.form("latency-import", border=False):
        st.file_uploader("Benchmark", type="json", key="w:latency-file")
        st.form_submit_button("Import", icon=":material/upload:", on_click=_add)
    if state.get(_FAILED):
        show_error(state.get(_FAILED))
    if state.get(_ADDED):
        st.success(escaped(state.get(_ADDED)), icon=":material/check:")


def _add() -> None:
    """Keep the uploaded benchmark; its error is shown by `_import`."""
    from kdcore.base import KdError, SettingError, in_words
    from kdcore.deploy.latency_store import import_benchmark

    state.put(_ADDED, None)
    state.put(_FAILED, None)
    file = st.session_state.get("w:latency-file")
    try:
        if file is None:
            raise SettingError("No file was chosen.", "Choose a JSON file, then import it.")
        with in_words():
            kept = import_benchmark(file.getvalue(), file.name)
    except KdError as error:
        state.put(_FAILED, error)
        return
    state.put(_ADDED, f"Imported as {kept.name}.")
    state.choose("bench", kept.name)
