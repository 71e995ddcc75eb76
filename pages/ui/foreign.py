"""The Compare page's predictions from elsewhere: add them from CSV files, and delete them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import confirm, measured, state
from pages.ui.comparing import PARTS
from pages.ui.frame import guard, show_error
from pages.ui.tables import file_stem

if TYPE_CHECKING:
    from kdcore.predict.shelf import Measured

_ADDED, _FAILED = "foreign-added", "foreign-failed"
_KINDS = {"probs": "Probabilities", "logits": "Logits"}


def show_foreign(models: list[Measured], part: str) -> None:
    """Draw the form that adds predictions, what it expects, and the list of what was added.

    `models` are the chosen ones; the first with predictions of our own on `part` is the example,
    and tells lesions and attributes of the images.
    """
    told = state.get(_ADDED) or state.get(_FAILED)
    with st.expander("Compare with predictions from elsewhere", expanded=bool(told)):
        own = [model for model in models if model.card]
        with guard():
            _explain(own[0] if own else None, part)
        _form(own)
        _tell()
        _show_added()


def _explain(example: Measured | None, part: str) -> None:
    """Say what a file has to look like, with an example of our own."""
    from kdcore.predict import to_csv
    from kdcore.predict.imported import example_csv

    st.markdown(
        "A CSV file with one row for each image: `image_id`, `label` (a class's name or its "
        "index) and one column for each class, `prob_CLASS` for probabilities or `logit_CLASS` "
        "for logits. `lesion_id` may be there; without it, lesions are those of our own "
        "predictions. It then appears in the picker at the top, on all Measure pages."
    )
    if example is None:
        return
    found = measured.load(example, part)
    st.code(example_csv(found), language=None)
    st.download_button(
        f"{example.title} as such a file",
        lambda: to_csv(found),
        file_name=f"{file_stem(example.name, part)}.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        key="w:foreign-example",
    )


def _form(own: list[Measured]) -> None:
    with st.form("foreign"):
        st.file_uploader(
            "CSV files", type="csv", accept_multiple_files=True, key="w:foreign-file",
            help="One file for each model. Either all of them are added, or none.",
        )  # fmt: skip
        with st.container(horizontal=True):
            st.text_input(
                "Name of the model", key="w:foreign-name", max_chars=60, width=260,
                placeholder="Several go by their files' names",
            )  # fmt: skip
            st.segmented_control(
                "Part",
                list(PARTS),
                default="test",
                format_func=PARTS.__getitem__,
                key="w:foreign-part",
            )
            st.segmented_control(
                "Columns hold",
                list(_KINDS),
                default="probs",
                format_func=_KINDS.__getitem__,
                key="w:foreign-kind",
            )
        st.form_submit_button("Add", type="primary", on_click=_add, args=(own,))


def _add(own: list[Measured]) -> None:
    """Keep the uploaded files; their errors are shown by `_tell`."""
    from kdcore.base import KdError, SettingError, in_words
    from kdcore.predict.foreign import NOTES
    from kdcore.predict.imported import keep_foreign

    state.put(_ADDED, None)
    state.put(_FAILED, None)
    files, name, part, kind = (
        st.session_state.get(f"w:foreign-{field}") for field in ("file", "name", "part", "kind")
    )
    part, name = part or "test", (name or "").strip()
    try:
        if not files:
            raise SettingError("No file was chosen.", "Choose a CSV file, then add it.")
        like = next((measured.load(m, part) for m in own if part in m.files), None)
        given = {file.name: file.getvalue() for file in files}
        if len(given) < len(files):
            raise SettingError("Two of the files have one name.", "Rename one of them.")
        with in_words():
            found = keep_foreign(given, name, part, kind == "logits", like)
    except KdError as error:
        state.put(_FAILED, error)
        return
    said = [
        " ".join([f"{one.checkpoint}: {len(one):,} images added.", *one.meta[NOTES].splitlines()])
        for one in found
    ]
    state.put(_ADDED, "\n\n".join(said))
    state.choose("part", part)
    for one in found:
        state.add_choice("models", one.checkpoint)


def _tell() -> None:
    if state.get(_FAILED):
        show_error(state.get(_FAILED))
    if state.get(_ADDED):
        st.success(state.get(_ADDED), icon=":material/check:")


def _show_added() -> None:
    """List what was added, each with a button that deletes it."""
    from kdcore.predict.imported import forget_foreign

    for model in measured.foreign():
        with st.container(horizontal=True, vertical_alignment="center"):
            parts = " and ".join(PARTS[part].lower() for part in model.files)
            st.markdown(f"**{model.title}**, {parts} part")
            confirm.ask(
                f"forget-{model.name}",
                "Delete",
                f"Delete the predictions of {model.title}? The file that they came from stays "
                "where it is.",
                "Yes, delete them",
                ":material/delete:",
                _forget,
                forget_foreign,
                model,
            )


def _forget(forget: Callable[[Measured], None], model: Measured) -> None:
    forget(model)
    state.put(_ADDED, None)
