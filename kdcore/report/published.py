"""Figures that others have published, as they stand there, with the protocol of each.

They are for reading beside this project's, not for ranking with them: data, split, input and
teacher differ, and an image-level split of HAM10000 has pictures of one lesion on both sides.
A study that this project knows without a publication to cite says so in place of a reference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from kdcore.data.info import LEAKY
from kdcore.evaluate import Interval
from kdcore.report.results import Result

TEACHER, STUDENT, BASELINE = "teacher", "student", "baseline"
NO_REFERENCE = "no reference"


@dataclass(frozen=True)
class Publication:
    """A study: its name, data set and split, how it measured, in words, and where it stands."""

    name: str
    data: str
    split: str
    protocol: str
    reference: str = NO_REFERENCE


@dataclass(frozen=True)
class Published:
    """A row of a publication; a score with an interval is (value, low, high)."""

    publication: Publication
    title: str
    method: str
    role: str
    network: str
    scores: dict[str, float | tuple[float, float, float]]
    input_size: int | None = None
    note: str = ""


_EDGE = Publication(
    "HAM10000 edge study", "HAM10000", LEAKY,
    "Image-level split, which leaks: pictures of one lesion are on both sides. Students by KD "
    "(T = 4, α = 0.5) and attention transfer (β = 1000) of the ResNet-50; one seed reported.",
)  # fmt: skip
_EXPLAINABLE = Publication(
    "Explainable KD", "COVID-QU-Ex", "as published",
    "Student OFA-595 of DenseNet-201, Visformer-S and AutoFormer-V2-T; no baseline without a "
    "teacher and no interval.", "arXiv 2508.15251",
)  # fmt: skip
_LUNG = replace(_EXPLAINABLE, data="LC25000 (lung)")
_ATTENTION = Publication(
    "attention and alignment study", "CIFAR-10", "official",
    "SGD 0.01, 30 epochs with early stopping; teacher ResNet-50 with CBAM; one seed, no interval.",
)  # fmt: skip
_NOTEBOOK = Publication(
    "KD notebook", "CIFAR-10", "official",
    "α = 0.2, T = 10, Adam 1e-3; the same initial weights for baseline and student.",
)  # fmt: skip
_NOTEBOOK_100 = replace(_NOTEBOOK, data="CIFAR-100")
_FIVE_FOLD = Publication(
    "five-fold study", "HAM10000", "lesion-grouped",
    "Five-fold cross-validation grouped by lesion: the mean over folds with its interval.",
)  # fmt: skip
_MEDMNIST = Publication(
    "MedMNIST+", "HAM10000", LEAKY,
    "Image-level split, which leaks: pictures of one lesion are on both sides.",
)  # fmt: skip

_RAW_ECE = "Its ECE is of outputs that were not recalibrated."
_KD_AT = "KD + attention transfer"
_ALONE = "no teacher"
PUBLISHED = (
    Published(
        _EDGE, "ResNet-50 teacher", _ALONE, TEACHER, "resnet50",
        {"accuracy": (0.893, 0.880, 0.907), "macro_f1": (0.834, 0.804, 0.861)}, 224,
    ),
    Published(
        _EDGE, "ResNet-18 student", _KD_AT, STUDENT, "resnet18",
        {"accuracy": (0.852, 0.836, 0.867), "macro_f1": (0.755, 0.715, 0.787), "ece": 0.148}, 224,
    ),
    Published(
        _EDGE, "EfficientNet-B0 student", _KD_AT, STUDENT, "efficientnet_b0",
        {"accuracy": (0.810, 0.793, 0.827), "macro_f1": (0.656, 0.614, 0.692), "ece": 0.189}, 224,
    ),
    Published(
        _EDGE, "MobileNetV2 student", _KD_AT, STUDENT, "mobilenet_v2",
        {"accuracy": (0.784, 0.766, 0.801), "macro_f1": (0.541, 0.510, 0.569), "ece": 0.216}, 224,
    ),
    Published(
        _EDGE, "Earlier ResNet-18 student", _KD_AT, STUDENT, "resnet18",
        {"accuracy": 0.823, "macro_f1": 0.697}, 224,
    ),
    Published(
        _FIVE_FOLD, "ConvNeXt-T", _ALONE, TEACHER, "convnext_tiny",
        {"macro_f1": (0.740, 0.725, 0.754)},
    ),
    Published(
        _MEDMNIST, "ResNet-18, 224 px", _ALONE, BASELINE, "resnet18", {"accuracy": 0.823}, 224
    ),
    Published(
        _MEDMNIST, "DenseNet-121, 224 px", _ALONE, BASELINE, "densenet121", {"accuracy": 0.847}, 224
    ),
    Published(
        _MEDMNIST, "ResNet-18, 128 px", _ALONE, BASELINE, "resnet18", {"accuracy": 0.792}, 128
    ),
    Published(
        _MEDMNIST, "DenseNet-121, 128 px", _ALONE, BASELINE, "densenet121", {"accuracy": 0.818}, 128
    ),
    Published(
        _EXPLAINABLE, "OFA-595 student", "KD", STUDENT, "ofa595", {"accuracy": 0.970}, 236,
        "F1 0.975; how it was averaged is not told.",
    ),
    Published(_LUNG, "OFA-595 student", "KD", STUDENT, "ofa595", {"accuracy": 0.920}, 236),
    Published(
        _ATTENTION, "ResNet-50 with CBAM", _ALONE, TEACHER, "resnet50_cbam", {"accuracy": 0.856}, 32
    ),
    Published(_ATTENTION, "ResNet-18", _ALONE, BASELINE, "resnet18", {"accuracy": 0.806}, 32),
    Published(_ATTENTION, "ResNet-18", "KD", STUDENT, "resnet18", {"accuracy": 0.836}, 32),
    Published(
        _ATTENTION, "ResNet-18", "KD + alignment", STUDENT, "resnet18", {"accuracy": 0.828}, 32
    ),
    Published(_ATTENTION, "ResNet-18", _KD_AT, STUDENT, "resnet18", {"accuracy": 0.835}, 32),
    Published(
        _ATTENTION, "ResNet-18", f"{_KD_AT} + alignment", STUDENT, "resnet18",
        {"accuracy": 0.838}, 32,
    ),
    Published(_NOTEBOOK, "ResNet-56", _ALONE, TEACHER, "resnet56", {"accuracy": 0.944}, 32),
    Published(_NOTEBOOK, "Two convolutions", _ALONE, BASELINE, "cnn2", {"accuracy": 0.709}, 32),
    Published(_NOTEBOOK, "Two convolutions", "KD", STUDENT, "cnn2", {"accuracy": 0.717}, 32),
    Published(_NOTEBOOK_100, "ResNet-50", _ALONE, TEACHER, "resnet50", {"accuracy": 0.828}, 224),
    Published(
        _NOTEBOOK_100, "Two convolutions", _ALONE, BASELINE, "cnn2", {"accuracy": 0.399}, 224
    ),
    Published(_NOTEBOOK_100, "Two convolutions", "KD", STUDENT, "cnn2", {"accuracy": 0.455}, 224),
    Published(_NOTEBOOK_100, "ResNet-18", _ALONE, BASELINE, "resnet18", {"accuracy": 0.639}, 32),
    Published(_NOTEBOOK_100, "ResNet-18", "KD", STUDENT, "resnet18", {"accuracy": 0.777}, 32),
)  # fmt: skip


def published_results() -> list[Result]:
    """Return every published row as a result that is marked as one."""
    return [_result(row) for row in PUBLISHED]


def _result(row: Published) -> Result:
    source = row.publication
    scores = {name: _interval(value) for name, value in row.scores.items()}
    notes = (source.protocol, _RAW_ECE if "ece" in scores else "", row.note)
    told = (source.name, source.data, row.title, row.method, str(row.input_size or ""))
    return Result(
        key=":".join(("published", *told)),
        origin="published",
        title=_title(row),
        method=row.method,
        role=row.role,
        network=row.network,
        data=source.data,
        split=source.split,
        part="test",
        scores=scores,
        spread="as published" if any(not math.isnan(s.low) for s in scores.values()) else "",
        source=source.name,
        protocol=" ".join(part for part in notes if part),
        reference=source.reference,
        input_size=row.input_size,
    )


def _title(row: Published) -> str:
    """Return the network with how it was trained and by which study: many are a ResNet-18."""
    way = "without a teacher" if row.method == _ALONE else f"by {row.method}"
    taught = "" if row.role == TEACHER else f" {way.replace('attention transfer', 'AT')}"
    return f"{row.title}{taught} ({row.publication.name})"


def _interval(value: float | tuple[float, float, float]) -> Interval:
    return Interval(*value) if isinstance(value, tuple) else Interval(value, math.nan, math.nan)
