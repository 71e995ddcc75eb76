"""Data sets, splits, images, transforms and drawn samples."""

from kdcore.data.attributes import attributes_of, brightness_of
from kdcore.data.augment import (
    AUGMENTATIONS,
    Augmentation,
    View,
    render,
    sample_views,
    turn_view,
)
from kdcore.data.choosing import first_by_hash, samples_by_part
from kdcore.data.cifar import Cifar
from kdcore.data.dataset import HOW_TO_KEEP, ImageDataset, open_dataset
from kdcore.data.drawn import DrawnSample, draw_lesion, drawn_samples
from kdcore.data.ham10000 import Ham10000
from kdcore.data.images import LoadedImage, read_image
from kdcore.data.info import (
    CIFAR10,
    CIFAR100,
    COVID_QU_EX,
    DATASETS,
    HAM10000,
    IMAGEFOLDER,
    IMAGENET_MEAN,
    IMAGENET_STD,
    KINDS,
    LC25000,
    LC25000_LUNG,
    DatasetInfo,
    info_of_classes,
    names_of_classes,
)
from kdcore.data.medmnist import MedMnist
from kdcore.data.sample import Sample, picture_name, trace_hashes
from kdcore.data.splits import (
    SPLITS,
    image_level_split,
    lesion_grouped_split,
    official_split,
    split_samples,
)
from kdcore.data.transforms import Preprocess

__all__ = [
    "AUGMENTATIONS",
    "CIFAR10",
    "CIFAR100",
    "COVID_QU_EX",
    "DATASETS",
    "HAM10000",
    "HOW_TO_KEEP",
    "IMAGEFOLDER",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "KINDS",
    "LC25000",
    "LC25000_LUNG",
    "SPLITS",
    "Augmentation",
    "Cifar",
    "DatasetInfo",
    "DrawnSample",
    "Ham10000",
    "ImageDataset",
    "LoadedImage",
    "MedMnist",
    "Preprocess",
    "Sample",
    "View",
    "attributes_of",
    "brightness_of",
    "draw_lesion",
    "drawn_samples",
    "first_by_hash",
    "image_level_split",
    "info_of_classes",
    "lesion_grouped_split",
    "names_of_classes",
    "official_split",
    "open_dataset",
    "picture_name",
    "read_image",
    "render",
    "sample_views",
    "samples_by_part",
    "split_samples",
    "trace_hashes",
    "turn_view",
]
