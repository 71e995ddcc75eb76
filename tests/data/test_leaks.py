"""Copies are found however they were saved or turned, and nothing is found where there are none."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps
from scipy.fft import dctn

from kdcore.base import Cancelled, DataError, ImageError
from kdcore.data import Ham10000, draw_lesion
from kdcore.data.fingerprint import (
    SIDE,
    VIEWS,
    correlations,
    hashes,
    textures,
    thumbnail,
)
from kdcore.data.leaks import (
    NEAR_BITS,
    NEAR_CORRELATION,
    TURNED_CORRELATION,
    LeakReport,
    SharedGroup,
    check_leaks,
    shared_groups,
)

CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
TURNS: list[Callable[[Image.Image], Image.Image]] = [
    lambda i: i,
    ImageOps.mirror,
    ImageOps.flip,
    lambda i: i.transpose(Image.Transpose.ROTATE_180),
    lambda i: i.transpose(Image.Transpose.TRANSPOSE),
    lambda i: i.transpose(Image.Transpose.ROTATE_90),
    lambda i: i.transpose(Image.Transpose.ROTATE_270),
    lambda i: i.transpose(Image.Transpose.TRANSVERSE),
]


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


# A copy need not be the same file: each of these leaves the picture as a person knows it.
COPIES: dict[str, tuple[Callable[[Image.Image], Image.Image], str]] = {
    "itself": (lambda i: i, VIEWS[0]),
    "re-encoded": (lambda i: jpeg(i, 40), VIEWS[0]),
    "smaller": (lambda i: i.resize((150, 112)), VIEWS[0]),
    "other light": (lambda i: ImageEnhance.Brightness(i).enhance(0.8), VIEWS[0]),
    "less colour": (lambda i: ImageEnhance.Color(i).enhance(0.5), VIEWS[0]),
    "mirrored": (ImageOps.mirror, VIEWS[1]),
    "mirrored and re-encoded": (lambda i: jpeg(ImageOps.mirror(i), 60), VIEWS[1]),
    "on its head": (TURNS[3], VIEWS[3]),
    "on its side": (TURNS[5], VIEWS[6]),
}


def lesion(seed: int) -> Image.Image:
    return draw_lesion(CLASSES[seed % 7], seed, (240, 180))


def written(folder: Path, images: list[Image.Image], lesions: list[str]) -> Ham10000:
    """Write a data set of pictures, all of the class nv."""
    rows = [f"{lesion},ISIC_{n},nv" for n, lesion in enumerate(lesions)]
    text = "\n".join(["lesion_id,image_id,dx", *rows])
    (folder / "HAM10000_metadata.csv").write_text(text + "\n")
    for number, image in enumerate(images):
        image.convert("RGB").save(folder / f"ISIC_{number}.png")
    return Ham10000.open(folder)


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_found_among_others(tmp_path: Path, how: str) -> None:
    change, view = COPIES[how]
    images = [*map(lesion, range(14)), change(lesion(3))]
    data = written(tmp_path, images, [f"HAM_{i}" for i in range(15)])
    report = check_leaks(data, ["train"] * 10 + ["val"] * 4 + ["test"])
    assert [(p.first.image_id, p.second.image_id) for p in report.pairs] == [("ISIC_3", "ISIC_14")]
    pair = report.pairs[0]
    assert pair.parts == ("train", "test")
    assert pair.view == view
    assert pair.bits <= NEAR_BITS
    assert NEAR_CORRELATION <= pair.correlation <= 1
    assert not pair.same_lesion
    assert report.unexpected == report.pairs
    assert report.images == 15
    assert report.complete
    assert report.shared == ()


def test_copies_within_a_part_do_not_count(tmp_path: Path) -> None:
    images = [lesion(0), lesion(0), lesion(1), lesion(1)]
    data = written(tmp_path, images, ["A", "A", "B", "C"])
    assert check_leaks(data, ["train", "train", "test", "test"]).pairs == ()
    report = check_leaks(data, ["train", "test", "train", "val"])
    assert [(p.parts, p.same_lesion) for p in report.pairs] == [
        (("train", "test"), True),
        (("train", "val"), False),
    ]
    assert len(report.unexpected) == 1
    assert report.shared == (SharedGroup("A", (1, 0, 1)),)


@pytest.mark.parametrize("kind", ["noise", "smooth", "flat", "lesions"])
def test_nothing_is_found_where_nothing_is_copied(
    tmp_path: Path, rng: np.random.Generator, kind: str
) -> None:
    def draw(number: int) -> Image.Image:
        if kind == "lesions":
            return lesion(number)
        if kind == "flat":
            return Image.new("RGB", (60, 45), (200, 150, 150 + number % 3))
        size = (45, 60, 3) if kind == "noise" else (9, 12, 3)
        noise = Image.fromarray(rng.integers(0, 256, size, dtype=np.uint8))
        return noise.resize((60, 45), Image.Resampling.BICUBIC)

    count = 60 if kind == "lesions" else 120
    data = written(tmp_path, [draw(n) for n in range(count)], [f"HAM_{n}" for n in range(count)])
    parts = ["train", "test", "val"] * (count // 3)
    assert check_leaks(data, parts).pairs == ()


@pytest.mark.parametrize("view", range(8))
def test_a_turned_picture_has_the_hash_and_texture_of_its_view(view: int) -> None:
    picture = lesion(5).resize((SIDE, SIDE))
    one, other = thumbnail(picture)[None], thumbnail(TURNS[view](picture))[None]
    first, second = hashes(one)[0], hashes(other)[0]
    assert int(np.bitwise_count(first[view] ^ second[0])) <= 1  # a coefficient near 0 may flip
    value = correlations(textures(one), textures(other), view)
    assert value.shape == (1,)
    assert value[0] > 0.999
    assert correlations(textures(one), textures(other), (view + 1) % 8)[0] < TURNED_CORRELATION


def test_the_hash_is_the_sign_of_the_low_frequencies(rng: np.random.Generator) -> None:
    grey = rng.integers(0, 256, (3, 32, 32), dtype=np.uint8)
    low = np.stack([dctn(g.astype(float))[:8, :8] for g in grey]).reshape(3, -1)[:, 1:] > 0
    found = hashes(grey)[:, 0]
    for a, b in ((0, 1), (1, 2), (0, 2)):
        assert np.bitwise_count(found[a] ^ found[b]) == (low[a] != low[b]).sum()


def test_no_texture_is_no_correlation() -> None:
    flat = textures(np.full((2, SIDE, SIDE), 77, np.uint8))
    assert (flat == 0).all()
    assert (correlations(flat, flat, 0) == 0).all()


def test_progress_and_cancelling(ham_folder: Path) -> None:
    data = Ham10000.open(ham_folder)
    steps: list[tuple[int, int]] = []
    report = check_leaks(data, data.parts(), lambda *step: steps.append(step))
    assert isinstance(report, LeakReport)
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1] == steps[0][1]
    with pytest.raises(Cancelled):
        check_leaks(data, data.parts(), cancelled=lambda: len(steps) > 0)


def test_what_cannot_be_read(make_ham: Callable[..., Path], tmp_path: Path) -> None:
    data = Ham10000.open(make_ham(tmp_path))
    with pytest.raises(DataError, match="no image to look at"):
        check_leaks(replace(data, samples=()), [])
    next(tmp_path.rglob("ISIC_0000020.jpg")).write_bytes(b"no picture")
    with pytest.raises(ImageError, match="ISIC_0000020"):
        check_leaks(data, data.parts())


def test_too_many_pairs_are_cut_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kdcore.data.leaks.MOST_PAIRS", 5)
    data = written(tmp_path, [lesion(2)] * 12, ["A"] * 12)
    report = check_leaks(data, ["train"] * 6 + ["test"] * 6)
    assert len(report.pairs) == 5
    assert not report.complete


def test_shared_groups_agree_with_the_splits(ham_folder: Path) -> None:
    data = Ham10000.open(ham_folder)
    assert shared_groups(data.samples, data.parts()) == ()
    parts = data.parts("image-level (leaky)")
    found = shared_groups(data.samples, parts)
    where: dict[str, set[str]] = {}
    for sample, part in zip(data.samples, parts):
        where.setdefault(sample.lesion_id, set()).add(str(part))
    assert {g.lesion_id for g in found} == {k for k, v in where.items() if len(v) > 1}
    assert found
    assert all(sum(g.counts) == 2 for g in found)


@pytest.mark.slow
@pytest.mark.data
def test_the_real_data(real_data: Ham10000) -> None:
    """Across lesions, parts have no copy in common; across images, they have."""
    report = check_leaks(real_data, real_data.parts())
    assert report.shared == ()
    assert len(report.unexpected) <= 3
    leaky = check_leaks(real_data, real_data.parts("image-level (leaky)"))
    assert len(leaky.shared) > 100
    assert len(leaky.pairs) > 10
    assert len(leaky.unexpected) <= 3
