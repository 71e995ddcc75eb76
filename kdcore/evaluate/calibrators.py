"""Calibrators: maps from logits to probabilities, fitted on validation to be used on test.

Sources: Guo et al. 2017, 4.2 (temperature and vector scaling), Zadrozny & Elkan 2002 (isotonic
regression, one class against the rest, rows divided by their sum). Conventions and deviations:

- Vector scaling is not regularised, as published. Its NLL is convex, but has no minimum where a
  class is absent or told apart without error, so scales stay in [0.05, 20], which are the bounds
  of 1/T, and biases in [−20, 20].
- Isotonic regression says 0 wherever no validation image of the class scored so low, and one
  such image on test would make the NLL infinite. A class gets at least 1 / (n + C) instead,
  Laplace's estimate for what n images of C classes did not show, before rows are divided by
  their sum. Where no class gets more the row is uniform.
- Temperature keeps every decision. Vector and isotonic may change some.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from kdcore.base import DataError, check_labels, check_logits
from kdcore.evaluate.calibration import HIGHEST_T, LOWEST_T, Floats, fit_temperature
from kdcore.predict import Predictions
from kdcore.predict.probabilities import log_softmax, softmax

HIGHEST_BIAS = 20.0
CALIBRATORS = {
    "as trained": "as trained",
    "temperature": "temperature scaling",
    "vector": "vector scaling",
    "isotonic": "isotonic regression",
}


@dataclass(frozen=True)
class Calibrator:
    """A fitted map from logits to probabilities.

    Attributes
    ----------
    name : one of `CALIBRATORS`
    title : for people, with what was fitted where that is one number
    apply : logits (N, C) to probabilities (N, C) whose rows sum to 1
    """

    name: str
    title: str
    apply: Callable[[ArrayLike], Floats]


AS_TRAINED = Calibrator("as trained", "as trained", softmax)


def fit_calibrators(val: Predictions) -> tuple[Calibrator, ...]:
    """Return the identity and three calibrators fitted on `val`, which has at least one image.

    Raises
    ------
    DataError
        If there is no image.
    """
    if not len(val):
        raise DataError(
            "There are no images to calibrate on.", "Choose predictions that have some."
        )
    temperature = fit_temperature(val.logits, val.labels)
    scale, bias = fit_vector(val.logits, val.labels)
    curves = fit_isotonic(softmax(val.logits), val.labels)
    floor = 1 / (len(val) + len(val.classes))
    return (
        AS_TRAINED,
        Calibrator(
            "temperature",
            f"temperature, T = {temperature:.3f}",
            partial(softmax, temperature=temperature),
        ),
        Calibrator("vector", "vector scaling", partial(scale_vector, scale=scale, bias=bias)),
        Calibrator(
            "isotonic",
            "isotonic, one class against the rest",
            partial(apply_isotonic, curves=curves, floor=floor),
        ),
    )


def fit_vector(logits: ArrayLike, labels: ArrayLike) -> tuple[Floats, Floats]:
    """Return the scale (C,) and bias (C,) of each class that minimise the NLL, within bounds.

    Parameters
    ----------
    logits : (N, C), of validation images, N >= 1
    labels : (N,) in [0, C)
    """
    array = check_logits(logits)
    truth = check_labels(labels, *array.shape)
    if not len(array):
        raise ValueError("logits: expected at least one image")
    classes = array.shape[1]
    scales, biases = (1 / HIGHEST_T, 1 / LOWEST_T), (-HIGHEST_BIAS, HIGHEST_BIAS)
    found = minimize(
        vector_nll,
        np.repeat([1.0, 0.0], classes),
        args=(array, truth),
        jac=True,
        method="L-BFGS-B",
        bounds=[scales] * classes + [biases] * classes,
        options={"maxiter": 2000, "ftol": 1e-13, "gtol": 1e-8},
    )
    scale, bias = np.split(found.x, 2)
    return scale, bias


def vector_nll(
    parameters: Floats, logits: Floats, labels: NDArray[np.int64]
) -> tuple[float, Floats]:
    """Return the mean NLL in nats of scaled logits, and its gradient (2 C,).

    `parameters` (2 C,) are the scales, then the biases; `logits` are (N, C), `labels` (N,).
    """
    scale, bias = np.split(parameters, 2)
    log_probs = log_softmax(logits * scale + bias)
    each = np.arange(len(labels))
    error = np.exp(log_probs)
    error[each, labels] -= 1.0  # slope in the scaled logits
    gradient = np.concatenate([(error * logits).mean(0), error.mean(0)])
    return float(-log_probs[each, labels].mean()), gradient


def scale_vector(logits: ArrayLike, scale: Floats, bias: Floats) -> Floats:
    """Return softmax(`logits` · `scale` + `bias`), (N, C), both of the latter (C,)."""
    return softmax(check_logits(logits) * scale + bias)


def fit_isotonic(probs: ArrayLike, labels: ArrayLike) -> tuple[tuple[Floats, Floats], ...]:
    """Return for each of C classes the knots of its rising curve: (K,) said, (K,) happened.

    Images with the same probability get one value. A class without images is 0 throughout.

    Parameters
    ----------
    probs : (N, C), of validation images, N >= 1
    labels : (N,) in [0, C)
    """
    from sklearn.isotonic import IsotonicRegression  # a second of import that others do without

    array = np.asarray(probs, dtype=np.float64)
    truth = check_labels(labels, *array.shape)
    curves = []
    for c in range(array.shape[1]):
        fitted = IsotonicRegression(y_min=0.0, y_max=1.0).fit(array[:, c], truth == c)
        curves.append((fitted.X_thresholds_, fitted.y_thresholds_))
    return tuple(curves)


def apply_isotonic(
    logits: ArrayLike, curves: tuple[tuple[Floats, Floats], ...], floor: float
) -> Floats:
    """Return the curves' values at softmax(`logits`), at least `floor`, over their sum, (N, C).

    Between knots `curves` are linear, beyond them constant, as scikit-learn has them.
    """
    probs = softmax(check_logits(logits))
    values = np.stack([np.interp(probs[:, c], *curve) for c, curve in enumerate(curves)], axis=1)
    values = np.maximum(values, floor)
    return values / values.sum(1, keepdims=True)
