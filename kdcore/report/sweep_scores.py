"""The scores of a sweep's runs as `kdcore sweep` wrote them: read back, and compared again."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kdcore.base import DataError, KdError
from kdcore.base.words import listed
from kdcore.distill.presets import METHODS
from kdcore.distill.recipe_file import RECIPES
from kdcore.distill.sweep import Sweep
from kdcore.evaluate import (
    HELD_OUT,
    LOWER_IS_BETTER,
    Comparison,
    Significance,
    compare_methods,
)
from kdcore.evaluate.held_out import VAL_SCORE
from kdcore.report.cells import Rows
from kdcore.report.models import SCORES
from kdcore.report.pair import HEADLINE

SUFFIX = "-seeds.csv"
_TITLES = {"baseline": "no teacher", "kd-live": "KD without a cache"}


@dataclass(frozen=True)
class SeedScores:
    """One run of a sweep: its student ("" where there is one), method, seed and scores by name."""

    student: str
    method: str
    seed: int
    scores: dict[str, float]


@dataclass(frozen=True)
class SweepScores:
    """A sweep's finished runs.

    Attributes
    ----------
    name : of its files
    source : the file of scores
    runs : as the file lists them
    images : of each part that was measured, "test" and "val"; empty where it isn't told
    plan : the sweep's file, where this project ships it
    """

    name: str
    source: Path
    runs: tuple[SeedScores, ...]
    images: dict[str, int]
    plan: Sweep | None

    @property
    def title(self) -> str:
        """What it is, for people."""
        return (self.plan.title if self.plan else "") or self.name

    @property
    def students(self) -> list[str]:
        """The networks that were trained, "" where there is only one."""
        return list(dict.fromkeys(run.student for run in self.runs))

    def ablation(self, score: str, student: str = "") -> Significance:
        """Return the methods of a student compared on a score, a column of the file.

        Raises
        ------
        ValueError
            If no run has the student and the score.
        """
        values = self._values(score, student)
        references = self.plan.references if self.plan else ("baseline", "kd")
        return compare_methods(values, references, not _is_loss(score))

    def between(self, score: str, student: str, reference: str, method: str) -> Significance:
        """Return two methods of a `student` compared on a `score`: `method` less `reference`."""
        values = self._values(score, student)
        two = {name: values[name] for name in (reference, method)}
        return compare_methods(two, (reference,), not _is_loss(score))

    def _values(self, score: str, student: str) -> dict[str, dict[int, float]]:
        values: dict[str, dict[int, float]] = {}
        for run in self.runs:
            if run.student == student and score in run.scores:
                values.setdefault(run.method, {})[run.seed] = run.scores[score]
        known = [method for method in METHODS if method in values]
        return {method: values[method] for method in dict.fromkeys([*known, *values])}


def read_sweeps(folders: Iterable[Path]) -> tuple[list[SweepScores], list[KdError]]:
    """Return the sweeps whose scores are in `folders`, by name, and what could not be read."""
    found: list[SweepScores] = []
    problems: list[KdError] = []
    for path in (p for folder in folders for p in sorted(folder.glob(f"*{SUFFIX}"))):
        try:
            found.append(_read(path))
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            problems.append(
                DataError(
                    f"The sweep's scores in {path.name!r} can't be read: {error}.",
                    "Make them again with `python -m kdcore sweep`, or delete the file.",
                )
            )
    return found, problems


def sweep_columns(part: str) -> dict[str, str]:
    """Return the columns of a sweep's file by title: `HEADLINE`, on "val" the macro-F1 alone."""
    columns = {"macro_f1": VAL_SCORE} if part == "val" else {name: name for name in HEADLINE}
    return {SCORES[name]: column for name, column in columns.items()}


def method_title(method: str) -> str:
    """Return a sweep's method for people; a name that isn't known stays as it is."""
    if method in _TITLES:
        return _TITLES[method]
    return METHODS[method].title if method in METHODS else method


def ablation_rows(found: Significance, score: str = "") -> Rows:
    """Return one row for each method: its mean and sd over seeds, and Δ to the first reference.

    Δ is an `Interval` over the seeds that both have; p is Holm's, over the comparisons with that
    reference. `score` is what the head calls the means, such as "macro-F1 of resnet18".
    """
    reference = found.references[0] if found.references else ""
    mean = f"{score}, mean" if score else "mean"
    head: list[object] = ["method", "seeds", mean, "sd", f"Δ to {method_title(reference)}"]
    body: Rows = []
    for method in found.methods:
        row: list[object] = [method_title(method.method), len(method.seeds), method.mean.value]
        row.append(method.sd)
        c = found.comparison(method.method, reference)
        row += [c.difference, c.p_holm, f"{c.wins}/{c.ties}/{c.losses}"] if c else [None] * 3
        body.append(row)
    return [[*head, "p (t, Holm)", "seeds won/tied/lost"], *body]


def ablation_sentence(found: Significance) -> str:
    """Return which methods differ from the first reference at the 5 % level, in words."""
    if not found.references:
        return "There is no reference to compare with."
    reference = found.references[0]
    compared = [c for c in found.comparisons if c.reference == reference]
    sure = [c for c in compared if c.p_holm < 0.05]
    against = method_title(reference)
    if not compared:
        return f"No other method is there to compare with “{against}”."
    if all(math.isnan(c.p_holm) for c in compared):
        return f"Too few seeds are shared with “{against}” for a test."
    many = len(compared) > 1
    how = f" after Holm's adjustment for {len(compared)} comparisons" if many else ""
    if not sure:
        which = "of any method" if many else f"of {method_title(compared[0].method)}"
        return (
            f"A difference {which} to “{against}” beyond what other seeds could give is not shown "
            f"(p ≥ 0.05{how})."
        )
    told = "; ".join(f"{method_title(c.method)} is {_better(c, found)}" for c in sure)
    rest = " For the others a difference is not shown." if len(sure) < len(compared) else ""
    return f"Against “{against}”: {told} (p < 0.05{how}).{rest}"


def ablation_sentences(found: Mapping[str, Significance]) -> list[str]:
    """Return the sentences of several scores, by title; what holds of several is said once."""
    alike: dict[str, list[str]] = {}
    for title, result in found.items():
        alike.setdefault(ablation_sentence(result), []).append(title)
    return [f"{listed(titles)}: {text}" for text, titles in alike.items()]


def _is_loss(score: str) -> bool:
    return score.removeprefix("val_") in LOWER_IS_BETTER


def _better(c: Comparison, found: Significance) -> str:
    return "better" if (c.difference.value > 0) == found.higher_is_better else "worse"


def _read(path: Path) -> SweepScores:
    with path.open(encoding="utf-8", newline="") as file:
        runs = tuple(_run(row) for row in csv.DictReader(file))
    if not runs:
        raise ValueError("it has no run")
    name = path.name.removesuffix(SUFFIX)
    return SweepScores(name, path, runs, _images(path.with_name(f"{name}.csv")), _plan(name))


def _run(row: Mapping[str, str]) -> SeedScores:
    if None in row.values():
        raise ValueError("a row is cut off")
    names = (*HELD_OUT, VAL_SCORE)
    scores = {name: float(row[name] or "nan") for name in names}
    if any(math.isinf(value) for value in scores.values()):
        raise ValueError("a score is not finite")
    return SeedScores(row["student"], row["method"], int(row["seed"]), scores)


def _images(path: Path) -> dict[str, int]:
    """Return how many images each part has, from the table beside the scores; {} without one."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["split"]: int(row["n_images"]) for row in csv.DictReader(file)}


def _plan(name: str) -> Sweep | None:
    path = RECIPES / "sweeps" / f"{name}.toml"
    try:
        return Sweep.read(path) if path.is_file() else None
    except KdError:
        return None  # of another version; the scores speak for themselves


def ablation_note(sweep: SweepScores, found: Significance, score: str) -> str:
    """Return what an ablation's numbers are: part, images, seeds, tests and source."""
    part, name = ("val", "Validation") if score == VAL_SCORE else ("test", "Test")
    n = f", n = {sweep.images[part]:,} images" if part in sweep.images else ""
    seeds = sorted({seed for method in found.methods for seed in method.seeds})
    return (
        f"{sweep.title}. {name} part{n}; seeds {', '.join(map(str, seeds))}. "
        "Mean and standard deviation over seeds; Δ over shared seeds with its 95 % t-interval; "
        "p by the paired t-test, Holm-adjusted. It speaks of other seeds, not of other images. "
        f"From {sweep.source.name}."
    )
