"""Tables and sentences of calibration: calibrators, what the Brier score is made of, the bins.

Each is a list of rows, the first of them its head, for a page's table and for `csv_text`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping

from kdcore.base import results_folder
from kdcore.base.words import listed, percent
from kdcore.evaluate import (
    CALIBRATORS,
    DELTAS,
    BrierParts,
    CalibrationRow,
    Diagram,
    Interval,
)
from kdcore.report.cells import Rows, interval_text, signed_text

MEASURES = {
    "ece": "ECE, 15 bins of equal width",
    "ece_mass": "ECE, 15 bins of equal mass",
    "nll": "NLL (nats)",
    "brier": "Brier score",
    "debiased_ece": "ECE, debiased (root mean square)",
    "classwise_ece": "ECE by class",
    "mce": "MCE, the worst bin",
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
}
# What is compared, with the probabilities of the student and those of the baseline.
AGAINST = (
    ("KD against no KD, both as trained", "as trained", "as trained"),
    ("KD alone against temperature scaling alone", "as trained", "temperature"),
    ("KD and temperature scaling against temperature scaling alone", "temperature", "temperature"),
)
_SHIFT = (
    "The interval of an ECE is a bias-shifted bootstrap interval: chance alone raises an ECE, and "
    "that of a resample once more, so the ends of the percentile interval are lowered, the high "
    "one by what resamples exceed the ECE by, the low one by twice that, neither below 0; that of "
    "a difference of two ECEs is moved likewise. Those of NLL and Brier score are plain "
    "percentiles of the resamples."
)
_COVERAGE = "ece_coverage.json"
_MOST_DIGITS = 6
_ROLES = {"teacher": "Teacher", "foreign": "Imported model"}  # the others are students
_TAUGHT = {"student": ", KD", "baseline": ", no KD"}


def brier_rows(parts: Mapping[str, BrierParts]) -> Rows:
    """Return one row for each name: the parts of its Brier score, signed so that they add up."""
    head: list[object] = ["probabilities", "Brier", "reliability", "− resolution", "uncertainty"]
    body: Rows = []
    for name, p in parts.items():
        signed = [p.total, p.reliability, -p.resolution, p.uncertainty]
        signed += [p.within_variance, -p.within_covariance]
        body.append([name, *(round(v, 5) for v in signed)])
    return [[*head, "variance in bins", "− covariance in bins"], *body]


def reliability_rows(found: Diagram) -> Rows:
    """Return one row for each bin: its edges, images, what was said, and what happened.

    The last is an `Interval`. What was said of an empty bin is an empty cell.
    """
    said = "mean probability" if found.target else "mean confidence"
    share = f"share of {found.target}" if found.target else "accuracy"
    body: Rows = []
    for b, interval in enumerate(found.happened):
        edges = [round(float(e), 4) for e in found.bins.edges[b : b + 2]]
        n = int(found.bins.count[b])
        body.append([*edges, n, float(found.bins.confidence[b]) if n else None, interval])
    return [["above", "up to", "images", said, share], *body]


def what_it_is(role: str, calibrator: str) -> str:
    """Return a row in plain words, such as "Student with temperature scaling, no KD".

    `role` is that of a model on the shelf, `calibrator` one of `CALIBRATORS`.
    """
    how = calibrator if calibrator == "as trained" else f"with {CALIBRATORS[calibrator]}"
    return f"{_ROLES.get(role, 'Student')} {how}{_TAUGHT.get(role, '')}"


def ece_intervals_text() -> str:
    """Return what the intervals of ECEs are and, of the shipped simulation, how often they held.

    Without the file that `benchmarks/ece_coverage.py` writes into the results, or with one that
    can't be read, nothing is said of how often.
    """
    try:
        found = json.loads((results_folder() / _COVERAGE).read_text("utf-8"))
        told = {
            what: listed([
                f"of {one['truth']:.3f} in {percent(one['held'] / found['sets'])}"
                for one in found["kinds"] if one["what"] == what
            ])
            for what in ("ece", "difference")
        }  # fmt: skip
        return (
            f"{_SHIFT} Of {found['sets']} drawn data sets of {found['images']:,} images, such "
            f"“95 %” intervals held a true ECE {told['ece']}, and a true difference "
            f"{told['difference']}: do not read one close to 0 as exact."
        )
    except (OSError, ValueError, KeyError, TypeError):
        return _SHIFT


def measure_rows(
    tables: Mapping[str, tuple[str, Iterable[CalibrationRow]]], shown: bool = False
) -> Rows:
    """Return one row for each model and calibrator, with every one of `MEASURES`.

    Parameters
    ----------
    tables : role and rows of each model by its title
    shown : intervals as texts, to read; otherwise numbers, an interval's ends in columns
    """
    body: Rows = []
    for title, (role, rows) in tables.items():
        for row in rows:
            values = [getattr(row, name) for name in MEASURES]
            cells = [cell for value in values for cell in _cells(value, shown)]
            body.append([what_it_is(role, row.name), title, row.title, *cells])
    ends = ("",) if shown else ("", ", low", ", high")
    head = [
        measure + end
        for name, measure in MEASURES.items()
        for end in (ends if name in DELTAS else ("",))
    ]
    return [["what", "model", "probabilities", *head], *body]


def delta_rows(deltas: Mapping[str, Mapping[str, Interval]], n: int, shown: bool = False) -> Rows:
    """Return one row for each comparison and score, and what the interval over `n` images shows.

    Parameters
    ----------
    deltas : what `calibration_deltas` returns for each comparison: below 0 the first is better
    n : images
    shown : differences as texts, to read; otherwise as intervals
    """
    body: Rows = [
        [name, MEASURES[score], difference_text(delta) if shown else delta, verdict(delta, n)]
        for name, found in deltas.items()
        for score, delta in found.items()
    ]
    return [["compared", "score", "difference", "what it shows"], *body]


def answer_text(name: str, deltas: Mapping[str, Interval], n: int) -> str:
    """Return in Markdown what the ECE and NLL of a comparison called `name` show, over `n`."""
    told = (
        f"**{verdict(deltas[score], n)}** by the {score.upper()} ({difference_text(deltas[score])})"
        for score in ("ece", "nll")
    )
    return f"{name}: {'; '.join(told)}."


def difference_text(delta: Interval) -> str:
    """Return a difference with its signs, and as many digits as keep its ends from 0.

    At least three, at most six. An end that is 0 needs none.
    """
    digits = 3
    while digits < _MOST_DIGITS and any(
        end and not round(end, digits) for end in (delta.low, delta.high)
    ):
        digits += 1
    return signed_text(delta, digits)


def verdict(delta: Interval, n: int) -> str:
    """Return in words what a difference over `n` images shows; below 0 is better."""
    if math.isnan(delta.low):
        return "no interval, so nothing"
    if delta.high < 0:
        return "better"
    return "worse" if delta.low > 0 else f"a difference is not shown by {n:,} images"


def diagram_text(found: Diagram) -> str:
    """Return what a diagram shows, in Markdown: too much or too little said, and in which bin."""
    happened = found.said - found.excess.value
    is_so = f"the image is {found.target}" if found.target else "it is right"
    text = (
        f"**{_direction(found)}** on average it says {percent(found.said)} and {is_so} "
        f"{percent(happened)} of the time."
    )
    b = found.adds_most
    if b is None:
        return f"{text} No bin's interval leaves the diagonal out."
    rate = found.happened[b]
    return (
        f"{text} Adds most to the ECE, of the bins whose interval leaves the diagonal out: when it "
        f"says {percent(float(found.bins.confidence[b]))}, {is_so} "
        f"{percent(rate.value)} of the time [{percent(rate.low)}, {percent(rate.high)}; "
        f"{found.bins.count[b]:,} images]."
    )


def _direction(found: Diagram) -> str:
    """Return which way the probabilities err as a whole, as far as the interval tells."""
    if math.isnan(found.excess.low):
        return "Too few images to tell:"
    if found.excess.low > 0:
        return f"Says too much {found.target}:" if found.target else "Over-confident:"
    if found.excess.high < 0:
        return f"Says too little {found.target}:" if found.target else "Under-confident:"
    return "Neither too high nor too low on the whole:"


def _cells(value: Interval | float, shown: bool) -> list[object]:
    if not isinstance(value, Interval):
        return [round(value, 4)]
    return [interval_text(value)] if shown else [value.value, value.low, value.high]
