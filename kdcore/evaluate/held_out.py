"""A run's scores for a sweep: calibrated on validation, measured on test.

Guo et al. 2017 fit the temperature on validation; NLL and ECE are then those of the test part at
that temperature. It moves no decision, so the other scores do not depend on it.
"""

from __future__ import annotations

import numpy as np

from kdcore.base import DataError
from kdcore.evaluate.calibration import fit_temperature
from kdcore.evaluate.evaluation import evaluate_predictions
from kdcore.predict import Predictions
from kdcore.predict.foreign import NOTES

HELD_OUT = ("macro_f1", "balanced_accuracy", "accuracy", "nll", "ece")
VAL_SCORE = "val_macro_f1"  # beside them, of the validation part


def refuse_other_weights(val: Predictions, test: Predictions) -> None:
    """Raise DataError unless both have images, none in common, and one set of weights and classes.

    What is chosen on images that it is then measured on looks better than it is. Imported
    predictions carry the hash of their own file, not of weights: only their classes can be
    compared.
    """
    imported = NOTES in val.meta and NOTES in test.meta
    same = imported or val.checkpoint_hash == test.checkpoint_hash
    if not same or val.classes != test.classes:
        raise DataError(
            f"The predictions of {test.checkpoint or 'a run'} on validation and test are of "
            "different weights or classes.",
            "Make both again from the same run.",
        )
    if not len(val) or not len(test):
        raise DataError(
            "There are no images to fit on, or none to measure.",
            "Choose predictions that have some, on validation and on test.",
        )
    shared = np.flatnonzero(np.isin(val.sample_ids, test.sample_ids))
    if len(shared):
        raise DataError(
            f"{len(shared):,} images are in the validation and the {test.split} predictions of "
            f"{test.checkpoint or 'a run'}, first {val.sample_ids[shared[0]]} (row {shared[0]} of "
            "validation): what is chosen on them can't be measured on them.",
            "Make the predictions again on parts without common images.",
        )


def held_out_scores(val: Predictions, test: Predictions) -> dict[str, float]:
    """Return the test scores of `HELD_OUT`, `VAL_SCORE` and "temperature".

    Parameters
    ----------
    val : predictions on the validation part, which the temperature is fitted on
    test : predictions of the same weights on the test part

    Raises
    ------
    DataError
        If one of them has no image, they are of different weights or classes, or share an image.
    """
    refuse_other_weights(val, test)
    chosen = evaluate_predictions(val, n_boot=0)
    temperature = fit_temperature(val.logits, val.labels)
    measured = evaluate_predictions(test, temperature, n_boot=0).metrics
    scores = {name: measured[name].value for name in HELD_OUT}
    return scores | {
        VAL_SCORE: chosen.metrics["macro_f1"].value,
        "temperature": temperature,
    }
