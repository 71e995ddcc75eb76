"""TensorBoard event files of a run: `tensorboard --logdir` on the folder of all runs shows them."""

from __future__ import annotations

from pathlib import Path


class EventFiles:
    """Writes one scalar for each column of the history, by epoch, into `folder`/events.

    Parameters
    ----------
    folder : of the run
    finished : epochs that a resumed run already has; later events of a killed process are hidden
    """

    def __init__(self, folder: Path, finished: int = 0) -> None:
        # A second to import, so only where a run starts.
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(Path(folder) / "events"), purge_step=finished + 1)

    def write(self, row: dict[str, float]) -> None:
        """Write one row of the history."""
        for name, value in row.items():
            if name != "epoch":
                part, _, rest = name.partition("_")
                tag = f"{part}/{rest}" if part in ("train", "val") else f"run/{name}"
                self._writer.add_scalar(tag, value, int(row["epoch"]))
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
