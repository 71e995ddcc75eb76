"""Facts about data sets as frozen tables: classes, pixel statistics, licence, source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set before a file of it is read.

    `mean` and `std` are RGB on [0, 1]; `long_names` has a name for people per class.
    """

    name: str
    classes: tuple[str, ...]
    long_names: tuple[str, ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    licence: str
    source: str


HAM10000 = DatasetInfo(
    name="HAM10000",
    classes=("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"),
    long_names=(
        "actinic keratosis or Bowen's disease",
        "basal cell carcinoma",
        "benign keratosis",
        "dermatofibroma",
        "melanoma",
        "melanocytic nevus",
        "vascular lesion",
    ),
    mean=(0.763, 0.546, 0.571),
    std=(0.141, 0.152, 0.169),
    licence="CC BY-NC 4.0",
    source="Tschandl, Rosendahl & Kittler 2018, doi:10.1038/sdata.2018.161",
)
