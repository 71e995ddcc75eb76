"""The registry of explanation methods, each with its convention in words.

A method takes (model, tensor, target, stage, progress, cancelled) and returns a heatmap (H, W).
Of an ensemble it is the mean of the members' heatmaps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from kdcore.base import Registry, SettingError
from kdcore.base.progress import CancelCheck, Progress, stop_if
from kdcore.explain.attention import attention
from kdcore.explain.attribution import STEPS, integrated_gradients, occlusion
from kdcore.explain.ensemble import CONVENTION, mean_map
from kdcore.explain.grad_cam import grad_cam
from kdcore.explain.maps import Heatmap
from kdcore.explain.more_cams import eigen_cam, grad_cam_pp, layer_cam
from kdcore.explain.passes import check_architecture
from kdcore.explain.rollout import ROLLED_OUT, TITLE, attention_rollout
from kdcore.explain.score_cam import FAST_LEAST, FAST_SHARE, fast_score_cam, score_cam
from kdcore.models import Classifier

Compute = Callable[
    [Classifier, Tensor, int, int, Progress | None, CancelCheck | None],
    Heatmap,
]


@dataclass(frozen=True)
class Method:
    """One way to explain: its name for people, convention and cost.

    `slow` methods take seconds and report progress; `uses_target` and `uses_stage` are False where
    the class asked about, or the stage, makes no difference; `architectures` are the registered
    names that it is for, empty for all.
    """

    name: str
    title: str
    convention: str
    slow: bool
    uses_target: bool
    compute: Compute
    uses_stage: bool = True
    architectures: tuple[str, ...] = ()


_SCORE_CAM = (
    "grad-cam 1.5.7: channel masks scaled to [0, 1], raw target logit, softmax over channels, "
    "negative values cut, scaled to [0, 1]; masked passes in bfloat16 on processors that have it, "
    "unless convolutions are grouped, else in float32"
)
METHODS: Registry[Method] = Registry("explanation method", SettingError)


def _slow(compute: Callable[..., Heatmap]) -> Compute:
    def run(
        model: Classifier,
        tensor: Tensor,
        target: int,
        stage: int,
        progress: Progress | None,
        cancelled: CancelCheck | None,
    ) -> Heatmap:
        return compute(model, tensor, target, stage, progress=progress, cancelled=cancelled)

    return run


def _on_the_input(compute: Callable[..., Heatmap]) -> Compute:
    """Return a method of the input's own grid as one that is told a stage, too."""

    def run(
        model: Classifier,
        tensor: Tensor,
        target: int,
        stage: int,
        progress: Progress | None,
        cancelled: CancelCheck | None,
    ) -> Heatmap:
        return compute(model, tensor, target, progress=progress, cancelled=cancelled)

    return run


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
            stop_if(cancelled, "The explanation")
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
        convention=f"{_SCORE_CAM}; {CONVENTION}",
        slow=True,
        uses_target=True,
        compute=_slow(score_cam),
    ),
    Method(
        name="score-cam-fast",
        title="Score-CAM (fast)",
        convention=f"approximate: {_SCORE_CAM}; but one channel mask in {FAST_SHARE} is scored, "
        f"{FAST_LEAST} at least, and the other logits are predicted from these by Gaussian "
        f"process regression; {CONVENTION}",
        slow=False,
        uses_target=True,
        compute=_slow(fast_score_cam),
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
    Method(
        name="grad-cam-pp",
        title="Grad-CAM++",
        convention="grad-cam 1.5.7: sum over cells of the target logit's positive gradients, each "
        "weighted by equation 19 of the paper, as a channel's weight; negative values cut, scaled "
        f"to [0, 1]; {CONVENTION}",
        slow=False,
        uses_target=True,
        compute=_quick(grad_cam_pp),
    ),
    Method(
        name="layer-cam",
        title="Layer-CAM",
        convention="grad-cam 1.5.7: activations weighted cell by cell by the target logit's "
        f"positive gradient, negative values cut, scaled to [0, 1]; {CONVENTION}",
        slow=False,
        uses_target=True,
        compute=_quick(layer_cam),
    ),
    Method(
        name="eigen-cam",
        title="Eigen-CAM",
        convention="grad-cam 1.5.7: cells on the first principal component of the channels, "
        "centred; the sign by which the strongest cell is positive (Seg-EigenCAM's, as the "
        "package's is arbitrary), negative values cut, scaled to [0, 1]; no target class; "
        + CONVENTION,
        slow=False,
        uses_target=False,
        compute=_quick(lambda model, tensor, target, stage: eigen_cam(model, tensor, stage)),
    ),
    Method(
        name="integrated-gradients",
        title="Integrated gradients",
        convention="captum 0.9.0: raw target logit, baseline zero after normalisation (the data "
        f"set's mean colour), {STEPS} Gauss-Legendre steps; signed values summed over colours, "
        "smoothed by a Gaussian of 1/50 side, negative ones (against the target) cut, scaled to "
        f"[0, 1]; on the input's grid, no stage; {CONVENTION}",
        slow=True,
        uses_target=True,
        compute=_on_the_input(integrated_gradients),
        uses_stage=False,
    ),
    Method(
        name="occlusion",
        title="Occlusion",
        convention="captum 0.9.0: fall of the raw target logit behind a patch of 1/8 side, moved "
        "by half of that, filled with zero after normalisation (the data set's mean colour); "
        "mean over the patches that cover a pixel, rises cut, scaled to [0, 1]; on the input's "
        f"grid, no stage; {CONVENTION}",
        slow=True,
        uses_target=True,
        compute=_on_the_input(occlusion),
        uses_stage=False,
    ),
    Method(
        name="attention-rollout",
        title=TITLE,
        convention="Abnar & Zuidema 2020: mean over heads, half attention and half identity, "
        "product over all blocks up to the stage, mean over its cells; a merged cell is a quarter "
        "of each of its four; scaled to [0, 1]; no target class; only where every cell attends to "
        f"all; {CONVENTION}",
        slow=False,
        uses_target=False,
        compute=_quick(
            lambda model, tensor, target, stage: attention_rollout(model, tensor, stage)
        ),
        architectures=ROLLED_OUT,
    ),
):
    METHODS.register(_method.name)(_method)


def methods_for(*models: Classifier) -> tuple[Method, ...]:
    """Return the methods that are for every one of `models`, in the registry's order."""
    return tuple(
        method
        for method in (METHODS.get(name) for name in METHODS.names())
        if all(_is_for(method, model) for model in models)
    )


def _is_for(method: Method, model: Classifier) -> bool:
    try:
        check_architecture(model, method.architectures, method.title)
    except SettingError:
        return False
    return True
