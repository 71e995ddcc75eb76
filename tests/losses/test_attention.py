"""Attention transfer, gating, alignment and contrast against plain NumPy, gradients included."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from kdcore.losses import (
    attention_map,
    attention_transfer,
    attention_vector,
    contrastive_alignment,
    masked_alignment,
    top_fraction_mask,
)


def _unit(maps):
    flat = np.asarray(maps).reshape(len(maps), -1)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def test_attention_map_and_vector():
    stage = torch.randn(2, 5, 4, 4)
    maps = attention_map(stage)
    assert torch.allclose(maps, (stage**2).sum(1))
    assert attention_vector(maps).numpy() == pytest.approx(_unit(maps), rel=1e-5)
    assert torch.allclose(attention_vector(maps * 9), attention_vector(maps), atol=1e-6)


def test_attention_transfer_pairs_from_the_end():
    early, late = torch.rand(2, 8, 8), torch.rand(2, 4, 4)
    assert float(attention_transfer([late], [early, late])) == 0
    assert float(attention_transfer([early, late], [late])) == 0
    other = torch.rand(2, 8, 8)  # a finer grid than the student's
    coarse = other.numpy().reshape(2, 4, 2, 4, 2).mean((2, 4))
    expected = np.square(_unit(late) - _unit(coarse)).mean()
    assert float(attention_transfer([late], [other])) == pytest.approx(expected, rel=1e-5)


def test_stages_have_weights_from_the_last():
    ours, theirs = ([torch.rand(2, s, s) for s in (8, 4, 2)] for _ in range(2))
    each = [float(attention_transfer([a], [b])) for a, b in zip(ours, theirs)]
    assert float(attention_transfer(ours, theirs)) == pytest.approx(sum(each), rel=1e-5)
    weighted = attention_transfer(ours, theirs, (2.0, 0.5))
    assert float(weighted) == pytest.approx(2 * each[2] + 0.5 * each[1], rel=1e-5)


def test_a_gate_hides_the_teachers_attention_outside_it():
    ours, theirs = torch.rand(2, 4, 4), torch.rand(2, 4, 4)
    mask = torch.zeros(2, 4, 4, dtype=torch.bool)
    mask[:, :2] = True
    expected = np.square(_unit(ours) - _unit(theirs.numpy() * mask.numpy())).mean()
    gated = attention_transfer([ours], [theirs], masks=[mask])
    assert float(gated) == pytest.approx(expected, rel=1e-5)
    whole = attention_transfer([ours], [theirs], masks=[torch.ones_like(mask)])
    assert torch.equal(whole, attention_transfer([ours], [theirs]))


def test_masked_alignment_looks_inside_only():
    student, teacher, mask = torch.rand(2, 4, 4), torch.rand(2, 4, 4), torch.zeros(2, 4, 4)
    assert float(masked_alignment(student, teacher, mask)) == 0
    gap = np.square(_unit(student) - _unit(teacher))
    full = masked_alignment(student, teacher, torch.ones(2, 4, 4))
    assert float(full) == pytest.approx(gap.mean(), rel=1e-5)
    mask[:, 0, 0] = 1
    assert float(masked_alignment(student, teacher, mask)) == pytest.approx(
        gap[:, 0].mean(), rel=1e-5
    )


def test_contrast_against_a_loop():
    student, teacher = torch.rand(5, 4, 4), torch.rand(5, 4, 4)
    mask = torch.rand(5, 4, 4) > 0.3
    ours, theirs = _unit(student), _unit(teacher.numpy() * mask.numpy())
    terms = []
    for i in range(5):
        scores = np.exp([ours[i] @ theirs[j] / 0.2 for j in range(5)])
        terms.append(-np.log(scores[i] / scores.sum()))
    loss = contrastive_alignment(student, teacher, mask, 0.2)
    assert float(loss) == pytest.approx(np.mean(terms), rel=1e-4)
    paired = contrastive_alignment(teacher, teacher, torch.ones_like(mask), 0.01)
    assert float(paired) < float(loss)
    with pytest.raises(ValueError, match="temperature"):
        contrastive_alignment(student, teacher, mask, 0)


def test_a_mask_holds_the_largest_cells_and_the_explanations_one_is_the_same():
    from kdcore.explain.attention_gap import mask_on_grid

    values = torch.randn(3, 8, 8)
    for grid, q in (((8, 8), 0.3), ((4, 4), 0.2), ((2, 2), 0.01)):
        masks = top_fraction_mask(values, grid, q)
        assert (masks.flatten(1).sum(1) == max(1, round(q * grid[0] * grid[1]))).all()
        for value, mask in zip(values, masks):
            assert (mask.numpy() == mask_on_grid(value.numpy(), grid, q)).all()
    with pytest.raises(ValueError, match="q"):
        top_fraction_mask(values, (8, 8), 0)


@pytest.mark.parametrize(
    "loss",
    [
        lambda x, t, m: attention_transfer([x], [t], masks=[m]),
        masked_alignment,
        contrastive_alignment,
    ],
    ids=["transfer", "alignment", "contrast"],
)
def test_gradients_against_differences(loss):
    generator = torch.Generator().manual_seed(0)
    x, t = (torch.rand(3, 3, 3, generator=generator).double() + 0.1 for _ in range(2))
    mask = F.pad(torch.ones(3, 2, 2), (0, 1, 0, 1)).bool()
    assert torch.autograd.gradcheck(lambda v: loss(v, t, mask), (x.requires_grad_(),))
