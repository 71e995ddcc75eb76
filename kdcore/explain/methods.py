"""The registry of explanation methods, each with its convention in words.

A method takes (model, tensor, target, stage, progress, cancelled) and returns a heatmap (H, W).
Of an ensemble it is the mean of the members' heatmaps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from kdcore.base import Registry, SettingError
from kdcore.explain.attention import attention
from kdcore.explain.ensemble import CONVENTION, mean_map
from kdcore.explain.grad_cam import grad_cam
from kdcore.explain.maps import Heatmap
from kdcore.explain.score_cam import score_cam
from kdcore.explain.taps import CancelCheck, Progress, stop_if
from kdcore.models import Classifier

Compute = Callable[
    [Classifier, Tensor, int, int, Progress | None, CancelCheck | None],
    Heatmap,
]


@dataclass(frozen=True)
class Method:
    """One way to explain: its name for people, convention and cost.

    `slow` methods take seconds and report progress; `uses_target` is False where the class asked
    about makes no difference.
    """

    name: str
    title: str
    convention: str
    slow: bool
    uses_target: bool
    compute: Compute


METHODS: Registry[Method] = Registry("explanation method", SettingError)


def _score_cam(
    model: Classifier,
    tensor: Tensor,
    target: int,
    stage: int,
    progress: Progress | None,
    cancelled: CancelCheck | None,
) -> Heatmap:
    return score_cam(model, tensor, target, stage, progress=progress, cancelled=cancelled)


def _quick(compute: Callable[[Classifier, Tensor, int, int], Heatmap]) -> Compute:
    def run(
        model: Classifier,
        tensor: Tensor,
        target: int,
        stage: int,
        progress: Progress | None,
        cancelled: CancelCheck | None,
    ) -> Heatmap:
        def one(member: Classifier, report: Progress | None) -> Heatmap:
            stop_if(cancelled)
            heatmap = compute(member, tensor, target, stage)
            if report is not None:
                report(1, 1)
            return heatmap

        return mean_map(model, one, progress)

    return run


for _method in (
    Method(
        name="score-cam",
        title="Score-CAM",
        convention="grad-cam 1.5.7: channel masks scaled to [0, 1], raw target logit, softmax "
        f"over channels, negative values cut, scaled to [0, 1]; {CONVENTION}",
        slow=True,
        uses_target=True,
        compute=_score_cam,
    ),
    Method(
        name="grad-cam",
        title="Grad-CAM",
        convention="grad-cam 1.5.7: spatial mean of the target logit's gradient, negative values "
        f"cut, scaled to [0, 1]; {CONVENTION}",
        slow=False,
        uses_target=True,
        compute=_quick(grad_cam),
    ),
    Method(
        name="attention",
        title="Attention",
        convention="sum over channels of squared activations, scaled to [0, 1]; no target class; "
        + CONVENTION,
        slow=False,
        uses_target=False,
        compute=_quick(lambda model, tensor, target, stage: attention(model, tensor, stage)),
    ),
):
    METHODS.register(_method.name)(_method)
