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
from kdcore.evaluate.held_out import HELD_OUT, LOWER_IS_BETTER, held_out_scores
from kdcore.evaluate.leak import refuse_training_images, trained_on
from kdcore.evaluate.significance import (
    Comparison,
    MethodSummary,
    Significance,
    compare_methods,
)
from kdcore.evaluate.subgroups import Score, Subgroup, Subgroups, subgroups

__all__ = [
    "BY_CLASS",
    "HELD_OUT",
    "LOWER_IS_BETTER",
    "OVERALL",
    "ClassRow",
    "Comparison",
    "Evaluation",
    "Interval",
    "MethodSummary",
    "Reliability",
    "Score",
    "Significance",
    "Subgroup",
    "Subgroups",
    "brier",
    "compare_methods",
    "ece",
    "evaluate_predictions",
    "fit_temperature",
    "held_out_scores",
    "nll",
    "refuse_training_images",
    "reliability",
    "subgroups",
    "trained_on",
]
