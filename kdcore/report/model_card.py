"""A checkpoint's card for people, in Markdown: what it is for, how it was made, where it fails.

The headings are those of Mitchell et al. 2019 (doi:10.1145/3287560.3287596). Every number follows
from the card and the predictions beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError, write_text
from kdcore.data import DATASETS
from kdcore.data.info import MELANOMA
from kdcore.data.splits import MEASURED_PARTS
from kdcore.distill import Recipe
from kdcore.evaluate import Evaluation, Interval, Subgroups, evaluate_predictions, subgroups
from kdcore.models import Card, read_card
from kdcore.models.size import parameter_count
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax
from kdcore.report.cells import interval_text, markdown_table, percent_text
from kdcore.report.group_gaps import ATTRIBUTES, gap_text
from kdcore.report.models import class_gloss
from kdcore.report.operating_text import spoken
from kdcore.report.summary import SUMMARY
from kdcore.report.tables import TITLES

NAME = "README.md"
SURE = 0.9  # a confidence that a reader takes for certainty
_WORST = 3  # classes whose confusions are told
_GROUPED = ("sex", "age", "site", "brightness", "lesion_size")
_ROLES = {
    "teacher": "A teacher: other networks learn from its answers.",
    "student": "A student: a network that is to be like its teacher, and mostly cheaper.",
    "baseline": "A baseline: what students are compared with.",
}
_LEAKY = (
    "**These scores are too good.** Images of lesions that it was trained on are in the test part: "
    "the split is by image, and only there to be compared with published work that splits so."
)
# Of a recipe: what stands elsewhere on the card, and what is said though it be the usual.
_ELSEWHERE = {"name", "title", "role", "architecture", "input_size", "split", "teachers"}
_TAUGHT = {
    *("teacher_weights", "teacher_views", "alpha", "kd", "kd_weighted", "temperature"),
    *("dkd_target", "dkd_other", "beta", "at_weights", "at_masked", "mask_q", "lam", "align"),
    *("align_stage", "contrast_temperature", "hint", "hint_stage"),
}  # what nothing comes of without a teacher
_ALWAYS = {"seed", "epochs", "batch_size", "learning_rate", "class_weights"}


def model_card(card: Card, val: Predictions, test: Predictions, resamples: int = 1000) -> str:
    """Return the card of a checkpoint as Markdown.

    Parameters
    ----------
    card : of the checkpoint
    val, test : its predictions on both parts, of the card's classes
    resamples : of each bootstrap
    """
    scores = {p.split: evaluate_predictions(p, card.temperature, resamples) for p in (val, test)}
    groups = [
        subgroups(test, by, card.temperature, resamples)
        for by in _GROUPED
        if len(set(test.attributes.get(by, ()))) > 1
    ]
    lines = [
        f"# {' '.join((card.title or card.name).split())}",
        *_purpose(card),
        *_facts(card),
        *_training(card),
        *_scores(card, scores),
        *_calibration(card, test, scores["test"]),
        *_groups(groups),
        *_failures(card, test, scores["test"]),
        "## Licence",
        f"Weights and predictions: {card.licence or 'not stated'}.",
    ]
    return "\n\n".join(lines) + "\n"


def write_model_card(folder: Path) -> Path:
    """Write the card of the checkpoint in `folder` beside it, and return the file.

    Raises
    ------
    KdError
        If its card or its predictions on validation or test can't be read, or are of something
        else.
    """
    folder = Path(folder)
    card = read_card(folder)
    val, test = (_predictions(folder, card, part) for part in MEASURED_PARTS)
    text = model_card(card, val, test)
    write_text(folder / NAME, text)
    return folder / NAME


def _predictions(folder: Path, card: Card, part: str) -> Predictions:
    """Return the checkpoint's predictions on a part; DataError where they are of something else."""
    found = Predictions.load(folder / f"predictions-{part}.npz")
    given = (found.checkpoint_hash, found.split, tuple(found.classes))
    if given != (card.weights_sha256, part, tuple(card.classes)):
        raise DataError(
            f"predictions-{part}.npz in {folder.name!r} is not of these weights, part and classes.",
            "Make it again with `python -m kdcore predict`.",
        )
    return found


def _purpose(card: Card) -> Iterator[str]:
    yield _ROLES.get(card.role, "")
    key = card.recipe.get("dataset", "ham10000") if card.recipe else ""  # first cards had no other
    named = DATASETS.get(str(key))
    classes = f"{len(card.classes)} classes" + (f" of {named.name}" if named else "")
    yield (
        f"It gives one of {classes}, and was made for research on knowledge distillation and for "
        "teaching it."
    )
    yield (
        "**Not for diagnosis**, nor for any decision on a person: it was tested on the data set "
        "below and on no other, and it answers with one of its classes whatever it is shown."
    )


def _facts(card: Card) -> Iterator[str]:
    numbers = [
        ("Network", " + ".join(card.members) if card.members else card.architecture),
        ("Parameters", f"{parameter_count(card) / 1e6:.2f} million"),
        ("Input", f"the central square, {card.input_size} × {card.input_size} pixels, RGB"),
        ("Normalised by", f"mean {_listed(card.mean)}, deviation {_listed(card.std)}"),
        ("Weights", f"`model.safetensors`, SHA-256 `{card.weights_sha256[:16]}…`"),
    ]
    yield "## What it is"
    yield markdown_table([["", ""], *map(list, numbers)]).rstrip()
    yield f"Classes: {class_gloss(card.classes) or ', '.join(card.classes) + '.'}"


def _training(card: Card) -> Iterator[str]:
    yield "## Data and training"
    yield card.provenance or "Not stated."
    if card.train_groups and not _leaks(card):
        yield (
            f"The card lists, as hashes, the {len(card.train_groups):,} lesions or single images "
            f"that it was trained on{_named(card)}. Measuring it leaves them out, and saved "
            "predictions of them are refused."
        )
    if teachers := _teachers(card):
        named = (f"{n} (weights `{sha[:16]}…`)" if sha else n for n, sha in teachers.items())
        yield f"Taught by {', '.join(named)}."
    elif card.recipe and not card.members:
        yield "It had no teacher: it learned from the labels alone."
    if told := _recipe(card):
        yield "Recipe: " + ", ".join(f"{key} {_value(value)}" for key, value in told.items()) + "."


def _named(card: Card) -> str:
    return f", {len(card.train_images):,} pictures by name" if card.train_images else ""


def _teachers(card: Card) -> dict[str, str]:
    """Return the SHA-256 of each teacher's weights by its name, "" where it is not known."""
    return card.teachers or dict.fromkeys(card.recipe.get("teachers") or (), "")


def _leaks(card: Card) -> bool:
    return "leaky" in str(card.recipe.get("split", ""))


def _recipe(card: Card) -> dict[str, object]:
    """Return the fields of the card's recipe that are told: those that are not the usual."""
    usual = {field.name: field.default for field in fields(Recipe)}
    idle = _ELSEWHERE if _teachers(card) else _ELSEWHERE | _TAUGHT
    return {
        key: value
        for key, value in card.recipe.items()
        if key not in idle and (key in _ALWAYS or _plain(value) != usual.get(key))
    }


def _plain(value: object) -> object:
    return tuple(map(_plain, value)) if isinstance(value, list) else value


def _scores(card: Card, found: dict[str, Evaluation]) -> Iterator[str]:
    yield "## Scores"
    if _leaks(card):
        yield _LEAKY
    head = ["", *(f"{split}, n = {e.n:,}" for split, e in found.items())]
    rows = [
        [TITLES[name], *(interval_text(e.metrics[name]) for e in found.values())]
        for name in SUMMARY
    ]
    yield markdown_table([head, *rows]).rstrip()
    test = found["test"]
    classes = [
        [row.name, str(row.support), *map(_told, (row.recall, row.precision, row.auc))]
        for row in test.per_class
    ]
    yield "Class by class, on the test part:"
    yield markdown_table([["", "images", "recall", "precision", "AUC"], *classes]).rstrip()
    yield f"Intervals: {test.interval_method}."


def _calibration(card: Card, test: Predictions, scores: Evaluation) -> Iterator[str]:
    confidence = softmax(test.logits, card.temperature).max(1).mean()
    right = scores.metrics["accuracy"].value
    word = "more" if confidence > right else "less"
    yield "## Calibration"
    yield (
        f"Its logits are divided by {card.temperature:.3f}, fitted on validation. On test it is "
        f"then {100 * abs(confidence - right):.1f} points {word} sure than it is right (mean "
        f"confidence {100 * confidence:.1f} %, accuracy {100 * right:.1f} %); the ECE is "
        f"{interval_text(scores.metrics['ece'])}."
    )


def _groups(found: Sequence[Subgroups]) -> Iterator[str]:
    if not found:
        return
    yield "## Whom it serves less well"
    yield "Balanced accuracy on test, each group against all other images:"
    yield "\n".join(
        f"- {ATTRIBUTES[groups.by]}: {gap_text(groups, 'balanced_accuracy')}" for groups in found
    )


def _failures(card: Card, test: Predictions, scores: Evaluation) -> Iterator[str]:
    yield "## Where it fails"
    ranked = sorted((r for r in scores.per_class if r.support), key=lambda row: row.recall.value)
    told = [_confusion(card.classes.index(row.name), scores) for row in ranked[:_WORST]]
    probabilities = softmax(test.logits, card.temperature)
    sure = probabilities.max(1) >= SURE
    wrong = probabilities.argmax(1) != test.labels
    told.append(
        f"It is at least {100 * SURE:.0f} % sure of {_count(int(sure.sum()), 'test image')}, and "
        f"wrong about {int((sure & wrong).sum())} of them."
    )
    if MELANOMA in card.classes and (test.labels == card.classes.index(MELANOMA)).any():
        told.append(_missed(card.classes.index(MELANOMA), test, sure & wrong))
    if (rate := card.ood.get("false_alarm_rate")) is not None:
        told.append(
            f"The warning for unusual pictures goes off for {100 * rate:.1f} % of the test images, "
            "which are usual ones, and misses some that are unusual."
        )
    yield "\n".join(f"- {line}" for line in told)


def _confusion(true: int, scores: Evaluation) -> str:
    """Return how often a class is recognised, and what it is taken for most."""
    row, counts = scores.per_class[true], scores.confusion[true]
    said = (
        f"Of {_count(row.support, 'image')} of {spoken(row.name)} it recognises "
        f"{percent_text(_open(row.recall))}"
    )
    others = np.where(np.arange(len(counts)) == true, 0, counts)
    if not others.any():
        return f"{said}."
    most = int(others.max())
    names = [spoken(scores.per_class[k].name) for k in np.flatnonzero(others == most)]
    each = " each" if len(names) > 1 else ""
    return (
        f"{said}; the others it takes most often for {' and '.join(names)} ({most} of "
        f"{others.sum()}{each})."
    )


def _missed(positive: int, test: Predictions, surely_wrong: NDArray[np.bool_]) -> str:
    of_class = test.labels == positive
    missed = int((surely_wrong & of_class).sum())
    return (
        f"{_count(missed, 'image')} of {spoken(test.classes[positive])}, of "
        f"{int(of_class.sum())}, it calls something else with that certainty."
    )


def _open(found: Interval) -> Interval:
    """Return a score without its interval where every resample gave the same: it is none."""
    same = found.low == found.high
    return Interval(found.value, math.nan, math.nan) if same else found


def _told(found: Interval) -> str:
    return interval_text(_open(found))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _value(value: object) -> str:
    return (
        f"`{value}`" if isinstance(value, str) else str(value).replace("(", "[").replace(")", "]")
    )
