"""EfficientNet-Lite's weights, in another package's names, become those of our networks."""

from __future__ import annotations

import pytest
import timm
import torch

from kdcore.models import build_model
from kdcore.models.build import load_backbone
from recipes.initial_weights import CLASSES, FILES, renamed
from tests.conftest import REPO


def published(name):
    """Return random tensors as the package has them: its own names, the order of computation."""
    state = timm.create_model(f"tf_{name}").state_dict()
    random = {k: torch.rand_like(v) if v.is_floating_point() else v for k, v in state.items()}
    return {f"_{index}": tensor for index, tensor in enumerate(random.values())}


def test_lite2_computes_what_timm_does_but_for_its_padding():
    published = timm.create_model("tf_efficientnet_lite2").state_dict()
    theirs = timm.create_model("efficientnet_lite2").eval()  # symmetric padding
    theirs.load_state_dict(published)
    ours = build_model("efficientnet_lite2", CLASSES).eval()
    load_backbone(ours, renamed("efficientnet_lite2", dict(published)), "x", whole=True)
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        assert torch.allclose(ours(images).logits, theirs(images), atol=1e-5)


def test_the_b0_has_lite0s_convolutions_and_open_gates():
    source = published("efficientnet_lite0")
    model = build_model("efficientnet_b0", 7)
    load_backbone(model, renamed("efficientnet_b0", source), "x")
    convolutions = [m.weight for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
    kept = {tuple(t.shape) + (t.double().sum().item(),) for t in source.values() if t.ndim == 4}
    found = {tuple(w.shape) + (w.detach().double().sum().item(),) for w in convolutions}
    assert kept <= found
    gate = model.net.features[3][0].block[2]
    with torch.inference_mode():
        x = torch.randn(2, gate.fc1.in_channels, 4, 4)
        assert torch.allclose(gate(x), x * torch.sigmoid(torch.tensor(4.0)))


def test_other_tensors_are_refused():
    with pytest.raises(ValueError, match="expected the .* tensors of efficientnet_b0"):
        renamed("efficientnet_b0", published("efficientnet_lite2"))


def test_recipes_start_from_what_is_written():
    texts = [path.read_text("utf-8") for path in (REPO / "recipes").rglob("*.toml")]
    for name in FILES:
        assert any(f"$DISTILSCOPE_WEIGHTS/{name}.safetensors" in text for text in texts)
