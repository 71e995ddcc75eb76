"""The run in the middle of a method's seeds becomes a checkpoint: not the best, not the worst."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kdcore.base import SettingError, checkpoints_folder
from kdcore.cli.common import open_data, say_progress
from kdcore.cli.release import release_model
from kdcore.cli.sweep_results import Result
from kdcore.distill import RunFolder, finished_run
from kdcore.distill.sweep import Sweep
from kdcore.evaluate.held_out import VAL_SCORE
from kdcore.models import Card


@dataclass(frozen=True)
class Release:
    """What is to become a checkpoint: "student/method", and its name and title then."""

    label: str
    name: str
    title: str


def read_releases(sweep: Sweep, asked: Sequence[Sequence[str]]) -> list[Release]:
    """Return what `--release` asks for, before anything is trained for it.

    Parameters
    ----------
    sweep : whose methods are released
    asked : method, name and title of each; the method alone where there is one student

    Raises
    ------
    SettingError
        If a method is unknown, or a name can't be a new checkpoint's.
    """
    labels = {member.label: member.label for member in sweep.members()}
    if len(sweep.students) <= 1:
        labels |= {member.method: member.label for member in sweep.members()}
    found: list[Release] = []
    for method, name, title in asked:
        if method not in labels:
            raise SettingError(
                f"--release names {method!r}, which the sweep has not.",
                f"It has {', '.join(sorted(set(labels.values())))}.",
            )
        _check_name(name, [release.name for release in found])
        found.append(Release(labels[method], name, title))
    return found


def _check_name(name: str, taken: Sequence[str]) -> None:
    if name in ("", ".", "..") or set(name) & set("/\\\0"):
        raise SettingError(f"--release: {name!r} is no name.", "Give one without / or \\.")
    if name in taken or (checkpoints_folder() / name).exists():
        raise SettingError(
            f"--release: there is a checkpoint {name!r} already.",
            "Choose another name, or remove that one first.",
        )


def middle_seed(results: Sequence[Result], label: str, seeds: Sequence[int]) -> Result:
    """Return the run of `label` whose validation macro-F1 is the median; the lower of two.

    Parameters
    ----------
    results : finished runs of a sweep
    label : of the runs to choose from
    seeds : of the sweep, all of which have to be finished

    Raises
    ------
    SettingError
        If one of them is not.
    """
    own = {result.member.seed: result for result in results if result.member.label == label}
    if missing := [str(seed) for seed in seeds if seed not in own]:
        raise SettingError(
            f"{label} can't be released: seed {', '.join(missing)} of it is not finished.",
            "Train the sweep to its end, with all its seeds.",
        )
    ranked = sorted(own.values(), key=lambda result: (result.scores[VAL_SCORE], result.member.seed))
    return ranked[(len(ranked) - 1) // 2]


def seeds_text(results: Sequence[Result], chosen: Result) -> str:
    """Return which seed it is of which, and their macro-F1 on validation and test."""
    own = [result for result in results if result.member.label == chosen.member.label]
    listed = "; ".join(
        f"seed {r.member.seed}: {r.scores[VAL_SCORE]:.3f} on validation, "
        f"{r.scores['macro_f1']:.3f} on test"
        for r in sorted(own, key=lambda result: result.member.seed)
    )
    place = "the one" if len(own) % 2 else "the lower of the two"
    return (
        f"Of {len(own)} seeds it is {place} in the middle by macro-F1 on validation: seed "
        f"{chosen.member.seed} ({listed}; before the weights were rounded to half precision)."
    )


def release_seed(
    sweep: Sweep,
    results: Sequence[Result],
    root: Path,
    options: argparse.Namespace,
    asked: Release,
) -> Card:
    """Write the checkpoint of the seed in the middle, and return its card.

    Parameters
    ----------
    sweep : that was trained
    results : its finished runs
    root : the folder of its runs
    options : of the command, for the data set
    asked : which runs, and what the checkpoint is called

    Raises
    ------
    SettingError
        If not all seeds are finished.
    CheckpointError
        If the run can't be read.
    """
    chosen = middle_seed(results, asked.label, sweep.seeds)
    data = open_data(options, kind=chosen.member.recipe.dataset)
    folder = RunFolder(root / chosen.member.name)
    model, card = finished_run(chosen.member.recipe, data, checkpoints_folder(), folder)
    named = replace(
        card,
        name=asked.name,
        title=asked.title,
        recipe=card.recipe | {"name": asked.name, "title": asked.title},
        provenance=f"{card.provenance} {seeds_text(results, chosen)}",
    )
    target = checkpoints_folder() / asked.name
    return release_model(model, named, data, target, say_progress, folder.history_file)
