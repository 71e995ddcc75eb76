"""A private copy of a network for thousands of forward passes on the same machine.

Batch norms are folded into the convolutions before them (Jacob et al. 2018, section 3.2), weights
lie channels-last and, where that is quick and good enough, in bfloat16. The model copied from is
read and never touched.
"""

from __future__ import annotations

import copy
import itertools

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from kdcore.models import Classifier, Output

_CAPABILITIES = ("avx512_bf16", "amx_bf16")  # bfloat16 without them is emulated, and slow


def quick_dtype(model: Classifier) -> torch.dtype:
    """Return the type that `model` is quickest in without a loss that a map would show.

    That is bfloat16 on a CPU that computes in it, else float32. Networks with grouped or
    depthwise convolutions stay in float32: they gain little, and with so few products to a sum
    the rounding of weights doesn't average out (a released MobileNetV2's logits move by 0.7).
    """
    device = next(model.parameters()).device
    ask = getattr(torch.cpu, "get_capabilities", None)  # older versions of torch can't say
    found: dict[str, object] = ask() if ask is not None and device.type == "cpu" else {}
    native = any(found.get(name, False) for name in _CAPABILITIES)
    dense = all(m.groups == 1 for m in model.modules() if isinstance(m, nn.Conv2d))
    return torch.bfloat16 if native and dense else torch.float32


def quick_network(
    model: Classifier, image: Tensor, dtype: torch.dtype
) -> tuple[Classifier, Output]:
    """Return a quick copy of `model`, and what the unchanged network says of `image`.

    Parameters
    ----------
    model : one network, of any mode; the copy is in eval mode and without gradients
    image : (1, 3, H, W), normalised, float32
    dtype : of the copy's weights and so of its inputs

    Returns
    -------
    network : takes images (B, 3, H, W) of `dtype`
    output : float32 logits (1, C) and stages (1, channels, h, w), before any change
    """
    with torch.inference_mode(False), torch.no_grad():  # inference tensors count no versions
        network = _shared_copy(model)
        pairs, output = _watched_pass(network, image)
        for conv, norm in pairs:
            _fold(network, conv, norm)
        network.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network, output


def _shared_copy(model: Classifier) -> Classifier:
    """Return a copy in eval mode whose parameters are its own, on the memory of the model's."""
    tensors = itertools.chain(model.parameters(), model.buffers())
    # Objects of its own, because `Module.to` changes a parameter in place, but not its memory.
    memo = {
        id(t): nn.Parameter(t.detach(), requires_grad=False) if isinstance(t, nn.Parameter) else t
        for t in tensors
    }
    return copy.deepcopy(model, memo).eval()


def _watched_pass(network: Classifier, image: Tensor) -> tuple[list[tuple[str, str]], Output]:
    """Return the names of convolutions and the batch norms straight behind them, and the output.

    A batch norm stands behind a convolution if its input is that output, the same tensor and
    not written to since. Seen in the pass itself, this holds for any network, traceable or not.
    """
    made: dict[tuple[int, int], str] = {}
    kept: list[Tensor] = []  # alive, so that no later tensor gets the number of an earlier one
    pairs: list[tuple[str, str]] = []

    def watch(name: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def leave(module: nn.Module, given: tuple[Tensor, ...], result: Tensor) -> None:
            kept.append(result)
            made[id(result), result._version] = name

        def enter(module: nn.Module, given: tuple[Tensor, ...]) -> None:
            conv = made.get((id(given[0]), given[0]._version))
            if conv is not None:
                pairs.append((conv, name))

        if isinstance(module, nn.Conv2d):
            return module.register_forward_hook(leave)
        return module.register_forward_pre_hook(enter)

    handles = [
        watch(name, module)
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    ]
    output = network(image)
    for handle in handles:  # the copy is thrown away if the pass raised
        handle.remove()
    return pairs, output


def _fold(network: Classifier, conv_name: str, norm_name: str) -> None:
    conv, norm = network.get_submodule(conv_name), network.get_submodule(norm_name)
    assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    mean, var = norm.running_mean, norm.running_var
    if mean is None or var is None:  # normalises by its own batch, which can't be folded
        return
    conv.weight, conv.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, mean, var, norm.eps, norm.weight, norm.bias
    )
    network.set_submodule(norm_name, _activation(norm))


def _activation(batch_norm: nn.BatchNorm2d) -> nn.Module:
    """Return what a batch norm does beside normalising: timm's own kind holds an activation."""
    return getattr(batch_norm, "act", nn.Identity()).eval()
