"""Scores, calibration and intervals: pure functions of saved predictions."""

from kdcore.evaluate.alarm import Alarm, AlarmScores, choose_alarm
from kdcore.evaluate.bootstrap import Interval
from kdcore.evaluate.calibration import (
    Reliability,
    brier,
    ece,
    fit_temperature,
    nll,
    reliability,
)
from kdcore.evaluate.calibrators import Calibrator, fit_calibrators
from kdcore.evaluate.conformal import ConformalResult, conformal_sets
from kdcore.evaluate.evaluation import (
    BY_CLASS,
    OVERALL,
    ClassRow,
    Evaluation,
    evaluate_predictions,
)
from kdcore.evaluate.held_out import HELD_OUT, LOWER_IS_BETTER, held_out_scores
from kdcore.evaluate.leak import refuse_training_images, trained_on
from kdcore.evaluate.miscalibration import (
    BrierParts,
    brier_parts,
    classwise_ece,
    debiased_ece,
    mce,
    reliability_intervals,
)
from kdcore.evaluate.net_benefit import Band, DecisionCurve, decision_curve
from kdcore.evaluate.operating import (
    ClassWeights,
    PairedScore,
    Rejection,
    choose_class_weights,
    choose_rejection,
)
from kdcore.evaluate.recalibration import CalibrationRow, calibration_table
from kdcore.evaluate.selective import RiskCoverage, risk_coverage
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
    "Alarm",
    "AlarmScores",
    "Band",
    "BrierParts",
    "CalibrationRow",
    "Calibrator",
    "ClassRow",
    "ClassWeights",
    "Comparison",
    "ConformalResult",
    "DecisionCurve",
    "Evaluation",
    "Interval",
    "MethodSummary",
    "PairedScore",
    "Rejection",
    "Reliability",
    "RiskCoverage",
    "Significance",
    "brier",
    "brier_parts",
    "calibration_table",
    "choose_alarm",
    "choose_class_weights",
    "choose_rejection",
    "classwise_ece",
    "compare_methods",
    "conformal_sets",
    "debiased_ece",
    "decision_curve",
    "ece",
    "evaluate_predictions",
    "fit_calibrators",
    "fit_temperature",
    "held_out_scores",
    "mce",
    "nll",
    "refuse_training_images",
    "reliability",
    "reliability_intervals",
    "risk_coverage",
    "trained_on",
]
