"""Facts about data sets as frozen tables: classes, pixel statistics, licence, source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kdcore.data.medmnist_table import MEDMNIST_ROWS

BY_IMAGE = "image-level (groups unknown)"
LEAKY = "image-level (leaky)"
IMAGEFOLDER = "imagefolder"  # the key of class folders that no table describes
MELANOMA = "mel"  # the class of HAM10000 that must not be missed
# Of the training part of ImageNet, as all libraries have it: what pretrained weights expect.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set before a file of it is read.

    `key` is its name in recipes and options. `mean` and `std` are RGB on [0, 1], of the training
    part; `long_names` has a name for people per class; `aspect` is width over height of the
    pictures; `splits` are the names of the splits that make sense for it, the default first;
    `caution` is what has to be known before its scores are trusted, in whole sentences.
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
    caution: str = ""


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
    splits=("lesion-grouped", LEAKY),
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

_LUNG = ("lung_aca", "lung_n", "lung_scc")
_LUNG_NAMES = ("lung adenocarcinoma", "benign lung tissue", "lung squamous cell carcinoma")
_AUGMENTED = (
    "LC25000 holds 1,250 original pictures, 250 a class, each turned and mirrored 20 times, and "
    "no table says which belong together: nearly every test picture has siblings in the training "
    "part, so that scores are far too good (near 100 %). Compare models on it with each other only."
)

# No statistics of the next three are published, so the mean and deviation are ImageNet's.
COVID_QU_EX = DatasetInfo(
    key="covid-qu-ex",
    name="COVID-QU-Ex",
    classes=("COVID-19", "Non-COVID", "Normal"),
    long_names=("COVID-19", "other viral or bacterial pneumonia", "normal"),
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    aspect=1.0,
    splits=("official",),
    licence="see its page on Kaggle: it joins sources with terms of their own",
    source="Tahir et al. 2021, COVID-19 infection localization and severity grading from chest "
    "X-ray images, doi:10.1016/j.compbiomed.2021.105002",
    caution="COVID-QU-Ex joins collections that differ by class, and nothing says that its parts "
    "keep patients apart: a network may learn the source of a picture instead of the disease.",
)

LC25000 = DatasetInfo(
    key="lc25000",
    name="LC25000",
    classes=("colon_aca", "colon_n", *_LUNG),
    long_names=("colon adenocarcinoma", "benign colonic tissue", *_LUNG_NAMES),
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    aspect=1.0,
    splits=(LEAKY,),
    licence="freely available, as its authors say, who ask to be cited",
    source="Borkowski et al. 2019, Lung and Colon Cancer Histopathological Image Dataset, "
    "arXiv:1912.12142",
    caution=_AUGMENTED,
)

LC25000_LUNG = replace(
    LC25000, key="lc25000-lung", name="LC25000, lung", classes=_LUNG, long_names=_LUNG_NAMES
)

# MedMNIST's own experiments normalise with 0.5 throughout.
MEDMNIST = {
    key: DatasetInfo(
        key=key,
        name=name,
        classes=tuple(classes),
        long_names=tuple(classes.values()),
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        aspect=1.0,
        splits=("official",),
        licence=licence,
        source="Yang et al. 2023, MedMNIST v2, doi:10.1038/s41597-022-01721-8",
        caution=caution,
    )
    for key, (name, licence, caution, classes) in MEDMNIST_ROWS.items()
}

DATASETS = {
    info.key: info for info in (HAM10000, CIFAR10, CIFAR100, COVID_QU_EX, LC25000, LC25000_LUNG)
} | MEDMNIST
KINDS = (*DATASETS, IMAGEFOLDER)  # what a recipe may be for


def folder_info(
    classes: Sequence[str], name: str = "a folder of pictures", splits: Sequence[str] = (BY_IMAGE,)
) -> DatasetInfo:
    """Return what is known of pictures in class folders that no table describes.

    Their normalisation is ImageNet's: no picture has to be read for it, it is the same for every
    split and machine, and it is what pretrained weights expect. `init_mean` and `init_std` of a
    recipe replace it.
    """
    by_image = BY_IMAGE in splits
    return DatasetInfo(
        key=IMAGEFOLDER,
        name=name,
        classes=tuple(classes),
        long_names=tuple(c.replace("_", " ") for c in classes),
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        aspect=1.0,
        splits=tuple(splits),
        licence="not known",
        source="Pictures in class folders",
        caution=_UNGROUPED if by_image else "",
    )


_UNGROUPED = (
    "Nothing says which pictures show the same patient or object, so they are split one by one: if "
    "several do, the test part is not new to the network, and scores are too good. Look for "
    "copies, or put pictures into train, val and test folders yourself."
)


def info_of_classes(classes: Sequence[str]) -> DatasetInfo:
    """Return the data set of a network's classes, in their order.

    The first of those that share them, as the three OrganMNISTs do; `folder_info` where no table
    has them.
    """
    for info in DATASETS.values():
        if info.classes == tuple(classes):
            return info
    return folder_info(classes)


def names_of_classes(classes: Sequence[str]) -> dict[str, str]:
    """Return each class's name for people by its own, in order."""
    return dict(zip(classes, info_of_classes(classes).long_names, strict=True))
