"""The images behind a number: those of one cell of a table, the most confident first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kdcore.evaluate.agreement import QUADRANTS, quadrant_of, refuse_unaligned
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax


def cases(
    predictions: Predictions,
    truth: str | None = None,
    decision: str | None = None,
    temperature: float = 1.0,
) -> NDArray[np.int64]:
    """Return the indices (M,) of the images in one cell of the confusion matrix.

    Parameters
    ----------
    predictions : of N images
    truth, decision : names of classes; None for any
    temperature : divides the logits; it can reorder images

    Returns
    -------
    (M,), M <= N, by falling confidence in the decision; equals in the order of the images

    Raises
    ------
    ValueError
        If there is no such class, or the temperature is not positive.
    """
    chosen = _is(predictions, predictions.labels, "truth", truth)
    chosen &= _is(predictions, predictions.logits.argmax(1), "decision", decision)
    return _most_confident_first(predictions, chosen, temperature)


def pair_cases(
    teacher: Predictions,
    student: Predictions,
    teacher_answer: str | None = None,
    student_answer: str | None = None,
    temperature_student: float = 1.0,
) -> NDArray[np.int64]:
    """Return the indices (M,) of the images to which two models gave these answers.

    Parameters
    ----------
    teacher, student : of the same N images in the same order, as `align` returns them
    teacher_answer, student_answer : names of classes; None for any
    temperature_student : divides the student's logits; it can reorder images

    Returns
    -------
    (M,), M <= N, by falling confidence of the student; equals in the order of the images

    Raises
    ------
    ValueError
        If the images are not the same, there is no such class, or the temperature is not positive.
    """
    refuse_unaligned(teacher, student)
    chosen = _is(teacher, teacher.logits.argmax(1), "teacher_answer", teacher_answer)
    chosen &= _is(student, student.logits.argmax(1), "student_answer", student_answer)
    return _most_confident_first(student, chosen, temperature_student)


def quadrant_cases(
    teacher: Predictions, student: Predictions, quadrant: str, temperature_student: float = 1.0
) -> NDArray[np.int64]:
    """Return the indices (M,) of the images in a quadrant, a key of `QUADRANTS`.

    `teacher`, `student`, `temperature_student` and the order are those of `pair_cases`.

    Raises
    ------
    ValueError
        If the images are not the same, there is no such quadrant, or the temperature is not
        positive.
    """
    if quadrant not in QUADRANTS:
        raise ValueError(f"quadrant: expected one of {', '.join(QUADRANTS)}, got {quadrant!r}")
    chosen = np.asarray(quadrant_of(teacher, student) == quadrant)
    return _most_confident_first(student, chosen, temperature_student)


def _is(
    predictions: Predictions, values: NDArray[np.int64], argument: str, name: str | None
) -> NDArray[np.bool_]:
    if name is None:
        return np.ones(len(values), dtype=np.bool_)
    if name not in predictions.classes:
        known = ", ".join(predictions.classes)
        raise ValueError(f"{argument}: expected one of {known}, got {name!r}")
    return np.asarray(values == predictions.classes.index(name))


def _most_confident_first(
    predictions: Predictions, chosen: NDArray[np.bool_], temperature: float
) -> NDArray[np.int64]:
    found = np.flatnonzero(chosen)
    confidence = softmax(predictions.logits[found], temperature).max(1)
    return found[np.argsort(-confidence, kind="stable")]
