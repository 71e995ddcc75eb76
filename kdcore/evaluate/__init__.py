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
from kdcore.evaluate.detection import Detection, detection
from kdcore.evaluate.evaluation import ClassRow, Evaluation, evaluate_predictions
from kdcore.evaluate.headline import BY_CLASS, OVERALL
from kdcore.evaluate.held_out import HELD_OUT, LOWER_IS_BETTER, held_out_scores
from kdcore.evaluate.leak import refuse_training_images, trained_on
from kdcore.evaluate.significance import (
    Comparison,
    MethodSummary,
    Significance,
    compare_methods,
)

__all__ = [
    "BY_CLASS",
    "HELD_OUT",
    "LOWER_IS_BETTER",
    "OVERALL",
    "ClassRow",
    "Comparison",
    "Detection",
    "Evaluation",
    "Interval",
    "MethodSummary",
    "Reliability",
    "Significance",
    "brier",
    "compare_methods",
    "detection",
    "ece",
    "evaluate_predictions",
    "fit_temperature",
    "held_out_scores",
    "nll",
    "refuse_training_images",
    "reliability",
    "trained_on",
]
