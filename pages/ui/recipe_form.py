"""The Train page's form: one control for each field of a recipe, by group, from `FIELDS`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui.recipe_draft import TEXTS, Draft, back_to_preset, widget_key

if TYPE_CHECKING:
    from kdcore.distill.fields import Field

MAIN = ("name", "input_size", "epochs", "seed", "temperature", "alpha")
_LABELS = {
    "alpha": "α, weight of the hard label",
    "temperature": "Temperature T",
    "beta": "β, weight of attention transfer",
    "lam": "λ, weight of alignment",
    "kd": "Soft label's loss",
    "kd_weighted": "Class weights in the soft label, too",
    "at_weights": "Attention: weights of stages",
    "at_masked": "Attention: gate by the causal mask",
    "mask_q": "q, share of the causal mask",
    "align": "Kind of alignment",
    "contrast_temperature": "τ of the contrast",
    "hint": "Weight of hints",
    "dkd_target": "DKD: weight of the true class",
    "dkd_other": "DKD: weight of the others",
    "ema": "Decay of averaged weights",
    "init": "Initial weights",
    "init_mean": "Pixel mean of the initial weights",
    "init_std": "Pixel deviation of the initial weights",
    "sizes": "Growing input sizes",
    "limit": "Training images, about",
    "focal_gamma": "Focal γ",
    "effective_beta": "β of the effective number",
    "lr_schedule": "Learning rate's schedule",
    "split": "Split of the data",
}


def label(name: str) -> str:
    """Return what a field is called on the page."""
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def show_changes(draft: Draft) -> None:
    """Say which fields differ from the preset, with the way back."""
    if not draft.changed:
        st.caption("Nothing changed from the preset.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Changed: {', '.join(map(label, draft.changed))}.")
        st.button(
            "Back to the preset", key="w:back", icon=":material/undo:", on_click=back_to_preset
        )


def show_main(draft: Draft, teachers: dict[str, str]) -> None:
    """Draw teachers, student and the few fields that are changed most."""
    from kdcore.base.counting import in_rows

    left, right = st.columns(2)
    with left:
        _teachers(draft, teachers)
    with right:
        _draw(draft, "architecture", "Student")
    shown = [n for n in MAIN if not (draft.alone and n in ("temperature", "alpha"))]
    for row in in_rows(shown, 3):
        for column, name in zip(st.columns(3), row):
            with column:
                _draw(draft, name)


def show_groups(draft: Draft) -> None:
    """Draw the rest of the fields by group; without a teacher its groups are left out."""
    from kdcore.distill import FIELDS
    from kdcore.distill.readiness import TEACHER_GROUPS

    apart = (*MAIN, "teachers", "architecture")
    groups = {
        group: [f.name for f in FIELDS if f.group == group and f.name not in apart]
        for group in dict.fromkeys(item.group for item in FIELDS)
        if not (draft.alone and group in TEACHER_GROUPS)
    }
    shown = {group: names for group, names in groups.items() if names}
    with st.expander("Every other setting", icon=":material/tune:", key="w:groups"):
        for tab, names in zip(st.tabs(list(shown)), shown.values()):
            with tab:
                _grid(draft, names)
        if draft.alone:
            st.caption(
                "Without a teacher there is nothing to set for soft label, attention, alignment, "
                "hints and schedules. Choose a method with a teacher above to see them."
            )


def _grid(draft: Draft, names: Sequence[str]) -> None:
    from kdcore.base.counting import in_rows

    for row in in_rows(names, 2):
        for column, name in zip(st.columns(2), row):
            with column:
                _draw(draft, name)


def _teachers(draft: Draft, teachers: dict[str, str]) -> None:
    key, chosen = widget_key("teachers"), draft.values["teachers"]
    options = [*teachers, *(name for name in chosen if name not in teachers)]
    st.session_state.setdefault(key, list(chosen))
    st.multiselect(
        "Teachers, the strongest first",
        options,
        list(chosen),
        key=key,
        disabled=draft.alone and not chosen,
        format_func=lambda name: teachers.get(name, f"{name} (not there)"),
        placeholder="No teacher in this preset" if draft.alone else "Choose",
        help="Checkpoints of the same classes. The answers of several are averaged. For a baseline "
        "there is none to choose: start from a method with a teacher.",
    )
    _mark(draft, "teachers")


def _draw(draft: Draft, name: str, called: str = "") -> None:
    """Draw the control of a field, as its kind wants it."""
    from kdcore.distill import FIELDS
    from kdcore.distill.entries import button_step

    item = next(f for f in FIELDS if f.name == name)
    reason = draft.idle.get(name, "")
    key, value = widget_key(name), draft.values[name]
    more: dict[str, Any] = {
        "key": key,
        "disabled": bool(reason),
        "help": f"{item.meaning} {reason} In recipe files: `{name}`.".replace("  ", " "),
    }
    text = called or label(name)
    st.session_state.setdefault(key, value)
    # The value is given as the control's own default, too: a browser that has to draw a control
    # anew, after a rerun that was cut short, and an emptied field go back to that default.
    if item.kind in TEXTS:
        _line(item, text, value, more)
    elif item.kind == "choice":
        options = _options(item, value)
        st.selectbox(text, options, options.index(value), **more)
    elif item.kind == "flag":
        st.checkbox(text, value, **more)
    # Without bounds: to a number out of them the browser would answer with the one before, which
    # could be started unseen. The recipe's own checks refuse it in words.
    elif item.kind == "whole":
        st.number_input(text, value=value, step=1, **more)
    elif item.kind == "number":
        st.number_input(text, value=value, step=button_step(item), format="%g", **more)
    else:
        st.text_input(text, value, **more)
    _mark(draft, name)


def _line(item: Field, text: str, value: str, more: dict[str, Any]) -> None:
    from kdcore.distill.entries import EXAMPLES

    st.text_input(text, value, placeholder=f"such as {EXAMPLES[item.kind]}", **more)


def _options(item: Field, value: str) -> list[str]:
    return list(dict.fromkeys([*item.options, value]))


def _mark(draft: Draft, name: str) -> None:
    """Mark a changed field below its control: a label is read aloud with all its markup."""
    if name in draft.changed:
        st.caption(":primary-badge[changed]")
