"""One picture of a data set in words: its id, its class, and which others show the same lesion."""

from __future__ import annotations

from dataclasses import dataclass


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
