"""Masks lie where the picture's own crop is; a broken one is named."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from kdcore.base import DataError
from kdcore.data import Ham10000, Preprocess
from kdcore.data.lesion_masks import lesion_mask

THIRD = (0.5, 0.5, 0.5)
FIRST = "ISIC_0000000"


def prepare(side):
    return Preprocess(side, THIRD, THIRD)


def with_mask(folder, pixels):
    Image.fromarray(pixels).save(folder / f"{FIRST}_segmentation.png")
    return Ham10000.open(folder)


def test_none_without_a_mask(ham_folder):
    assert lesion_mask(Ham10000.open(ham_folder), FIRST, prepare(32)) is None


def test_of_a_data_set_without_masks_there_is_none():
    assert lesion_mask(object(), FIRST, prepare(32)) is None


def test_at_the_pictures_own_size_it_is_the_centre_square(ham_dataverse):
    data = Ham10000.open(ham_dataverse)
    whole = data.mask(FIRST)  # 45 × 60
    mask = lesion_mask(data, FIRST, prepare(45))
    assert mask.dtype == np.bool_ and mask.shape == (45, 45)
    columns = [int(np.flatnonzero(m.any(0))[0]) for m in (whole, mask)]
    assert columns[0] - columns[1] in (7, 8)  # half of the 15 columns that are cut away
    assert np.array_equal(mask.any(1), whole.any(1))


@pytest.mark.parametrize("side", [16, 45, 90])
def test_it_covers_what_a_drawn_lesion_covers(make_ham, tmp_path, side):
    rows, columns = np.ogrid[:45, :60]
    inside = (rows - 20) ** 2 + (columns - 33) ** 2 < 150
    data = with_mask(make_ham(tmp_path), inside.astype(np.uint8) * 255)
    painted = Image.fromarray(np.repeat(inside[..., None], 3, 2).astype(np.uint8) * 255)
    seen = np.asarray(prepare(side).crop(painted))[..., 0] > 127
    assert np.array_equal(lesion_mask(data, FIRST, prepare(side)), seen)
    share = inside[:, 7:53].mean()
    assert lesion_mask(data, FIRST, prepare(side)).mean() == pytest.approx(share, rel=0.1)


def test_a_lesion_outside_of_the_square_leaves_nothing(make_ham, tmp_path):
    pixels = np.zeros((45, 60), np.uint8)
    pixels[:, :5] = 255
    assert not lesion_mask(with_mask(make_ham(tmp_path), pixels), FIRST, prepare(32)).any()


def test_a_broken_mask_is_named(make_ham, tmp_path):
    (make_ham(tmp_path) / f"{FIRST}_segmentation.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=f"The mask of {FIRST}") as raised:
        lesion_mask(Ham10000.open(tmp_path), FIRST, prepare(32))
    assert raised.value.hint


def test_a_mask_of_other_proportions_is_named(make_ham, tmp_path):
    data = with_mask(make_ham(tmp_path), np.zeros((60, 60), np.uint8))
    with pytest.raises(DataError, match=f"The mask of {FIRST} has 60 × 60") as raised:
        lesion_mask(data, FIRST, prepare(32))
    assert raised.value.hint


@pytest.mark.data
def test_real_lesions_are_darker_than_their_skin(real_data):
    darker = []
    for sample in real_data.samples[:40]:
        mask = lesion_mask(real_data, sample.image_id, prepare(100))
        if mask is None or not 0 < mask.mean() < 1:
            continue
        grey = np.asarray(prepare(100).crop(real_data.picture(sample.image_id).rgb).convert("L"))
        darker.append(grey[mask].mean() < grey[~mask].mean())
    assert len(darker) > 20 and np.mean(darker) > 0.9
