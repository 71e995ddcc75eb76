"""Stages are explicit and correct, sizes are the published ones, foreign files are refused."""

from __future__ import annotations

import dataclasses
import json
import pickle

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file

from kdcore.base import CheckpointError, RecipeError
from kdcore.models import (
    ARCHITECTURES,
    Ensemble,
    build_model,
    list_checkpoints,
    load_checkpoint,
    read_state_dict,
    refused_sides,
    save_checkpoint,
    stage_relevance,
)
from kdcore.models.size import parameters_text

PARAMETERS = {  # millions with 1000 classes, from torchvision's and timm's tables
    "resnet18": 11.69,
    "resnet34": 21.80,
    "resnet50": 25.56,
    "mobilenet_v2": 3.50,
    "efficientnet_b0": 5.29,
    "densenet201": 20.01,
    "efficientnet_lite0": 4.65,
    "efficientnet_lite2": 6.09,
    "visformer_small": 40.22,
    "swin_s3_tiny_224": 28.33,
    "vgg19": 143.67,
    "ofa595": 9.136,  # the authors' table
}
SHAPES = {  # of the stages at 224 pixels: channels, side
    "densenet201": ((64, 112), (256, 56), (512, 28), (1792, 14), (1920, 7)),
    "efficientnet_lite0": ((16, 112), (24, 56), (40, 28), (112, 14), (1280, 7)),
    "efficientnet_lite2": ((16, 112), (24, 56), (48, 28), (120, 14), (1280, 7)),
    "visformer_small": ((192, 28), (384, 14), (768, 7)),
    "swin_s3_tiny_224": ((96, 56), (192, 28), (384, 14), (768, 7)),
    "vgg19": ((128, 56), (256, 28), (512, 14), (512, 7)),
    "ofa595": ((32, 56), (48, 28), (136, 14), (1152, 7)),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_published_sizes(name):
    with torch.device("meta"):
        count = sum(p.numel() for p in build_model(name, 1000).parameters())
        text = parameters_text(build_model(name, 1000))
    assert count / 1e6 == pytest.approx(PARAMETERS[name], abs=0.01)
    assert float(text.removesuffix(" M parameters")) == pytest.approx(PARAMETERS[name], abs=0.051)


def test_the_size_of_ofa_595():
    counts = {n: sum(p.numel() for p in build_model("ofa595", n).parameters()) for n in (1000, 7)}
    assert counts[1000] == pytest.approx(9.136e6, abs=500)
    assert counts[7] == pytest.approx(7.61e6, abs=5000)
    kernels = [b.conv.depth_conv.conv.kernel_size[0] for b in build_model("ofa595", 7).blocks]
    assert kernels == [3, 3, 5, 3, 5, 5, 3, 5, 7, 5, 3, 5, 3, 5, 7, 3, 3, 3, 5, 3]


@pytest.mark.parametrize("name", SHAPES)
def test_the_stages_are_those_that_are_documented(name):
    with torch.device("meta"):
        stages = build_model(name, 7).eval()(torch.zeros(2, 3, 224, 224)).stages
    assert [tuple(s.shape) for s in stages] == [(2, c, side, side) for c, side in SHAPES[name]]


@pytest.mark.parametrize(("name", "sides"), [("densenet201", (64, 96)), ("vgg19", (32, 96)),
                                             ("ofa595", (32, 96, 236))])  # fmt: skip
def test_other_sides_give_grids_of_their_own(name, sides):
    with torch.device("meta"):
        model = build_model(name, 7).eval()
        for side in sides:
            last = model(torch.zeros(1, 3, side, side)).stages[-1]
            rounded_up = name == "ofa595"
            assert last.shape[2] == (-(-side // 32) if rounded_up else side // 32)


@pytest.mark.parametrize("name", SHAPES)
def test_a_cell_of_a_stage_lies_where_its_pixels_do(name):
    model = build_model(name, 3).eval().requires_grad_(False)
    side = 224 if refused_sides(name, [64]) else 64
    images = torch.randn(1, 3, side, side).requires_grad_(True)
    first = model.forward_stages(images)[0]
    row, column = first.shape[2] // 8, first.shape[3] * 7 // 8  # high up and to the right
    (gradient,) = torch.autograd.grad(first[0, :, row, column].square().sum(), images)
    weight = gradient[0].abs().sum(0) / gradient.abs().sum()
    at = torch.arange(side).float()
    assert float((weight.sum(1) * at).sum()) < side * 0.3  # a transposed grid would be far off
    assert float((weight.sum(0) * at).sum()) > side * 0.7


@pytest.mark.parametrize("name", ARCHITECTURES.names())
def test_stages_lead_to_the_logits(name):
    model = build_model(name, 7).eval().requires_grad_(False)
    side = 224 if refused_sides(name, [64]) else 64
    output = model(torch.randn(1, 3, side, side).requires_grad_(True))
    assert output.logits.shape == (1, 7)
    assert len(output.stages) == len(model.stage_names) > 1
    channels, grids = zip(*((s.shape[1], s.shape[2:]) for s in output.stages))
    assert all(h == w <= side for h, w in grids)
    assert list(grids) == sorted(grids, reverse=True)  # early to late, (B, channels, h, w)
    assert channels[-1] >= channels[0] >= 16
    gradients = torch.autograd.grad(output.logits[0, 3], output.stages, retain_graph=True)
    assert all(gradient.abs().sum() > 0 for gradient in gradients)
    assert torch.allclose(model.head(output.stages[-1]), output.logits, atol=1e-5)


@pytest.mark.parametrize("name", ARCHITECTURES.names())
def test_what_is_said_of_input_sides_is_what_the_network_does(name):
    model = build_model(name, 3).eval()
    for side in (16, 28, 29, 40, 224):
        refused = refused_sides(name, [side])
        try:
            with torch.inference_mode():
                logits = model(torch.zeros(1, 3, side, side)).logits
        except (AssertionError, RuntimeError):
            assert f"{name} takes inputs of" in refused
            assert refused.endswith(f"not of {side}.")
        else:
            assert refused == ""
            assert logits.isfinite().all()


@pytest.mark.parametrize("name", ARCHITECTURES.names())
def test_the_head_alone_depends_on_the_classes(name):
    with torch.device("meta"):
        models = [build_model(name, n) for n in (5, 7)]
    shapes = [{k: v.shape for k, v in model.state_dict().items()} for model in models]
    differing = {k for k in shapes[0] if shapes[0][k] != shapes[1][k]}
    head = models[0].head_name
    assert differing == {f"{head}.weight", f"{head}.bias"}


@pytest.mark.parametrize("name", ["densenet201", "visformer_small", "swin_s3_tiny_224"])
def test_equals_timm(name):
    ours = build_model(name, 5).eval()
    images = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        logits, stages = ours(images)
        theirs = ours.net.forward_intermediates(images, intermediates_only=True)
        assert torch.allclose(logits, ours.net(images), atol=1e-5)
    for mine, other in zip(stages[:-1], theirs[:-1], strict=True):
        assert torch.allclose(mine, other, atol=1e-5)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_relevance_of_a_batch_is_that_of_each_image(name):
    from kdcore.explain import grad_cam_grid

    model = build_model(name, 7).eval().requires_grad_(False)
    images, targets = torch.randn(3, 3, 64, 64), torch.tensor([0, 3, 6])
    output, relevance = stage_relevance(model, images, targets, 3)
    assert len(relevance) == 3
    assert not output.logits.requires_grad
    assert all(p.grad is None for p in model.parameters())
    for back, maps in zip((-3, -2, -1), relevance):
        for image, target, grid in zip(images, targets, maps):
            alone = grad_cam_grid(model, image[None], int(target), back)
            assert torch.allclose(grid, torch.from_numpy(alone), atol=1e-5)


def test_relevance_of_an_ensemble_is_the_members_mean():
    members = [build_model("resnet18", 7).eval().requires_grad_(False) for _ in range(2)]
    images, targets = torch.randn(2, 3, 64, 64), torch.tensor([1, 2])
    _, joint = stage_relevance(Ensemble(members), images, targets, 2)
    each = [stage_relevance(member, images, targets, 2)[1] for member in members]
    for together, one, two in zip(joint, *each):
        assert torch.allclose(together, (one + two) / 2, atol=1e-6)


def test_members_of_other_grids_count_for_what_they_say():
    """The last stage's relevance sums to what it brings the logit: no bias, pooled and linear."""
    from kdcore.explain import grad_cam_grid

    members = [
        build_model(n, 7).eval().requires_grad_(False) for n in ("resnet18", "resnet18_cifar")
    ]
    image, target = torch.randn(1, 3, 32, 32), torch.tensor([3])
    joint = Ensemble(members).eval()
    each = [stage_relevance(m, image, target, 1)[1][0] for m in members]
    assert each[0].shape != each[1].shape
    expected = float((each[0].sum() + each[1].sum()) / 2)
    (found,) = stage_relevance(joint, image, target, 1)[1]
    assert float(found.sum()) == pytest.approx(expected, rel=1e-4)
    assert grad_cam_grid(joint, image, 3).sum() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "efficientnet_b0", "vgg19"])
def test_equals_torchvision(name):
    ours = build_model(name, 5).eval()
    theirs = getattr(torchvision.models, name)(num_classes=5).eval()
    theirs.load_state_dict(ours.net.state_dict())
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        assert torch.allclose(ours(images).logits, theirs(images), atol=1e-5)


def test_ensemble_averages_logits_and_sums_attention():
    members = [build_model("resnet18", 3).eval(), build_model("resnet18", 3).eval()]
    both = Ensemble(members).eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        one, two, joint = members[0](images), members[1](images), both(images)
    assert torch.allclose(joint.logits, (one.logits + two.logits) / 2, atol=1e-6)
    maps = [o.stages[2].square().sum(1) for o in (one, two, joint)]
    assert torch.allclose(maps[0] + maps[1], maps[2], rtol=1e-4)


def test_an_unknown_name_lists_near_ones():
    with pytest.raises(RecipeError, match="resnet50"):
        build_model("resnet5", 7)


def test_weights_without_head_and_from_elsewhere(tmp_path):
    source = torchvision.models.resnet18(num_classes=1000).state_dict()
    save_file(source, tmp_path / "w.safetensors")
    model = build_model("resnet18", 7, str(tmp_path / "w.safetensors"))
    assert torch.equal(model.net.conv1.weight, source["conv1.weight"])
    with pytest.raises(CheckpointError, match="does not fit mobilenet_v2"):
        build_model("mobilenet_v2", 7, str(tmp_path / "w.safetensors"))


@pytest.mark.parametrize(
    ("name", "part"),
    [("mobilenet_v2", ".1."), ("resnet50_cbam", "bn3.1."), ("resnet18", ".1."), ("cnn2", "hidden")],
)
def test_weights_that_lack_anything_but_the_head_are_refused(name, part, tmp_path):
    model = build_model(name, 5)
    whole = model.state_dict()
    inside = {k for k in whole if part in k and not k.startswith(model.head_name)}
    save_file({k: v for k, v in whole.items() if k not in inside}, tmp_path / "w.safetensors")
    count = sum("num_batches" not in k for k in inside)
    with pytest.raises(CheckpointError, match=f"{count} of {len(whole)} tensors"):
        build_model(name, 7, str(tmp_path / "w.safetensors"))


@pytest.mark.parametrize("name", ["resnet50_cbam", "cnn2", "ofa595"])
def test_weights_that_nobody_publishes(name):
    with pytest.raises(CheckpointError, match=f"no ImageNet weights of {name}") as raised:
        build_model(name, 7, "imagenet")
    assert "network connection" not in str(raised.value)


def test_lite2_is_downloaded_by_the_name_that_it_is_published_under(monkeypatch):
    import timm

    create, asked = timm.create_model, []

    def plain(name, pretrained, **options):
        asked.extend([name] if pretrained else [])
        return create(name, **options)

    monkeypatch.setattr(timm, "create_model", plain)
    build_model("efficientnet_lite2", 7, "imagenet")
    assert asked == ["tf_efficientnet_lite2"]


def test_download_that_fails_says_so(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError("no route")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", refuse)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", refuse)
    with pytest.raises(CheckpointError, match="could not be downloaded"):
        build_model("resnet18", 7, "imagenet")


class _Payload:
    def __reduce__(self):
        return (print, ("this must not run",))


def test_a_pickle_payload_is_not_run(tmp_path, capsys):
    path = tmp_path / "evil.pt"
    torch.save({"weight": _Payload()}, path)
    with pytest.raises(CheckpointError, match="may carry code"):
        read_state_dict(path)
    (tmp_path / "raw.pt").write_bytes(pickle.dumps(_Payload()))
    with pytest.raises(CheckpointError):
        read_state_dict(tmp_path / "raw.pt")
    assert "must not run" not in capsys.readouterr().out


def test_half_precision_round_trip(tiny_checkpoints, tmp_path):
    first = load_checkpoint(tiny_checkpoints / "student-mobilenetv2")
    save_checkpoint(tmp_path / "again", first.model, first.card)
    again = load_checkpoint(tmp_path / "again")
    assert again.hash == first.hash
    assert not again.model.training
    assert not any(p.requires_grad for p in again.model.parameters())


def test_what_half_precision_can_not_hold_stays_whole(tiny_checkpoints, tmp_path):
    first = load_checkpoint(tiny_checkpoints / "teacher-resnet18")
    name, kept = "net.bn1.running_var", first.model.state_dict()
    kept[name].fill_(1e5)
    save_checkpoint(tmp_path / "large", first.model, first.card)
    again = load_checkpoint(tmp_path / "large").model.state_dict()
    assert torch.equal(again[name], kept[name])
    weights = load_file(tmp_path / "large/model.safetensors")
    assert weights["net.conv1.weight"].dtype == torch.float16


def test_teachers_come_first(tiny_checkpoints):
    assert [c.role for c in list_checkpoints(tiny_checkpoints)] == ["teacher", "student"]


def test_wrong_checkpoints(tiny_checkpoints, tmp_path):
    first = load_checkpoint(tiny_checkpoints / "teacher-resnet18")
    with pytest.raises(CheckpointError, match="was trained on the classes"):
        load_checkpoint(first.path, ("cat", "dog"))
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        load_checkpoint(tmp_path)
    save_checkpoint(tmp_path / "a", first.model, first.card)
    card = json.loads((tmp_path / "a/card.json").read_text())
    (tmp_path / "a/card.json").write_text(json.dumps(card | {"architecture": "resnet34"}))
    with pytest.raises(CheckpointError, match="do not fit"):
        load_checkpoint(tmp_path / "a")
    other = dataclasses.replace(first.card, classes=("a", "b"))
    (tmp_path / "a/card.json").write_text(json.dumps(dataclasses.asdict(other)))
    with pytest.raises(CheckpointError, match="SHA-256 differs|do not fit"):
        load_checkpoint(tmp_path / "a")
    (tmp_path / "a/model.safetensors").write_bytes(b"half written")
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "a")
    (tmp_path / "a/card.json").write_text("{")
    with pytest.raises(CheckpointError, match="can't be read"):
        load_checkpoint(tmp_path / "a")
