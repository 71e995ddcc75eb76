"""The frame of a page: title, what it is for, the one line of caution, and errors in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import server, state

if TYPE_CHECKING:
    from kdcore.base import KdError


def open_page(title: str, question: str, builds: bool = False) -> None:
    """Draw the head of a page at once, before anything slow is imported, and wait for that.

    A page that `builds` needs more of the core than one that shows.
    """
    from pages.ui import jobs  # here, as it shows its errors with this module

    state.enter(title)
    jobs.keep_alive()
    st.title(title)
    st.markdown(question)
    st.caption(":material/info: A research and teaching tool. Not for diagnosis.")
    server.await_imports(builds)


def show_error(error: KdError) -> None:
    """Show a `KdError`: the problem in bold, then what to do."""
    hint = f"\n\n{error.hint}" if error.hint else ""
    st.error(f"**{error.problem}**{hint}", icon=":material/error:")


@contextmanager
def guard(stop: bool = False) -> Iterator[None]:
    """Turn a `KdError`, or what the system refuses, into a message; with `stop`, end the page."""
    from kdcore.base import KdError, in_words

    try:
        with in_words():
            yield
    except KdError as error:
        show_error(error)
        if stop:
            st.stop()


def escaped(name: str) -> str:
    """Return a text of others, such as a run's name, as Markdown shows it letter by letter."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#$:~|" else c for c in name)


def bold(sentence: str) -> str:
    """Return a sentence with its own stars kept, and every other sign of Markdown escaped."""
    return "**".join(escaped(part) for part in sentence.split("**"))
