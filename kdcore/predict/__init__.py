"""Checkpoints applied to pictures: predictions, probabilities, out-of-distribution score."""

from kdcore.predict.foreign import read_foreign, to_csv
from kdcore.predict.ood import OodModel, early_statistics, fit_ood
from kdcore.predict.predict import (
    predict_dataset,
    predict_image,
    preprocess_of,
    record,
    stream_inputs,
    stream_outputs,
    warm_up,
)
from kdcore.predict.predictions import Predictions

__all__ = [
    "OodModel",
    "Predictions",
    "early_statistics",
    "fit_ood",
    "predict_dataset",
    "predict_image",
    "preprocess_of",
    "read_foreign",
    "record",
    "stream_inputs",
    "stream_outputs",
    "to_csv",
    "warm_up",
]
