"""Checkpoints applied to pictures: predictions, probabilities, out-of-distribution score."""

from kdcore.predict.ood import OodModel, OodResult, early_statistics, fit_ood
from kdcore.predict.predict import (
    ImagePrediction,
    predict_dataset,
    predict_image,
    preprocess_of,
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
    "softmax",
    "stream_outputs",
    "warm_up",
]
