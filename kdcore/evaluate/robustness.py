"""What corruption costs: error by model, corruption and severity, beside clean and the teacher.

Source: Hendrycks & Dietterich 2019 (errors relative to a reference model and to clean), with the
balanced error of MedMNIST-C (Di Salvo et al. 2024) in the place of the error, as one class is two
thirds of HAM10000. Deviation: severities are averaged before errors are divided, and beside the
ratios, which explode where a reference is nearly right, the plain differences are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError
from kdcore.data.corruptions import CLEAN, CORRUPTIONS, EDGE_STUDY
from kdcore.evaluate import calibration, scores
from kdcore.evaluate.bootstrap import (
    SHIFTED,
    Interval,
    draw_groups,
    index_groups,
    interval_words,
    percentile_interval,
    sum_by_group,
)
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax

Floats = NDArray[np.float64]
MEASURES = ("balanced_error", "nll", "ece", "agreement", "flips")


@dataclass(frozen=True)
class Cell:
    """One model on one corruption at one severity, or on the mean over several severities.

    Attributes
    ----------
    model : its name
    corruption : name, with "-" and the severity, or without where severities are averaged
    balanced_error : 1 - balanced accuracy
    nll : mean, in nats, at the model's own temperature
    ece : 15 bins of equal width, at that temperature
    agreement : share of pictures with the teacher's answer to the same corrupted picture; NaN
        without a teacher
    flips : share of pictures whose answer is not the model's own for the clean picture
    to_clean : balanced error less that on clean pictures
    to_teacher : balanced error less the teacher's on the same corruption; NaN without a teacher
    relative_to_clean, relative_to_teacher : the same as ratios
    """

    model: str
    corruption: str
    balanced_error: Interval
    nll: Interval
    ece: Interval
    agreement: Interval
    flips: Interval
    to_clean: Interval
    to_teacher: Interval
    relative_to_clean: Interval
    relative_to_teacher: Interval


@dataclass(frozen=True)
class MapCell:
    """How much a model's map of a corrupted picture is like its map of the clean one.

    Attributes
    ----------
    model, corruption : as a `Cell`'s
    correlation : Pearson's r, the mean over pictures
    n : pictures
    """

    model: str
    corruption: str
    correlation: Interval
    n: int


@dataclass(frozen=True)
class Robustness:
    """A grid's table.

    Attributes
    ----------
    cells : by model, then in the order of the corruptions; "clean" first
    means : the same with the severities of each corruption averaged, and last, as "all", the mean
        over corruptions: each counts the same, however many severities it has
    teacher : name of the model that others are compared with; "" for none
    n, n_groups : pictures, and lesions they show
    n_boot, seed : of the bootstrap
    split : the part
    maps : where maps were compared, by model and corruption
    map_method : of the maps, as `kdcore.explain.METHODS` names it
    weights : SHA-256 of the weights of each model that it is known of
    """

    cells: tuple[Cell, ...]
    means: tuple[Cell, ...]
    teacher: str
    n: int
    n_groups: int
    n_boot: int
    seed: int
    split: str
    maps: tuple[MapCell, ...] = ()
    map_method: str = ""
    weights: Mapping[str, str] = field(default_factory=dict)

    @property
    def models(self) -> tuple[str, ...]:
        """The models' names, in the order of the grid."""
        return tuple(dict.fromkeys(cell.model for cell in self.cells))

    def stale(self, weights: Mapping[str, str]) -> tuple[str, ...]:
        """Return the models that have other `weights`, SHA-256 by name, than were measured."""
        known = ((model, self.weights.get(model), weights.get(model)) for model in self.models)
        return tuple(model for model, then, now in known if then and now and then != now)

    @property
    def interval_method(self) -> str:
        """How the intervals were made, one sentence."""
        more = f", the same for all cells; that of the ECE is {SHIFTED}"
        return interval_words(self.n_boot, self.n_groups, self.seed, more)

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON; a number that is not defined is None."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        tables = {name: [_row(cell) for cell in getattr(self, name)] for name in _TABLES}
        return plain | {"weights": dict(self.weights)} | tables

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Robustness:
        """Return what `as_dict` told; raises DataError for anything else."""
        try:
            tables: dict[str, Any] = {
                name: tuple(_cell(row, kind) for row in values[name])
                for name, kind in _TABLES.items()
            }
            weights = dict(values.get("weights", {}))  # older files have none
            return Robustness(**tables, **{name: values[name] for name in _PLAIN}, weights=weights)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"This is no table of robustness: {error!r}.",
                "Make it again with `python -m kdcore robustness`.",
            ) from error


_PLAIN = ("teacher", "n", "n_groups", "n_boot", "seed", "split", "map_method")
_TABLES: dict[str, type[Cell] | type[MapCell]] = {"cells": Cell, "means": Cell, "maps": MapCell}


def _row(cell: Cell | MapCell) -> dict[str, Any]:
    values = {f.name: getattr(cell, f.name) for f in fields(cell)}
    return {k: v.as_dict() if isinstance(v, Interval) else v for k, v in values.items()}


def _cell(row: Mapping[str, Any], kind: type[Cell] | type[MapCell]) -> Any:
    values: dict[str, Any] = {
        name: Interval.from_dict(found) if isinstance(found, dict) else found
        for name, found in row.items()
    }
    return kind(**values)


def robustness(
    grid: Mapping[str, Mapping[str, Predictions]],
    temperatures: Mapping[str, float] | None = None,
    teacher: str = "",
    n_boot: int = 500,
    seed: int = 0,
    summed: Sequence[str] = (),
) -> Robustness:
    """Measure a grid, with intervals from the same resampled lesions for every cell.

    Parameters
    ----------
    grid : predictions by model and corruption ("clean", "jpeg-1", ...); every model has the same
        corruptions, "clean" among them, on the same pictures in the same order
    temperatures : by model; 1 where there is none
    teacher : the model to compare with; "" for none
    n_boot : resamples; 0 leaves the intervals NaN
    seed : of the resampling
    summed : corruptions, without severities, that "all" averages; default every one but "clean"

    Raises
    ------
    DataError
        If there is no model or picture, the teacher is none of them, or corruptions, pictures,
        classes, labels or lesions differ.
    ValueError
        If `n_boot` is negative.
    """
    _check(grid, teacher, n_boot)
    first = next(iter(grid.values()))[CLEAN]
    index, groups = index_groups(first.group_ids)
    draws = [np.ones((1, groups))]
    if groups > 1:
        draws += draw_groups(groups, n_boot, seed)
    counts = np.concatenate(draws)  # (1 + B, G); the first row is the data itself
    measured = {
        model: {
            stack: _measure(found, cells[CLEAN], grid.get(teacher, {}).get(stack), counts, index, t)
            for stack, found in cells.items()
        }
        for model, cells in grid.items()
        for t in [(temperatures or {}).get(model, 1.0)]
    }
    averaged = {model: _averages(cells, summed) for model, cells in measured.items()}
    return Robustness(
        cells=_cells(measured, teacher),
        means=_cells(averaged, teacher),
        teacher=teacher,
        n=len(first),
        n_groups=groups,
        n_boot=n_boot,
        weights={model: cells[CLEAN].checkpoint_hash for model, cells in grid.items()},
        seed=seed,
        split=first.split,
    )


def corruption_of(stack: str) -> str:
    """Return the corruption of "hair-3" without its severity; a stack, or "clean", as it is."""
    name, _, severity = stack.rpartition("-")
    return name if name and severity.isdigit() and "+" not in stack else stack


def overall_corruptions(stacks: Iterable[str]) -> list[str]:
    """Return the corruptions that "all" averages over, without their severities.

    The edge study's repeat others, and a stack is no corruption of its own: they are left out,
    unless there is nothing else.
    """
    names = list(dict.fromkeys(corruption_of(stack) for stack in stacks if stack != CLEAN))
    own = [n for n in names if "+" not in n and CORRUPTIONS.get(n).group != EDGE_STUDY]
    return own or names


def _check(grid: Mapping[str, Mapping[str, Predictions]], teacher: str, n_boot: int) -> None:
    if not grid or (teacher and teacher not in grid):
        raise DataError(
            f"The grid has no model {teacher!r}." if grid else "The grid has no model.",
            "Compute it with `python -m kdcore robustness`.",
        )
    if n_boot < 0:
        raise ValueError(f"n_boot: expected 0 or more, got {n_boot}")
    name, cells = next(iter(grid.items()))
    for model, others in grid.items():
        if CLEAN not in others or set(others) != set(cells):
            raise DataError(
                f"{model} was not measured on the same corruptions as {name}, or not on clean "
                "pictures.",
                "Run `python -m kdcore robustness` for both; it adds what is missing.",
            )
        for stack, found in others.items():
            _refuse_other_pictures(found, cells[CLEAN], f"{model} on {stack}", name)


def _refuse_other_pictures(found: Predictions, like: Predictions, what: str, name: str) -> None:
    if not len(found):
        raise DataError(f"{what} was measured on no picture.", "Choose a part that has some.")
    if found.classes != like.classes:
        raise DataError(
            f"{what} tells other classes apart than {name}, or in another order.",
            "Compare models that were trained on the same classes.",
        )
    for kind in ("sample_ids", "labels", "group_ids"):
        if not np.array_equal(getattr(found, kind), getattr(like, kind)):
            words = {"sample_ids": "pictures", "labels": "labels", "group_ids": "lesions"}[kind]
            raise DataError(
                f"{what} was measured on other {words} than {name}.",
                "Measure both on the same part of the same data.",
            )


def _measure(
    found: Predictions,
    clean: Predictions,
    teacher: Predictions | None,
    counts: Floats,
    index: NDArray[np.int64],
    temperature: float,
) -> dict[str, Floats]:
    """Return the `MEASURES` of one cell under every row of `counts` (R, G), each (R,)."""
    probs = softmax(found.logits, temperature)
    labels, classes = found.labels, len(found.classes)
    answer, bins = probs.argmax(1), calibration.BINS
    confidence, hits = calibration.confidence_and_hits(probs, labels)
    gap = np.zeros((len(labels), bins))
    where = calibration.bin_index(confidence, calibration.width_edges())
    gap[np.arange(len(labels)), where] = confidence - hits
    same = np.full(len(labels), np.nan) if teacher is None else answer == teacher.logits.argmax(1)
    own = np.eye(classes)[labels]  # (N, C)
    per_image = np.hstack(
        [
            own,
            own * hits[:, None],
            gap,
            calibration.nll_per_image(found.logits, labels, temperature)[:, None],
            np.asarray(same, dtype=np.float64)[:, None],
            (answer != clean.logits.argmax(1)).astype(np.float64)[:, None],
        ]
    )
    sums = counts @ sum_by_group(per_image, index, counts.shape[1])  # (R, K)
    support, right = sums[:, :classes], sums[:, classes : 2 * classes]
    n = support.sum(1)
    gaps, rest = np.split(sums[:, 2 * classes :], [bins], axis=1)
    nll, agreement, flips = (rest / n[:, None]).T
    return {
        "balanced_error": 1 - scores.mean_of_defined(scores.ratio(right, support)),
        "nll": nll,
        "ece": np.abs(gaps).sum(1) / n,
        "agreement": agreement,
        "flips": flips,
    }


def _averages(
    cells: Mapping[str, dict[str, Floats]], summed: Sequence[str]
) -> dict[str, dict[str, Floats]]:
    """Return the means over severities by corruption, and over corruptions as "all"."""
    by_name: dict[str, list[dict[str, Floats]]] = {}
    for stack, values in cells.items():
        by_name.setdefault(corruption_of(stack), []).append(values)
    averaged = {name: _mean(rows) for name, rows in by_name.items()}
    chosen = [averaged[name] for name in summed or averaged if name != CLEAN and name in averaged]
    return averaged | ({"all": _mean(chosen)} if chosen else {})


def _mean(rows: Sequence[dict[str, Floats]]) -> dict[str, Floats]:
    return {name: np.mean([row[name] for row in rows], axis=0) for name in MEASURES}


def _cells(
    measured: Mapping[str, Mapping[str, dict[str, Floats]]], teacher: str
) -> tuple[Cell, ...]:
    made = []
    for model, cells in measured.items():
        for stack, values in cells.items():
            error, clean = values["balanced_error"], cells[CLEAN]["balanced_error"]
            other = measured[teacher][stack]["balanced_error"] if teacher else error * np.nan
            made.append(
                Cell(
                    model=model,
                    corruption=stack,
                    **{k: _interval(values[k], excess=k == "ece") for k in MEASURES},
                    to_clean=_interval(error - clean),
                    to_teacher=_interval(error - other),
                    relative_to_clean=_interval(scores.ratio(error, clean)),
                    relative_to_teacher=_interval(scores.ratio(error, other)),
                )
            )
    return tuple(made)


def _interval(values: Floats, excess: bool = False) -> Interval:
    """Return the first value with the percentile interval of the others."""
    return percentile_interval(float(values[0]), values[1:], excess=excess)
