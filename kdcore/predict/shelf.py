"""The shelf: every model whose predictions are at hand, shipped, of a run, or from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kdcore.base import DataError, KdError, checkpoints_folder, in_words, runs_folder, state_folder
from kdcore.data.splits import MEASURED_PARTS
from kdcore.models import Card, card_order, read_card
from kdcore.predict.predictions import Predictions

FOREIGN = "foreign"


@dataclass(frozen=True)
class Measured:
    """A model with saved predictions.

    Attributes
    ----------
    name : unique on the shelf
    title : for people, unique on the shelf
    role : "teacher", "student" or "baseline"; "foreign" for predictions from elsewhere
    files : the file of predictions by part, "val" and "test", at least one of them
    card : of the checkpoint; None for what came without one
    """

    name: str
    title: str
    role: str
    files: dict[str, Path]
    card: Card | None = None

    @property
    def path(self) -> Path:
        """The folder of its predictions, which is its checkpoint's if it has one."""
        return next(iter(self.files.values())).parent

    @property
    def folder(self) -> str:
        """The name of its checkpoint's folder or run, by which the other pages link to it."""
        return self.path.parent.name if self.path.name == "checkpoint" else self.path.name

    @property
    def temperature(self) -> float:
        """What calibrates its logits: the card's temperature, or 1."""
        return self.card.temperature if self.card else 1.0

    def load(self, part: str) -> Predictions:
        """Return the predictions on `part`; DataError for none, broken ones or another model's."""
        if part not in self.files:
            raise DataError(
                f"{self.name} has no saved predictions on the {part} part.",
                "Make them with `python -m kdcore predict`, or choose another model.",
            )
        found = Predictions.load(self.files[part])
        if self.card and self.card.weights_sha256 not in ("", found.checkpoint_hash):
            raise DataError(
                f"The {found.split} predictions of {self.name} were made with other weights than "
                "those of its card.",
                "Make them again with `python -m kdcore predict`.",
            )
        return found


def foreign_folder() -> Path:
    """Return where imported predictions are kept, as NAME-val.npz and NAME-test.npz."""
    return state_folder() / "predictions"


def list_measured() -> tuple[list[Measured], list[KdError]]:
    """Return the models with predictions, each role's strongest first, and what could not be read.

    Shipped or promoted checkpoints come first, then those of runs, each in `card_order`; last
    what was imported. A name that is taken already is given its folder's, and then a number.
    """
    found: list[Measured] = []
    problems: list[KdError] = []
    for folders in (checkpoints_folder().glob("*"), runs_folder().glob("*/checkpoint")):
        cards = []
        for folder in sorted(folders):
            try:
                with in_words():
                    if files := prediction_files(folder):
                        cards.append((folder, files, read_card(folder)))
            except KdError as error:
                problems.append(error)
        for folder, files, card in sorted(cards, key=lambda row: card_order(row[2])):
            own = folder.parent.name if folder.name == "checkpoint" else folder.name
            name = _free(card.name, own, found)
            title = _own_title(card.title or card.name, name, found)
            found.append(Measured(name, title, card.role, files, card))
    for name in sorted({_of_part(path) for path in foreign_folder().glob("*-*.npz")} - {""}):
        parts = {part: foreign_folder() / f"{name}-{part}.npz" for part in MEASURED_PARTS}
        files = {part: path for part, path in parts.items() if path.is_file()}
        free = _free(name, name, found)
        found.append(Measured(free, _own_title(free, "imported", found), FOREIGN, files))
    return found, problems


def baseline_of(student: Measured | None, shelf: Iterable[Measured]) -> Measured | None:
    """Return the strongest baseline of the student's network.

    The strongest of any network where there is no such, or no student; None where the shelf,
    strongest first, has no baseline.
    """
    baselines = [m for m in shelf if m.role == "baseline"]
    card = student.card if student else None
    same = [m for m in baselines if card and m.card and m.card.architecture == card.architecture]
    return next(iter(same or baselines), None)


def prediction_files(folder: Path) -> dict[str, Path]:
    """Return the files of predictions that lie beside a checkpoint, by part."""
    paths = {part: folder / f"predictions-{part}.npz" for part in MEASURED_PARTS}
    return {part: path for part, path in paths.items() if path.is_file()}


def _of_part(path: Path) -> str:
    """Return the model's name in "NAME-test.npz", "" for a file that is named otherwise."""
    name, _, part = path.stem.rpartition("-")
    return name if part in MEASURED_PARTS else ""


def _own_title(title: str, told: str, found: list[Measured]) -> str:
    """Return a title that no other has: charts would draw two models of one title as one."""
    taken = {model.title for model in found}
    return next(t for t in _names(title, f"{title} ({told})") if t not in taken)


def _free(name: str, folder: str, found: list[Measured]) -> str:
    taken = {measured.name for measured in found}
    return next(n for n in _names(name, folder) if n not in taken)


def _names(name: str, second: str) -> Iterator[str]:
    yield name
    yield second
    number = 2
    while True:
        yield f"{name} ({number})"
        number += 1
