"""Does a picture look like dermoscopy? A density of colour and texture in the early stages.

Early stages keep what a picture is made of; late ones, trained to tell lesions apart, map a cat
and a lesion to the same place (of 300 CIFAR-10 pictures the last stage's density noticed 6 %, the
early stages' all). Probabilistic PCA (Tipping & Bishop 1999) on validation images: the score is
twice the negative log-likelihood per dimension, constant terms dropped, so it rises both for
unusual combinations of what varies among lesions and for anything off that subspace. The threshold
is a quantile of validation lesions that the density was not fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from kdcore.base import BAD_NPZ, CheckpointError, save_npz
from kdcore.models import Checkpoint

FILE = "ood.npz"
COMPONENTS = 32
FALSE_ALARMS = 0.02


@dataclass(frozen=True)
class OodModel:
    """`mean` and `scale` (D,), `components` (K, D) orthonormal, `variances` (K,), `noise` > 0."""

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    components: NDArray[np.float32]
    variances: NDArray[np.float32]
    noise: float
    threshold: float

    def score(self, features: ArrayLike) -> NDArray[np.float64]:
        """Return the score (N,) of features (N, D); above `threshold` raises the alarm.

        Raises
        ------
        CheckpointError
            If the features have another length than those the density was fitted on.
        """
        array = np.asarray(features, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != len(self.mean):
            raise CheckpointError(
                f"The density does not fit the network: it was fitted on {len(self.mean)} features "
                f"of a picture, and {array.shape[-1] if array.ndim else 0} came.",
                f"Restore {FILE} and the weights together, or train and release again.",
            )
        centred = (array - self.mean) / self.scale
        inside = centred @ self.components.T  # (N, K)
        outside = np.maximum((centred**2).sum(1) - (inside**2).sum(1), 0)
        return ((inside**2 / self.variances).sum(1) + outside / self.noise) / centred.shape[1]

    def save(self, folder: Path) -> None:
        """Write `ood.npz` into a checkpoint's folder."""
        names = ("mean", "scale", "components", "variances")
        arrays = {name: getattr(self, name).astype(np.float32) for name in names}
        numbers = {"noise": self.noise, "threshold": self.threshold}
        save_npz(Path(folder) / FILE, arrays | numbers)

    @staticmethod
    def load(folder: Path) -> OodModel:
        """Read what `save` wrote.

        Raises
        ------
        CheckpointError
            If the file is missing or broken, or its arrays do not fit each other.
        """
        try:
            with np.load(Path(folder) / FILE, allow_pickle=False) as a:
                model = OodModel(
                    a["mean"],
                    a["scale"],
                    a["components"],
                    a["variances"],
                    float(a["noise"]),
                    float(a["threshold"]),
                )
        except BAD_NPZ as error:
            raise CheckpointError(
                f"{FILE} of checkpoint {Path(folder).name!r} can't be read.",
                "Restore it, or train the checkpoint again.",
            ) from error
        if not _fits(model):
            raise CheckpointError(
                f"{FILE} of checkpoint {Path(folder).name!r} is no density: its arrays do not fit "
                "each other.",
                "Restore it, or train the checkpoint again.",
            )
        return model


@dataclass(frozen=True)
class OodResult:
    """`score` against `threshold`; `outside` where it is above; `false_alarm_rate` as measured."""

    score: float
    threshold: float
    outside: bool
    false_alarm_rate: float


def early_statistics(stages: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return mean and deviation of each channel in the first half of the stages, (B, D).

    Parameters
    ----------
    stages : (B, C, H, W) feature maps, first to last; of one, that one is taken
    """
    early = stages[: max(1, len(stages) // 2)]
    flat = [stage.float().flatten(2) for stage in early]
    return torch.cat([part for x in flat for part in (x.mean(2), x.std(2, correction=0))], 1)


def fit_ood(
    features: ArrayLike, group_ids: ArrayLike, false_alarms: float = FALSE_ALARMS
) -> OodModel:
    """Fit the density on one half of the lesions and its threshold on the other.

    Parameters
    ----------
    features : (N, D) `early_statistics` of validation images
    group_ids : (N,) lesion ids; the halves share no lesion
    false_alarms : share of the second half that lies above the threshold, in (0, 1)

    Raises
    ------
    ValueError
        If there are fewer than four lesions.
    """
    from sklearn.decomposition import PCA  # a second of import that scoring does without

    array = np.asarray(features, dtype=np.float64)
    _, index = np.unique(np.asarray(group_ids, dtype=np.str_), return_inverse=True)
    fit = index.reshape(-1) % 2 == 0
    if index.size == 0 or index.max() < 3:
        raise ValueError("group_ids: expected at least four lesions")
    mean, scale = array[fit].mean(0), array[fit].std(0)
    scale = np.maximum(scale, 0.01 * np.median(scale) + 1e-12)  # a dead channel has no deviation
    # Two below the images' number: their rank is one below, and the noise wants one of it.
    count = max(1, min(COMPONENTS, int(fit.sum()) - 2, array.shape[1] - 1))
    pca = PCA(count, svd_solver="full").fit((array[fit] - mean) / scale)
    noise = max(float(pca.noise_variance_), 1e-12)
    model = OodModel(mean, scale, pca.components_, pca.explained_variance_, noise, 0.0)
    threshold = float(np.quantile(model.score(array[~fit]), 1 - false_alarms))
    return replace(model, threshold=threshold)


def score(checkpoint: Checkpoint, stages: Sequence[torch.Tensor]) -> OodResult:
    """Score one picture by its stages, each (1, C, H, W).

    Raises
    ------
    CheckpointError
        If the checkpoint has no such density, or one of another network.
    """
    model = _cached(checkpoint.path, checkpoint.hash, _changed(checkpoint.path / FILE))
    value = float(model.score(early_statistics(stages).numpy())[0])
    rate = checkpoint.card.ood.get("false_alarm_rate")
    rate = FALSE_ALARMS if rate is None else float(rate)
    return OodResult(value, model.threshold, value > model.threshold, rate)


@lru_cache(maxsize=16)
def _cached(folder: Path, weights_hash: str, changed: int) -> OodModel:
    return OodModel.load(folder)


def _changed(path: Path) -> int:
    """Return when a file was last written, in ns: a density may be refitted on the same weights."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0  # missing: `load` says so


def _fits(model: OodModel) -> bool:
    """Tell whether a file's arrays are (D,), (D,), (K, D), (K,), finite, positive where needed."""
    arrays = (model.mean, model.scale, model.components, model.variances)
    if any(a.dtype.kind != "f" or not np.isfinite(a).all() for a in arrays):
        return False
    if model.mean.ndim != 1 or model.variances.ndim != 1 or not model.mean.size:
        return False
    shapes = model.scale.shape == model.mean.shape and model.components.shape == (
        len(model.variances),
        len(model.mean),
    )
    positive = (model.scale > 0).all() and (model.variances > 0).all() and model.noise > 0
    return bool(shapes and positive and np.isfinite([model.noise, model.threshold]).all())
