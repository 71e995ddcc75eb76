"""The Temperature page's parts: whose logits, and the views of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import cache, measured, state
from pages.ui.controls import Pair
from pages.ui.images import Chosen, show

if TYPE_CHECKING:
    from kdcore.losses.temperature import Softening

_THREE = (1.0, 5.0, 10.0)


@dataclass(frozen=True)
class Logits:
    """Logits (N, C) of both models on the same images, and the true class where known."""

    teacher: Any
    student: Any
    truth: str
    of: str
    classes: tuple[str, ...]


def choose_scope(pair: Pair) -> str:
    """Draw the choice between one picture and a class of the test split."""
    options = {"image": "One picture", "class": "A whole class"}
    return state.choice(
        st.segmented_control,
        "scope",
        "Soften the output for",
        list(options),
        format_func=options.get,
        help="A whole class is read from the test predictions saved with the checkpoints.",
    )


def logits_for(pair: Pair, scope: str, chosen: Chosen | None) -> Logits | None:
    """Return the logits to soften, or None (said on the page) where there are none."""
    if scope == "class":
        return _class_logits(pair)
    if chosen is None:
        return None
    left, right = st.columns([1, 2])
    with left:
        show(chosen)
    with right:
        st.caption("Both networks look once; the rest is arithmetic on their logits.")
        teacher, student = (
            cache.predict(model, chosen.rgb, chosen.sha256).logits for _, model in pair.items()
        )
        _say_choices(pair, teacher, student)
    classes = pair.teacher.card.classes
    return Logits(teacher[None], student[None], chosen.dx, "this picture", classes)


def sweep(logits: Logits) -> dict[str, Softening]:
    """Return each model's `Softening` over T = 1 to 20 in steps of a half."""
    from kdcore.losses.temperature import TEMPERATURES, softening

    return {
        "Teacher": softening(logits.teacher, TEMPERATURES),
        "Student": softening(logits.student, TEMPERATURES),
    }


def show_three(softenings: dict[str, Softening], logits: Logits) -> None:
    """Draw the softened outputs at T = 1, 5 and 10 side by side."""
    from kdcore.charts.temperature import softened_view
    from kdcore.data import names_of_classes
    from kdcore.losses.temperature import TEMPERATURES

    names = names_of_classes(logits.classes)
    st.subheader(f"T = 1, 5 and 10 for {logits.of}")
    for column, temperature in zip(st.columns(3), _THREE):
        specification, rows = softened_view(
            softenings,
            TEMPERATURES.index(temperature),
            logits.classes,
            list(names.values()),
            logits.truth,
        )
        column.vega_lite_chart(
            rows,
            specification,
            width="stretch",
            alt=f"Probabilities of both models at T = {temperature:g}",
        )
    if not logits.truth:
        st.caption("The true class of an upload is not known, so none is marked.")


def show_curves(softenings: dict[str, Softening], logits: Logits, temperature: float) -> None:
    """Draw entropy and gradient size over T, with the chosen T marked."""
    from kdcore.charts.temperature import entropy_chart, gradient_chart
    from kdcore.losses.temperature import TEMPERATURES, gradient_curve

    left, right = st.columns(2)
    with left:
        st.subheader("Entropy")
        st.markdown(
            "How undecided the output is: 0 nats if one class has all, the logarithm of their "
            "number if none leads (ln 7 = 1.95 for seven)."
        )
        st.altair_chart(
            entropy_chart(softenings, temperature),
            width="stretch",
            alt="Entropy of both models over temperature",
        )
    with right:
        st.subheader("Why the loss has a T²")
        st.markdown(
            "The gradient of KL shrinks as T grows; T² holds its size, so that T can be changed "
            "without weighing the hard label anew."
        )
        curve = gradient_curve(logits.student, logits.teacher, TEMPERATURES)
        st.altair_chart(
            gradient_chart(curve, temperature),
            width="stretch",
            alt="Gradient size over temperature with and without the factor T squared",
        )


def show_similarity(pair: Pair, temperature: float) -> None:
    """Draw the teacher's class-similarity matrix at the chosen T, and at 1."""
    from kdcore.charts.temperature import similarity_chart
    from kdcore.losses.temperature import class_similarity

    st.subheader("Dark knowledge: which classes the teacher finds alike")
    saved = measured.load_of(pair.teacher)
    if saved is None:
        st.info(
            "The teacher has no saved test predictions, so this matrix can't be drawn. "
            "`python -m kdcore train` leaves them beside a checkpoint.",
            icon=":material/grid_off:",
        )
        return
    st.markdown("Mean softened output for the test images of each class, in percent.")
    for column, t in zip(st.columns(2), (1.0, temperature)):
        matrix = class_similarity(saved.logits, saved.labels, t)
        column.altair_chart(
            similarity_chart(matrix, saved.classes, f"T = {t:g}"),
            width="stretch",
            alt=f"Class similarity matrix of the teacher at T = {t:g}",
        )


def _class_logits(pair: Pair) -> Logits | None:
    teacher, student = (measured.load_of(checkpoint) for _, checkpoint in pair.items())
    if teacher is None or student is None:
        st.info(
            "A whole class needs the test predictions saved with both checkpoints, and they are "
            "not all there. Choose one picture; `python -m kdcore train` leaves them with a model.",
            icon=":material/folder_off:",
        )
        return None
    if teacher.sample_ids.tolist() != student.sample_ids.tolist():
        st.warning("These two checkpoints were tested on different images; choose another pair.")
        return None
    from kdcore.data import names_of_classes
    from kdcore.data.info import MELANOMA

    names = names_of_classes(teacher.classes)
    dx = state.choice(
        st.selectbox,
        "class",
        "True class",
        list(teacher.classes),
        default=MELANOMA,
        format_func=lambda c: f"{c} · {names[c]}",
    )
    rows = teacher.labels == teacher.classes.index(dx)
    if not rows.any():
        st.info(f"There is no test image of {dx}.")
        return None
    of = f"{rows.sum():,} test images of {dx}"
    return Logits(teacher.logits[rows], student.logits[rows], dx, of, teacher.classes)


def _say_choices(pair: Pair, teacher: Any, student: Any) -> None:
    from kdcore.data import names_of_classes

    classes = pair.teacher.card.classes
    names = names_of_classes(classes)
    for role, logits in (("Teacher", teacher), ("Student", student)):
        first = classes[int(logits.argmax())]
        st.markdown(f"**{role}'s first choice:** {first}, {names[first]}")
