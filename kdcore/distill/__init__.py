"""Recipes, teacher cache, the trainer and its run folders."""

from kdcore.distill.cache import TeacherCache
from kdcore.distill.engine import check_device, is_main_process, keep_memory, make_fabric
from kdcore.distill.fields import FIELDS
from kdcore.distill.finished import finished_run
from kdcore.distill.jobs import (
    Run,
    cancel_run,
    delete_run,
    list_runs,
    log_tail,
    pause_run,
    read_run,
    recipe_difference,
    resume_run,
    start_run,
)
from kdcore.distill.objective import objective
from kdcore.distill.prepare import Prepared, prepare
from kdcore.distill.queue import in_turn
from kdcore.distill.recipe import Recipe
from kdcore.distill.run import RunFolder
from kdcore.distill.sources import hash_groups
from kdcore.distill.tensorboard import EventFiles
from kdcore.distill.timing import Estimate, estimate_run
from kdcore.distill.trainer import Trainer

__all__ = [
    "FIELDS",
    "Estimate",
    "EventFiles",
    "Prepared",
    "Recipe",
    "Run",
    "RunFolder",
    "TeacherCache",
    "Trainer",
    "cancel_run",
    "check_device",
    "delete_run",
    "estimate_run",
    "finished_run",
    "hash_groups",
    "in_turn",
    "is_main_process",
    "keep_memory",
    "list_runs",
    "log_tail",
    "make_fabric",
    "objective",
    "pause_run",
    "prepare",
    "read_run",
    "recipe_difference",
    "resume_run",
    "start_run",
]
