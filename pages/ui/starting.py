"""The Start page's parts: what distillation is, what to try first, what ships."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, controls, images
from pages.ui.frame import escaped
from pages.ui.results import sweeps

if TYPE_CHECKING:
    from kdcore.models import Checkpoint

_SAMPLE = "mel-15"
_T = 4.0
_STEPS = (
    (
        "Take the tour",
        "Two minutes, a few pictures, no jargon: where teacher and student agree, part and err.",
        "pages/see/demo.py",
        "Guided demo",
        "tour",
    ),
    (
        "Explain a lesion",
        "Upload a photo, or take a drawn sample: both answers, how sure they are, and what each "
        "network went by.",
        "pages/see/explain.py",
        "Explain a lesion",
        "search_insights",
    ),
    (
        "Compare the models",
        "What did the student keep, class by class? Every number opens the cases behind it.",
        "pages/measure/compare.py",
        "Compare",
        "compare_arrows",
    ),
)


def show_idea() -> None:
    """Say in three sentences what knowledge distillation is, beside one example of it."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown(
            "A **teacher** is a network that has learnt to name seven kinds of skin lesion. A "
            "**student** is another, often cheaper to run, that learns from the teacher's whole "
            "answer: not only *melanoma*, but how likely every other diagnosis looked to "
            "it. That is **knowledge distillation**.\n\n"
            "The student is never quite its teacher. Here you can see where they part, measure "
            "it, and judge whether the student can be trusted: for which lesions, how sure of "
            "itself, on which photos, and at what price in time and size."
        )
    with right:
        _example(controls.first_pair().teacher)


def _example(teacher: Checkpoint) -> None:
    """Draw what a teacher tells its student of one drawn sample beyond the label."""
    from kdcore.charts.probability import probability_view
    from kdcore.data import HAM10000
    from kdcore.predict.probabilities import softmax

    drawn = images.drawn(_SAMPLE)
    name = dict(zip(HAM10000.classes, HAM10000.long_names))[drawn.dx]
    logits = cache.predict(teacher, drawn.rgb, drawn.sha256).logits[None]
    specification, rows = probability_view(
        {"Teacher": softmax(logits, _T)[0]},
        HAM10000.classes,
        HAM10000.long_names,
        "What the teacher tells",
        drawn.dx,
    )
    st.vega_lite_chart(rows, specification, width="stretch", alt="What the teacher tells")
    st.caption(
        f"What a teacher tells its student of one drawn {name}: its answer, softened so that "
        "the other diagnoses show (temperature 4)."
    )


def show_first_steps() -> None:
    """Draw three things to try, each with the way to it."""
    st.subheader("Three things to try")
    for column, (title, text, page, label, icon) in zip(st.columns(3), _STEPS):
        with column.container(border=True, height="stretch"):
            st.markdown(f"**{title}**\n\n{text}")
            st.page_link(page, label=label, icon=f":material/{icon}:")


def show_models() -> None:
    """Draw one line for each model that is there, what holds of them, and what teachers brought."""
    from kdcore.data import HAM10000
    from kdcore.report.checkpoints import overview_rows, title_of
    from kdcore.report.overview import gain_texts, overview_texts

    st.subheader("What is here")
    found = controls.cards(HAM10000.classes)
    head, *body = overview_rows(found.values())
    st.dataframe([dict(zip(head, row)) for row in body], hide_index=True, width="content")
    cards = [replace(card, title=escaped(title_of(card))) for _, card in found.values()]
    st.markdown("\n".join(f"- {text}" for text in overview_texts(cards)))
    st.caption(
        "Macro-F1: how well the seven diagnoses are found, each counting the same; 1 is perfect. "
        "On lesions that no network was trained on. **KD**: knowledge distillation, taught by a "
        "teacher's whole answer; **AT**: attention transfer, taught where the teacher looks, too. "
        "A baseline is the same network without a teacher: only what is beyond it did the teacher "
        "bring."
    )
    if gains := gain_texts(cards, sweeps()):
        st.subheader("What the teacher brought")
        st.markdown("\n".join(f"- {text}" for text in gains))
        st.caption(
            "Above is one training of each network; another seed gives other numbers. This is the "
            "same network trained with several seeds, taught less untaught: macro-F1 on test, with "
            "its 95 % t-interval over seeds. It speaks of other seeds, not of other images."
        )
