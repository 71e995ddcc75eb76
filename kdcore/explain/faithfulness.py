"""Whether the target's probability follows the map: insertion and deletion, average drop and gain.

Insertion and deletion: Petsiuk et al. 2018 (RISE), section 4.1. Average drop and increase:
Chattopadhay et al. 2018 (Grad-CAM++), section 5.1; gain: Zhang et al. 2024 (Opti-CAM), section 4.
Conventions here:

- the score is the target's softmax probability at temperature 1;
- pixels come most relevant first, in `steps` steps of equally many, ties in seeded random order;
- insertion starts from the blurred picture. The blur's deviation is a tenth of the side: RISE's
  own, a fortieth, leaves a skin lesion recognisable, and then there is nothing to insert;
- deletion puts the mean colour of the network's normalisation (zero) in, as RISE does;
- an area is the trapezoid rule over the fraction of pixels, 0 to 1;
- drop and gain look at the normalised picture multiplied by the map, as the `grad-cam` package.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kdcore.base.progress import CancelCheck, Progress, stop_if
from kdcore.explain.causal_mask import blurred
from kdcore.explain.maps import Heatmap, check_heatmap, pixel_ranks
from kdcore.explain.passes import check_image, target_probs
from kdcore.models import Classifier

STEPS = 16
BATCH_SIZE = 32


@dataclass(frozen=True)
class Faithfulness:
    """What one map's order of pixels does to the target's probability.

    Attributes
    ----------
    fractions : (S + 1,) share of the pixels inserted or deleted, 0 to 1
    insertion, deletion : (S + 1,) probability of the target at each share
    probability : of the target, picture untouched
    masked_probability : the same for the picture multiplied by the map
    """

    fractions: NDArray[np.float64]
    insertion: NDArray[np.float64]
    deletion: NDArray[np.float64]
    probability: float
    masked_probability: float

    @property
    def insertion_auc(self) -> float:
        """Area under the insertion curve, in [0, 1]; higher is better."""
        return float(np.trapezoid(self.insertion, self.fractions))

    @property
    def deletion_auc(self) -> float:
        """Area under the deletion curve, in [0, 1]; lower is better."""
        return float(np.trapezoid(self.deletion, self.fractions))

    @property
    def drop(self) -> float:
        """Share of the probability that goes behind the map, in [0, 1]; 0 where it rises.

        Its mean over pictures is the average drop; lower is better.
        """
        return max(0.0, self.probability - self.masked_probability) / max(self.probability, 1e-12)

    @property
    def gain(self) -> float:
        """Share of the missing probability that comes behind the map, in [0, 1]; 0 on a fall.

        Its mean over pictures is the average gain; higher is better.
        """
        missing = max(1 - self.probability, 1e-12)
        return max(0.0, self.masked_probability - self.probability) / missing


def faithfulness(
    model: Classifier,
    tensor: Tensor,
    target: int,
    heatmaps: Sequence[Heatmap],
    *,
    steps: int = STEPS,
    batch_size: int = BATCH_SIZE,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> tuple[Faithfulness, ...]:
    """Measure M maps of one picture, all their steps in batches of one size.

    Parameters
    ----------
    model : any `Classifier`; unchanged afterwards
    tensor : (1, 3, H, W), normalised
    target : class index
    heatmaps : M maps (H, W) in [0, 1]
    steps : S ≥ 1, equal shares of the pixels; 2 S − 1 forward passes a map, and 3 more
    batch_size : pictures in one forward pass; bounds the memory
    seed : of the order of tied pixels
    progress : called with (done, total) pictures after each batch
    cancelled : asked before each batch

    Returns
    -------
    M results, in the order of `heatmaps`

    Raises
    ------
    ValueError
        If an argument is out of its domain.
    Cancelled
        If `cancelled` returned true.
    """
    if steps < 1 or batch_size < 1:
        raise ValueError(
            f"steps, batch_size: expected at least 1, got steps={steps}, batch_size={batch_size}"
        )
    image = check_image(tensor)
    height, width = image.shape[-2:]
    maps = [check_heatmap(h, (height, width)) for h in heatmaps]
    counts = np.rint(np.linspace(0, height * width, steps + 1)).astype(np.int64)
    pictures = _Pictures(image, counts, maps, seed)
    probs = _all_probs(model, pictures, target, batch_size, progress, cancelled)
    return tuple(
        _result(probs, counts / (height * width), index, steps) for index in range(len(maps))
    )


class _Pictures:
    """The pictures to be scored: three shared ones, then each map's, made when asked for.

    The shared ones are the untouched, the blurred and the wholly deleted picture. Those of a map
    are the one behind it, its inner steps of insertion, and its inner steps of deletion.
    """

    def __init__(
        self,
        image: Tensor,
        counts: NDArray[np.int64],
        maps: Sequence[Heatmap],
        seed: int,
    ) -> None:
        self.image, self.maps = image, maps
        self.blur, self.gone = blurred(image), torch.zeros_like(image)
        self.inner = torch.from_numpy(counts[1:-1]).view(-1, 1, 1, 1).to(image.device)
        self.seed = seed

    def __len__(self) -> int:
        return 3 + len(self.maps) * (1 + 2 * len(self.inner))

    def parts(self) -> Iterator[Tensor]:
        """Yield the pictures (k, 3, H, W) in order, one map's at a time."""
        yield torch.cat([self.image, self.blur, self.gone])
        for heatmap in self.maps:
            ranks = torch.from_numpy(pixel_ranks(heatmap, self.seed)).to(self.image.device)
            chosen = ranks < self.inner  # (S − 1, 1, H, W)
            yield self.image * torch.from_numpy(heatmap).to(self.image.device)
            yield torch.where(chosen, self.image, self.blur)
            yield torch.where(chosen, self.gone, self.image)


def _all_probs(
    model: Classifier,
    pictures: _Pictures,
    target: int,
    batch_size: int,
    progress: Progress | None,
    cancelled: CancelCheck | None,
) -> NDArray[np.float64]:
    found: list[NDArray[np.float64]] = []
    done = 0
    for batch in _rebatch(pictures.parts(), batch_size):
        stop_if(cancelled, "The faithfulness test")
        found.append(target_probs(model, batch, target))
        done += len(batch)
        if progress is not None:
            progress(done, len(pictures))
    return np.concatenate(found)


def _rebatch(parts: Iterator[Tensor], size: int) -> Iterator[Tensor]:
    """Yield batches of `size` pictures, the last one smaller, from parts of any length."""
    waiting: list[Tensor] = []
    for part in parts:
        waiting.extend(part)
        while len(waiting) >= size:
            yield _stack(waiting[:size])
            del waiting[:size]
    if waiting:
        yield _stack(waiting)


def _stack(pictures: list[Tensor]) -> Tensor:
    return torch.stack(pictures).contiguous(memory_format=torch.channels_last)


def _result(
    probs: NDArray[np.float64], fractions: NDArray[np.float64], index: int, steps: int
) -> Faithfulness:
    whole, blur, gone = probs[:3]
    start = 3 + index * (2 * steps - 1)
    masked, inner = probs[start], probs[start + 1 : start + 2 * steps - 1]
    return Faithfulness(
        fractions=fractions,
        insertion=np.concatenate([[blur], inner[: steps - 1], [whole]]),
        deletion=np.concatenate([[whole], inner[steps - 1 :], [gone]]),
        probability=float(whole),
        masked_probability=float(masked),
    )
