"""What a recipe's form has to know: which fields do nothing, and what keeps a run from starting."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from kdcore.base import RecipeError
from kdcore.data import DatasetInfo
from kdcore.distill.fields import FIELDS
from kdcore.distill.initial import initial_weights
from kdcore.distill.presets import is_alone
from kdcore.distill.recipe import Recipe, active_terms

TEACHER_GROUPS = ("Teacher", "Soft label", "Attention", "Alignment", "Hints", "Schedules")


def idle_fields(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields that do nothing beside the others' values, each with the reason."""
    idle = dict(_idle_alone(values))
    if is_alone(values):
        taught = [f.name for f in FIELDS if f.group in TEACHER_GROUPS and f.name != "teachers"]
        idle |= dict.fromkeys([*taught, "alpha"], "There is no teacher.")
    return idle


def _idle_alone(v: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    active = active_terms(v)
    attends, aligns, softens = "at" in active, "align" in active, "kd" in active
    rules = (
        ("teacher_weights", len(v["teachers"]) > 1, "One teacher has all the weight."),
        ("effective_beta", v["class_weights"] == "effective-number",
         "Only for class weights by effective number."),
        ("kd", softens, "α is 1: the soft label has no weight."),
        ("kd_weighted", softens and v["class_weights"] != "none",
         "Neither α = 1 nor classes of equal weight leave it anything to do."),
        ("temperature", softens, "α is 1: the soft label has no weight."),
        ("dkd_target", v["kd"] == "dkd" and softens, "Only for decoupled KD."),
        ("dkd_other", v["kd"] == "dkd" and softens, "Only for decoupled KD."),
        ("at_weights", attends, "β is 0."),
        ("at_masked", attends, "β is 0."),
        ("mask_q", aligns or (attends and v["at_masked"]), "No term uses the causal mask."),
        ("align", aligns, "λ is 0."),
        ("align_stage", aligns, "λ is 0."),
        ("contrast_temperature", aligns and v["align"] == "contrastive",
         "Only for contrastive alignment."),
        ("hint_stage", v["hint"] > 0, "The hints' weight is 0."),
        ("momentum", v["optimizer"] == "sgd", "Only for SGD."),
        ("warmup_epochs", v["lr_schedule"] != "one-cycle", "One-cycle has its own rise."),
        ("step_epochs", v["lr_schedule"] == "step", "Only for the step schedule."),
        ("step_factor", v["lr_schedule"] == "step", "Only for the step schedule."),
    )  # fmt: skip
    yield from ((name, reason) for name, used, reason in rules if not used)


def hindrances(
    recipe: Recipe,
    info: DatasetInfo,
    images: int,
    checkpoints: Path,
    taken: Collection[str] = (),
) -> list[RecipeError]:
    """Return what would keep a valid recipe from running here, each with the way out.

    Parameters
    ----------
    recipe : what would be trained
    info : of the data set at hand
    images : of its training part
    checkpoints : the folder of teachers
    taken : names of runs and checkpoints that are there
    """
    return [RecipeError(*told) for good, *told in _conditions(recipe, info, images, checkpoints,
                                                              taken) if not good]  # fmt: skip


def _conditions(
    recipe: Recipe, info: DatasetInfo, images: int, checkpoints: Path, taken: Collection[str]
) -> Iterator[tuple[bool, str, str]]:
    yield (
        recipe.name not in taken,
        f"There is a run or a checkpoint named {recipe.name!r} already.",
        "Give this one another name.",
    )
    yield (
        recipe.dataset == info.key,
        f"The recipe is for {recipe.dataset}, and the data folder holds {info.name}.",
        "Choose the other data set in the group Data, or another folder on the Data page.",
    )
    yield (
        recipe.dataset != info.key or recipe.split in info.splits,
        f"{info.name} has no split {recipe.split!r}.",
        f"It has: {', '.join(info.splits)}.",
    )
    used = min(images, recipe.limit or images)
    yield (
        used >= recipe.batch_size,
        f"The training part has {used} images, fewer than one batch of {recipe.batch_size}.",
        "Lower the batch size, or take more images.",
    )
    missing = [t for t in recipe.teachers if not (checkpoints / t / "card.json").is_file()]
    yield (
        not missing,
        f"There is no checkpoint {', '.join(missing)} to teach.",
        "Choose another teacher. A finished run can teach once it is promoted on the Runs page.",
    )
    yield _init_is_there(recipe, checkpoints)


def _init_is_there(recipe: Recipe, checkpoints: Path) -> tuple[bool, str, str]:
    hint = "Leave it empty for random weights, write imagenet, or name a file that is there."
    init = initial_weights(recipe, checkpoints)
    if "$" in init:
        return False, f"The initial weights {init!r} name a variable that is not set.", hint
    there = init in ("", "imagenet") or Path(init).is_file()
    return there, f"There are no initial weights {recipe.init!r}.", hint
