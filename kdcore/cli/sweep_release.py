"""The run in the middle of a method's seeds becomes a checkpoint: not the best, not the worst."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kdcore.base import SettingError, checkpoints_folder
from kdcore.cli.common import open_data, say_progress
from kdcore.cli.release import check_target, release_model
from kdcore.cli.sweep_results import VAL_SCORE, Result
from kdcore.distill import RunFolder, prepare
from kdcore.models import Card


def middle_seed(results: Sequence[Result], label: str) -> Result:
    """Return the run of `label` whose validation macro-F1 is the median; the lower of two.

    Parameters
    ----------
    results : finished runs of a sweep
    label : a method, or "student/method" where the sweep has several students

    Raises
    ------
    SettingError
        If none of them is of that label.
    """
    own = [result for result in results if result.member.label == label]
    if not own:
        known = sorted({result.member.label for result in results})
        raise SettingError(
            f"There is no finished run of {label!r} to release.",
            f"Finished are runs of {', '.join(known) or 'nothing'}.",
        )
    ranked = sorted(own, key=lambda result: (result.scores[VAL_SCORE], result.member.seed))
    return ranked[(len(ranked) - 1) // 2]


def seeds_text(results: Sequence[Result], chosen: Result) -> str:
    """Return which seed it is of which, and their macro-F1 on validation and test."""
    own = [result for result in results if result.member.label == chosen.member.label]
    listed = "; ".join(
        f"seed {r.member.seed}: {r.scores[VAL_SCORE]:.3f} on validation, "
        f"{r.scores['macro_f1']:.3f} on test"
        for r in sorted(own, key=lambda result: result.member.seed)
    )
    return (
        f"Seed {chosen.member.seed} of {len(own)}, the one in the middle by macro-F1 on "
        f"validation ({listed})."
    )


def release_seed(
    results: Sequence[Result], root: Path, options: argparse.Namespace, asked: Sequence[str]
) -> Card:
    """Write the checkpoint of the seed in the middle, and return its card.

    Parameters
    ----------
    results : finished runs of a sweep
    root : the folder of its runs
    options : of the command, for the data set
    asked : the method's label, the checkpoint's name and its title

    Raises
    ------
    SettingError
        If there is no such run, or the checkpoint's folder holds something else.
    """
    label, name, title = asked
    chosen = middle_seed(results, label)
    target = checkpoints_folder() / name
    check_target(target)
    recipe = chosen.member.recipe
    data = open_data(options, kind=recipe.dataset)
    folder = RunFolder(root / chosen.member.name)
    prepared = prepare(recipe, data, checkpoints_folder(), folder)
    card = replace(
        prepared.card,
        name=name,
        title=title,
        recipe=replace(recipe, name=name, title=title).to_dict(),
        provenance=f"{prepared.card.provenance} {seeds_text(results, chosen)}",
    )
    model = prepared.trainer.best_model().cpu()
    return release_model(model, card, data, target, say_progress, folder.history_file)
