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
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kdcore.base import numpy_generator, torch_generator
from kdcore.explain.maps import Heatmap, check_heatmap
from kdcore.explain.methods import METHODS
from kdcore.explain.similarity import Similarity, similarity
from kdcore.explain.taps import CancelCheck, Progress, check_image, check_target, forward, stop_if
from kdcore.models import Classifier

Explainer = Callable[[Classifier, Tensor, int], Heatmap]
RADIUS = 2.0  # 8-bit levels: no eye sees it, any camera's noise is larger
REPEATS = 8
_WHAT = "The sensitivity test"
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@dataclass(frozen=True)
class Sensitivity:
    """How far the map moves when the picture hardly does.

    Attributes
    ----------
    changes : (K,) norm of the map's change over the map's norm, for each changed picture
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


def explainer(
    method: str | Explainer, stage: int = -1, cancelled: CancelCheck | None = None
) -> Explainer:
    """Return `method(model, tensor, target)` for a name of `METHODS`; a callable as it is.

    `tensor` is (1, 3, H, W), the map (H, W); a named method asks `cancelled` while
    it runs. Raises SettingError for an unknown name.
    """
    if not isinstance(method, str):
        return method
    compute = METHODS.get(method).compute
    return lambda model, tensor, target: compute(model, tensor, target, stage, None, cancelled)


def sensitivity(
    model: Classifier,
    tensor: Tensor,
    target: int,
    method: str | Explainer,
    std: tuple[float, float, float],
    heatmap: Heatmap | None = None,
    stage: int = -1,
    radius: float = RADIUS,
    repeats: int = REPEATS,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> Sensitivity:
    """Explain K pictures that differ by uniform noise, and measure how far the map moves.

    Parameters
    ----------
    model : any `Classifier`; unchanged afterwards
    tensor : (1, 3, H, W), normalised
    target : class index
    method : a name in `METHODS`, or (model, tensor, target) to a map (H, W) in [0, 1]
    std : deviations that `tensor` was normalised with, RGB on [0, 1]
    heatmap : the method's map (H, W) of `tensor`, where it is known already
    stage : of a named method, negative from the end
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
    image, explain = check_image(tensor), explainer(method, stage, cancelled)
    before = _map_of(explain, model, image, target, heatmap)
    norm = max(float(np.linalg.norm(before)), 1e-12)
    generator = torch_generator(seed)
    scale = (radius / 255 / torch.tensor(std)).view(3, 1, 1)
    changes = []
    for done in range(1, repeats + 1):
        stop_if(cancelled, _WHAT)
        noise = scale * (2 * torch.rand(image.shape, generator=generator) - 1)
        after = _map_of(explain, model, image + noise.to(image.device), target)
        changes.append(float(np.linalg.norm(after - before)) / norm)
        if progress is not None:
            progress(done, repeats)
    return Sensitivity(np.array(changes), radius)


def randomisation(
    model: Classifier,
    tensor: Tensor,
    target: int,
    method: str | Explainer,
    heatmap: Heatmap | None = None,
    stage: int = -1,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> Similarity:
    """Shuffle the parameters of a deep copy; near 0 its map is unlike the network's, as is right.

    Parameters
    ----------
    model, tensor, target, method, heatmap, stage, progress, cancelled : as `sensitivity` has them
    seed : of the shuffling

    Raises
    ------
    ValueError
        If an argument is out of its domain.
    Cancelled
        If `cancelled` returned true.
    """
    image, explain = check_image(tensor), explainer(method, stage, cancelled)
    before = _map_of(explain, model, image, target, heatmap)
    stop_if(cancelled, _WHAT)
    clone = _copy(model)
    _shuffle(clone, torch_generator(seed))
    _measure_again(clone, image)
    found = similarity(before, _map_of(explain, clone, image, target))
    if progress is not None:
        progress(1, 1)
    return found


def other_classes(
    model: Classifier,
    tensor: Tensor,
    target: int,
    method: str | Explainer,
    heatmap: Heatmap | None = None,
    stage: int = -1,
    count: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> OtherClasses:
    """Compare the target's map with those of other classes, drawn without repetition.

    Parameters
    ----------
    model, tensor, target, method, heatmap, stage, progress, cancelled : as `sensitivity` has them
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
    image, explain = check_image(tensor), explainer(method, stage, cancelled)
    logits = forward(model, image).logits
    others = np.delete(np.arange(logits.shape[1]), check_target(logits, target))
    drawn = numpy_generator(seed).permutation(others)[:count]
    before = _map_of(explain, model, image, target, heatmap)
    found = []
    for done, other in enumerate(drawn, 1):
        stop_if(cancelled, _WHAT)
        found.append(similarity(before, _map_of(explain, model, image, int(other))))
        if progress is not None:
            progress(done, len(drawn))
    return OtherClasses(tuple(int(c) for c in drawn), tuple(found))


def _map_of(
    explain: Explainer,
    model: Classifier,
    image: Tensor,
    target: int,
    known: Heatmap | None = None,
) -> Heatmap:
    heatmap = explain(model, image, target) if known is None else known
    return check_heatmap(heatmap, (image.shape[-2], image.shape[-1]))


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
