"""A picture's lesion mask on the square that a network sees.

Masks: Tschandl et al. 2020 (doi:10.1038/s41591-020-0942-0), over HAM10000.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kdcore.base import DataError, ImageError
from kdcore.data.dataset import ImageDataset
from kdcore.data.ham10000 import Ham10000
from kdcore.data.transforms import Preprocess

_ASPECT = 0.02  # by which rounding may change a small picture's ratio of sides


def lesion_mask(data: ImageDataset, image_id: str, prepare: Preprocess) -> NDArray[np.bool_] | None:
    """Return the mask (S, S), True inside the lesion, on the square of `prepare.crop`.

    A pixel is inside if at least half of it is. The lesion may lie outside of the square: then
    no pixel is True.

    Parameters
    ----------
    data : HAM10000; no other data set has masks
    image_id : one of its pictures
    prepare : of the network, for its square and side S

    Returns
    -------
    (S, S) bool, or None where the picture has no mask

    Raises
    ------
    DataError
        If the mask's file is damaged or not in the picture's proportions; it is named.
    """
    if not isinstance(data, Ham10000):
        return None
    try:
        mask = data.mask(image_id)
    except ImageError as error:
        raise DataError(error.problem, "Download the masks again, or leave them out.") from error
    if mask is None:
        return None
    width, height = data.picture(image_id).rgb.size
    if abs(mask.shape[1] / mask.shape[0] / (width / height) - 1) > _ASPECT:
        raise DataError(
            f"The mask of {image_id} has {mask.shape[1]} × {mask.shape[0]} pixels, its picture "
            f"{width} × {height}: their proportions differ.",
            "Use the masks that belong to these pictures.",
        )
    # The picture's own crop, so that the two can't come apart.
    return np.asarray(prepare.crop(Image.fromarray(mask.astype(np.uint8) * 255))) > 127
