"""The Compare page's two models at a time: what is kept, what differs, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui import measured, state
from pages.ui.comparing import Compared
from pages.ui.figures import show_figure
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

    def predictions(self) -> dict[str, Any]:
        """Return both models' predictions by title."""
        return {title: self.shown.predictions[title] for title in (self.teacher, self.student)}

    def temperatures(self) -> dict[str, float]:
        """Return what both models' logits are divided by, by title."""
        return {title: self.shown.temperatures[title] for title in (self.teacher, self.student)}

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
    titles = list(shown.models)
    if len(titles) < 2:
        st.info("Choose a second model at the top.", icon=":material/checklist:")
        return None
    left, right = st.columns(2)
    roles = [shown.models[title].role for title in titles]
    with left:
        teacher = _pick("one", "Teacher", titles, _first(roles, "teacher"))
    rest = [title for title in titles if title != teacher]
    others = [shown.models[title].role for title in rest]
    with right:
        student = _pick("other", "Student", rest, _first(others, "student"))
    pair = shown.predictions[teacher], shown.predictions[student]
    contents = f"{shown.contents[teacher]}|{shown.contents[student]}"
    temperatures = shown.temperatures[teacher], shown.temperatures[student]
    return Pair(teacher, student, shown, _compare(*pair, contents, *temperatures))


def show_pair(pair: Pair) -> None:
    """Draw what the student has kept in figures and sentences, and the table of all scores."""
    from kdcore.report import agreement_rows, pair_rows
    from kdcore.report.pair_words import difference_sentence, mcnemar_sentence, pair_facts

    with st.container(horizontal=True):
        for fact in pair_facts(pair.comparison):
            with st.container(width=180, border=True, gap=None):
                st.metric(fact.label, fact.value, help=fact.meaning)
                st.caption(fact.interval or "no interval")
    st.markdown(f"{difference_sentence(pair.comparison)} {mcnemar_sentence(pair.comparison)}")
    name = file_stem(pair.teacher, pair.student, pair.shown.part)
    with st.expander("All scores of the two, and how alike they answer"):
        show_table(pair_rows(pair.comparison), f"scores-{name}", note=pair.note)
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
    st.markdown("An interval that crosses the line at 0 shows neither a loss nor a gain.")
    name = file_stem("difference", score, pair.teacher, pair.student, pair.shown.part)
    colour = pair.shown.colours[pair.student]
    show_figure(difference_dots(pair.comparison, score, colour), name, pair.note)
    show_table(pair_class_rows(pair.comparison, score), name, note=pair.note)


def _first(roles: list[str], role: str) -> int:
    return roles.index(role) if role in roles else 0


def _pick(name: str, label: str, titles: list[str], at: int) -> str:
    return state.choice(st.selectbox, name, label, titles, default=titles[at])


@st.cache_resource(max_entries=32, show_spinner="Comparing the two…")
def _compare(_teacher: Any, _student: Any, contents: str, one: float, other: float) -> Any:
    from kdcore.evaluate import compare_pair

    return compare_pair(_teacher, _student, one, other, measured.RESAMPLES)
