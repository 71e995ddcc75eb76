"""Whether the map stays under changes that don't matter, and changes with those that do.

- Maximal sensitivity: Yeh et al. 2019, definition 1, relative to the map's own norm.
- Randomised parameters: Adebayo et al. 2018, section 4. They draw new initial weights; here each
  tensor's own values are shuffled, and batch norm measures the picture anew. A deep network with
  new initial weights and old statistics lets activations vanish, and its map then differs (or is
  constant) for that reason alone.
- Another class: the random-logit test of Sixt et al. 2020, section 4.

A map that fails one of the last two shows the picture rather than what the network made of it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kdcore.base import numpy_generator, torch_generator
from kdcore.base.progress import CancelCheck, Progress, stop_if
from kdcore.explain.map_question import MapQuestion
from kdcore.explain.maps import Heatmap
from kdcore.explain.passes import check_image, check_target, forward
from kdcore.explain.similarity import Similarity, similarity
from kdcore.models import Classifier

RADIUS = 2.0  # 8-bit levels: no eye sees it, any camera's noise is larger
REPEATS = 8
_WHAT = "The sensitivity test"
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@dataclass(frozen=True)
class Sensitivity:
    """How far the map moves when the picture hardly does.

    Attributes
    ----------
    changes : (K,) norm of the map's change over the map's norm, for each changed picture; NaN of a
        map that is 0 everywhere
    radius : largest change of a pixel, in 8-bit levels
    """

    changes: NDArray[np.float64]
    radius: float

    @property
    def worst(self) -> float:
        """The largest change, ≥ 0: the metric's value; lower is better."""
        return float(self.changes.max())


@dataclass(frozen=True)
class OtherClasses:
    """How alike the map is to that of each of the classes (R,) `others`; near 1 is wrong."""

    others: tuple[int, ...]
    similarities: tuple[Similarity, ...]

    @property
    def spearman(self) -> float:
        """Mean of Spearman's correlation over the other classes."""
        return float(np.mean([s.spearman for s in self.similarities]))


def sensitivity(
    question: MapQuestion,
    *,
    std: tuple[float, float, float],
    heatmap: Heatmap | None = None,
    radius: float = RADIUS,
    repeats: int = REPEATS,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> Sensitivity:
    """Explain K pictures that differ by uniform noise, and measure how far the map moves.

    Parameters
    ----------
    question : what the map answers
    std : deviations that its tensor was normalised with, RGB on [0, 1]
    heatmap : the answer (H, W), where it is known already
    radius : largest change of a pixel, in 8-bit levels, > 0
    repeats : K ≥ 1
    seed : of the noise
    progress : called with (done, total) maps
    cancelled : asked before each map

    Raises
    ------
    ValueError
        If an argument is out of its domain.
    Cancelled
        If `cancelled` returned true.
    """
    if not radius > 0 or repeats < 1:
        raise ValueError(
            f"radius, repeats: expected > 0 and at least 1, got {radius} and {repeats}"
        )
    image, before = check_image(question.tensor), _known(question, heatmap, cancelled)
    norm = float(np.linalg.norm(before)) or np.nan
    generator = torch_generator(seed)
    scale = (radius / 255 / torch.tensor(std)).view(3, 1, 1)
    changes = []
    for done in range(1, repeats + 1):
        stop_if(cancelled, _WHAT)
        noise = scale * (2 * torch.rand(image.shape, generator=generator) - 1)
        after = replace(question, tensor=image + noise.to(image.device)).answer(cancelled)
        changes.append(float(np.linalg.norm(after - before)) / norm)
        if progress is not None:
            progress(done, repeats)
    return Sensitivity(np.array(changes), radius)


def randomisation(
    question: MapQuestion,
    *,
    heatmap: Heatmap | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> Similarity:
    """Shuffle the parameters of a deep copy; near 0 its map is unlike the network's, as is right.

    Parameters
    ----------
    question, heatmap, progress, cancelled : as `sensitivity` has them
    seed : of the shuffling

    Raises
    ------
    ValueError
        If an argument is out of its domain.
    Cancelled
        If `cancelled` returned true.
    """
    before = _known(question, heatmap, cancelled)
    stop_if(cancelled, _WHAT)
    clone = _copy(question.model)
    _shuffle(clone, torch_generator(seed))
    _measure_again(clone, check_image(question.tensor))
    found = similarity(before, replace(question, model=clone).answer(cancelled))
    if progress is not None:
        progress(1, 1)
    return found


def other_classes(
    question: MapQuestion,
    *,
    heatmap: Heatmap | None = None,
    count: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> OtherClasses:
    """Compare the target's map with those of other classes, drawn without repetition.

    Parameters
    ----------
    question, heatmap, progress, cancelled : as `sensitivity` has them
    count : how many other classes, ≥ 1; all of them where there are no more
    seed : of the draw

    Raises
    ------
    ValueError
        If an argument is out of its domain.
    Cancelled
        If `cancelled` returned true.
    """
    if count < 1:
        raise ValueError(f"count: expected at least 1, got {count}")
    logits = forward(question.model, question.tensor).logits
    others = np.delete(np.arange(logits.shape[1]), check_target(logits, question.target))
    drawn = numpy_generator(seed).permutation(others)[:count]
    before = _known(question, heatmap, cancelled)
    found = []
    for done, other in enumerate(drawn, 1):
        stop_if(cancelled, _WHAT)
        after = replace(question, target=int(other)).answer(cancelled)
        found.append(similarity(before, after))
        if progress is not None:
            progress(done, len(drawn))
    return OtherClasses(tuple(int(c) for c in drawn), tuple(found))


def _known(
    question: MapQuestion, heatmap: Heatmap | None, cancelled: CancelCheck | None
) -> Heatmap:
    return question.answer(cancelled) if heatmap is None else question.checked(heatmap)


def _copy(model: Classifier) -> Classifier:
    with torch.inference_mode(False):  # a copy made in inference mode can't carry a graph
        return copy.deepcopy(model).eval()


def _shuffle(clone: Classifier, generator: torch.Generator) -> None:
    """Shuffle each tensor's own values, the module registered last first."""
    owners = [m for m in clone.modules() if next(m.parameters(recurse=False), None) is not None]
    if not owners:
        raise ValueError("model: expected parameters to shuffle, got a network without any")
    with torch.inference_mode(False), torch.no_grad():
        for parameter in (p for m in reversed(owners) for p in m.parameters(recurse=False)):
            order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
            parameter.copy_(parameter.flatten()[order].view_as(parameter))


def _measure_again(clone: Classifier, image: Tensor) -> None:
    """Let the copy's batch norms take mean and variance of this picture."""
    norms = list(_batch_norms(clone))
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.train()
        norm.momentum = None  # a plain mean over what it sees: this one picture
    with torch.inference_mode(False), torch.no_grad():
        # With its mirror image: where a stage is 1 × 1, one picture alone has no variance.
        clone(torch.cat([image, image.flip(-1)]))
    for norm, momentum in zip(norms, momenta):
        norm.eval()
        norm.momentum = momentum


def _batch_norms(model: nn.Module) -> Iterator[nn.modules.batchnorm._BatchNorm]:
    for module in model.modules():
        if isinstance(module, _BATCH_NORMS) and module.track_running_stats:
            yield module
