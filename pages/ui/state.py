"""State that outlives a page switch and travels in the link.

Streamlit forgets a widget's key when its page is left, so each widget `w:NAME` has a copy under
`kd:NAME`. The link is read once a session (a changed address opens a new one) and written at the
end of a page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import streamlit as st

T = TypeVar("T")
_READ = "kd:link-read"
_PAGE = "kd:page"
_NAMES = "kd:link-names"
_DRAWN = "kd-run:drawn"  # no "kd:": links have names such as "runs" and "drawn"
_RUNS = "kd-run:number"
_ENDED = "kd-run:ended"


def enter(page: str) -> None:
    """Forget the widgets of the page before, so that this one's start from the kept values.

    A widget of the same key on another page is another widget to Streamlit: it would start from
    its own default, and the kept value would follow it. What the link to this page carries, if
    another page links to it, wins over what was kept.
    """
    if st.session_state.get(_PAGE, page) != page:
        st.session_state.pop(_NAMES, None)
        for key in [k for k in st.session_state if str(k).startswith("w:")]:
            del st.session_state[key]
        for name, value in _carried():
            put(name, value)
    st.session_state[_PAGE] = page
    if st.session_state.pop(_ENDED, False):  # one cut short has not drawn all that it would
        st.session_state[_RUNS] = st.session_state.get(_RUNS, 0) + 1


def adopt_link() -> None:
    """Take the link's parameters into the session, the first time it is called in it."""
    if st.session_state.get(_READ):
        return
    st.session_state[_READ] = True
    for name, value in _carried():
        st.session_state.setdefault(f"kd:{name}", value)


def _carried() -> list[tuple[str, str]]:
    """Return the link's parameters that can be kept."""
    found = st.query_params.items()
    return [(name, value) for name, value in found if name.isidentifier() and len(value) < 200]


def get(name: str, default: Any = None) -> Any:
    """Return the kept value of `name`."""
    return st.session_state.get(f"kd:{name}", default)


def put(name: str, value: Any) -> None:
    """Keep `value` under `name`."""
    st.session_state[f"kd:{name}"] = value


def peek(name: str, default: Any = None) -> Any:
    """Return what a widget further down on the page has now; before its first run what is kept."""
    return st.session_state.get(f"w:{name}", get(name, default))


def _begin(key: str, value: Any) -> None:
    """Give a widget `value` where it has none, and its own anew where the last run left it out.

    While a job's fragment polls, the server goes on holding the value of a widget that is not
    drawn; the browser forgets it. Drawn again with nothing set, it would be empty to the eye only.
    """
    run, drawn = st.session_state.get(_RUNS, 0), st.session_state.setdefault(_DRAWN, {})
    if key not in st.session_state or drawn.get(key, run) < run - 1:
        st.session_state[key] = st.session_state.get(key, value)
    drawn[key] = run


def choice(
    widget: Callable[..., Any],
    name: str,
    label: str,
    options: Sequence[T],
    default: T | None = None,
    **more: Any,
) -> T:
    """Draw a widget that picks one of `options` and keep its value; a stale value is dropped."""
    fallback = default if default in options else (options[0] if options else None)
    kept = get(name)
    key = f"w:{name}"
    if st.session_state.get(key, kept) not in options:
        kept = fallback
        st.session_state.pop(key, None)
    _begin(key, kept)
    value = widget(label, options, key=key, **more)
    if value is None:  # segmented controls can be emptied by a second click
        value = fallback
    put(name, value)
    return value


def choices(
    name: str, label: str, options: Sequence[str], default: Sequence[str], **more: Any
) -> list[str]:
    """Draw a picker of several of `options` and keep its value; what is stale is dropped.

    Kept, and in the link, as one text with commas between; nothing chosen is kept as "-".
    """
    key = f"w:{name}"
    kept = get(name)
    wanted = list(default) if kept is None else str(kept).split(",")
    known = [option for option in wanted if option in options]
    if kept is not None and not known and kept != "-":
        known = list(default)
    if any(option not in options for option in st.session_state.get(key, ())):
        st.session_state.pop(key)
    _begin(key, known)
    value = st.multiselect(label, options, key=key, **more)
    put(name, ",".join(value) or "-")
    return list(value)


def add_choice(name: str, value: str) -> None:
    """Add `value` to what `choices` has under `name`; only for callbacks, as `choose`."""
    chosen = [c for c in st.session_state.get(f"w:{name}", ()) if c != value]
    st.session_state[f"w:{name}"] = [*chosen, value]
    put(name, ",".join([*chosen, value]))


def switch(
    name: str, label: str, default: bool, widget: Callable[..., bool] | None = None, **more: Any
) -> bool:
    """Draw a switch, or another `widget` of two states, and keep its value as "yes" or "no"."""
    kept = get(name)
    on = default if kept not in ("yes", "no") else kept == "yes"
    _begin(f"w:{name}", on)
    value = (widget or st.toggle)(label, key=f"w:{name}", **more)
    put(name, "yes" if value else "no")
    return value


def choose(name: str, value: Any) -> None:
    """Set a widget to `value` and keep that; only for callbacks, which run before the widgets."""
    st.session_state[f"w:{name}"] = value
    put(name, value)


def slide(
    name: str,
    label: str,
    low: float,
    high: float,
    default: float,
    step: float,
    widget: Callable[..., float] | None = None,
    **more: Any,
) -> float:
    """Draw a slider, or another `widget` of a number, and keep its value.

    A value out of range or unreadable is dropped.
    """
    key = f"w:{name}"
    try:
        kept = type(default)(get(name, default))
    except (TypeError, ValueError):
        kept = default
    if not math.isfinite(kept):  # "nan" and "inf" are floats to Python
        kept = default
    _begin(key, min(max(kept, low), high))
    value = (widget or st.slider)(label, low, high, step=step, key=key, **more)
    put(name, value)
    return value


def write_link(names: Iterable[str]) -> None:
    """Write the kept values of `names` into the address; what is unset or empty is left out."""
    st.session_state[_NAMES] = tuple(names)
    st.session_state[_ENDED] = True
    refresh_link()


def refresh_link() -> None:
    """Write the values of the names of the last `write_link` again: what a fragment has changed."""
    names = st.session_state.get(_NAMES, ())
    wanted = {n: str(get(n)) for n in names if get(n) not in (None, "")}
    if names and dict(st.query_params) != wanted:
        st.query_params.from_dict(wanted)
