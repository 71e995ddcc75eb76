"""The Data page's look at each class: a few pictures of the training part, always the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, state

if TYPE_CHECKING:
    from kdcore.data import ImageDataset, Sample


def show_classes(data: ImageDataset, split: str) -> None:
    """Draw a strip of pictures for each class, and the button that shows others."""
    from kdcore.data.montage import class_groups, layout_of, pick

    st.subheader("A look at the classes")
    groups = class_groups(data.info.classes)
    chosen = next(iter(groups))
    if len(groups) > 1:
        chosen = state.choice(st.selectbox, "classes", "Classes", list(groups))
    turn = state.get("montage-turn", 0)  # a hyphen: no link can set it
    count, height = layout_of(data.info)
    shuffled = _shuffled(data, cache.data_key(data), split)
    names = dict(zip(data.info.classes, data.info.long_names))
    with st.container(horizontal=True):
        for dx in groups[chosen]:
            if samples := pick(shuffled.get(dx, ()), count, turn):
                st.image(
                    cache.strip_of(data, tuple(s.image_id for s in samples), height),
                    caption=names[dx]
                    if names[dx] == dx.replace("_", " ")
                    else f"{dx}: {names[dx]}",
                    alt=f"{len(samples)} training pictures of {names[dx]}",
                )
    if st.button("Show others", icon=":material/shuffle:", key="w:others"):
        state.put("montage-turn", turn + 1)
        st.rerun()
    st.caption("Pictures of the training part in the order of a hash: the same ones every time.")


@st.cache_resource(max_entries=4, show_spinner=False)
def _shuffled(_data: ImageDataset, key: str, split: str) -> dict[str, tuple[Sample, ...]]:
    from kdcore.data.montage import shuffled_by_class

    return shuffled_by_class(cache.parts_of(_data, split)["train"])
