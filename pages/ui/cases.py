"""The cases behind a number: which images, what each model said, and the way to explain one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from pages.ui import cache, state
from pages.ui.frame import guard
from pages.ui.tables import show_table

if TYPE_CHECKING:
    from kdcore.predict import Predictions

_AT_ONCE = 12
_HEIGHT = 150  # px of a picture
_PROBABILITIES = "p is each model's probability of its own answer."


def show_cases(
    ids: Sequence[str],
    models: Mapping[str, Predictions],
    name: str,
    pair: tuple[str, str] | None = None,
    temperatures: Mapping[str, float] | None = None,
) -> None:
    """Draw the images `ids`: pictures where the data set is configured, and what models said.

    Parameters
    ----------
    ids : in the order to show
    models : `Predictions` by the model's title, all of the same images
    name : of the download and of the widgets
    pair : checkpoint names of teacher and student, to explain a case with
    temperatures : what each model's logits are divided by, by its title; default 1
    """
    from kdcore.report.cases import case_lines, case_rows

    if not len(ids):
        st.info("No image is in this cell.", icon=":material/grid_off:")
        return
    st.caption(f"{len(ids):,} image{'s' if len(ids) > 1 else ''}, the surest answers first.")
    with guard():
        show_pictures([str(i) for i in ids], case_lines(models, temperatures), name, pair)
    show_table(case_rows(ids, models, temperatures), f"cases-{name}", note=_PROBABILITIES)


def show_pictures(
    ids: Sequence[str],
    lines: Mapping[str, str],
    name: str,
    pair: tuple[str, str] | None = None,
    method: str = "",
) -> None:
    """Draw pictures where the data set is configured, page by page; raises `KdError`.

    Parameters
    ----------
    ids : in the order to show
    lines : what stands under each picture, by its id
    name, pair : those of `show_cases`
    method : of the maps that "Explain" opens; "" for the one that was chosen last
    """
    from kdcore.report.cases import case_pages

    data = cache.data_set()
    known = {sample.image_id for sample in data.samples} if data else set()
    shown = [i for i in ids if i in known]
    if data is None or not shown:
        st.caption("Pictures appear here where the data set is configured on the Data page.")
        return
    pages = case_pages(shown, _AT_ONCE)
    place = 1
    if len(pages) > 1:
        place = state.choice(
            st.select_slider, f"{name}_page", "Page", list(pages), default=1, width=300
        )
    with st.container(horizontal=True):
        for image_id in pages[place]:
            with st.container(width=_HEIGHT, gap=None):
                st.image(
                    cache.strip_of(data, (image_id,), _HEIGHT),
                    caption=lines[image_id],
                    alt=f"{image_id}: {lines[image_id]}",
                )
                if pair:
                    link = {"source": "data", "image": image_id}
                    link |= dict(zip(("teacher", "student"), pair))
                    link |= {"method": method} if method else {}
                    st.markdown(f"[Explain {image_id}](explain?{urlencode(link)})")
