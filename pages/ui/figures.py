"""A chart on a page, with what it shows and how in words, and its downloads for a paper."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from streamlit.elements.vega_charts import AltairChart


def show_figure(
    chart: AltairChart,
    name: str,
    note: str,
    on_pick: Callable[[dict[str, Any]], None] | None = None,
    picked: str = "",
    told: bool = True,
) -> None:
    """Draw a chart, the note under it, and its SVG and PDF, called `name`.

    Parameters
    ----------
    chart : any Altair chart
    name : of the files
    note : split, number of images and how intervals were made; it is in the files, too
    on_pick : called with the fields of what is clicked, of a chart with a point selection
    picked : names what the chart shows as picked
    told : write the note under the chart; else it is in the files only
    """
    from kdcore.charts.figure import KINDS, figure_bytes

    if on_pick is None:
        st.altair_chart(chart, width="stretch")
    else:
        # A key of its own for each pick: the chart forgets the click, so that the same place can
        # be clicked again after something else was picked without it.
        key = f"w:pick-{name}-{picked}"
        st.altair_chart(chart, width="stretch", key=key, on_select=partial(_take, key, on_pick))
    if told:
        st.caption(note)
    with st.container(horizontal=True):
        for kind, mime in KINDS.items():
            st.download_button(
                kind.upper(),
                partial(figure_bytes, chart, kind, note),
                file_name=f"{name}.{kind}",
                mime=mime,
                on_click="ignore",
                icon=":material/download:",
                key=f"w:{kind}-{name}",
                help=f"This figure as a vector file, {name}.{kind}",
            )


def _take(key: str, on_pick: Callable[[dict[str, Any]], None]) -> None:
    points = [p for found in st.session_state[key]["selection"].values() for p in found]
    if points:
        on_pick(points[0])
