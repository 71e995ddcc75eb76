"""One picture of a data set in words: its id, its class, and which others show the same lesion."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kdcore.base import group_hash

GAPS = ("", "unknown")  # how HAM10000's table marks a gap
_ARCHIVE = re.compile(r"(?<![A-Za-z0-9])ISIC_\d{7}(?!\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Sample:
    """One picture of a data set.

    `lesion_id` names its group, the pictures that must stay in one part; where nothing is grouped
    it is the `image_id`. The rest is HAM10000's metadata; `age` is in years, None where it has a
    gap, and the texts are empty there.
    """

    image_id: str
    lesion_id: str
    dx: str
    label: int
    dx_type: str = ""
    age: float | None = None
    sex: str = ""
    localization: str = ""


def picture_name(image_id: str) -> str:
    """Return the name that the ISIC archive gave a picture, "" where its id does not tell.

    Copies of HAM10000 in class folders keep it: "train/nv/ISIC_0024306.jpg" is ISIC_0024306.
    """
    found = _ARCHIVE.findall(image_id)
    return str(found[-1]).upper() if found else ""


def trace_hashes(image_id: str, group_id: str) -> set[str]:
    """Return the hashes of a picture's group and of its name, by which a card knows it again."""
    return {group_hash(text) for text in (group_id, picture_name(image_id)) if text}
