"""A robustness grid from networks and pictures to its table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kdcore.data import ImageDataset, Sample
from kdcore.data.corruptions import CLEAN, CORRUPTIONS, EDGE_STUDY
from kdcore.evaluate.robustness import Robustness, corruption_of, robustness
from kdcore.models import Checkpoint, check_names
from kdcore.predict.grid import Progress, grid_store, run_grid


def measure_grid(
    checkpoints: Sequence[Checkpoint],
    data: ImageDataset,
    samples: Sequence[Sample],
    split: str,
    stacks: Sequence[str],
    teacher: str = "",
    n_boot: int = 500,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Robustness:
    """Compute the cells that are not kept yet, and measure the grid.

    Parameters are those of `run_grid` and `robustness`; `teacher` is a card's name.

    Raises
    ------
    CheckpointError
        If two networks have one name, or as `run_grid` does.
    DataError
        If the teacher is none of them, or as `run_grid` does.
    Cancelled
        If `cancelled` returns True; whole cells are kept for the next time.
    """
    check_names(checkpoint.card for checkpoint in checkpoints)
    store = grid_store(samples, seed)
    run_grid(checkpoints, data, samples, split, stacks, store, seed, progress, cancelled)
    grid = {
        c.card.name: {s: cell for s in stacks if (cell := store.load(c.hash, s)) is not None}
        for c in checkpoints
    }
    temperatures = {c.card.name: c.card.temperature for c in checkpoints}
    return robustness(grid, temperatures, teacher, n_boot, seed, summed(stacks))


def summed(stacks: Iterable[str]) -> list[str]:
    """Return the corruptions that "all" averages over, without their severities.

    The edge study's repeat others, and a stack is no corruption of its own: they are left out,
    unless there is nothing else.
    """
    names = list(dict.fromkeys(corruption_of(stack) for stack in stacks if stack != CLEAN))
    own = [n for n in names if "+" not in n and CORRUPTIONS.get(n).group != EDGE_STUDY]
    return own or names
