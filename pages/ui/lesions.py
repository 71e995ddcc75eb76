"""The lesion's outline where a mask of it exists, and how much of each map lies inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, state
from pages.ui.controls import Pair
from pages.ui.frame import guard
from pages.ui.images import Chosen

if TYPE_CHECKING:
    from kdcore.data import ImageDataset
    from kdcore.explain.check_pair import Lesion
    from kdcore.explain.explain_pair import PairExplanation
    from kdcore.models import Checkpoint

_SIDE = 448  # pixels of the outline's mask; the networks' own grids would draw steps


def mask_for(checkpoint: Checkpoint, chosen: Chosen) -> Lesion | None:
    """Return the lesion's mask on a network's input grid, None where there is none."""
    return _mask(chosen, checkpoint.card.input_size)


def choose(chosen: Chosen) -> Lesion | None:
    """Draw the switch of the outline and return the mask to draw; nothing where there is none."""
    mask = None
    with guard():  # a mask that is damaged is told, and the page goes on
        mask = _mask(chosen, _SIDE)
    if mask is None:
        return None
    shown = state.switch(
        "outline",
        "Outline of the lesion",
        True,
        help="Drawn by people for this data set; the networks never saw it.",
    )
    return mask if shown else None


def show_shares(pair: Pair, chosen: Chosen, explained: PairExplanation) -> None:
    """Say how much of each map lies on the lesion, beside what knows nothing of the picture.

    Of an empty map nothing is said.
    """
    from kdcore.base.words import percent
    from kdcore.explain import lesion_share

    with guard():
        for role, checkpoint, one in (
            ("teacher", pair.teacher, explained.teacher),
            ("student", pair.student, explained.student),
        ):
            mask = None if one.empty else mask_for(checkpoint, chosen)
            share = None if mask is None else lesion_share(one.heatmap, mask)
            if share is None:
                continue
            st.markdown(
                f"On the lesion lie **{percent(share.inside)}** of the {role}'s map, outside of it "
                f"{percent(share.outside)}. A blob in the middle would have "
                f"{percent(share.centre)} on it, an even map {percent(share.area)}, the lesion's "
                "share of the picture."
            )


def _mask(chosen: Chosen, size: int) -> Lesion | None:
    if not chosen.image_id:
        return None
    data = cache.data_set()  # the picture is of it
    if data is None or data.info.key != "ham10000":
        return None  # no other data set has masks of lesions
    return _read(data, cache.data_key(data), chosen.image_id, size)


@st.cache_resource(max_entries=32, show_spinner=False)
def _read(_data: ImageDataset, key: str, image_id: str, size: int) -> Lesion | None:
    from kdcore.data import HAM10000, Preprocess
    from kdcore.data.lesion_masks import lesion_mask

    return lesion_mask(_data, image_id, Preprocess(size, HAM10000.mean, HAM10000.std))
