"""Scores, calibration and intervals: pure functions of saved predictions."""

from kdcore.evaluate.bootstrap import Interval
from kdcore.evaluate.calibration import (
    Reliability,
    brier,
    ece,
    fit_temperature,
    nll,
    reliability,
)
from kdcore.evaluate.evaluation import (
    BY_CLASS,
    OVERALL,
    ClassRow,
    Evaluation,
    evaluate_predictions,
)
from kdcore.evaluate.leak import refuse_training_images, trained_on

__all__ = [
    "BY_CLASS",
    "OVERALL",
    "ClassRow",
    "Evaluation",
    "Interval",
    "Reliability",
    "brier",
    "ece",
    "evaluate_predictions",
    "fit_temperature",
    "nll",
    "refuse_training_images",
    "reliability",
    "trained_on",
]
