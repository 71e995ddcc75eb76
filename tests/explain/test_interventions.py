"""Interventions over a data set on networks whose answers are known, and resuming them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from kdcore.base import Cancelled, DataError
from kdcore.data import LoadedImage, Sample
from kdcore.data.corruptions import image_seed
from kdcore.evaluate.interventions import measure_interventions
from kdcore.explain import causal_mask, intervention_test, remove_region
from kdcore.explain.causal_mask import remove_regions
from kdcore.explain.interventions import Plan, run_interventions
from kdcore.models import Card, Checkpoint, Classifier, build_model
from kdcore.predict import preprocess_of

SIDE = 64
QUARTER = Plan((0.25,), 6, 1)


class _Quadrant(Classifier):
    """Says class 1 as long as a quadrant of the picture has fine structure, wherever else it is.

    Its stage is the structure inside the quadrant and that outside, of which it reads the first.
    A quarter of the quadrant may go without harm; the whole takes the answer away.
    """

    architecture, stage_names = "quadrant", ("structure",)

    def __init__(self, top, left, grid=8):
        super().__init__()
        inside = torch.zeros(grid, grid)
        half = grid // 2
        inside[top * half : top * half + half, left * half : left * half + half] = 1
        self.register_buffer("inside", inside)

    def forward_stages(self, images):
        fine = (images - F.avg_pool2d(images, 3, 1, 1)).square().sum(1, keepdim=True)
        energy = F.adaptive_avg_pool2d(fine, self.inside.shape[-1])
        return (torch.cat([energy * self.inside, energy * (1 - self.inside)], 1),)

    def head(self, last):
        share = 4 * last[:, 0].mean((1, 2)) / 0.35
        return torch.stack([torch.zeros_like(share), 20 * share - 6], 1)


class _Blind(_Quadrant):
    """Gives every picture the same answer."""

    def head(self, last):
        return 0 * last.mean((2, 3)) + torch.tensor([0.0, 1.0])


class _Data:
    """Pictures of noise in blocks of two pixels, so that half the size still shows it."""

    def __init__(self):
        self.read = []

    def picture(self, image_id):
        self.read.append(image_id)
        noise = np.random.default_rng(int(image_id)).integers(0, 2, (SIDE // 2, SIDE // 2, 1))
        pixels = (255 * noise).astype(np.uint8).repeat(2, 0).repeat(2, 1).repeat(3, 2)
        return LoadedImage(Image.fromarray(pixels), "0" * 64, ())


SAMPLES = [Sample(str(k), f"lesion {k // 2}", "b", 1) for k in range(6)]


def _checkpoint(model, name, side=SIDE):
    third = (0.5, 0.5, 0.5)
    card = Card(name, "student", "none", ("a", "b"), side, third, third)
    return Checkpoint(model.eval(), card, Path(name), name[0] * 64)


def _run(model, teacher, root, plan=QUARTER, samples=SAMPLES, **more):
    return run_interventions(model, teacher, _Data(), samples, "test", plan, root, **more)


def test_the_mask_has_the_whole_effect_where_the_network_reads(tmp_path):
    teacher = _checkpoint(_Quadrant(0, 0), "teacher")
    scores = _run(teacher, teacher, tmp_path)
    assert (scores.targets == 1).all() and (scores.probabilities > 0.99).all()
    assert (scores.drops > 0.9).all()
    assert scores.random_drops.mean() < 0.2
    assert np.array_equal(scores.drops, scores.transfer_drops)
    assert np.array_equal(scores.random_drops, scores.transfer_random_drops)
    (found,) = measure_interventions(scores, 50).effects
    assert found.own.effect.low > 0.7
    assert found.own.beats_all.value == 1
    assert found.transfer_ratio.value == found.transfer_ratio.low == 1


@pytest.mark.parametrize(("side", "grid"), [(SIDE, 8), (SIDE // 2, 4)])
def test_masks_transfer_to_a_student_that_reads_the_same_place_only(tmp_path, side, grid):
    teacher = _checkpoint(_Quadrant(0, 0), "teacher")
    alike = _checkpoint(_Quadrant(0, 0, grid), "alike", side)
    other = _checkpoint(_Quadrant(1, 1, grid), "other", side)
    same = _run(alike, teacher, tmp_path)
    assert (same.transfer_drops > 0.9).all() and (same.drops > 0.9).all()
    elsewhere = _run(other, teacher, tmp_path)
    assert (elsewhere.drops > 0.9).all()
    assert np.abs(elsewhere.transfer_drops).max() < 0.02
    (near,), (far,) = (measure_interventions(s, 50).effects for s in (same, elsewhere))
    assert near.transfer_ratio.value == pytest.approx(1, abs=0.1)
    assert far.transfer_ratio.high < 0.1
    assert far.transferred.beats_all.value < 0.5 < far.own.beats_all.value


def test_a_network_that_ignores_the_picture_has_no_effect(tmp_path):
    blind = _checkpoint(_Blind(0, 0), "blind")
    scores = _run(blind, blind, tmp_path)
    assert not scores.drops.any() and not scores.random_drops.any()
    (found,) = measure_interventions(scores, 50).effects
    assert found.own.effect.as_dict() == {"value": 0, "low": 0, "high": 0}
    assert found.own.beats_all.value == 0
    assert np.isnan(found.transfer_ratio.value)


def test_every_number_is_that_of_the_test_of_one_picture(tmp_path):
    torch.manual_seed(0)
    student = _checkpoint(build_model("cnn2", 2), "student", 32)
    teacher = _checkpoint(build_model("resnet18", 2), "teacher", 48)
    plan = Plan((0.1, 0.3), 3, 5)
    scores = _run(student, teacher, tmp_path, plan, SAMPLES[:2])
    assert scores.drops.shape == (2, 2, 2) and scores.random_drops.shape == (2, 2, 2, 3)
    assert scores.stages == ("conv1", "conv2") and scores.teacher_stages == ("layer3", "layer4")
    for row, sample in enumerate(SAMPLES[:2]):
        rgb = _Data().picture(sample.image_id).rgb
        mine, theirs = (preprocess_of(c)(rgb).unsqueeze(0) for c in (student, teacher))
        target = int(scores.targets[row])
        assert target == int(teacher.model(theirs).logits.argmax())
        for stage in (-2, -1):
            for place, q in enumerate(plan.fractions):
                own = causal_mask(student.model, mine, target, stage, q)
                moved = causal_mask(teacher.model, theirs, target, stage, q)
                at = row, stage, place
                for mask, drops, random in (
                    (own, scores.drops, scores.random_drops),
                    (moved, scores.transfer_drops, scores.transfer_random_drops),
                ):
                    test = intervention_test(
                        student.model, mine, target, mask, 3, image_seed(sample.image_id, 5)
                    )
                    assert drops[at] == pytest.approx(test.drop, abs=1e-5)
                    assert np.allclose(random[at], test.random_drops, atol=1e-5)
                assert scores.probabilities[row] == pytest.approx(test.probability, abs=1e-6)


def test_regions_removed_together_are_those_removed_alone():
    picture = torch.randn(1, 3, 30, 40, generator=torch.Generator().manual_seed(0))
    masks = np.random.default_rng(0).random((3, 5, 4)) > 0.5
    together = remove_regions(picture, masks)
    for mask, removed in zip(masks, together, strict=True):
        assert torch.equal(remove_region(picture, mask)[0], removed)


def test_a_cancelled_run_goes_on_and_gives_the_same_record(tmp_path):
    torch.manual_seed(0)
    student = _checkpoint(build_model("cnn2", 2), "student", 32)
    teacher = _checkpoint(build_model("cnn2", 2), "teacher", 32)
    samples = [Sample(str(k), str(k), "a", 0) for k in range(10)]  # a chunk of 8, and one of 2
    plan, seen = Plan((0.2,), 2), []

    def cancel(done, total):
        seen.append((done, total))
        raise Cancelled

    with pytest.raises(Cancelled):
        _run(student, teacher, tmp_path / "a", plan, samples, progress=cancel)
    assert seen == [(8, 10)]
    data = _Data()
    resumed = run_interventions(student, teacher, data, samples, "test", plan, tmp_path / "a")
    assert data.read == ["8", "9"]
    at_once = _run(student, teacher, tmp_path / "b", plan, samples)
    for f in fields(resumed):
        assert np.array_equal(getattr(resumed, f.name), getattr(at_once, f.name)), f.name
    broken = next((tmp_path / "b").rglob("*.npz"))
    broken.write_bytes(b"half")
    again = _run(student, teacher, tmp_path / "b", plan, samples)
    assert np.array_equal(again.drops, at_once.drops)
    fresh = _Data()
    run_interventions(student, teacher, fresh, samples[:8], "test", Plan((0.3,), 2), tmp_path / "b")
    assert len(fresh.read) == 8  # other areas are other chunks


def test_what_is_refused(tmp_path):
    model = _checkpoint(_Blind(0, 0), "m")
    with pytest.raises(DataError, match="no picture"):
        _run(model, model, tmp_path, samples=[])
    third = (0.5, 0.5, 0.5)
    card = Card("x", "student", "none", ("a", "c"), SIDE, third, third)
    other = Checkpoint(model.model, card, Path("x"), "x" * 64)
    with pytest.raises(ValueError, match="same classes"):
        _run(model, other, tmp_path)
    for wrong in ({"fractions": ()}, {"fractions": (0.0,)}, {"regions": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Plan(**wrong)
