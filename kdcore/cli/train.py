"""`python -m kdcore train RECIPE`: train or resume, then release the result as a checkpoint."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from kdcore.base import (
    Cancelled,
    SettingError,
    checkpoints_folder,
    error_text,
    runs_folder,
)
from kdcore.cli.common import add_data_arguments, open_data, say_progress, write_json
from kdcore.cli.outputs import check_place
from kdcore.cli.release import check_target, release
from kdcore.data import ImageDataset
from kdcore.distill import (
    EventFiles,
    Recipe,
    RunFolder,
    check_device,
    in_turn,
    is_main_process,
    keep_memory,
    prepare,
)
from kdcore.distill.validation import VAL_SCORE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("recipe", metavar="RECIPE", type=Path, help="a file such as in recipes/")
    parser.add_argument("--run", metavar="DIR", type=Path, help="run folder (default: by name)")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where the checkpoint goes")
    parser.add_argument("--replace", action="store_true", help="put it in another one's place")
    parser.add_argument("--resume", action="store_true", help="continue after the last epoch")
    parser.add_argument("--queue", action="store_true", help="wait for the runs queued before it")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    add_data_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Train, then predict on validation and test and write the checkpoint."""
    recipe = Recipe.read(options.recipe)
    folder = RunFolder(options.run or runs_folder() / recipe.name)
    target = options.out or checkpoints_folder() / recipe.name
    check_device(options.device)
    _check_run(folder, recipe, options.resume)
    _check_folders(folder, target, recipe, options)
    if options.queue and "WORLD_SIZE" in os.environ:
        raise SettingError(
            "Processes under torchrun can't wait in the queue.", "Leave --queue out."
        )
    data = open_data(options, kind=recipe.dataset)
    keep_memory()
    if not is_main_process():  # torchrun's others lend a hand and write nothing
        prepare(recipe, data, checkpoints_folder(), folder, options.device).trainer.run(
            options.resume
        )
        return
    with folder.lock():
        _check_run(folder, recipe, options.resume)  # another process may have been here since
        if not options.queue:  # who queues a run has done so, and may have asked since
            folder.forget_requests()
        folder.write_recipe(recipe)
        try:
            with in_turn(folder) if options.queue else nullcontext():
                result = _train(recipe, folder, data, target, options)
        except (Cancelled, KeyboardInterrupt):
            folder.write_status("cancelled", epoch=len(folder.read_history()))
            raise
        except BaseException as error:
            with suppress(OSError):  # a full disk: what was wrong is raised all the same
                folder.write_status("failed", error=error_text(error))
            raise
    write_json(options, result)


def _check_folders(
    folder: RunFolder, target: Path, recipe: Recipe, options: argparse.Namespace
) -> None:
    """Raise SettingError if the run or its checkpoint can't be written, or harms something else."""
    check_place(folder.recipe_file, "--run")  # in it: the folder above may be closed
    run = folder.path.resolve()
    if target.resolve() in (run, *run.parents):
        raise SettingError(
            f"The run folder {str(folder.path)!r} lies in {str(target)!r}, where its checkpoint "
            "goes.",
            "Name another folder with --out or --run.",
        )
    resumed = options.resume and folder.last.exists()
    check_target(target, recipe.name, recipe.to_dict() if resumed else None, options.replace)


def _train(
    recipe: Recipe,
    folder: RunFolder,
    data: ImageDataset,
    target: Path,
    options: argparse.Namespace,
) -> dict[str, Any]:
    """Train and release; returns what `--json` gets."""
    folder.write_status("preparing", epoch=0, epochs=recipe.epochs)
    prepared = prepare(recipe, data, checkpoints_folder(), folder, options.device)
    events = EventFiles(folder.path, len(folder.read_history()) if options.resume else 0)

    def log(row: dict[str, float]) -> None:
        events.write(row)
        _say(row)

    history = prepared.trainer.run(options.resume, log)
    events.close()
    folder.write_status("measuring", epoch=len(history), epochs=recipe.epochs)
    card = release(prepared, data, target, folder, say_progress, options.replace)
    folder.write_status(
        "done", epoch=len(history), epochs=recipe.epochs, checkpoint=str(target.resolve())
    )
    print(f"{card.name}: test macro-F1 {card.metrics['test']['macro_f1']['value']:.3f}, {target}")
    return {"checkpoint": str(target), "metrics": card.metrics, "history": history}


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
        f"{row[VAL_SCORE]:.3f}  {row['images_per_second']:.0f} images/s",
        file=sys.stderr,
        flush=True,
    )
