"""Checkpoints applied to pictures: predictions, probabilities, out-of-distribution score."""

from kdcore.predict.foreign import read_foreign, to_csv
from kdcore.predict.ood import OodModel, OodResult, early_statistics, fit_ood
from kdcore.predict.predict import (
    ImagePrediction,
    predict_dataset,
    predict_image,
    preprocess_of,
    record,
    stream_inputs,
    stream_outputs,
    warm_up,
)
from kdcore.predict.predictions import Predictions
from kdcore.predict.probabilities import entropy, log_softmax, softmax

__all__ = [
    "ImagePrediction",
    "OodModel",
    "OodResult",
    "Predictions",
    "early_statistics",
    "entropy",
    "fit_ood",
    "log_softmax",
    "predict_dataset",
    "predict_image",
    "preprocess_of",
    "read_foreign",
    "record",
    "softmax",
    "stream_inputs",
    "stream_outputs",
    "to_csv",
    "warm_up",
]
