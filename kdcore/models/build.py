"""The registry of architectures and the one way to build a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import torch
import torchvision
from torch import Tensor

from kdcore.base import CheckpointError, RecipeError, Registry
from kdcore.models import backbones
from kdcore.models.ofa import Ofa595
from kdcore.models.output import Classifier
from kdcore.models.weights import check_finite, read_state_dict

Builder = Callable[[int], Classifier]
ARCHITECTURES: Registry[Builder] = Registry("architecture", RecipeError)

for _name in ("resnet18", "resnet34", "resnet50"):
    ARCHITECTURES.register(_name)(
        lambda n, name=_name: backbones.TorchvisionResNet(name, n)  # type: ignore[misc]
    )
for _name in ("resnet18", "resnet50"):
    ARCHITECTURES.register(f"{_name}_cifar")(
        lambda n, name=_name: backbones.SmallStemResNet(f"{name}_cifar", name, n)  # type: ignore[misc]
    )
ARCHITECTURES.register("resnet50_cbam")(backbones.ResNetCBAM)
ARCHITECTURES.register("mobilenet_v2")(
    lambda n: backbones.TorchvisionSequential("mobilenet_v2", n, (3, 6, 13, 18))
)
ARCHITECTURES.register("efficientnet_b0")(
    lambda n: backbones.TorchvisionSequential("efficientnet_b0", n, (2, 3, 5, 8))
)
ARCHITECTURES.register("ofa595")(Ofa595)
ARCHITECTURES.register("vgg19")(lambda n: backbones.TorchvisionVGG("vgg19", n))
ARCHITECTURES.register("cnn2")(backbones.TwoConvNet)
ARCHITECTURES.register("resnet56_cifar")(lambda n: backbones.CifarResNet("resnet56_cifar", 56, n))
for _name, _kind in (
    ("densenet201", backbones.TimmClassifier),
    ("efficientnet_lite0", backbones.TimmClassifier),
    ("efficientnet_lite2", backbones.TimmClassifier),
    ("visformer_small", backbones.TimmClassifier),
    ("swin_s3_tiny_224", backbones.TimmSwin),
):
    ARCHITECTURES.register(_name)(
        lambda n, name=_name, kind=_kind: kind(name, name, n)  # type: ignore[misc]
    )

# Smallest and largest side of the input, pixels, of the networks that do not take every size:
# DenseNet halves five times before its last block, VGG five times before its head; the other two
# fix their grids when built.
_SIDES = {
    "densenet201": (29, 1024),
    "vgg19": (32, 1024),
    "visformer_small": (224, 224),
    "swin_s3_tiny_224": (224, 224),
}
_ANY_SIDE = (16, 1024)


def refused_sides(name: str, sides: Iterable[int]) -> str:
    """Return which of the input sides (pixels) an architecture can't take, in words; "" for none.

    A name that is not registered takes what most do.
    """
    low, high = _SIDES.get(name, _ANY_SIDE)
    wrong = sorted({side for side in sides if not low <= side <= high})
    if not wrong:
        return ""
    takes = f"{low} pixels only" if low == high else f"{low} to {high} pixels"
    return f"{name} takes inputs of {takes}, not of {', '.join(map(str, wrong))}."


def build_model(name: str, num_classes: int, weights: str | None = None) -> Classifier:
    """Build a registered architecture.

    Parameters
    ----------
    name : str
        A name in `ARCHITECTURES`.
    num_classes : int
        Number of logits, ≥ 2.
    weights : str, optional
        None for random initial weights, "imagenet" for the library's own download, else the path
        of a local state dict (safetensors, or `.pt` read with `weights_only=True`). A head for
        another number of classes is left random; anything else that does not fit raises.

    Raises
    ------
    RecipeError
        If the architecture is unknown.
    CheckpointError
        If the weights can't be reached or do not fit.
    """
    model = ARCHITECTURES.get(name)(num_classes)
    if weights:
        state = _download(name) if weights == "imagenet" else read_state_dict(Path(weights))
        load_backbone(model, state, weights)
    return model


def load_backbone(
    model: Classifier, state: dict[str, Tensor], source: str, whole: bool = False
) -> None:
    """Load `state` (with or without the `net.` prefix) into `model`, the head aside if it differs.

    Parameters
    ----------
    model : takes the tensors; `state` may hold others, too
    state : tensors by name
    source : the file they are from, for the message
    whole : the head has to fit, too

    Raises
    ------
    CheckpointError
        If more than a head of another shape does not fit, or with `whole` anything, or a tensor is
        not finite.
    """
    own = model.state_dict()
    if not any(key in own for key in state):
        state = {f"net.{key}": value for key, value in state.items()}
    head = {k for k in own if k.startswith(f"{model.head_name}.")}
    fitting = {k: v for k, v in state.items() if k in own and v.shape == own[k].shape}
    counters = {k for k in own if k.endswith("num_batches_tracked")}
    missing = set(own) - set(fitting) - counters - (set() if whole else head)
    if missing:
        count = own[f"{model.head_name}.weight"].shape[0]
        classes = f" with {count} classes" if whole else ""
        raise CheckpointError(
            f"{Path(source).name} does not fit {model.architecture}{classes}: {len(missing)} of "
            f"{len(own)} tensors are missing or of another shape (first: {sorted(missing)[0]}).",
            "Choose the architecture" + (" and classes" if whole else "") + " it was saved from.",
        )
    check_finite(fitting, Path(source).name)
    model.load_state_dict(fitting, strict=False)


def _download(name: str) -> dict[str, Tensor]:
    """Return ImageNet weights from the library the network comes from."""
    timm_has = isinstance(ARCHITECTURES.get(name)(1000), backbones.TimmClassifier)
    if not timm_has and name not in torchvision.models.list_models(torchvision.models):
        raise CheckpointError(
            f"There are no ImageNet weights of {name}: no library publishes them.",
            "Name a local file, or train from random weights.",
        )
    try:
        if timm_has:
            import timm  # a second to import, so only where it is wanted

            # EfficientNet-Lite2 is published for TensorFlow's padding only; its tensors fit both.
            published = name if timm.is_model_pretrained(name) else f"tf_{name}"
            return timm.create_model(published, pretrained=True).state_dict()
        weights = torchvision.models.get_model_weights(name).DEFAULT
        return weights.get_state_dict(progress=True, map_location=torch.device("cpu"))
    except Exception as error:  # each library and hub raises its own kinds
        raise CheckpointError(
            f"The ImageNet weights of {name} could not be downloaded ({type(error).__name__}).",
            "Check the network connection, name a local file, or train from random weights.",
        ) from error
