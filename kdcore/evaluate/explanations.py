"""A study of heatmaps summed up, from saved `MapScores` alone: means, floors, answers, cases."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError
from kdcore.data.corruptions import CLEAN
from kdcore.evaluate.bootstrap import index_groups, interval_words
from kdcore.evaluate.map_means import ALL, PartMean, corrupted_parts, part_means, parts_of
from kdcore.evaluate.transfer import (
    MEASURE,
    Transfer,
    baseline_record,
    differences,
    transfer,
)
from kdcore.predict.map_scores import AGREEMENT, MapScores

_PLAIN = (
    *("teacher", "method", "split", "titles", "lowest", "taught_by"),
    *("n", "n_groups", "n_boot", "seed"),
)
_TABLES = ("means", "differences", "corrupted")
_RANKED = ("shuffled", "other_class")  # correlations of the map with another one
_BY_MODEL = (*_TABLES, "lifts", "lowest", "taught_by")


@dataclass(frozen=True)
class Explanations:
    """All that is told of a study of heatmaps; by model unless said otherwise.

    Attributes
    ----------
    teacher, method, split : of the study
    titles : of each model, the teacher first
    means : of every metric over all clean images, classes and quadrants, and of their floors over
        all
    lifts : every metric less each of its floors, by floor
    differences : by student that has a baseline: every metric, the student's less the baseline's,
        over all clean images, those with the same answers, classes, and corruptions
    corrupted : agreement under each corruption, and on the same images clean
    transfers : the answers, one a student with a baseline
    lowest : ids of the clean images with the least agreement, by student
    taught_by : what a student's card names as its teachers, "" where it names none
    n, n_groups, n_boot, seed : clean images, lesions they show; of the bootstrap
    """

    teacher: str
    method: str
    split: str
    titles: Mapping[str, str]
    means: Mapping[str, tuple[PartMean, ...]]
    lifts: Mapping[str, Mapping[str, tuple[PartMean, ...]]]
    differences: Mapping[str, tuple[PartMean, ...]]
    corrupted: Mapping[str, tuple[PartMean, ...]]
    transfers: tuple[Transfer, ...]
    lowest: Mapping[str, tuple[str, ...]]
    taught_by: Mapping[str, str]
    n: int
    n_groups: int
    n_boot: int
    seed: int

    @property
    def interval_method(self) -> str:
        """How the intervals were made, one sentence."""
        more = ", differences taken image by image; p values are not adjusted"
        return interval_words(self.n_boot, self.n_groups, self.seed, more)

    def only(self, models: Collection[str]) -> Explanations:
        """Return the same study of some of its models; the titles of all stay."""
        some: dict[str, Any] = {
            name: {m: v for m, v in getattr(self, name).items() if m in models}
            for name in _BY_MODEL
        }
        return replace(
            self, transfers=tuple(t for t in self.transfers if t.student in models), **some
        )

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON; a number that is not defined is None."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            **{k: {m: _rows(rows) for m, rows in getattr(self, k).items()} for k in _TABLES},
            "lifts": {
                m: {floor: _rows(rows) for floor, rows in by_floor.items()}
                for m, by_floor in self.lifts.items()
            },
            "transfers": [t.as_dict() for t in self.transfers],
            "interval": self.interval_method,
        }


def evaluate_explanations(
    records: Sequence[MapScores], n_boot: int = 1000, seed: int = 0, cases: int = 20
) -> Explanations:
    """Measure a study: the records of a teacher and its students on the same images.

    Parameters
    ----------
    records : of one teacher, method and split; the teacher's own record among them or not
    n_boot, seed : of the bootstrap by lesion
    cases : how many images of least agreement are named

    Raises
    ------
    DataError
        If there is no record, two have one name, or they are of different studies or images.
    """
    refuse_other_studies(records)
    first = records[0]
    clean = first.take(first.corruptions == CLEAN)
    students = [r for r in records if r.checkpoint != r.teacher]
    pairs = _with_baseline(records)
    return Explanations(
        teacher=first.teacher,
        method=first.method,
        split=first.split,
        titles={r.checkpoint: r.meta.get("title") or r.checkpoint for r in records},
        means={r.checkpoint: metric_means(r, n_boot, seed) for r in records},
        lifts={r.checkpoint: floor_lifts(r, n_boot, seed) for r in records},
        differences={s.checkpoint: differences(s, b, n_boot, seed) for s, b in pairs},
        corrupted={
            s.checkpoint: part_means(
                {m: s.columns[m] for m in AGREEMENT}, corrupted_parts(s), s.group_ids, n_boot, seed
            )
            for s in students
        },
        transfers=transfers(records, MEASURE, n_boot, seed),
        lowest={
            s.checkpoint: tuple(s.sample_ids[lowest_agreement(s, MEASURE, cases)].tolist())
            for s in students
        },
        taught_by={s.checkpoint: s.meta.get("taught_by", "") for s in students},
        n=len(clean),
        n_groups=index_groups(clean.group_ids)[1],
        n_boot=n_boot,
        seed=seed,
    )


def transfers(
    records: Sequence[MapScores], measure: str = MEASURE, n_boot: int = 1000, seed: int = 0
) -> tuple[Transfer, ...]:
    """Return `transfer` of each student of a study that has a baseline, in the records' order.

    Parameters
    ----------
    records, n_boot, seed : those of `evaluate_explanations`
    measure : one of `AGREEMENT`
    """
    return tuple(transfer(s, b, measure, n_boot, seed) for s, b in _with_baseline(records))


def refuse_other_studies(records: Sequence[MapScores]) -> None:
    """Raise DataError unless the records are of one study: teacher, method, part and images."""
    if not records:
        raise DataError(
            "There is no study of explanations.", "Make one with `python -m kdcore explanations`."
        )
    names = [r.checkpoint for r in records]
    if len(set(names)) < len(names):
        raise DataError("Two records are of one model.", "Read one study at a time.")
    first = records[0]
    for other in records[1:]:
        for name in ("teacher", "method", "split", "classes"):
            if getattr(other, name) != getattr(first, name):
                raise DataError(
                    f"{first.checkpoint} and {other.checkpoint} differ in {name}: "
                    f"{getattr(first, name)!r} and {getattr(other, name)!r}.",
                    "Read one study at a time.",
                )
        refuse_other_images(first, other)


def refuse_other_images(first: MapScores, second: MapScores) -> None:
    """Raise DataError unless both have the same clean images, labels and targets, in one order."""
    one, other = (r.take(r.corruptions == CLEAN) for r in (first, second))
    for name in ("sample_ids", "group_ids", "labels", "target"):
        if not np.array_equal(getattr(one, name), getattr(other, name)):
            raise DataError(
                f"{first.checkpoint} and {second.checkpoint} have different {name}.",
                "Make both again in one run of `python -m kdcore explanations`.",
            )


def metric_means(record: MapScores, n_boot: int = 1000, seed: int = 0) -> tuple[PartMean, ...]:
    """Return the mean of every metric over every part, and of their floors over all clean images.

    Beside `shuffled` and `other_class` stands as `shuffled_empty` and `other_class_empty` how
    often they are exactly 0: an empty map has no order, and its correlation is 0 by convention.

    `record`, `n_boot` and `seed` are those of `evaluate_explanations`.
    """
    parts = parts_of(record)
    metrics = {name: record.columns[name] for name in record.metrics}
    floors = {name: values for name, values in record.columns.items() if name not in metrics}
    for name in (name for name in _RANKED if name in metrics):
        values = metrics[name]
        metrics[f"{name}_empty"] = np.where(np.isnan(values), np.nan, values == 0)
    whole = {place: inside for place, inside in parts.items() if place[0] == ALL}
    found = part_means(metrics, parts, record.group_ids, n_boot, seed)
    return found + part_means(floors, whole, record.group_ids, n_boot, seed)


def floor_lifts(
    record: MapScores, n_boot: int = 1000, seed: int = 0
) -> dict[str, tuple[PartMean, ...]]:
    """Return every metric less its floor over the clean images, by floor.

    `record`, `n_boot` and `seed` are those of `evaluate_explanations`.
    """
    by_floor: dict[str, dict[str, NDArray[np.float32]]] = {}
    for metric in record.metrics:
        for floor in record.floors(metric):
            lift = record.columns[metric] - record.columns[f"{metric}_{floor}"]
            by_floor.setdefault(floor, {})[metric] = lift
    parts = {(ALL, ""): np.asarray(record.corruptions == CLEAN)}
    return {
        floor: part_means(columns, parts, record.group_ids, n_boot, seed)
        for floor, columns in by_floor.items()
    }


def lowest_agreement(
    record: MapScores, measure: str = MEASURE, count: int = 20
) -> NDArray[np.int64]:
    """Return the indices (M,), M <= `count`, of the clean images of least agreement, least first.

    `record` is a student's, `measure` one of `AGREEMENT`; what is not defined is left out.
    """
    values = np.where(record.corruptions == CLEAN, record.columns[measure], np.nan)
    order = np.argsort(values, kind="stable")  # NaN comes last
    return order[: min(count, int((~np.isnan(values)).sum()))]


def _with_baseline(records: Sequence[MapScores]) -> list[tuple[MapScores, MapScores]]:
    """Return each student that has a baseline, and that."""
    students = (r for r in records if r.checkpoint != r.teacher)
    return [(s, b) for s in students if (b := baseline_record(s, records)) is not None]


def _rows(rows: Iterable[PartMean]) -> list[dict[str, Any]]:
    return [row.as_dict() for row in rows]
