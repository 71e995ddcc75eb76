"""A button that asks again before it does what can't be undone."""

from __future__ import annotations

import streamlit as st

from pages.ui import state

_ASKED = "confirm-what"  # one question at a time in a session


def confirmed(key: str, label: str, question: str, yes: str, icon: str) -> bool:
    """Draw a button, and after it is pressed the question; True in the run in which it is said yes.

    `key` names what is asked about, `question` says what will happen, `yes` is the second
    button's label.
    """
    if state.get(_ASKED) != key:
        # The callback runs before the script or fragment does, so nothing has to be drawn twice.
        st.button(label, key=f"w:ask-{key}", icon=icon, on_click=state.put, args=(_ASKED, key))
        return False
    with st.container(border=True):
        st.markdown(question)
        with st.container(horizontal=True):
            said = st.button(yes, key=f"w:yes-{key}", type="primary")
            st.button("No, leave it", key=f"w:no-{key}", on_click=state.put, args=(_ASKED, None))
    if said:
        state.put(_ASKED, None)
    return said
