"""One case of a reader study: the picture, one heatmap at a time, and what is asked of it.

Nothing on the page tells whose map it is: no caption, alternative text, key or link names a role.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import controls, state
from pages.ui.frame import escaped, show_error
from pages.ui.tables import file_stem

if TYPE_CHECKING:
    from kdcore.study import Reader, Sight, Study

_FAILED = "reading-failed"  # the last answer's error: it was not stored


def show(study: Study, reader: Reader) -> None:
    """Draw the case that the reader is at, with its questions and the way on."""
    from kdcore.base.counting import share

    place, count = _place(study, reader), len(study.cases)
    sight = reader.sights[place]
    st.progress(share(reader.done, count), text=f"{reader.done} of {count} cases complete")
    if state.get(_FAILED):
        st.error("**Your last answer was not stored.** Please give it again.")
        show_error(state.get(_FAILED))
    case = study.cases[sight.case]
    st.subheader(f"Case {place + 1} of {count}")
    st.markdown(f"The maps show what spoke for **{escaped(case.target)}** to each network.")
    pictures, questions = st.columns([3, 2], gap="large")
    with pictures:
        side = _pictures(study, reader, sight)
    with questions:
        _rate(study, reader, sight, side)
        _prefer(study, reader, sight)
    _move(study, reader, place)


def thank(study: Study, reader: Reader) -> None:
    """Draw the end of a reader's part, with the download of the answers."""
    from kdcore.report.cells import csv_text
    from kdcore.study import own_rows

    st.success(
        f"**Thank you.** All {len(study.cases)} cases are complete and stored.",
        icon=":material/task_alt:",
    )
    st.markdown(
        "Nothing more is needed of you. Which map was whose stays hidden in your copy, too, as "
        "others may still be reading."
    )
    st.download_button(
        "My answers (CSV)",
        lambda: csv_text(own_rows(reader)),
        file_name=f"{file_stem('answers', study.id, reader.code)}.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        key="w:own-answers",
    )


def _place(study: Study, reader: Reader) -> int:
    """Return the reader's place: where it was left, at first the first case that isn't complete."""
    name = _at(study, reader)
    if state.get(name) not in range(len(reader.sights)):
        state.put(name, reader.first_open or 0)
    return state.get(name)


def _at(study: Study, reader: Reader) -> str:
    return f"place-{study.id}-{reader.code}"


def _pictures(study: Study, reader: Reader, sight: Sight) -> str:
    """Draw the picture and the map of one side, and return the side."""
    from kdcore.explain import color_bar, overlay
    from kdcore.study import SIDES

    given = reader.of(sight.case)
    left, right = st.columns(2)
    with left:
        side = state.choice(
            st.segmented_control,
            f"side-{study.id}-{sight.place}",
            "One at a time (✓ is rated)",
            list(SIDES),
            format_func=lambda s: f"Heatmap {s}" + (" ✓" if given.rated(s) else ""),
        )
    with right:
        opacity = controls.choose_opacity()
    picture = study.picture(sight.case)
    blended = overlay(picture, study.heatmap(sight.case, sight.role(side)), opacity)
    number = f"Case {sight.place + 1}"
    for column, (image, caption) in zip(
        st.columns(2), ((picture, "The picture"), (blended, f"Heatmap {side}"))
    ):
        column.image(
            image,
            caption=caption,
            output_format="PNG",
            width="stretch",
            alt=f"{number}: {caption.lower() if image is picture else caption}",
        )
    st.image(
        color_bar(640, 10),
        caption="Dark: it hardly looked here. Bright: it looked here most",
        output_format="PNG",
        width="stretch",
        alt="Colour scale of the heatmaps, from least to most",
    )
    return side


def _rate(study: Study, reader: Reader, sight: Sight, side: str) -> None:
    """Draw the three scales and the comment of one side; each is stored when it changes."""
    from kdcore.study import HIGHEST, LONGEST_COMMENT, LOWEST, QUESTIONS, comment, rate

    given = reader.of(sight.case)
    where = (study, reader.code, sight.case, side)
    # Plain labels below: a screen reader would read the stars of bold ones.
    st.markdown(f"**Heatmap {side}** · {LOWEST} is not at all, {HIGHEST} is fully")
    for question, (title, prompt) in QUESTIONS.items():
        _stored(
            partial(st.radio, options=range(LOWEST, HIGHEST + 1), horizontal=True),
            f"{title} of {side}. {prompt}",
            (reader.code, sight.place, side, question),
            given.ratings.get((side, question)),
            partial(rate, *where, question),
        )
    _stored(
        partial(st.text_area, max_chars=LONGEST_COMMENT, height=80),
        f"Remarks on {side} (not needed)",
        (reader.code, sight.place, side, "comment"),
        given.comments.get(side, ""),
        partial(comment, *where),
    )


def _prefer(study: Study, reader: Reader, sight: Sight) -> None:
    """Draw the pairwise question; it opens once both maps were rated."""
    from kdcore.study import PREFERENCES, SIDES, prefer

    given = reader.of(sight.case)
    closed = not all(map(given.rated, SIDES))
    _stored(
        partial(
            st.radio,
            options=list(PREFERENCES),
            format_func=PREFERENCES.get,
            horizontal=True,
            disabled=closed,
        ),
        "Which heatmap do you prefer?",
        (reader.code, sight.place, "prefer"),
        given.preference,
        partial(prefer, study, reader.code, sight.case),
    )
    if closed:
        st.caption("Opens when A and B are rated.")


def _stored(
    widget: Callable[..., Any],
    label: str,
    name: tuple[object, ...],
    value: Any,
    store: Callable[[Any], None],
) -> None:
    """Draw a widget that has the stored `value`, and stores what it is changed to."""
    key = "-".join(map(str, ("w:read", *name)))
    # What is stored wins: in another window of the same reader an answer may have been changed.
    st.session_state[key] = value
    widget(label, key=key, on_change=_take, args=(key, store))


def _take(key: str, store: Callable[[Any], None]) -> None:
    from kdcore.base import KdError

    state.put(_FAILED, None)
    value = st.session_state[key]
    if value is None:
        return
    try:
        store(value)
    except KdError as error:
        state.put(_FAILED, error)


def _move(study: Study, reader: Reader, place: int) -> None:
    """Draw the way back and on, and at the end of the cases the way to finish."""
    name, last = _at(study, reader), len(study.cases) - 1
    with st.container(horizontal=True):
        _go("Back", "back", ":material/arrow_back:", name, place - 1, disabled=place == 0)
        if place < last:
            _go("Next case", "next", ":material/arrow_forward:", name, place + 1, type="primary")
        if reader.first_open is not None and place == last:
            _go("To the first open case", "open", ":material/undo:", name, reader.first_open)
        if reader.first_open is None:
            st.button(
                "Finish",
                key="w:read-finish",
                type="primary",
                icon=":material/task_alt:",
                on_click=_finish,
                args=(study, reader.code),
                help="After this, answers can't be changed.",
            )
    if not reader.of(reader.sights[place].case).complete:
        st.caption("A case is complete with three ratings of A, three of B and your preference.")
    elif reader.first_open is None:
        st.caption("All cases are complete. You can still go back and change answers.")


def _go(label: str, key: str, icon: str, name: str, place: int, **more: Any) -> None:
    st.button(label, key=f"w:read-{key}", icon=icon, on_click=state.put, args=(name, place), **more)


def _finish(study: Study, code: str) -> None:
    from kdcore.base import KdError
    from kdcore.study import finish

    state.put(_FAILED, None)
    try:
        finish(study, code)
    except KdError as error:
        state.put(_FAILED, error)
