"""An exported file and the record beside it: what it is, of what, and how it was checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kdcore.base import ExportError, sha256_bytes, write_text
from kdcore.deploy.check import TOLERANCES, Check
from kdcore.deploy.engines import Engine, open_engine
from kdcore.deploy.export import FORMATS

_AGAIN = "Copy both files again, or export the checkpoint again."


@dataclass(frozen=True)
class Artefact:
    """The record of an exported file.

    Attributes
    ----------
    file : its name; the record lies beside it as `file` + ".json"
    format, precision, folded : what it is, as `Target` says
    checkpoint, checkpoint_hash : what it was made of, the SHA-256 is of its weights
    size, sha256 : of the file, in bytes
    opset : of ONNX; None for other formats
    check : against the network, before the file was put in place
    versions : of the libraries that made it
    notes : how it was made, such as the calibration of INT8
    quality : scores on a data set, where somebody measured them, by name
    """

    file: str
    format: str
    precision: str
    folded: bool
    checkpoint: str
    checkpoint_hash: str
    size: int
    sha256: str
    opset: int | None
    check: Check
    versions: Mapping[str, str]
    notes: Mapping[str, Any] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON."""
        return asdict(self)


def write_artefact(folder: Path, artefact: Artefact) -> None:
    """Write the record beside its file in `folder`, whole or not at all."""
    text = json.dumps(artefact.as_dict(), indent=2, ensure_ascii=False) + "\n"
    path = record_of(Path(folder) / artefact.file)
    write_text(path, text)


def record_of(path: Path) -> Path:
    """Return where the record of an exported file is."""
    return path.with_name(path.name + ".json")


def read_artefact(path: Path) -> Artefact:
    """Read the record of the exported file at `path`; raises ExportError if there is none."""
    path = Path(path)
    try:
        raw = json.loads(record_of(path).read_text(encoding="utf-8"))
        found = Artefact(**raw | {"check": Check(**raw["check"]), "file": path.name})
        _refuse_other_types(found)
    except FileNotFoundError as error:
        raise ExportError(f"{path.name} has no record {record_of(path).name}.", _AGAIN) from error
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ExportError(f"The record of {path.name} can't be read: {error}.", _AGAIN) from error
    return found


def _refuse_other_types(artefact: Artefact) -> None:
    """Raise TypeError where a record has something else than what tables and pages read."""
    check = artefact.check
    numbers = (artefact.size, check.n, check.max_delta, check.noise, check.agreement)
    texts = (artefact.format, artefact.precision, artefact.checkpoint, artefact.checkpoint_hash)
    for kind, values in (
        (int | float, (*numbers, check.tolerance)),
        (str, texts),
        (dict, (artefact.notes, artefact.quality)),
    ):
        for value in values:
            if not isinstance(value, kind):
                raise TypeError(f"{value!r} is out of place")
    if artefact.format not in FORMATS or artefact.precision not in TOLERANCES:
        raise ValueError(f"{artefact.format} in {artefact.precision} is not known")


def run_artefact(path: Path, threads: int = 0) -> Engine:
    """Return what runs an exported file: normalised images (N, 3, H, W) in, logits (N, C) out.

    Parameters
    ----------
    path : the file; its record lies beside it
    threads : as `open_engine` takes them

    Raises
    ------
    ExportError
        If the record is missing or broken, the file is, or it is another than the record says.
    """
    path = Path(path)
    artefact = read_artefact(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ExportError(
            f"{path.name} can't be read: {error.strerror or error}.", _AGAIN
        ) from error
    if sha256_bytes(data) != artefact.sha256:
        raise ExportError(
            f"{path.name} is not the file that its record describes (SHA-256 differs).", _AGAIN
        )
    return open_engine(data, artefact.format, threads, path.name)
