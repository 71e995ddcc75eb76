"""Quality against cost: the points of a trade-off, and what of them can be told apart.

A point is a model in one form on one machine. Its quality is measured on saved predictions; choices
are made on the validation part and reported on test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kdcore.base import sha256_bytes
from kdcore.data.info import MELANOMA
from kdcore.deploy.efficiency import ModelCost
from kdcore.deploy.latency_record import Benchmark, Timing
from kdcore.evaluate import LOWER_IS_BETTER, Interval
from kdcore.evaluate.bootstrap import (
    UNDEFINED,
    difference_interval,
    index_groups,
    interval_words,
    percentile_interval,
)
from kdcore.evaluate.headline import EXCESS, Headline, headline_scores
from kdcore.evaluate.pareto import pareto_front
from kdcore.evaluate.robustness import Robustness
from kdcore.predict import Predictions
from kdcore.report.latency import METHOD, engine_title, machine_title, median_of, threads_text
from kdcore.report.notes import note
from kdcore.report.tables import SHORT_TITLES, TITLES

QUALITIES: Mapping[str, str] = {
    "macro_f1": "macro-F1",
    "balanced_accuracy": TITLES["balanced_accuracy"],
    "accuracy": TITLES["accuracy"],
    "macro_auc": SHORT_TITLES["macro_auc"],
    MELANOMA: "melanoma sensitivity",
    "ece": "calibration error (ECE)",
    "nll": TITLES["nll"],
    "corrupted": "balanced accuracy under corruption",
}
COSTS: Mapping[str, str] = {
    "latency": "time of a picture, ms",
    "size": "file, MB",
    "macs": "multiply-accumulates, G",
    "parameters": "parameters at float32, MB",
    "memory": "peak memory, MB",
}
SHORT: Mapping[str, str] = {
    "eager": "eager",
    "torchscript": "TorchScript",
    "onnxruntime": "ONNX",
    "int8": "INT8",
}


@dataclass(frozen=True)
class Scored:
    """The scores of predictions on one part, with those of resamples of their lesions.

    Attributes
    ----------
    headline : the scores
    classes, split : of the predictions
    images : a hash of the sample ids; scores of equal images may be subtracted
    n, n_groups, n_boot, seed : images, lesions, and of the bootstrap
    """

    headline: Headline
    classes: tuple[str, ...]
    split: str
    images: str
    n: int
    n_groups: int
    n_boot: int
    seed: int

    @property
    def interval_method(self) -> str:
        """How the intervals were made, one sentence."""
        return interval_words(self.n_boot, self.n_groups, self.seed)

    def interval(self, quality: str) -> Interval:
        """Return one of `QUALITIES` with its interval; NaN where it is not defined."""
        place = self._place(quality)
        return self.headline.interval(*place) if place else UNDEFINED

    def less(self, other: Scored, quality: str) -> Interval:
        """Return a quality less that of another on the same images, paired; NaN on others."""
        place, elsewhere = self._place(quality), other._place(quality)
        if self.images != other.images or place is None or elsewhere is None:
            return UNDEFINED
        (a, ra), (b, rb) = self.headline.pick(*place), other.headline.pick(*elsewhere)
        interval = difference_interval if quality in EXCESS else percentile_interval
        return interval(a - b, ra - rb)

    def _place(self, quality: str) -> tuple[str, int | None] | None:
        """Return where the headline has a quality: its name, and the class of one by class."""
        if quality == MELANOMA:
            known = MELANOMA in self.classes
            return ("recall", self.classes.index(MELANOMA)) if known else None
        return (quality, None) if quality in self.headline.values else None


def scored(predictions: Predictions, temperature: float, n_boot: int = 1000) -> Scored:
    """Return the scores of predictions at a temperature; errors as `headline_scores`."""
    ids = "\n".join(sorted(predictions.sample_ids.tolist()))
    return Scored(
        headline=headline_scores(predictions, temperature, n_boot, seed=0),
        classes=predictions.classes,
        split=predictions.split,
        images=sha256_bytes(ids.encode()),
        n=len(predictions),
        n_groups=index_groups(predictions.group_ids)[1],
        n_boot=n_boot,
        seed=0,
    )


@dataclass(frozen=True)
class Point:
    """A model in one form.

    Attributes
    ----------
    name, title, role : of the model
    engines : the forms that it stands for; several where they differ in nothing that is drawn
    recommended : whether one of them is
    costs : by `COSTS`; NaN where it is not known
    quality : what is drawn, on the test part; NaN where it is not known
    test, val : the scores that it comes from, where predictions are at hand
    """

    name: str
    title: str
    role: str
    engines: tuple[str, ...]
    recommended: bool
    costs: Mapping[str, Interval]
    quality: Interval
    test: Scored | None = None
    val: Scored | None = None

    @property
    def label(self) -> str:
        """Its forms in few letters."""
        return ", ".join(SHORT.get(engine, engine) for engine in self.engines)

    @property
    def full(self) -> str:
        """Its model and forms."""
        return f"{self.title} · {', '.join(map(engine_title, self.engines))}"


Scores = Callable[[ModelCost, str, str], Scored | None]  # of model, engine and part


def single_pictures(benchmark: Benchmark) -> dict[str, list[Timing]]:
    """Return the timings of one picture through the network, by threads and device in words."""
    found: dict[str, list[Timing]] = {}
    for timing in benchmark.timings:
        c = timing.contender
        if c.batch == 1 and not c.end_to_end:
            device = "" if c.device == "cpu" else f", {c.device}"
            found.setdefault(f"{threads_text(c.threads)}{device}", []).append(timing)
    return found


def make_points(
    timings: Sequence[Timing],
    models: Mapping[str, ModelCost],
    quality: str,
    scores: Scores,
    corrupted: Robustness | None = None,
) -> list[Point]:
    """Return a point for each timing whose model is known.

    Parameters
    ----------
    timings : of one setting, as `single_pictures` gives them
    models : by the SHA-256 of their weights
    quality : of `QUALITIES`
    scores : gives the scores of a form on a part; None where there are no predictions
    corrupted : where the quality under corruption is from

    Raises
    ------
    ValueError
        If there is no such quality.
    """
    if quality not in QUALITIES:
        raise ValueError(f"quality: expected one of {', '.join(QUALITIES)}, got {quality!r}")
    points = []
    for timing in timings:
        model, engine = models.get(timing.contender.weights), timing.contender.engine
        if model is None:
            continue
        variant = model.variant(engine)
        test, val = (scores(model, engine, part) for part in ("test", "val"))
        shown = test.interval(quality) if test else UNDEFINED
        if quality == "corrupted":
            shown, test, val = _under_corruption(model, engine, corrupted), None, None
        points.append(
            Point(
                name=model.name,
                title=timing.contender.title,
                role=model.role,
                engines=(engine,),
                recommended=bool(variant and variant.recommended),
                costs=_costs(model, engine, timing),
                quality=shown,
                test=test,
                val=val,
            )
        )
    return points


def _costs(model: ModelCost, engine: str, timing: Timing) -> dict[str, Interval]:
    variant = model.variant(engine)
    memory = variant.memory if variant else None
    plain = {
        "size": variant.size / 1e6 if variant else math.nan,
        "macs": model.macs / 1e9,
        "parameters": model.parameters_mb,
        "memory": memory.own if memory else math.nan,
    }
    known = {name: Interval(value, math.nan, math.nan) for name, value in plain.items()}
    return {"latency": median_of(timing)} | known


def _under_corruption(model: ModelCost, engine: str, found: Robustness | None) -> Interval:
    """Return the mean balanced accuracy on corrupted pictures; NaN for forms not measured there.

    The table is of networks: a form that does not give the same answers has none of its own.
    """
    variant = model.variant(engine)
    measured = variant.quality.values() if variant else ()
    same = engine != "int8" and all(quality.agreement == 1 for quality in measured)
    if not (found and same) or found.stale({model.name: model.weights}):
        return UNDEFINED
    cells = [c for c in found.means if c.model == model.name]
    error = next((c.balanced_error for c in cells if c.corruption == "all"), UNDEFINED)
    return Interval(1 - error.value, 1 - error.high, 1 - error.low)


def drawable(points: Sequence[Point], cost: str) -> list[Point]:
    """Return the points with a known cost and quality; those at one place of one model as one."""
    places: dict[tuple[str, float, float], Point] = {}
    for p in points:
        if math.isnan(p.costs[cost].value) or math.isnan(p.quality.value):
            continue
        place = (p.title, p.costs[cost].value, p.quality.value)
        other = places.get(place)
        if other:
            engines, best = (*other.engines, *p.engines), other.recommended or p.recommended
            p = replace(other, engines=engines, recommended=best)
        places[place] = p
    return list(places.values())


def front_of(points: Sequence[Point], cost: str, quality: str) -> list[Point]:
    """Return the points that no other beats in a cost and the quality, the cheapest first."""
    costs = [p.costs[cost].value for p in points]
    front = pareto_front(costs, [goodness(p.quality, quality) for p in points])
    return sorted(
        (p for p, on in zip(points, front, strict=True) if on), key=lambda p: p.costs[cost].value
    )


def goodness(interval: Interval, quality: str) -> float:
    """Return a quality's value, negated where lower is better, so that more is better."""
    return -interval.value if quality in LOWER_IS_BETTER else interval.value


def chosen_on(points: Sequence[Point], quality: str) -> str:
    """Return the part that choices between the points are made on: "val" where all have it."""
    known = [p.val is not None and not np.isnan(p.val.interval(quality).value) for p in points]
    return "val" if points and all(known) else "test"


def point_rows(points: Sequence[Point], quality: str) -> list[list[object]]:
    """Return one row for each point: model, form, every cost, quality; the first is the head."""
    head: list[object] = ["model", "artefact", "recommended", *COSTS.values()]
    body: list[list[object]] = []
    for p in points:
        costs = [_cell(p.costs[name]) for name in COSTS]
        form = ", ".join(map(engine_title, p.engines))
        body.append([p.title, form, "yes" if p.recommended else "", *costs, _cell(p.quality)])
    return [[*head, QUALITIES[quality]], *body]


def tradeoff_note(points: Sequence[Point], benchmark: Benchmark, setting: str, quality: str) -> str:
    """Return what a trade-off is of: part, images, machine, and how its intervals were made.

    Parameters
    ----------
    points : what is shown
    benchmark, setting : where the times are from, and of how many threads
    quality : of `QUALITIES`
    """
    scores = [p.test for p in points if p.test]
    told = f"{note(scores[0])} " if scores else ""
    if quality == "corrupted":
        told = "Mean over all corruptions of the shipped robustness table; not known of INT8. "
    return (
        f"{told}Times: one picture through the network, {setting}, {machine_title(benchmark)}, "
        f"{benchmark.conditions.date[:10]}. {METHOD} {benchmark.conditions.sentence()} The eager "
        "network's file may hold half-precision numbers. Differences are paired by lesion, and not "
        "adjusted for picking the best of several."
    )


def _cell(interval: Interval) -> Interval | float | None:
    if math.isnan(interval.value):
        return None
    return interval.value if math.isnan(interval.low) else interval
