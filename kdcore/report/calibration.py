"""Tables of calibration: what calibrators do, what the Brier score is made of, the bins.

Each is a list of rows, the first of them its head, for a page's table and for `csv_text`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kdcore.evaluate import BrierParts, CalibrationRow, Interval, Reliability
from kdcore.report.cells import interval_text

Rows = list[list[object]]
_CALIBRATOR_HEAD = [
    "probabilities",
    "NLL (nats)",
    "Brier",
    "ECE, equal width",
    "ECE, equal mass",
    "ECE, debiased (root mean square)",
    "ECE by class",
    "MCE",
    "accuracy",
    "macro F1",
]


def calibrator_rows(table: Iterable[CalibrationRow]) -> Rows:
    """Return one row for each calibrator; sums over images and the ECE with their intervals."""
    body: Rows = []
    for row in table:
        intervals = [interval_text(v, 4) for v in (row.nll, row.brier, row.ece, row.ece_mass)]
        bare = (row.debiased_ece, row.classwise_ece, row.mce, row.accuracy, row.macro_f1)
        body.append([row.title, *intervals, *(round(v, 4) for v in bare)])
    return [[*_CALIBRATOR_HEAD], *body]


def brier_rows(parts: Mapping[str, BrierParts]) -> Rows:
    """Return one row for each name: the parts of its Brier score, signed so that they add up."""
    head: list[object] = ["probabilities", "Brier", "reliability", "− resolution", "uncertainty"]
    body: Rows = []
    for name, p in parts.items():
        signed = [p.total, p.reliability, -p.resolution, p.uncertainty]
        signed += [p.within_variance, -p.within_covariance]
        body.append([name, *(round(v, 5) for v in signed)])
    return [[*head, "variance in bins", "− covariance in bins"], *body]


def reliability_rows(bins: Reliability, accuracy: Sequence[Interval]) -> Rows:
    """Return one row for each bin: its edges, images, confidence, and accuracy with interval."""
    body: Rows = []
    for b, interval in enumerate(accuracy):
        edges = [round(float(e), 4) for e in bins.edges[b : b + 2]]
        confidence = round(float(bins.confidence[b]), 4)
        body.append([*edges, int(bins.count[b]), confidence, interval_text(interval)])
    return [["above", "up to", "images", "mean confidence", "accuracy"], *body]
