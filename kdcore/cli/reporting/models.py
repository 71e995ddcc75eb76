"""Which models a report is about, what they said, and what every section needs of them."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kdcore.base import DataError, KdError, SettingError, checkpoints_folder
from kdcore.charts.style import model_colours
from kdcore.evaluate import (
    Evaluation,
    PairComparison,
    align,
    compare_pair,
    evaluate_predictions,
    refuse_training_images,
)
from kdcore.predict import Predictions
from kdcore.predict.shelf import Measured, list_measured

SEED = 0  # of every bootstrap


@dataclass(frozen=True, eq=False)
class Subject:
    """A model of the report.

    Attributes
    ----------
    model : as it lies on the shelf
    test : its predictions on the part that is measured
    val : those on validation, which thresholds and calibrators are chosen on; None without them,
        or where validation is what is measured
    """

    model: Measured
    test: Predictions
    val: Predictions | None

    @property
    def title(self) -> str:
        """Its title for people, unlike that of any other model on the shelf."""
        return self.model.title

    @property
    def folder(self) -> Path:
        """The folder of its card and history."""
        return self.model.path

    @property
    def stem(self) -> str:
        """Its name as part of a file's name."""
        return re.sub(r"[^a-z0-9]+", "-", self.model.name.lower()).strip("-") or "model"

    def source(self, *parts: str) -> str:
        """Return its prediction files of `parts`, as text."""
        return joined_paths(self.model.files[part] for part in parts)


@dataclass(frozen=True)
class ReportModels:
    """Models on the same images, first the one held against; `part` is what is measured."""

    subjects: tuple[Subject, ...]
    part: str
    resamples: int

    @property
    def teacher(self) -> Subject:
        """The model that the others are held against, as a rule a teacher."""
        return self.subjects[0]

    @property
    def others(self) -> tuple[Subject, ...]:
        """All but the teacher."""
        return self.subjects[1:]

    @property
    def told(self) -> tuple[Subject, ...]:
        """The teacher and its students, which sentences are about; all where it has none."""
        students = [s for s in self.others if s.model.role == "student"]
        return (self.teacher, *students) if students else self.subjects

    @cached_property
    def colours(self) -> dict[str, str]:
        """Each model's colour by its title."""
        return model_colours({s.title: s.model.role for s in self.subjects})

    @cached_property
    def evaluations(self) -> dict[str, Evaluation]:
        """What each model reached, by title, its logits divided by its own temperature."""
        return {
            s.title: evaluate_predictions(s.test, s.model.temperature, self.resamples, SEED)
            for s in self.subjects
        }

    @cached_property
    def pairs(self) -> dict[str, PairComparison]:
        """Each other model compared with the teacher, by the other's title."""
        return {s.title: self.compared(self.teacher, s) for s in self.others}

    def compared(self, one: Subject, other: Subject) -> PairComparison:
        """Return the second compared with the first, both called by their titles."""
        temperatures = one.model.temperature, other.model.temperature
        found = compare_pair(one.test, other.test, *temperatures, self.resamples, SEED)
        return found.named(one.title, other.title)

    @property
    def source(self) -> str:
        """The prediction files of all models on the part, as text."""
        return joined_paths(s.model.files[self.part] for s in self.subjects)

    @property
    def both_sources(self) -> str:
        """The same with those on validation, where there are any."""
        parts = {s: [*(["val"] if s.val else []), self.part] for s in self.subjects}
        return joined_paths(s.model.files[part] for s, names in parts.items() for part in names)


def short_path(path: Path) -> str:
    """Return the end of a path: its folder's folder, its folder, and its name."""
    return "/".join(path.parts[-3:])


def joined_paths(paths: Iterable[Path]) -> str:
    """Return paths as text; of more than two folders, "*" stands for each.

    The report names every file once, in its table of sources.
    """
    found = list(paths)
    if len({path.parent for path in found}) <= 2:
        return ", ".join(map(short_path, found))
    kinds = dict.fromkeys("/".join([path.parts[-3], "*", path.name]) for path in found)
    return ", ".join(kinds)


def open_models(
    names: Sequence[str], teacher: str, part: str, resamples: int
) -> tuple[ReportModels, list[str]]:
    """Return the models that are named, or those that are shipped, and what was left out and why.

    Parameters
    ----------
    names : of models on the shelf; none for every shipped one on the images of the teacher
    teacher : of one of them; "" for the first teacher in `card_order`, or the first model
    part : "test" or "val"
    resamples : of the bootstrap

    Raises
    ------
    SettingError
        If a model is not on the shelf.
    DataError
        If there are no predictions, or a named model's can't be used with the teacher's.
    """
    shelf, problems = list_measured()
    left = [str(problem) for problem in problems]
    models = [_find(n, shelf, left) for n in dict.fromkeys(names)] or _shipped(shelf, part, teacher)
    if teacher and teacher not in [m.name for m in models]:
        models.append(_find(teacher, shelf, left))
    if not models:
        raise DataError(
            f"No checkpoint has saved predictions on the {part} part. {' '.join(left)}".strip(),
            "Make them with `python -m kdcore predict`, or name models with --models.",
        )
    first = next((m for m in models if m.name == teacher), None) or next(
        (m for m in models if m.role == "teacher"), models[0]
    )
    ordered = [first, *(m for m in models if m is not first)]
    subjects: list[Subject] = []
    for model in ordered:
        try:
            subjects.append(_subject(model, part, subjects[0].test if subjects else None))
        except KdError as error:
            if names or model is first:
                raise
            left.append(f"{model.name} is left out: {error.problem}")
    return ReportModels(tuple(subjects), part, resamples), left


def _find(name: str, shelf: Sequence[Measured], problems: Sequence[str]) -> Measured:
    known = {m.name: m for m in shelf}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or list(known)
        told = f"Choose one of: {', '.join(near)}." if near else ""
        raise SettingError(
            f"There is no model {name!r} with saved predictions.", " ".join([told, *problems])
        )
    return known[name]


def _shipped(shelf: Sequence[Measured], part: str, teacher: str) -> list[Measured]:
    """Return the shipped models with predictions on `part`, of the teacher's or most's classes."""
    root = checkpoints_folder().resolve()
    here = [
        m for m in shelf
        if m.card and part in m.files and m.files[part].resolve().parent.parent == root
    ]  # fmt: skip
    if not here:
        return []
    most = Counter(m.card.classes for m in here if m.card).most_common(1)[0][0]
    named = next((m.card.classes for m in shelf if m.name == teacher and m.card), most)
    return [m for m in here if m.card and m.card.classes == named]


def _subject(model: Measured, part: str, like: Predictions | None) -> Subject:
    """Return a model with predictions that can be measured beside `like`; raises `KdError`."""
    test = model.load(part)
    val = model.load("val") if part != "val" and "val" in model.files else None
    for predictions in (test, val):
        if model.card and predictions:
            refuse_training_images(predictions, model.card.trained)
    if not len(test):
        raise DataError(f"The predictions of {model.name} have no image.", "Make them again.")
    return Subject(model, align(like, test)[1] if like else test, val)
