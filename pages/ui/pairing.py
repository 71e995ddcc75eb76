"""The Compare page's two models at a time: what is kept, what differs, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui import measured, state
from pages.ui.comparing import Compared
from pages.ui.figures import show_figure
from pages.ui.frame import escaped
from pages.ui.tables import file_stem, show_table

LINK = ("one", "other", "difference")


@dataclass(frozen=True)
class Pair:
    """Titles of two models, what is shown of all, and the two compared."""

    teacher: str
    student: str
    shown: Compared
    comparison: Any

    @property
    def note(self) -> str:
        """What a figure of the pair is of."""
        return measured.note(self.comparison)

    def titles(self) -> dict[str, str]:
        """Return both models' titles by what they are here."""
        return {"Teacher": self.teacher, "Student": self.student}

    def predictions(self) -> dict[str, Any]:
        """Return both models' predictions by what they are here."""
        return {role: self.shown.predictions[title] for role, title in self.titles().items()}

    def temperatures(self) -> dict[str, float]:
        """Return what both models' logits are divided by, by what they are here."""
        return {role: self.shown.temperatures[title] for role, title in self.titles().items()}

    def checkpoints(self) -> tuple[str, str] | None:
        """Return the folders' names for the Explain page, or None where it can't open the pair."""
        models = [self.shown.models[title] for title in (self.teacher, self.student)]
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
        one = measured.choose_model("Teacher", "one", models, _first(models, "teacher"))
    rest = [model for model in models if model.name != one.name]
    with right:
        other = measured.choose_model("Student", "other", rest, _first(rest, "student"))
    teacher, student = titles[one.name], titles[other.name]
    pair = shown.predictions[teacher], shown.predictions[student]
    contents = f"{shown.contents[teacher]}|{shown.contents[student]}"
    temperatures = shown.temperatures[teacher], shown.temperatures[student]
    return Pair(teacher, student, shown, _compare(*pair, contents, *temperatures))


def show_gains(shown: Compared) -> None:
    """Say of each student whether it is better than the same network without a teacher."""
    from kdcore.report.pair_words import gain_sentence

    for student, baseline in _with_baselines(shown.models):
        pair = shown.predictions[baseline], shown.predictions[student]
        contents = f"{shown.contents[baseline]}|{shown.contents[student]}"
        temperatures = shown.temperatures[baseline], shown.temperatures[student]
        found = _compare(*pair, contents, *temperatures)
        st.markdown(gain_sentence(found, f"**{escaped(student)}**") + " One training run of each.")


def _with_baselines(models: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the titles of each student and of its network at its input size without a teacher."""

    def kind(model: Any) -> tuple[Any, ...]:
        return model.card.architecture, model.card.members, model.card.input_size

    known = {title: model for title, model in models.items() if model.card}
    return [
        (student, baseline)
        for student, one in known.items()
        for baseline, other in known.items()
        if (one.role, other.role) == ("student", "baseline") and kind(one) == kind(other)
    ]


def show_pair(pair: Pair) -> None:
    """Draw what the student has kept in figures and sentences, and the table of all scores."""
    from kdcore.report import agreement_rows, pair_rows
    from kdcore.report.pair_words import difference_sentence, mcnemar_sentence, pair_facts

    with st.container(horizontal=True, gap="xsmall"):
        for fact in pair_facts(pair.comparison):
            with st.container(width=152, border=True, gap=None):
                st.metric(fact.label, fact.value, help=fact.meaning)
                st.caption(fact.interval or "no interval")
    st.markdown(f"{difference_sentence(pair.comparison)} {mcnemar_sentence(pair.comparison)}")
    name = file_stem(pair.teacher, pair.student, pair.shown.part)
    with st.expander("All scores of the two, and how alike they answer"):
        show_table(pair_rows(pair.comparison), f"scores-{name}", note=pair.note, told=False)
        show_table(agreement_rows(pair.comparison), f"agreement-{name}", note=pair.note)


def show_differences(pair: Pair) -> None:
    """Draw student − teacher of one score, class by class."""
    from kdcore.charts.compare import difference_dots
    from kdcore.report import pair_class_rows
    from kdcore.report.models import CLASS_SCORES

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
        "Right of the line at 0 the student is better. An interval that crosses the line shows "
        "neither a loss nor a gain."
    )
    name = file_stem("difference", score, pair.teacher, pair.student, pair.shown.part)
    colour = pair.shown.colours[pair.student]
    show_figure(difference_dots(pair.comparison, score, colour), name, pair.note)
    show_table(pair_class_rows(pair.comparison, score), name, note=pair.note, told=False)


def _first(models: list[Any], role: str) -> int:
    """Return where the first model of a role is; 0 where there is none."""
    return next((place for place, model in enumerate(models) if model.role == role), 0)


@st.cache_resource(max_entries=32, show_spinner="Comparing the two…")
def _compare(_teacher: Any, _student: Any, contents: str, one: float, other: float) -> Any:
    from kdcore.evaluate import compare_pair

    return compare_pair(_teacher, _student, one, other, measured.RESAMPLES)
