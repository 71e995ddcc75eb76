"""The Reader study page's frame: which study, and whether to read it or to see what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import reading_case, reading_results, reading_setup, state
from pages.ui.frame import escaped, guard, show_error

if TYPE_CHECKING:
    from kdcore.study import Study

LINK = ("study",)  # never a reader's code, and nothing that tells models
_VIEWS = {"read": "Read", "results": "Progress and results"}
_NEW = ""


def show() -> None:
    """Draw the picker of a study and the view that is chosen, or the way to set one up."""
    working = reading_setup.take_finished()
    study = _choose()
    if study is None:
        if not working:
            reading_setup.show()
        return
    view = state.choice(
        st.segmented_control,
        "reading_view",
        "View",
        list(_VIEWS),
        format_func=_VIEWS.get,
        label_visibility="collapsed",
    )
    with guard():
        if view == "read":
            _read(study)
        else:
            reading_results.show(study)


def _choose() -> Study | None:
    """Draw the picker; None is a study to be set up."""
    from kdcore.study import list_studies

    studies, problems = list_studies()
    for problem in problems:
        show_error(problem)
    found = {study.id: study for study in studies}
    wanted = state.get("study", _NEW)
    if wanted and wanted not in found:
        st.warning(
            "The study that this link names is not on this machine. It may have been deleted.",
            icon=":material/link_off:",
        )
    if not found:
        state.put("study", _NEW)
        return None
    chosen = state.choice(
        st.selectbox,
        "study",
        "Study",
        [*found, _NEW],
        default=_NEW if wanted else next(iter(found)),
        format_func=lambda i: _name(found[i]) if i else "Set up a new study",
        help="The address of this page names the study: send it to the readers.",
    )
    return found.get(chosen)


def _name(study: Study) -> str:
    return f"{study.title} · {len(study.cases)} cases · {study.created[:10]}"


def _read(study: Study) -> None:
    """Draw the reader's part: the code, then the cases, then thanks."""
    from kdcore.study import join

    code = state.get(f"reader-{study.id}")
    if not code:
        _ask_code(study)
        return
    reader = join(study, code)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Reading as **{escaped(reader.code)}**")
        st.button(
            "Change the reader",
            key="w:leave",
            type="tertiary",
            icon=":material/logout:",
            on_click=state.put,
            args=(f"reader-{study.id}", None),
        )
    if reader.finished:
        reading_case.thank(study, reader)
    else:
        reading_case.show(study, reader)


def _ask_code(study: Study) -> None:
    from kdcore.study import check_code

    st.subheader(escaped(study.title))
    st.markdown(
        f"You will see {len(study.cases)} pictures of lesions. For each, two heatmaps, A and B, "
        "show what two networks looked at. Rate each by itself, then say which you prefer. Which "
        "network is A changes from case to case. Every answer is stored at once: you can stop at "
        "any time and go on with the same code."
    )
    with st.form("reader-code"):
        code = st.text_input(
            "Reader code",
            max_chars=20,
            placeholder="R-01",
            help="3 to 20 letters (a to z), digits, - and _. Whoever knows it can go on with it.",
        )
        st.caption(
            "Use the code that you were given, or make one up. **Enter no name**, initials or "
            "e-mail: the code is stored with your answers."
        )
        begun = st.form_submit_button("Begin or go on", type="primary")
    if begun:
        state.put(f"reader-{study.id}", check_code(code))
        st.rerun()
