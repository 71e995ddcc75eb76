"""Every result as one record, whatever it comes from: to filter, to sort and to set in a table."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from kdcore.data.info import LEAKY
from kdcore.evaluate import Interval
from kdcore.evaluate.bootstrap import UNDEFINED
from kdcore.report.cells import Rows
from kdcore.report.tables import SHORT_TITLES, TITLES

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
    "ece": SHORT_TITLES["ece"]
}
_TOLD = ("method", "protocol", "reference")  # right of the scores, where protocols differ


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
    reference : what to cite, of a published one
    taught : the teachers' names; "" where none taught it, or none is known
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
    reference: str = ""
    taught: str = ""
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
    roles: Collection[str] = (),
    method: str = "",
    text: str = "",
) -> list[Result]:
    """Return the results of these origins, data set, roles and method in whose row `text` stands.

    Parameters
    ----------
    results : in their order, which is kept
    origins : keys of `ORIGINS`
    data, method : "" for any
    roles : empty for any
    text : words that all stand somewhere in the row, in small or large letters; "" for any
    """
    wanted = {"data": data, "method": method}
    words = text.casefold().split()
    return [
        r for r in results
        if r.origin in origins
        and (not roles or r.role in roles)
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
    """Return one row for each result; scores are `Interval`s.

    The data set stands beside the model where there are several. With `protocol` the method, how
    it was measured, and what to cite follow the scores, and a column without a value is left out.
    """
    columns: dict[str, list[object]] = {
        "whose": [r.mark for r in results],
        "model": [r.title for r in results],
    }
    columns |= _facts(results)
    first = ["whose", "model", *(["data"] if several_data(results) else [])]
    first += [*SCORES.values(), *(_TOLD if protocol else ())]
    head = list(dict.fromkeys([*first, *columns]))
    if protocol:
        head = [name for name in head if any(cell not in (None, "") for cell in columns[name])]
    else:
        head = [name for name in head if name not in ("protocol", "reference")]
    return [list(head), *map(list, zip(*(columns[name] for name in head), strict=True))]


def _facts(results: Sequence[Result]) -> dict[str, list[object]]:
    """Return the columns beside whose and what: their heads, and a cell for each result."""
    scores = {
        title: [None if math.isnan(r.score(name).value) else r.score(name) for r in results]
        for name, title in SCORES.items()
    }
    fields = {
        "intervals over": "spread", "data": "data", "split": "split", "images": "images",
        "method": "method", "taught by": "taught", "role": "role", "network": "network",
        "seed": "seed", "parameters, M": "parameters", "input, px": "input_size",
        "source": "source", "protocol": "protocol", "reference": "reference",
    }  # fmt: skip
    return scores | {head: [getattr(r, name) for r in results] for head, name in fields.items()}


def paper_rows(results: Sequence[Result]) -> Rows:
    """Return what fits a page of `result_rows`: model, whose it is, scores but the NLL, images.

    The data set, where there are several, follows the model. A column without a value is left out.
    """
    head, *body = result_rows(results)
    names = [
        "model",
        *(["data"] if several_data(results) else []),
        "whose",
        *(title for name, title in SCORES.items() if name != "nll"),
        "images",
    ]
    places = [head.index(name) for name in names]
    kept = [k for k in places if any(row[k] is not None for row in body)]
    return [[row[k] for k in kept] for row in (head, *body)]


def studies_text(results: Iterable[Result]) -> str:
    """Return for each study of published results its reference and its fullest protocol, a line."""
    told: dict[str, str] = {}
    for r in results:
        study = f"{r.source} ({r.reference})"
        told[study] = max(told.get(study, ""), r.protocol, key=len)
    return "\n".join(f"{study}: {how}" for study, how in told.items())


def several_data(results: Iterable[Result]) -> bool:
    """Tell whether results are of more than one data set: their scores make no ranking."""
    return len(values_of(results, "data")) > 1


def usual_data(results: Iterable[Result]) -> str:
    """Return the data set of most released models, "" where there is none."""
    counted = Counter(r.data for r in results if r.origin == "released")
    return counted.most_common(1)[0][0] if counted else ""


def own_beside(results: Iterable[Result], data: str) -> list[Result]:
    """Return this project's released models and means over seeds on a data set, with a protocol."""
    return [
        replace(
            r,
            protocol=f"{r.split} split, scored by this project on its {r.part} part. "
            "Its ECE is after temperature scaling.",
        )
        for r in results
        if r.data == data and r.origin in ("released", "mean")
    ]


def values_of(results: Iterable[Result], field: str) -> list[str]:
    """Return what the results have in a field of texts, each once, in their order."""
    return [v for v in dict.fromkeys(getattr(r, field) for r in results) if v]


def _text(r: Result) -> str:
    told = [r.mark, r.title, r.method, r.role, r.network, r.data, r.split, r.source, r.protocol]
    return " ".join([*told, r.taught, r.reference]).casefold()
