"""What is best within limits, in words that also say what can't be told apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kdcore.evaluate import LOWER_IS_BETTER, Interval
from kdcore.evaluate.pareto import best_within
from kdcore.report.cells import interval_text, signed_text
from kdcore.report.tradeoff import QUALITIES, Point, chosen_on, goodness

_UNITS: Mapping[str, str] = {"latency": "ms", "size": "MB"}
_PARTS: Mapping[str, str] = {"val": "validation", "test": "test"}


@dataclass(frozen=True)
class Answer:
    """What is best within limits: the point, None where nothing fits, and the words for it."""

    best: Point | None
    text: str
    more: tuple[str, ...] = ()


def answer(points: Sequence[Point], quality: str, limits: Mapping[str, float]) -> Answer:
    """Return what is best within limits.

    Parameters
    ----------
    points : of `make_points`, one a form
    quality : of `QUALITIES`
    limits : most of each cost, of "latency" in ms and "size" in MB
    """
    known = [p for p in points if not math.isnan(p.quality.value)]
    if not known:
        return Answer(None, f"No model here has a known {QUALITIES[quality]}.")
    part = chosen_on(known, quality)
    costs = [[p.costs[name].value for name in limits] for p in known]
    values = [goodness(_on(p, part, quality), quality) for p in known]
    asked = " and ".join(f"{most:g} {_UNITS[name]}" for name, most in limits.items())
    order = best_within(costs, list(limits.values()), values).tolist()
    if not order:
        return Answer(None, f"Nothing fits under {asked}.", _nearest(known, limits))
    fits = [known[k] for k in order]
    best, others = fits[0], fits[1:]
    text = (
        f"Under {asked}, **{best.full}** is best of the {len(fits)} forms that fit: "
        f"{QUALITIES[quality]} {interval_text(best.quality)} on test, {_costs(best, limits)}."
        if others
        else f"Under {asked}, only **{best.full}** fits: {QUALITIES[quality]} "
        f"{interval_text(best.quality)} on test, {_costs(best, limits)}."
    )
    more = [f"Chosen on the {_PARTS[part]} part: {_why(part)}"] if others else []
    more += _rivals(best, others, part, quality) + _over(best, limits)
    return Answer(best, text, tuple(more))


def _on(point: Point, part: str, quality: str) -> Interval:
    scored = point.val if part == "val" else None
    return scored.interval(quality) if scored else point.quality


def _why(part: str) -> str:
    if part == "val":
        return "the test part only reports, so that its figures stay fair."
    return "these have no scores on validation, so the best of several is flattered."


def _costs(point: Point, limits: Mapping[str, float]) -> str:
    return " and ".join(f"{interval_text(point.costs[name], 2)} {_UNITS[name]}" for name in limits)


def _rivals(best: Point, others: Sequence[Point], part: str, quality: str) -> list[str]:
    """Return what of the others can't be told apart from the best, and what of it is cheaper."""
    level: list[tuple[Point, Interval]] = []
    apart: list[tuple[Point, Interval]] = []
    for other in others:
        # Of the forms of a model that answer alike, the first is the cheapest, and enough.
        named = (best, *(p for p, _ in level + apart))
        if any(_same_answers(one, other, part) for one in named):
            continue
        delta = _difference(best, other, part, quality)
        equal = _includes_zero(delta, best, other, part, quality)
        (level if equal else apart).append((other, delta))
    found = []
    if level:
        found.append(f"Not told apart from it: {'; '.join(_told(*pair) for pair in level[:3])}"
                     f"{_rest(level)}.")  # fmt: skip
        cheaper = min((p for p, _ in level), key=lambda p: p.costs["latency"].value)
        if cheaper.costs["latency"].high < best.costs["latency"].low:
            times = best.costs["latency"].value / cheaper.costs["latency"].value
            found.append(f"Of these, {cheaper.full} is {times:.1f} times as fast.")
    if apart and not level:
        found.append(f"It is better than all others that fit; the next is {_told(*apart[0])}.")
    return found


def _same_answers(one: Point, other: Point, part: str) -> bool:
    """Return whether two forms of a model have the same scores: then the faster one is best."""
    a, b = (p.val if part == "val" else p.test for p in (one, other))
    return one.name == other.name and (a is b or one.quality == other.quality)


def _difference(one: Point, other: Point, part: str, quality: str) -> Interval:
    a, b = (p.val if part == "val" else p.test for p in (one, other))
    if a is None or b is None:
        return Interval(one.quality.value - other.quality.value, math.nan, math.nan)
    return a.less(b, quality)


def _includes_zero(delta: Interval, one: Point, other: Point, part: str, quality: str) -> bool:
    """Return whether a difference may be none: by its interval, else as the two overlap."""
    if not math.isnan(delta.low):
        return delta.low <= 0 <= delta.high
    a, b = (_on(p, part, quality) for p in (one, other))
    return math.isnan(a.low) or math.isnan(b.low) or (a.low <= b.high and b.low <= a.high)


def _told(point: Point, delta: Interval) -> str:
    if math.isnan(delta.value):
        return point.full
    return f"{point.full} (difference {signed_text(delta)})"


def _rest(found: Sequence[object]) -> str:
    return f"; and {len(found) - 3} more" if len(found) > 3 else ""


def _over(best: Point, limits: Mapping[str, float]) -> list[str]:
    found = []
    for name, most in limits.items():
        if best.costs[name].high > most:
            high = f"{best.costs[name].high:.2f} {_UNITS[name]}"
            found.append(f"It may be over the limit: its interval reaches {high}.")
    return found


def _nearest(known: Sequence[Point], limits: Mapping[str, float]) -> tuple[str, ...]:
    """Return what has the least of each cost that is limited, one sentence for each point."""
    found: dict[str, list[str]] = {}
    for name in limits:
        measured = [p for p in known if not math.isnan(p.costs[name].value)]
        if measured:
            least = min(measured, key=lambda p: p.costs[name].value)
            told = f"{least.full}: {_costs(least, limits)}"
            found.setdefault(told, []).append("fastest" if name == "latency" else "smallest")
    return tuple(f"The {' and '.join(most)} is {told}." for told, most in found.items())


def direction(quality: str) -> str:
    """Return "lower is better" or "higher is better"."""
    return f"{'lower' if quality in LOWER_IS_BETTER else 'higher'} is better"
