"""The penalty per position adds up to the losses that it explains."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kdcore.explain.attention_gap import attention_gap, mask_on_grid, shown_attention
from kdcore.losses import attention_map, attention_transfer, masked_alignment


@pytest.mark.parametrize("teacher_grid", [(4, 4), (8, 8)])
def test_the_mean_penalty_is_the_loss(teacher_grid: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    student = torch.rand((1, 6, 4, 4), generator=generator)
    teacher = torch.rand((1, 9, *teacher_grid), generator=generator)
    gap = attention_gap(student, teacher)
    ours, theirs = attention_map(student), attention_map(teacher)
    assert gap.transfer == pytest.approx(attention_transfer([ours], [theirs]).item())
    mask = mask_on_grid(np.arange(16, dtype=np.float32).reshape(4, 4), (4, 4), 0.25)
    assert mask.sum() == 4
    assert mask[3].all()
    expected = masked_alignment(ours, theirs, torch.from_numpy(mask)[None]).item()
    assert gap.alignment(mask) == pytest.approx(expected)
    assert gap.share_inside(np.ones_like(mask)) == pytest.approx(1)
    assert gap.masked(mask)[~mask].max() == 0
    assert gap.shown.max() == pytest.approx(1, abs=1e-4)


def test_a_pair_of_equals_has_no_penalty() -> None:
    stage = torch.rand((1, 3, 5, 5), generator=torch.Generator().manual_seed(1))
    gap = attention_gap(stage, stage * 7)  # a scale is not a difference
    assert gap.transfer == pytest.approx(0, abs=1e-12)
    shown = shown_attention(stage)
    assert shown.shape == (5, 5)
    assert shown.min() == 0
