"""Every result as one record, whatever it comes from: to filter, to sort and to set in a table."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from kdcore.evaluate import Interval
from kdcore.report.tables import TITLES

Rows = list[list[object]]
# In the order of the table; what is published by others is never without its mark.
ORIGINS = {
    "released": "released",
    "run": "trained or added here",
    "imported": "predictions from elsewhere",
    "mean": "mean over seeds",
    "seed": "one seed of a sweep",
    "published": "PUBLISHED",
}
SCORES = {name: TITLES[name] for name in ("macro_f1", "balanced_accuracy", "accuracy", "nll")} | {
    "ece": "ECE"
}
LOWER_IS_BETTER = frozenset({"nll", "ece"})
UNDEFINED = Interval(math.nan, math.nan, math.nan)
LEAKY = "image-level (leaky)"
_FACTS = (
    *("intervals over", "data", "split", "images", "method", "role", "network", "seed"),
    *("parameters, M", "input, px", "source"),
)


@dataclass(frozen=True)
class Result:
    """What one network, or one method over seeds, reached on one part of one data set.

    Attributes
    ----------
    key : unlike that of any other result
    origin : a key of `ORIGINS`
    title : for people
    method, role, network : how it was trained, as what, and what it is
    data, split, part : what it was measured on; the part is "val" or "test", or "" if not known
    scores : keys of `SCORES`; the ends of what has no interval are NaN
    spread : what the intervals speak of: "lesions", "seeds", "as published", or "" without any
    source : the file, or the publication
    protocol : how it was measured, in words, where that isn't this project's way
    seed : "0", or "0, 1, 2"; "" where it isn't known
    images : how many it was measured on
    parameters : in millions
    input_size : side of the input in pixels
    measured : its name on the shelf of predictions; "" where there are none
    sweep : the sweep that it belongs to; "" for none
    """

    key: str
    origin: str
    title: str
    method: str
    role: str
    network: str
    data: str
    split: str
    part: str
    scores: dict[str, Interval]
    spread: str
    source: str
    protocol: str = ""
    seed: str = ""
    images: int | None = None
    parameters: float | None = None
    input_size: int | None = None
    measured: str = ""
    sweep: str = ""

    @property
    def is_published(self) -> bool:
        """Whether others have published it."""
        return self.origin == "published"

    @property
    def mark(self) -> str:
        """Its origin in words; published figures on a leaky split are marked twice."""
        leaky = ", leaky split" if self.is_published and self.split == LEAKY else ""
        return ORIGINS[self.origin] + leaky

    def score(self, name: str) -> Interval:
        """Return a score of `SCORES`, undefined where it was not measured."""
        return self.scores.get(name, UNDEFINED)


def choose_results(
    results: Iterable[Result],
    origins: Collection[str],
    data: str = "",
    role: str = "",
    method: str = "",
    text: str = "",
) -> list[Result]:
    """Return the results of these origins, data set, role and method in whose row `text` stands.

    Parameters
    ----------
    results : in their order, which is kept
    origins : keys of `ORIGINS`
    data, role, method : "" for any
    text : words that all stand somewhere in the row, in small or large letters; "" for any
    """
    wanted = {"data": data, "role": role, "method": method}
    words = text.casefold().split()
    return [
        r for r in results
        if r.origin in origins
        and all(getattr(r, name) == value for name, value in wanted.items() if value)
        and all(word in _text(r) for word in words)
    ]  # fmt: skip


def sort_results(results: Iterable[Result], by: str, falling: bool = False) -> list[Result]:
    """Return results by a score of `SCORES` or "parameters"; those without it come last.

    Raises
    ------
    ValueError
        If there is no such score.
    """
    if by not in (*SCORES, "parameters"):
        raise ValueError(f"by: expected a score or 'parameters', got {by!r}")

    def place(result: Result) -> tuple[bool, float]:
        value = result.parameters if by == "parameters" else result.score(by).value
        if value is None or math.isnan(value):
            return True, 0.0
        return False, -value if falling else value

    return sorted(results, key=place)


def result_rows(results: Sequence[Result], protocol: bool = False) -> Rows:
    """Return one row for each result; scores are `Interval`s. With `protocol` its words, too."""
    head: list[object] = ["whose", "model", *SCORES.values(), *_FACTS]
    head += ["protocol"] if protocol else []
    body: Rows = []
    for r in results:
        scores = [None if math.isnan(r.score(n).value) else r.score(n) for n in SCORES]
        what = [r.spread, r.data, r.split, r.images, r.method, r.role, r.network, r.seed]
        size = [r.parameters, r.input_size, r.source]
        body.append([r.mark, r.title, *scores, *what, *size, *([r.protocol] if protocol else [])])
    return [head, *body]


def paper_rows(results: Sequence[Result]) -> Rows:
    """Return what fits a page of `result_rows`: the model, whose it is, its scores, the images."""
    head, *body = result_rows(results)
    kept = [head.index(name) for name in ("model", "whose", *SCORES.values(), "images")]
    return [[row[column] for column in kept] for row in (head, *body)]


def own_beside(results: Iterable[Result], data: str) -> list[Result]:
    """Return this project's released models and means over seeds on a data set, with a protocol."""
    return [
        replace(r, protocol=f"{r.split} split, scored by this project on its {r.part} part.")
        for r in results
        if r.data == data and r.origin in ("released", "mean")
    ]


def values_of(results: Iterable[Result], field: str) -> list[str]:
    """Return what the results have in a field of texts, each once, in their order."""
    return [v for v in dict.fromkeys(getattr(r, field) for r in results) if v]


def _text(r: Result) -> str:
    told = (r.mark, r.title, r.method, r.role, r.network, r.data, r.split, r.source, r.protocol)
    return " ".join(told).casefold()
