"""A look at each class: the same few pictures every time, side by side in one small picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from kdcore.data.dataset import ImageDataset
from kdcore.data.info import DatasetInfo
from kdcore.data.sample import Sample
from kdcore.data.splits import hash_order

_GAP = 2  # pixels between pictures, in a grey that is between a light and a dark page
_QUALITY = 85
_WIDE = 1.2  # width over height


def shuffled_by_class(samples: Sequence[Sample]) -> dict[str, tuple[Sample, ...]]:
    """Return the samples of each class in hash order, the first one of each lesion only."""
    order = hash_order(0)
    groups: dict[str, dict[str, Sample]] = {}
    for sample in sorted(samples, key=lambda s: order(s.image_id)):
        groups.setdefault(sample.dx, {}).setdefault(sample.lesion_id, sample)
    return {name: tuple(found.values()) for name, found in groups.items()}


def pick(samples: Sequence[Sample], count: int, turn: int = 0) -> tuple[Sample, ...]:
    """Return `count` samples, or all if fewer: the first at turn 0, the next at 1, and round."""
    count = min(count, len(samples))
    return tuple(samples[(turn * count + k) % len(samples)] for k in range(count))


def class_groups(classes: Sequence[str], size: int = 20) -> dict[str, tuple[str, ...]]:
    """Return classes in groups of at most `size`, each named by its first and last one."""
    groups = [tuple(classes[start : start + size]) for start in range(0, len(classes), size)]
    return {f"{group[0]} to {group[-1]}": group for group in groups}


def layout_of(info: DatasetInfo) -> tuple[int, int]:
    """Return pictures in a strip and their height in pixels, so that it fits a telephone."""
    return (3, 80) if info.aspect > _WIDE else (5, 64)


def strip(data: ImageDataset, image_ids: Sequence[str], height: int = 96) -> bytes:
    """Return pictures side by side as one JPEG, each `height` pixels high.

    Pictures smaller than that are enlarged without smoothing, so that their pixels can be seen.
    Raises DataError or ImageError for a picture that can't be read, and ValueError for none.
    """
    out = io.BytesIO()
    _side_by_side(data, image_ids, height).save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def sheet(data: ImageDataset, groups: Mapping[str, Sequence[str]], height: int = 96) -> Image.Image:
    """Return rows of pictures on white, one for each group, its name before it.

    Parameters
    ----------
    data : where pictures are
    groups : image ids by name; at least one group, none of them empty
    height : of a row, pixels

    Raises
    ------
    ValueError
        If there is no group, or an empty one.
    DataError, ImageError
        If a picture can't be read.
    """
    if not groups:
        raise ValueError("groups: expected at least one, got none")
    rows = [_side_by_side(data, ids, height) for ids in groups.values()]
    font = ImageFont.load_default(size=height // 5)
    margin = _GAP + max(round(font.getlength(name)) for name in groups) + height // 5
    size = margin + max(row.width for row in rows), len(rows) * (height + _GAP) - _GAP
    page = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(page)
    for place, (name, row) in enumerate(zip(groups, rows, strict=True)):
        top = place * (height + _GAP)
        pen.text((_GAP, top + height // 2), name, fill="black", font=font, anchor="lm")
        page.paste(row, (margin, top))
    return page


def _side_by_side(data: ImageDataset, image_ids: Sequence[str], height: int) -> Image.Image:
    if not image_ids:
        raise ValueError("image_ids: expected at least one, got none")
    pictures = [_at_height(data.picture(image_id).rgb, height) for image_id in image_ids]
    width = sum(p.width + _GAP for p in pictures) - _GAP
    row = Image.new("RGB", (width, height), (128, 128, 128))
    x = 0
    for picture in pictures:
        row.paste(picture, (x, 0))
        x += picture.width + _GAP
    return row


def _at_height(image: Image.Image, height: int) -> Image.Image:
    width = max(1, round(image.width * height / image.height))
    smooth = Image.Resampling.LANCZOS if image.height > height else Image.Resampling.NEAREST
    return image.resize((width, height), smooth)
