"""Scores, calibration and intervals: pure functions of saved predictions."""

from kdcore.evaluate.agreement import QUADRANTS, agreement, quadrant_of
from kdcore.evaluate.alarm import Alarm, choose_alarm
from kdcore.evaluate.align import align, align_all
from kdcore.evaluate.bootstrap import Interval
from kdcore.evaluate.calibration import fit_temperature
from kdcore.evaluate.calibrators import (
    AS_TRAINED,
    CALIBRATORS,
    Calibrator,
    fit_calibrators,
)
from kdcore.evaluate.cases import cases, pair_cases, quadrant_cases
from kdcore.evaluate.conformal import ConformalResult
from kdcore.evaluate.detection import Detection, detection
from kdcore.evaluate.diagram import Diagram, reliability_diagram
from kdcore.evaluate.evaluation import Evaluation, evaluate_predictions
from kdcore.evaluate.headline import BY_CLASS, LOWER_IS_BETTER, OVERALL
from kdcore.evaluate.held_out import HELD_OUT, held_out_scores
from kdcore.evaluate.leak import (
    refuse_training_images,
    seen_by,
    seen_text,
    trained_on,
    unseen_samples,
)
from kdcore.evaluate.miscalibration import (
    BrierParts,
    brier_parts,
    classwise_ece,
    debiased_ece,
    mce,
)
from kdcore.evaluate.net_benefit import Band, DecisionCurve, decision_curve
from kdcore.evaluate.operating import (
    ClassWeights,
    PairedScore,
    Rejection,
    choose_class_weights,
    choose_rejection,
)
from kdcore.evaluate.pair import PairComparison, ScorePair, compare_pair
from kdcore.evaluate.recalibration import (
    DELTAS,
    CalibrationRow,
    calibration_deltas,
    calibration_table,
    calibrators_for,
)
from kdcore.evaluate.reproduced import Reproduced, compare_figures
from kdcore.evaluate.selective import RiskCoverage, risk_coverage
from kdcore.evaluate.significance import (
    Comparison,
    MethodSummary,
    Significance,
    compare_methods,
)
from kdcore.evaluate.subgroups import (
    GapDifference,
    Score,
    Subgroup,
    Subgroups,
    gap_differences,
    subgroups,
)

__all__ = [
    "AS_TRAINED",
    "BY_CLASS",
    "CALIBRATORS",
    "DELTAS",
    "HELD_OUT",
    "LOWER_IS_BETTER",
    "OVERALL",
    "QUADRANTS",
    "Alarm",
    "Band",
    "BrierParts",
    "CalibrationRow",
    "Calibrator",
    "ClassWeights",
    "Comparison",
    "ConformalResult",
    "DecisionCurve",
    "Detection",
    "Diagram",
    "Evaluation",
    "GapDifference",
    "Interval",
    "MethodSummary",
    "PairComparison",
    "PairedScore",
    "Rejection",
    "Reproduced",
    "RiskCoverage",
    "Score",
    "ScorePair",
    "Significance",
    "Subgroup",
    "Subgroups",
    "agreement",
    "align",
    "align_all",
    "brier_parts",
    "calibration_deltas",
    "calibration_table",
    "calibrators_for",
    "cases",
    "choose_alarm",
    "choose_class_weights",
    "choose_rejection",
    "classwise_ece",
    "compare_figures",
    "compare_methods",
    "compare_pair",
    "debiased_ece",
    "decision_curve",
    "detection",
    "evaluate_predictions",
    "fit_calibrators",
    "fit_temperature",
    "gap_differences",
    "held_out_scores",
    "mce",
    "pair_cases",
    "quadrant_cases",
    "quadrant_of",
    "refuse_training_images",
    "reliability_diagram",
    "risk_coverage",
    "seen_by",
    "seen_text",
    "subgroups",
    "trained_on",
    "unseen_samples",
]
