"""A button that asks again before it does what can't be undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.ui import state
from pages.ui.frame import show_error

_ASKED, _FAILED = "confirm-what", "confirm-failed"  # one question at a time in a session


def ask(
    key: str, label: str, question: str, yes: str, icon: str, action: Callable[..., Any], *args: Any
) -> None:
    """Draw a button, and after it is pressed the question; a yes calls `action(*args)`.

    `key` names what is asked about, `question` says what will happen, `yes` is the second
    button's label. A `KdError` or `OSError` of the action is shown.
    """
    if state.get(_FAILED, ("", None))[0] == key:
        show_error(state.get(_FAILED)[1])
    # Callbacks run before the script or fragment does, and once begun they are not interrupted: a
    # poll that comes in between would swallow a click that only the button's return value tells.
    if state.get(_ASKED) != key:
        st.button(label, key=f"w:ask-{key}", icon=icon, on_click=_put, args=(key,))
        return
    with st.container(border=True):
        st.markdown(question)
        with st.container(horizontal=True):
            done = (key, action, args)
            st.button(yes, key=f"w:yes-{key}", type="primary", on_click=_do, args=done)
            st.button("No, leave it", key=f"w:no-{key}", on_click=_put, args=(None,))


def _put(asked: str | None) -> None:
    state.put(_ASKED, asked)
    state.put(_FAILED, ("", None))


def _do(key: str, action: Callable[..., Any], args: tuple[Any, ...]) -> None:
    from kdcore.base import KdError, in_words

    _put(None)
    try:
        with in_words():
            action(*args)
    except KdError as error:
        state.put(_FAILED, (key, error))
