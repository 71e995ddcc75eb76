"""Heatmaps and answers of one checkpoint for a batch of pictures.

Methods that can take a whole batch do; others take its pictures one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from kdcore.explain.grad_cam import grad_cams
from kdcore.explain.maps import Heatmap
from kdcore.explain.methods import METHODS
from kdcore.explain.passes import evaluating
from kdcore.models import Checkpoint, Classifier
from kdcore.predict import preprocess_of

WHOLE_BATCHES: Mapping[str, Callable[[Classifier, Tensor, Sequence[int]], Heatmap]] = {
    "grad-cam": grad_cams,
}


def explain_pictures(
    checkpoint: Checkpoint,
    pictures: Sequence[Image.Image],
    targets: Sequence[int] | None,
    method: str,
) -> tuple[Heatmap, NDArray[np.int64]]:
    """Return the heatmaps of B pictures and the checkpoint's own first choices.

    Parameters
    ----------
    checkpoint : a loaded checkpoint; its model is unchanged afterwards
    pictures : B of them, RGB of any size
    targets : B class indices; None for the checkpoint's first choices
    method : a name in `METHODS`; the last stage is explained

    Returns
    -------
    (B, S, S) float32 in [0, 1], and (B,)

    Raises
    ------
    SettingError
        If the method is unknown.
    """
    prepare, model = preprocess_of(checkpoint), checkpoint.model
    images = torch.stack([prepare(picture) for picture in pictures])
    with evaluating(model), torch.inference_mode():
        answers = model(images).logits.argmax(1).cpu().numpy()
    asked = answers.tolist() if targets is None else list(targets)
    return heatmaps_of(model, images, asked, method), answers


def heatmaps_of(
    model: Classifier,
    images: Tensor,
    targets: Sequence[int],
    method: str,
) -> Heatmap:
    """Return the heatmaps (B, H, W) of images (B, 3, H, W), normalised, for B class indices.

    `model`, `images`, `targets` and `method` are those of `explain_pictures`.
    """
    if method in WHOLE_BATCHES:
        return WHOLE_BATCHES[method](model, images, targets)
    compute = METHODS.get(method).compute
    found = (
        compute(model, image[None], target, -1, None, None)
        for image, target in zip(images, targets, strict=True)
    )
    return np.stack(list(found))
