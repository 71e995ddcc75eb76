"""Which layers a network's time goes into, measured when it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import every_checkpoint, state
from pages.ui.tables import show_table

if TYPE_CHECKING:
    from kdcore.deploy.profile import Profile


def show() -> None:
    """Draw the choice of a network, and its layers once they are asked for."""
    from kdcore.report.layers import layer_note, layer_rows

    models = every_checkpoint.found()
    if not models:
        return
    with st.expander("Layer by layer", key="w:layers", icon=":material/stacks:"):
        name = state.choice(
            st.selectbox,
            "layers_of",
            "Network",
            list(models),
            format_func=every_checkpoint.titles(models).get,
        )
        if st.button("Time its layers", key="w:time-layers", icon=":material/timer:"):
            state.put("layers-timed", name)
        if state.get("layers-timed") != name:
            st.caption("Eager PyTorch, one picture at a time: which layers are worth changing?")
            return
        folder, card = models[name]
        found = _profile(folder, (folder / "card.json").stat().st_mtime_ns, card.input_size)
        show_table(layer_rows(found), f"layers-{name}", ["share"], layer_note(found))


@st.cache_resource(max_entries=8, show_spinner="Timing every layer…")
def _profile(folder: Path, changed: int, side: int) -> Profile:
    from kdcore.deploy.profile import profile_network
    from kdcore.models import load_checkpoint

    return profile_network(load_checkpoint(folder).model, side)
