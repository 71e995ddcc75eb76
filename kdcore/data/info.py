"""Facts about data sets as frozen tables: classes, pixel statistics, licence, source."""

from __future__ import annotations

from dataclasses import dataclass

from kdcore.base import DataError


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set before a file of it is read.

    `key` is its name in recipes and options. `mean` and `std` are RGB on [0, 1], of the training
    part; `long_names` has a name for people per class; `aspect` is width over height of the
    pictures; `splits` are the names of the splits that make sense for it, the default first.
    """

    key: str
    name: str
    classes: tuple[str, ...]
    long_names: tuple[str, ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    aspect: float
    splits: tuple[str, ...]
    licence: str
    source: str


_CIFAR10 = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

# The fine classes, in the order of the distribution, which is alphabetical.
_FINE = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab
crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom
oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake
spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
_CIFAR100 = tuple(_FINE.split())

HAM10000 = DatasetInfo(
    key="ham10000",
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
    aspect=4 / 3,
    splits=("lesion-grouped", "image-level (leaky)"),
    licence="CC BY-NC 4.0",
    source="Tschandl, Rosendahl & Kittler 2018, doi:10.1038/sdata.2018.161",
)

CIFAR10 = DatasetInfo(
    key="cifar10",
    name="CIFAR-10",
    classes=_CIFAR10,
    long_names=_CIFAR10,
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2470, 0.2435, 0.2616),
    aspect=1.0,
    splits=("official",),
    licence="none stated by its authors, who ask to be cited",
    source="Krizhevsky 2009, Learning multiple layers of features from tiny images",
)

CIFAR100 = DatasetInfo(
    key="cifar100",
    name="CIFAR-100",
    classes=_CIFAR100,
    long_names=tuple(name.replace("_", " ") for name in _CIFAR100),
    mean=(0.5071, 0.4865, 0.4409),
    std=(0.2673, 0.2564, 0.2762),
    aspect=1.0,
    splits=("official",),
    licence="none stated by its authors, who ask to be cited",
    source="Krizhevsky 2009, Learning multiple layers of features from tiny images",
)

DATASETS = {info.key: info for info in (HAM10000, CIFAR10, CIFAR100)}


def info_of_classes(classes: tuple[str, ...]) -> DatasetInfo:
    """Return the data set of a network's classes, in their order; DataError if there is none."""
    for info in DATASETS.values():
        if info.classes == tuple(classes):
            return info
    shown = ", ".join(classes[:7]) + (", …" if len(classes) > 7 else "")
    raise DataError(
        f"The network was trained on the classes {shown}; no known data set has just these.",
        f"Choose one of {', '.join(info.name for info in DATASETS.values())}.",
    )
