"""Data sets, splits, images, transforms and drawn samples."""

from kdcore.data.augment import Augmentation, View, render, sample_views
from kdcore.data.drawn import DrawnSample, draw_lesion, drawn_samples
from kdcore.data.ham10000 import Ham10000, Sample
from kdcore.data.images import LoadedImage, read_image
from kdcore.data.info import HAM10000, DatasetInfo
from kdcore.data.splits import SPLITS, image_level_split, lesion_grouped_split, split_samples
from kdcore.data.transforms import Preprocess

__all__ = [
    "HAM10000",
    "SPLITS",
    "Augmentation",
    "DatasetInfo",
    "DrawnSample",
    "Ham10000",
    "LoadedImage",
    "Preprocess",
    "Sample",
    "View",
    "draw_lesion",
    "drawn_samples",
    "image_level_split",
    "lesion_grouped_split",
    "read_image",
    "render",
    "sample_views",
    "split_samples",
]
