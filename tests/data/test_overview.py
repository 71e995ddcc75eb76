"""What a data set's page shows: gaps in the metadata, and the same pictures every time."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from kdcore.base import DataError
from kdcore.data import CIFAR10, CIFAR100, HAM10000, DatasetInfo, Ham10000, Sample
from kdcore.data.coverage import COLUMNS, coverage
from kdcore.data.montage import class_groups, layout_of, pick, sheet, shuffled_by_class, strip


def sample(number: int, dx: str, **known: object) -> Sample:
    label = HAM10000.classes.index(dx)
    return Sample(f"ISIC_{number}", f"HAM_{number // 2}", dx, label, **known)  # type: ignore[arg-type]


def test_coverage_counts_what_is_known() -> None:
    samples = [
        sample(0, "mel", age=0.0, sex="male", localization="unknown", dx_type="histo"),
        sample(1, "mel", age=None, sex="unknown", localization="back", dx_type="histo"),
        sample(2, "nv", age=50.0, sex="", localization="back", dx_type="consensus"),
    ]
    found = coverage(samples, ("mel", "nv", "df"))
    assert COLUMNS == ("age", "sex", "localization", "dx_type")
    assert found.overall.known == (2, 1, 2, 3)
    assert [(r.name, r.images, r.known) for r in found.classes] == [
        ("mel", 2, (1, 1, 1, 2)),
        ("nv", 1, (1, 0, 1, 1)),
        ("df", 0, (0, 0, 0, 0)),
    ]
    assert found.overall.shares == pytest.approx((2 / 3, 1 / 3, 2 / 3, 1))
    assert found.classes[2].shares == (0, 0, 0, 0)
    assert not found.empty
    assert coverage([sample(0, "nv")]).empty
    assert [r.name for r in coverage(samples[::-1]).classes] == ["nv", "mel"]


def test_the_pictures_are_the_same_every_time() -> None:
    samples = [sample(n, "nv" if n % 4 else "mel") for n in range(40)]
    shuffled = shuffled_by_class(samples)
    assert shuffled == shuffled_by_class(samples[::-1])
    assert {dx: len({s.lesion_id for s in found}) for dx, found in shuffled.items()} == {
        dx: len(found) for dx, found in shuffled.items()
    }
    assert list(shuffled["mel"]) != sorted(shuffled["mel"], key=lambda s: s.image_id)
    first, second = pick(shuffled["nv"], 3), pick(shuffled["nv"], 3, 1)
    assert first == shuffled["nv"][:3]
    assert second == shuffled["nv"][3:6]
    assert len(set(first) | set(second)) == 6


def test_picks_go_round_and_may_be_fewer() -> None:
    three = tuple(sample(n, "nv") for n in range(3))
    assert pick(three, 2, 1) == (three[2], three[0])
    assert pick(three, 5, 7) == three
    assert pick((), 5) == ()


def test_class_groups() -> None:
    groups = class_groups(CIFAR100.classes)
    assert [len(g) for g in groups.values()] == [20] * 5
    assert sum(groups.values(), ()) == CIFAR100.classes
    assert next(iter(groups)) == f"apple to {CIFAR100.classes[19]}"
    assert list(class_groups(CIFAR10.classes)) == ["airplane to truck"]


def test_a_strip_is_one_small_jpeg(ham_folder: Path) -> None:
    data = Ham10000.open(ham_folder)
    ids = [s.image_id for s in data.samples[:3]]
    image = Image.open(io.BytesIO(strip(data, ids, 90)))
    assert image.format == "JPEG"
    assert image.size == (3 * 120 + 2 * 2, 90)
    with pytest.raises(ValueError, match="image_ids"):
        strip(data, [])
    with pytest.raises(DataError, match="no image 'ISIC_9'"):
        strip(data, ["ISIC_9"])


@pytest.mark.parametrize("info", [HAM10000, CIFAR10], ids=lambda i: i.key)
def test_a_strip_fits_a_telephone(info: DatasetInfo) -> None:
    count, height = layout_of(info)
    assert count * height * info.aspect + (count - 1) * 2 < 360


def test_a_sheet_has_a_row_for_each_group(ham_folder: Path) -> None:
    data = Ham10000.open(ham_folder)
    ids = [s.image_id for s in data.samples]
    page = sheet(data, {"one": ids[:1], "three": ids[1:4]}, height=40)
    assert page.height == 2 * 40 + 2
    margin = page.width - Image.open(io.BytesIO(strip(data, ids[1:4], 40))).width
    row = page.crop((margin, 0, page.width, 40))
    own = Image.open(io.BytesIO(strip(data, ids[:1], 40))).convert("RGB")
    inside = row.crop((0, 0, *own.size))
    apart = [abs(a - b) for a, b in zip(inside.tobytes(), own.tobytes())]
    assert sum(apart) / len(apart) < 8  # the strip is a JPEG
    assert row.getpixel((row.width - 1, 20)) == (255, 255, 255), "a shorter row ends in white"
    with pytest.raises(ValueError, match="groups"):
        sheet(data, {})
