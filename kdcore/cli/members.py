"""The runs of a sweep, one after another or side by side through joblib.

A run's folder is the truth: what stands there counts, whichever process put it there, so a sweep
that was killed goes on where it was, and parts of it may be trained on several machines that
share the folder.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from joblib import Parallel, delayed, parallel_config  # type: ignore[import-untyped]

from kdcore import __version__
from kdcore.base import Cancelled, KdError, RecipeError, error_text, sha256_file, write_text
from kdcore.cli.backends import Backend
from kdcore.data import ImageDataset, open_dataset, samples_by_part
from kdcore.data.splits import MEASURED_PARTS
from kdcore.distill import Prepared, RunFolder, keep_memory, prepare
from kdcore.distill.prepare import TEACHER
from kdcore.distill.sweep import Member
from kdcore.distill.validation import VAL_SCORE
from kdcore.models import Checkpoint
from kdcore.predict import predict_dataset

_START = "init.sha256"  # of the weights that a run started from, where another run made them


@dataclass(frozen=True)
class Place:
    """Where and how members are trained: all that a process on another machine needs to know.

    Attributes
    ----------
    root : folder of the sweep's runs
    data : folder or zip of each data set, by its key in `DATASETS`
    checkpoints : folder of the teachers
    device : "cpu" or "cuda"
    threads : that torch may use for one member
    skip_missing : leave out rows of a data set's table without an image
    """

    root: Path
    data: Mapping[str, Path]
    checkpoints: Path
    device: str = "cpu"
    threads: int = 1
    skip_missing: bool = False


def predictions_file(folder: RunFolder, part: str) -> Path:
    """Return where a finished run's predictions on "val" or "test" are."""
    return folder.path / f"predictions-{part}.npz"


def is_finished(member: Member, root: Path) -> bool:
    """Tell whether the run of `member` under `root` is trained and predicted.

    Raises
    ------
    RecipeError
        If its folder holds a run of another recipe, or one that started from weights that have
        been trained anew since.
    """
    folder = RunFolder(root / member.name)
    finished = all(predictions_file(folder, part).exists() for part in MEASURED_PARTS)
    if not finished and not folder.last.exists():
        return False
    hint = "Delete that folder to train it again, or name another for the sweep with --runs."
    try:
        folder.check_recipe(member.recipe)
    except RecipeError as error:
        raise RecipeError(error.problem, hint) from error
    source, start = RunFolder(root / member.after).best, folder.path / _START
    known = start.read_text() if start.exists() else ""
    if member.after and source.exists() and known != sha256_file(source):
        raise RecipeError(
            f"The run in {member.name!r} was started from other weights of {member.after} than "
            "are there now.",
            hint,
        )
    return finished


def train_members(members: Sequence[Member], place: Place, backend: Backend) -> dict[str, str]:
    """Train members that need nothing of each other, as many at a time as `backend` says.

    Returns
    -------
    What went wrong, by member's name; the others are finished.

    Raises
    ------
    KeyboardInterrupt
        If the person stops it; the last finished epoch of each run is kept.
    """
    if not members:
        return {}
    with torch_threads(place.threads):
        try:
            with parallel_config(backend.name, n_jobs=backend.processes, **backend.arguments):
                told = Parallel(batch_size=1)(delayed(train_member)(m, place) for m in members)
        except Exception as error:  # a worker was killed; each backend raises its own kind
            told = [_problem_of(member, place, error) for member in members]
    return {member.name: problem for member, problem in zip(members, told) if problem}


def train_member(member: Member, place: Place) -> str:
    """Train a member, or go on with it, and predict; returns what went wrong, or "".

    Whatever goes wrong with one member is told and not raised, so that it does not stop the
    others.
    """
    if torch.get_num_threads() != place.threads:
        torch.set_num_threads(place.threads)
    folder = RunFolder(place.root / member.name)
    try:
        with folder.lock():
            return _attempt(member, place, folder)
    except (KdError, OSError) as error:  # another process is at work there, or nobody may be
        return error_text(error)


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let torch use so many `threads` in this process, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _attempt(member: Member, place: Place, folder: RunFolder) -> str:
    try:
        if not is_finished(member, place.root):  # by now, another machine may have been here
            _train(member, place, folder)
    except (Cancelled, KeyboardInterrupt) as error:
        folder.write_status("cancelled", epoch=len(folder.read_history()))
        if isinstance(error, KeyboardInterrupt):
            raise
        return str(error)
    except Exception as error:
        known = isinstance(error, KdError | OSError)
        told = error_text(error) if known else f"{type(error).__name__}: {error}"
        folder.write_status("failed", error=told)
        return told
    return ""


def _train(member: Member, place: Place, folder: RunFolder) -> None:
    recipe = member.recipe
    keep_memory()
    folder.forget_requests()
    folder.write_recipe(recipe)
    folder.write_status("preparing", epoch=0, epochs=recipe.epochs)
    data = open_dataset(place.data[recipe.dataset], recipe.dataset, place.skip_missing)
    start = recipe
    if member.after:
        source = RunFolder(place.root / member.after).best
        start = replace(recipe, init=str(source))
        if not folder.last.exists():
            digest = sha256_file(source)
            write_text(folder.path / _START, digest)
    prepared = prepare(start, data, place.checkpoints, folder, place.device)

    def say(row: dict[str, float]) -> None:
        told = f"epoch {row['epoch']:.0f} of {recipe.epochs}, {row[VAL_SCORE]:.3f}"
        print(f"{member.name}: {told} val macro-F1", file=sys.stderr, flush=True)

    history = prepared.trainer.run(folder.last.exists(), say)
    folder.write_status("measuring", epoch=len(history), epochs=recipe.epochs)
    _predict(prepared, member, folder, data)
    folder.write_status(
        "done", epoch=len(history), epochs=recipe.epochs, device=place.device, threads=place.threads
    )


def _predict(prepared: Prepared, member: Member, folder: RunFolder, data: ImageDataset) -> None:
    """Save the best weights' predictions on validation and test beside them."""
    recipe = member.recipe
    card = replace(prepared.card, recipe=recipe.to_dict())  # no path of this machine in it
    model = prepared.trainer.best_model().cpu()
    checkpoint = Checkpoint(model, card, folder.path, sha256_file(folder.best))
    meta = {"kdcore": __version__, "torch": torch.__version__}
    meta |= {TEACHER + name: weights for name, weights in card.teachers.items()}
    parts = samples_by_part(data, recipe.split, recipe.split_seed)
    for part in MEASURED_PARTS:
        predictions = predict_dataset(
            checkpoint, data, parts[part], part, cancelled=folder.cancel_requested
        )
        replace(predictions, meta=meta).save(predictions_file(folder, part))


def _problem_of(member: Member, place: Place, error: Exception) -> str:
    """Return what the member's folder tells, after `error` broke off all of them."""
    try:
        if is_finished(member, place.root):
            return ""
    except KdError as problem:
        return str(problem)
    status = RunFolder(place.root / member.name).status()
    if status.state in ("failed", "cancelled"):
        return str(status.facts.get("error", "cancelled"))
    return f"Its process broke off ({type(error).__name__}: {str(error).partition(chr(10))[0]})."
