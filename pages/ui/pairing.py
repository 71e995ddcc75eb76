"""The Compare page's two models at a time: what is kept, what differs, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import measured, state
from pages.ui.comparing import Compared
from pages.ui.figures import show_figure
from pages.ui.frame import escaped
from pages.ui.results import sweeps
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.evaluate import PairComparison
    from kdcore.predict import Predictions
    from kdcore.predict.shelf import Measured

LINK = ("one", "other", "difference")


@dataclass(frozen=True)
class Pair:
    """Titles of two models, what is shown of all, and the second compared with the first."""

    one: str
    other: str
    shown: Compared
    comparison: PairComparison

    @property
    def note(self) -> str:
        """What a figure or table of the pair is of."""
        return f"Δ: {self.other} less {self.one}. {measured.note(self.comparison)}"

    @property
    def told(self) -> PairComparison:
        """The comparison with the titles as Markdown has them, for sentences."""
        return self.comparison.named(escaped(self.one), escaped(self.other))

    @property
    def titles(self) -> tuple[str, str]:
        """Both models' titles."""
        return self.one, self.other

    def predictions(self) -> dict[str, Predictions]:
        """Return both models' predictions by title."""
        return {title: self.shown.predictions[title] for title in self.titles}

    def temperatures(self) -> dict[str, float]:
        """Return what both models' logits are divided by, by title."""
        return {title: self.shown.temperatures[title] for title in self.titles}

    def checkpoints(self) -> tuple[str, str] | None:
        """Return the folders' names for the Explain page, or None where it can't open the pair."""
        models = [self.shown.models[title] for title in self.titles]
        if any(m.card is None for m in models):
            return None
        if models[0].role != "teacher" or models[1].role == "teacher":
            return None
        return models[0].folder, models[1].folder


def choose(shown: Compared) -> Pair | None:
    """Draw the pickers of two models and compare them; None where there is only one model."""
    st.subheader("Two at a time")
    st.markdown(
        "The same images, and the same drawn lesions for both, so that the difference has an "
        "interval of its own. Any two can be compared: a student with a baseline, too."
    )
    titles = {model.name: title for title, model in shown.models.items()}
    models = list(shown.models.values())
    if len(models) < 2:
        st.info("Choose a second model at the top.", icon=":material/checklist:")
        return None
    left, right = st.columns(2)
    with left:
        one = measured.choose_model("First, held against", "one", models, _first(models, "teacher"))
    rest = [model for model in models if model.name != one.name]
    with right:
        other = measured.choose_model("Second", "other", rest, _first(rest, "student"))
    pair = titles[one.name], titles[other.name]
    return Pair(*pair, shown, _compared(shown, *pair))


def show_gains(shown: Compared) -> None:
    """Say of each student what differs from the same network without a teacher."""
    from kdcore.report.gains import with_baselines
    from kdcore.report.overview import gain_texts
    from kdcore.report.pair_words import headline_sentence

    cards = {title: model.card for title, model in shown.models.items() if model.card}
    for student, baseline in with_baselines(cards):
        found = _compared(shown, baseline, student).named(escaped(baseline), escaped(student))
        st.markdown(
            f"What its teacher brought: {headline_sentence(found)} One training run of each."
        )
        for text in gain_texts([cards[student]], sweeps()):
            st.caption(f"Over several runs, test part: {text}")


def show_pair(pair: Pair) -> None:
    """Draw what the second has kept in figures and sentences, and the table of all scores."""
    from kdcore.report.cells import text_rows
    from kdcore.report.pair import agreement_rows, pair_rows
    from kdcore.report.pair_words import (
        headline_sentence,
        mcnemar_sentence,
        pair_facts,
        taught_sentence,
    )

    with st.container(horizontal=True, gap="xsmall"):
        for fact in pair_facts(pair.told):
            with st.container(width=152, border=True, gap=None):
                st.metric(fact.label, fact.value, help=fact.meaning)
                st.caption(fact.interval or "no interval")
    cards = (pair.shown.models[title].card for title in pair.titles)
    taught = taught_sentence(pair.told, *cards)
    st.markdown(f"{taught} {headline_sentence(pair.told)} {mcnemar_sentence(pair.told)}")
    name = file_stem(*pair.titles, pair.shown.part)
    with st.expander("All scores of the two, and how alike they answer"):
        scores, agreement = pair_rows(pair.comparison), agreement_rows(pair.comparison)
        shown = text_rows(scores), text_rows(agreement)
        show_table(scores, f"scores-{name}", note=pair.note, shown=shown[0], told=False)
        show_table(agreement, f"agreement-{name}", note=pair.note, shown=shown[1])


def show_differences(pair: Pair) -> None:
    """Draw the second less the first in one score, class by class."""
    from kdcore.charts.compare import difference_dots
    from kdcore.report.cells import text_rows
    from kdcore.report.models import CLASS_SCORES
    from kdcore.report.pair import pair_class_rows

    st.markdown("#### What each class lost or gained")
    score = state.choice(
        st.selectbox,
        "difference",
        "Difference in",
        list(CLASS_SCORES),
        default="recall",
        format_func=CLASS_SCORES.get,
        width=260,
    )
    st.markdown(
        f"Right of the line at 0 **{escaped(pair.other)}** is better. An interval that holds 0 "
        "does not show a difference."
    )
    name = file_stem("difference", score, *pair.titles, pair.shown.part)
    colour = pair.shown.colours[pair.other]
    show_figure(difference_dots(pair.comparison, score, colour), name, pair.note)
    rows = pair_class_rows(pair.comparison, score)
    show_table(rows, name, note=pair.note, shown=text_rows(rows), told=False)


def _first(models: list[Measured], role: str) -> int:
    """Return where the first model of a role is; 0 where there is none."""
    return next((place for place, model in enumerate(models) if model.role == role), 0)


def _compared(shown: Compared, one: str, other: str) -> PairComparison:
    """Return the second model compared with the first, by title."""
    pair = shown.predictions[one], shown.predictions[other]
    content = f"{shown.contents[one]};{shown.contents[other]}"
    temperatures = shown.temperatures[one], shown.temperatures[other]
    return measured.compare(*pair, content, *temperatures).named(one, other)
