"""Recipes, the trainer and its run folders."""

from kdcore.distill.objective import objective
from kdcore.distill.prepare import Prepared, check_device, prepare
from kdcore.distill.recipe import Recipe
from kdcore.distill.run import RunFolder
from kdcore.distill.sources import hash_groups
from kdcore.distill.trainer import Trainer

__all__ = [
    "Prepared",
    "Recipe",
    "RunFolder",
    "Trainer",
    "check_device",
    "hash_groups",
    "objective",
    "prepare",
]
