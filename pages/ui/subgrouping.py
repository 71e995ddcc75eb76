"""The subgroups of a page's models: by which attribute, in which score, and who is served worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import measured, state
from pages.ui.figures import show_figure
from pages.ui.frame import escaped
from pages.ui.points import each
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.evaluate import GapDifference, Subgroups
    from kdcore.predict import Predictions
    from kdcore.predict.shelf import Measured

LINK = ("by", "score", "gap_of", "gap_to")
_SCORES = ("macro_f1", "balanced_accuracy", "accuracy", "recall", "auc", "ece", "overconfidence")


def show_subgroups(models: Sequence[Measured], colours: Mapping[str, str]) -> None:
    """Draw one score of each group, its gap to all others, what that says, and the table."""
    st.markdown(
        "Images are grouped by what is known of them, and each group is measured by itself. A dot "
        "is a model's score there, its line the 95 % interval."
    )
    names = dict.fromkeys(name for m in models for name in measured.load(m).attributes)
    if not names:
        _say_no_attributes()
        return
    left, right = st.columns(2)
    with left:
        by = _choose_attribute(list(names))
    known = [m for m in models if by in measured.load(m).attributes]
    found = each(known, lambda model: _found(model, by))
    if not found:
        return
    with right:
        score = _choose_score(found)
    found = {name: groups for name, groups in found.items() if score in groups.scores}
    for model in models:
        if model.title not in found:
            st.caption(
                f"{model.title} is left out: its predictions have no such attribute or score."
            )
    _show_groups(found, by, score, colours)
    _show_differences([m for m in known if m.title in found], by, score)


def _choose_attribute(names: list[str]) -> str:
    from kdcore.report.group_gaps import ATTRIBUTES

    return state.choice(
        st.selectbox,
        "by",
        "Groups by",
        names,
        format_func=lambda name: ATTRIBUTES.get(name, name),
        help="What the data set's table, or the picture itself, says about an image.",
    )


def _choose_score(found: Mapping[str, Subgroups]) -> str:
    from kdcore.report.subgroups import score_title

    known = {key for groups in found.values() for key in groups.scores}
    positive = next((groups.positive for groups in found.values() if groups.positive), "")
    return state.choice(
        st.selectbox,
        "score",
        "Score",
        [key for key in _SCORES if key in known],
        format_func=lambda key: score_title(key, positive),
        help="Macro means run over the classes that a group has. ECE: how far confidence is off, "
        "lower is better. Confidence − accuracy: above 0 is too sure.",
    )


def _show_groups(
    found: Mapping[str, Subgroups], by: str, score: str, colours: Mapping[str, str]
) -> None:
    from kdcore.charts.subgroups import gap_chart, group_chart
    from kdcore.evaluate.subgroups import OF_CLASS
    from kdcore.report.group_gaps import all_score_rows, few_text, gap_text, gap_told_rows

    note = _note(found)
    name = file_stem("subgroups", by, score)
    show_figure(
        group_chart(found, score, colours),
        name,
        f"{note} Beside each group: images / lesions"
        f"{' / images of the class' if score in OF_CLASS else ''}. Faint: too few to say.",
    )
    st.markdown("**Gap of each group to all other images.** Left of the dashed line it is lower.")
    gaps = gap_chart(found, score, colours)
    if gaps:
        show_figure(gaps, f"{name}-gap", f"{note} Groups that are too small are left out.")
    texts = {model: gap_text(groups, score) for model, groups in found.items()}
    for text in dict.fromkeys(texts.values()):  # what holds of several is said once
        st.markdown(f"**{'; '.join(m for m, own in texts.items() if own == text)}:** {text}")
    few = {model: few_text(groups, score) for model, groups in found.items()}
    for text in filter(None, dict.fromkeys(few.values())):
        st.warning(text, icon=":material/group:")
    if by == "dx_type":
        st.caption(
            "Images without a biopsy (follow-up, consensus) were easy to tell or watched for long, "
            "and hold few classes: compare accuracy with care."
        )
    with st.expander("Table", icon=":material/table:"):
        show_table(all_score_rows(found), name, note=note, shown=gap_told_rows(found, score))


def _show_differences(models: Sequence[Measured], by: str, score: str) -> None:
    """Draw by how much the gaps of two models differ, and say why their intervals don't tell."""
    from kdcore.base import KdError
    from kdcore.report.group_gaps import difference_rows, difference_text

    if len(models) < 2:
        return
    st.markdown("**Does one model have the larger gap?**")
    caution = (
        "A gap that leaves out 0 for one model and not for the other does not show that the two "
        "differ: compare the gaps themselves, "
    )
    if score == "ece":
        st.caption(f"{caution}which needs another score, such as “confidence − accuracy”.")
        return
    st.caption(f"{caution}on the same images.")
    left, right = st.columns(2)
    with left:
        second = measured.choose_model("Gap of", "gap_of", models, 1)
    with right:
        first = measured.choose_model("less gap of", "gap_to", models, 0)
    if first.name == second.name:
        st.info("Choose two models.", icon=":material/checklist:")
        return
    try:
        found = _differences(first, second, measured.key([first, second], "test"), by, score)
    except KdError as error:  # of other images, which is no fault of the page
        st.info(f"Their gaps can't be compared. {error}", icon=":material/difference:")
        return
    st.markdown(
        f"**{escaped(second.title)}** less **{escaped(first.title)}:** {difference_text(found)}"
    )
    titles = first.title, second.title
    shown = difference_rows(found, by, titles, shown=True)
    show_table(
        difference_rows(found, by, titles),
        file_stem("gap-differences", by, score, second.title, first.title),
        note=f"{measured.note(_found(first, by))} The same lesions are drawn for both models.",
        shown=shown,
        printed=shown,
    )


@st.cache_resource(max_entries=64, show_spinner="Comparing gaps…")
def _differences(
    _first: Measured, _second: Measured, content: str, by: str, score: str
) -> tuple[GapDifference, ...]:
    from kdcore.evaluate import gap_differences

    both = [(measured.load(m), measured.temperature(m)) for m in (_first, _second)]
    return gap_differences(both[0], both[1], by, score, measured.RESAMPLES)


def _note(found: Mapping[str, Subgroups]) -> str:
    """Return what the figure is of; each size of data set is said once."""
    return " ".join(dict.fromkeys(map(measured.note, found.values())))


def _say_no_attributes() -> None:
    st.info(
        "These predictions don't say of whom the images are. Predict again with "
        "`python -m kdcore predict`, which adds what the data set's table knows (sex, age, place "
        "on the body); imported predictions bring their own in columns `attribute_NAME`.",
        icon=":material/group_off:",
    )


def _found(model: Measured, by: str) -> Subgroups:
    predictions, content = measured.load(model), measured.key([model], "test")
    return _measured(predictions, content, by, measured.temperature(model))


@st.cache_resource(max_entries=64, show_spinner="Measuring groups…")
def _measured(_predictions: Predictions, content: str, by: str, temperature: float) -> Subgroups:
    from kdcore.evaluate import subgroups

    return subgroups(_predictions, by, temperature, measured.RESAMPLES)
