"""One latency benchmark on the page: conditions, medians, distributions, threads, steps, table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import state
from pages.ui.figures import show_figure
from pages.ui.frame import bold, escaped
from pages.ui.tables import show_table

if TYPE_CHECKING:
    from kdcore.deploy.latency_store import Kept


def show_conditions(kept: Kept) -> None:
    """Say on which machine it was, whether that was left alone, and which model is faster."""
    from kdcore.report.latency import (
        fact_rows,
        first_speed_ups,
        machine_title,
        speed_up_sentence,
    )

    found = kept.benchmark
    if kept.imported:
        st.caption(":material/computer: Imported: measured on another machine or installation.")
    sentence = found.conditions.sentence()
    if found.conditions.alone:
        st.success(escaped(sentence), icon=":material/check:")
    else:
        st.warning(escaped(sentence), icon=":material/groups:")
    for text in found.left_out:
        st.warning(escaped(text), icon=":material/block:")
    for ratio in first_speed_ups(found):
        st.markdown(f"- {bold(speed_up_sentence(ratio))}")
    with st.expander(f"Conditions: {escaped(machine_title(found))}", key="w:latency-facts"):
        show_table(fact_rows({"value": found}), "latency-conditions")


def show_medians(kept: Kept) -> None:
    """Draw the median of each model in each setting."""
    from kdcore.charts.latency import median_dots

    st.subheader("How long an answer takes")
    st.markdown("Half of the calls were faster than the dot. Further left is better.")
    show_figure(median_dots(kept.benchmark), "latency-medians", _note(kept))


def show_setting(kept: Kept) -> None:
    """Draw the distributions in one setting, and the medians over threads where there are some."""
    from kdcore.charts.latency import distribution_chart, latency_colours, thread_lines
    from kdcore.report.latency import over_threads, settings

    by_setting = settings(kept.benchmark)
    st.subheader("How much it varies")
    st.markdown(
        "How many of the calls were answered within a time. A steep line is a time that can be "
        "relied on; a long tail to the right means that some pictures wait much longer."
    )
    chosen = state.choice(st.selectbox, "setting", "Setting", list(by_setting))
    colours = latency_colours(kept.benchmark.timings)
    show_figure(
        distribution_chart(by_setting[chosen], colours),
        "latency-distribution",
        f"{chosen}. {_note(kept, intervals=False)}",
    )
    lines = over_threads(kept.benchmark, by_setting[chosen][0].contender)
    if lines:
        st.subheader("Do more threads help?")
        st.markdown("A line that falls means that they do; twice as many rarely halve the time.")
        show_figure(thread_lines(lines, colours), "latency-threads", _note(kept))


def show_whole_way(kept: Kept) -> None:
    """Draw what a picture takes from JPEG bytes to probabilities, where that was timed."""
    from kdcore.charts.latency import part_bars
    from kdcore.report.latency import part_rows, whole_ways

    timings = whole_ways(kept.benchmark)
    if not timings:
        return
    st.subheader("From picture to answer")
    st.markdown(
        "Decoding and preparing the picture cost the same for every network of one input size: "
        "the faster the network, the larger their share."
    )
    show_figure(
        part_bars(timings), "latency-steps",
        f"Mean of each step, a JPEG of 600 × 450 pixels. {_note(kept, intervals=False)}",
    )  # fmt: skip
    show_table(part_rows(kept.benchmark), "latency-steps", shares=["share"])


def show_table_of(kept: Kept) -> None:
    """Draw the table of all numbers."""
    from kdcore.report.latency import PERCENTILES, compact_rows, timing_rows

    st.subheader("All numbers")
    show_table(
        timing_rows(kept.benchmark),
        "latency",
        note=f"{_note(kept)} {PERCENTILES}",
        shown=compact_rows(kept.benchmark),
    )


def _note(kept: Kept, intervals: bool = True) -> str:
    from kdcore.report.latency import METHOD, benchmark_title

    title = f"{benchmark_title(kept.benchmark, kept.imported)}."
    return escaped(f"{title} {METHOD}" if intervals else title)
