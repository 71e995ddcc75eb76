"""Whether an exported network still answers as the one it was made of, on pictures.

What is compared with the tolerance is the noise: the root mean square of the logits' change, over
that of the logits themselves less their mean in each row, which no softmax sees. Unlike the
largest change it does not depend on how many pictures are looked at, and unlike the share of equal
answers it does not jump where two classes are nearly level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from kdcore.base import ExportError, check_logits
from kdcore.base.errors import first_line
from kdcore.base.words import percent
from kdcore.data import draw_lesion, drawn_samples
from kdcore.models import Checkpoint
from kdcore.predict import preprocess_of

Images = NDArray[np.float32]
# Another order of additions gives 1e-6; half precision up to 1e-2; 8 bits move answers of near
# ties. A network whose weights are wrong gives about 1.
TOLERANCES: Mapping[str, float] = {"float32": 1e-4, "float16": 5e-2, "int8": 0.35}
_BATCH = 32


@dataclass(frozen=True)
class Check:
    """How far an export is from its network.

    Attributes
    ----------
    n : pictures looked at
    max_delta : the largest change of a logit
    noise : root mean square change over that of the logits, as the module says
    agreement : share of the pictures with the same answer
    tolerance : the noise from which on the export counts as wrong
    """

    n: int
    max_delta: float
    noise: float
    agreement: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the noise is within the tolerance."""
        return self.noise <= self.tolerance

    @property
    def same(self) -> int:
        """How many of the pictures have the same answer."""
        return round(self.agreement * self.n)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


def compare_logits(reference: ArrayLike, logits: ArrayLike, precision: str) -> Check:
    """Return how far `logits` are from `reference`, both (N, C), at a precision's tolerance.

    Raises
    ------
    ValueError
        If the shapes differ, there is no row, a value is not finite, or the precision is unknown.
    """
    if precision not in TOLERANCES:
        raise ValueError(f"precision: expected one of {', '.join(TOLERANCES)}, got {precision!r}")
    wanted, got = check_logits(reference), check_logits(logits)
    if wanted.shape != got.shape or not len(wanted):
        raise ValueError(f"logits: expected shape {wanted.shape} with rows, got {got.shape}")
    delta = got - wanted
    signal = np.sqrt(np.mean((wanted - wanted.mean(1, keepdims=True)) ** 2))
    noise = float(np.sqrt(np.mean(delta**2)) / max(signal, np.finfo(np.float64).tiny))
    same = float((wanted.argmax(1) == got.argmax(1)).mean())
    return Check(len(wanted), float(np.abs(delta).max()), noise, same, TOLERANCES[precision])


def check_engine(
    engine: Callable[[Images], NDArray[np.float32]],
    checkpoint: Checkpoint,
    images: Images,
    precision: str,
) -> Check:
    """Compare an exported network with its checkpoint's; a wrong one raises.

    Parameters
    ----------
    engine : from `open_engine`
    checkpoint : what it was exported from
    images : (N, 3, H, W), normalised; `drawn_images` where nothing better is at hand
    precision : one of `TOLERANCES`

    Raises
    ------
    ExportError
        If it fails to run, gives numbers that are not finite, or differs by more than allowed.
    """
    name = checkpoint.card.name
    try:
        got = in_batches(engine, images)
        check = compare_logits(network_logits(checkpoint, images), got, precision)
    except Exception as error:  # each runtime raises its own kinds
        raise ExportError(
            f"The export of {name} in {precision} does not run: {first_line(error)}.", _AGAIN
        ) from error
    if not check.passed:
        raise ExportError(
            f"The export of {name} in {precision} does not answer as the network does: its logits "
            f"differ by {check.noise:.2g} of their size, at most {check.tolerance:.2g} are "
            f"allowed, and {percent(check.agreement)} of {check.n} answers are the same.",
            _AGAIN,
        )
    return check


def network_logits(checkpoint: Checkpoint, images: Images) -> NDArray[np.float32]:
    """Return the checkpoint's own logits (N, C) for images (N, 3, H, W), the truth of a check."""

    def run(batch: Images) -> NDArray[np.float32]:
        with torch.inference_mode():
            return checkpoint.model(torch.from_numpy(batch)).logits.float().numpy()

    return in_batches(run, images)


def in_batches(run: Callable[[Images], NDArray[np.float32]], images: Images) -> NDArray[np.float32]:
    """Return the logits (N, C) of images (N, 3, H, W), some at a time."""
    parts = [run(images[start : start + _BATCH]) for start in range(0, len(images), _BATCH)]
    return np.concatenate(parts)


def drawn_images(checkpoint: Checkpoint) -> Images:
    """Return the drawn samples as the checkpoint takes them, (N, 3, S, S), normalised."""
    prepare = preprocess_of(checkpoint)
    return torch.stack([prepare(picture) for picture in _drawn()]).numpy()


@cache
def _drawn() -> tuple[Image.Image, ...]:
    """Return the drawn samples; drawing takes seconds, keeping them 9 MB."""
    return tuple(draw_lesion(s.dx, s.seed) for s in drawn_samples())


_AGAIN = "Nothing was written. Export it in float32, or calibrate on more pictures of its kind."
