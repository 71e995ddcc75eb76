"""Predictions that other programs made: read from CSV, and written as CSV.

A file has one row for each image: its id, its label and one column for each class. Probabilities
become logits log p, of which the softmax is p again; a p below `FLOOR` counts as `FLOOR`, since
log 0 is infinite. So an image whose true class got p = 0 adds 27.6 nats to the NLL, not infinity.
Whether a file holds probabilities or logits is said by the caller, never found out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError, sha256_file
from kdcore.data import DATASETS
from kdcore.predict.foreign_rows import table_rows
from kdcore.predict.predictions import Predictions
from kdcore.predict.probabilities import softmax

IDS = ("image_id", "id", "sample_id", "image")  # the first that is there counts
LABELS = ("label", "dx", "true", "target")
GROUPS = ("lesion_id", "group_id")
ATTRIBUTE = "attribute_"
FLOOR = 1e-12
SUM_TOLERANCE = 1e-3
ROUNDING = 1e-6  # how far below 0 or above 1 a probability may lie, as single precision does
LARGEST = float(np.finfo(np.float32).max)  # what is kept is of single precision
NOTES = "notes"  # in `Predictions.meta`: what was done with the file, one sentence a line


def read_foreign(
    path: Path | str,
    classes: Sequence[str] = (),
    logits: bool = False,
    groups: Mapping[str, str] | None = None,
    name: str = "",
    split: str = "all",
) -> tuple[Predictions, ...]:
    """Read the predictions in a CSV file, or in each `*.csv` of a folder, one for each model.

    Columns are found by name, in any case: an id (`IDS`), a label (`LABELS`, a class's name or
    its index from 0), and each class as its name, `prob_<class>` or `p_<class>`, with `logits` as
    its name or `logit_<class>`. A lesion (`GROUPS`) and `attribute_<name>` may be there; other
    columns are not read. `Predictions.meta["notes"]` says what was left out or changed.

    Parameters
    ----------
    path : a file, UTF-8, divided by commas, semicolons or tabs; or a folder
    classes : names in logit order; () takes the known data set whose classes are all there
    logits : the columns hold logits instead of probabilities
    groups : the lesion of each image id, for a file without lesions; an id that it lacks is a
        lesion of its own
    name : what to call the model; by default the file's name. A folder's models go by their files
    split : "train", "val", "test" or "all"

    Raises
    ------
    DataError
        If a file is not such a table, naming file, row (the head is row 1) and column; if the
        folder has no CSV, or its files are of different classes.
    """
    path = Path(path)
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path.name} holds no CSV file.", "Name a file, or a folder of them.")
    read = []
    for file in files:
        one = name if name and not path.is_dir() else file.stem
        read.append(_read(file, tuple(classes), logits, groups or {}, (one, split)))
        if read[-1].classes != read[0].classes:
            raise DataError(
                f"{file.name} is of the classes {', '.join(read[-1].classes[:7])}; "
                f"{files[0].name} of {', '.join(read[0].classes[:7])}.",
                "Keep the predictions of one data set in a folder.",
            )
    return tuple(read)


def to_csv(predictions: Predictions) -> str:
    """Return predictions as `read_foreign` reads them, with probabilities at temperature 1."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [ATTRIBUTE + name for name in predictions.attributes]
    probs = [f"prob_{name}" for name in predictions.classes]
    writer.writerow([IDS[0], GROUPS[0], LABELS[0], *probs, *names])
    if not len(predictions):
        return out.getvalue()
    columns = [
        predictions.sample_ids.tolist(),
        predictions.group_ids.tolist(),
        [predictions.classes[label] for label in predictions.labels],
        *softmax(predictions.logits).T.tolist(),
        *(values.tolist() for values in predictions.attributes.values()),
    ]
    writer.writerows(zip(*columns))
    return out.getvalue()


@dataclass(frozen=True)
class _Columns:
    """Where in a row things are; `group` is None where there is no such column."""

    sample: int
    label: int
    group: int | None
    scores: tuple[int, ...]
    attributes: Mapping[str, int]


def _read(
    path: Path,
    classes: tuple[str, ...],
    logits: bool,
    groups: Mapping[str, str],
    said: tuple[str, str],
) -> Predictions:
    rows = table_rows(path)
    head = next(rows)[1]
    prefixes = ("", "logit_") if logits else ("", "prob_", "p_")
    classes = classes or _known_classes(path, head, prefixes)
    where = _find(path, head, classes, prefixes)
    parse_label = _label_reader(path, head[where.label], classes)
    numbers, texts, labels, scores = [], [], [], []
    for number, cells in rows:
        numbers.append(number)
        texts.append(cells)
        labels.append(parse_label(number, cells[where.label]))
        scores.append([_number(path, number, head[k], cells[k]) for k in where.scores])
    if not numbers:
        raise DataError(f"{path.name} has a head and no rows.", "Add one row for each image.")
    ids = [cells[where.sample] for cells in texts]
    _check_ids(path, numbers, head[where.sample], ids)
    values, notes = np.array(scores), list[str]()
    if not logits:
        values = _to_logits(path, numbers, [head[k] for k in where.scores], values, notes)
    lesions = _lesions(ids, texts, where.group, groups, notes)
    used = {where.sample, where.label, where.group, *where.scores, *where.attributes.values()}
    ignored = [column for k, column in enumerate(head) if k not in used]
    if ignored:
        notes.append(f"Not read: {', '.join(ignored)}.")
    return Predictions(
        logits=values.astype(np.float32),
        labels=np.array(labels, dtype=np.int64),
        sample_ids=np.array(ids),
        group_ids=np.array(lesions),
        classes=classes,
        split=said[1],
        checkpoint_hash=sha256_file(path),
        checkpoint=said[0],
        meta={"source": path.name, NOTES: "\n".join(notes)},
        attributes={k: np.array([row[c] for row in texts]) for k, c in where.attributes.items()},
    )


def _known_classes(path: Path, head: list[str], prefixes: tuple[str, ...]) -> tuple[str, ...]:
    there = {name.lower() for name in head}
    whole = [
        info.classes
        for info in DATASETS.values()
        if all(any(p + c.lower() in there for p in prefixes) for c in info.classes)
    ]
    if whole:
        return max(whole, key=len)  # LC25000's lung classes are some of LC25000's
    raise DataError(
        f"{path.name}, row 1 does not name the classes of a known data set "
        f"({', '.join(info.name for info in DATASETS.values())}).",
        "Name each class's column as the class, or say which classes there are.",
    )


def _find(
    path: Path, head: list[str], classes: tuple[str, ...], prefixes: tuple[str, ...]
) -> _Columns:
    """Return the columns; DataError names what is missing or there twice."""
    lower = [name.lower() for name in head]
    scores = [_column(path, lower, [p + c.lower() for p in prefixes], True) for c in classes]
    group = next((lower.index(name) for name in GROUPS if name in lower), None)
    return _Columns(
        sample=_column(path, lower, IDS),
        label=_column(path, lower, LABELS),
        group=group,
        scores=tuple(scores),
        attributes={
            name[len(ATTRIBUTE) :]: k
            for k, name in enumerate(head)
            if lower[k].startswith(ATTRIBUTE) and name[len(ATTRIBUTE) :].isidentifier()
        },
    )


def _column(path: Path, head: list[str], names: Sequence[str], only: bool = False) -> int:
    """Return where the first of `names` is; with `only`, no other of them may be there."""
    found = [name for name in names if name in head]
    if not found:
        raise DataError(
            f"{path.name}, row 1 has no column {' or '.join(names)} "
            f"(found: {', '.join(head[:8])}).",
            "Name the column so; probabilities and logits are told apart by an option (--logits).",
        )
    if head.count(found[0]) > 1 or (only and len(found) > 1):
        raise DataError(
            f"{path.name}, row 1 has several columns for {found[0]!r}.", "Keep one of them."
        )
    return head.index(found[0])


def _label_reader(path: Path, column: str, classes: tuple[str, ...]) -> Callable[[int, str], int]:
    known = {str(k): k for k in range(len(classes))} | {c.lower(): k for k, c in enumerate(classes)}

    def read(number: int, cell: str) -> int:
        if cell.lower() in known:
            return known[cell.lower()]
        raise DataError(
            f"{path.name}, row {number}, column {column}: {cell!r} is no class.",
            f"Use one of {', '.join(classes[:10])}, or an index from 0 to {len(classes) - 1}.",
        )

    return read


def _number(path: Path, number: int, column: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise DataError(
            f"{path.name}, row {number}, column {column}: {cell!r} is not a number.",
            "Write numbers with a decimal point, as 0.25.",
        ) from None
    if not abs(value) <= LARGEST:
        raise DataError(
            f"{path.name}, row {number}, column {column}: {cell!r} is not a finite number of "
            "single precision.",
            "Find out why the model answered so, and correct or remove the row.",
        )
    return value


def _check_ids(path: Path, numbers: list[int], column: str, ids: list[str]) -> None:
    first: dict[str, int] = {}
    for number, name in zip(numbers, ids):
        if not name or name in first:
            again = f"{name!r} is the id of row {first[name]}, too" if name else "there is no id"
            raise DataError(
                f"{path.name}, row {number}, column {column}: {again}.",
                "Keep one row for each image, each with an id of its own.",
            )
        first[name] = number


def _to_logits(
    path: Path, numbers: list[int], head: list[str], probs: NDArray[np.float64], notes: list[str]
) -> NDArray[np.float64]:
    """Return log p of probabilities (N, C), and note what was changed; DataError names the row."""
    bad = np.argwhere((probs < -ROUNDING) | (probs > 1 + ROUNDING))
    if len(bad):
        row, column = bad[0].tolist()
        raise DataError(
            f"{path.name}, row {numbers[row]}, column {head[column]}: {probs[row, column]:g} is "
            "not a probability in [0, 1].",
            "If the columns hold logits, say so (--logits).",
        )
    total = probs.sum(1)
    off = np.abs(total - 1)
    if off.max() > SUM_TOLERANCE:
        row = int(np.argmax(off > SUM_TOLERANCE))
        raise DataError(
            f"{path.name}, row {numbers[row]}: the probabilities sum to {total[row]:.6g}, not 1 "
            f"within {SUM_TOLERANCE:g}.",
            "Give one column for each class; if the columns hold logits, say so (--logits).",
        )
    if (scaled := int((off > ROUNDING).sum())) > 0:
        notes.append(f"Rows scaled to sum to 1: {scaled:,}, by {off.max():.1e} at most.")
    probs = probs.clip(0) / total[:, None]
    if (low := int((probs < FLOOR).sum())) > 0:
        notes.append(f"Probabilities below {FLOOR:g} that count as {FLOOR:g}: {low:,}.")
    return np.log(np.maximum(probs, FLOOR))


def _lesions(
    ids: list[str],
    rows: list[list[str]],
    column: int | None,
    groups: Mapping[str, str],
    notes: list[str],
) -> list[str]:
    """Return the lesion of each image, its id where none is known, and note how many those are."""
    given = [groups.get(i, "") for i in ids] if column is None else [row[column] for row in rows]
    if alone := sum(not lesion for lesion in given):
        notes.append(
            f"Images without a known lesion: {alone:,} of {len(ids):,}. Each counts as a lesion of "
            "its own, so intervals are too narrow where several show the same one."
        )
    return [lesion or name for lesion, name in zip(given, ids)]
