"""Scores, calibration and intervals: pure functions of saved predictions."""

from kdcore.evaluate.agreement import (
    QUADRANTS,
    Agreement,
    McNemar,
    Quadrant,
    agreement,
    quadrant_of,
)
from kdcore.evaluate.align import align, take
from kdcore.evaluate.bootstrap import Interval
from kdcore.evaluate.calibration import (
    Reliability,
    brier,
    ece,
    fit_temperature,
    nll,
    reliability,
)
from kdcore.evaluate.cases import cases, pair_cases
from kdcore.evaluate.detection import Detection, detection
from kdcore.evaluate.evaluation import ClassRow, Evaluation, evaluate_predictions
from kdcore.evaluate.headline import BY_CLASS, OVERALL
from kdcore.evaluate.held_out import HELD_OUT, LOWER_IS_BETTER, held_out_scores
from kdcore.evaluate.leak import refuse_training_images, trained_on
from kdcore.evaluate.pair import ClassPair, PairComparison, ScorePair, compare_pair
from kdcore.evaluate.seeds import OverSeeds, SeedScore, over_seeds
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
    "QUADRANTS",
    "Agreement",
    "ClassPair",
    "ClassRow",
    "Comparison",
    "Detection",
    "Evaluation",
    "Interval",
    "McNemar",
    "MethodSummary",
    "OverSeeds",
    "PairComparison",
    "Quadrant",
    "Reliability",
    "ScorePair",
    "SeedScore",
    "Significance",
    "agreement",
    "align",
    "brier",
    "cases",
    "compare_methods",
    "compare_pair",
    "detection",
    "ece",
    "evaluate_predictions",
    "fit_temperature",
    "held_out_scores",
    "nll",
    "over_seeds",
    "pair_cases",
    "quadrant_of",
    "refuse_training_images",
    "reliability",
    "take",
    "trained_on",
]
