"""`python -m kdcore train RECIPE`: train or resume, then release the result as a checkpoint."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kdcore.base import Cancelled, SettingError, state_folder
from kdcore.cli.common import CHECKPOINTS, add_data_arguments, open_data, say_progress, write_json
from kdcore.cli.release import check_target, release
from kdcore.distill import Recipe, RunFolder, check_device, prepare


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("recipe", metavar="RECIPE", type=Path, help="a file such as in recipes/")
    parser.add_argument("--run", metavar="DIR", type=Path, help="run folder (default: by name)")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where the checkpoint goes")
    parser.add_argument("--resume", action="store_true", help="continue after the last epoch")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    add_data_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Train, then predict on validation and test and write the checkpoint."""
    recipe = Recipe.read(options.recipe)
    folder = RunFolder(options.run or state_folder() / "runs" / recipe.name)
    target = options.out or CHECKPOINTS / recipe.name
    _check_run(folder, recipe, options.resume)
    check_device(options.device)
    check_target(target)
    data = open_data(options)
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.forget_cancel()
    folder.write_recipe(recipe)
    folder.write_status("running", epoch=0, epochs=recipe.epochs)
    try:
        prepared = prepare(recipe, data, CHECKPOINTS, folder, options.device)
        history = prepared.trainer.run(options.resume, _say)
        card = release(prepared, data, target, folder, say_progress)
    except (Cancelled, KeyboardInterrupt):
        folder.write_status("cancelled")
        raise
    except BaseException as error:
        folder.write_status("failed", error=str(error))
        raise
    folder.write_status("done", epoch=recipe.epochs, epochs=recipe.epochs)
    print(f"{card.name}: test macro-F1 {card.metrics['test']['macro_f1']['value']:.3f}, {target}")
    write_json(options, {"checkpoint": str(target), "metrics": card.metrics, "history": history})


def _check_run(folder: RunFolder, recipe: Recipe, resume: bool) -> None:
    if not folder.last.exists():
        return
    if not resume:
        raise SettingError(
            f"The run folder of {recipe.name} already holds a run.",
            "Continue it with --resume, or name another with --run.",
        )
    folder.check_recipe(recipe)


def _say(row: dict[str, float]) -> None:
    print(
        f"epoch {row['epoch']:>3}  loss {row['train_loss']:.4f}  val macro-F1 "
        f"{row['val_macro_f1']:.3f}  {row['images_per_second']:.0f} images/s",
        file=sys.stderr,
        flush=True,
    )
