"""Latency benchmarks that are kept: one JSON file each, those of other machines apart.

A file is named after its date and content, never after what a file from elsewhere says, and what
is exported is the file itself: nothing in it tells the machine's name or its folders.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kdcore.base import DataError, KdError, state_folder, write_text
from kdcore.deploy.latency_record import Benchmark, from_json, to_json

MOST_BYTES = 20_000_000


@dataclass(frozen=True)
class Kept:
    """A benchmark on file: its unique `name`, the record, its path, and if it was imported."""

    name: str
    benchmark: Benchmark
    path: Path
    imported: bool


def latency_folder() -> Path:
    """Return where benchmarks are kept; imported ones are in its folder `imported`."""
    return state_folder() / "latency"


def keep_benchmark(benchmark: Benchmark, imported: bool = False) -> Kept:
    """Write a benchmark into the state folder; the same one again changes nothing."""
    folder = latency_folder() / "imported" if imported else latency_folder()
    path = folder / f"{benchmark.name}.json"
    text = to_json(benchmark)
    write_text(path, text)
    return Kept(benchmark.name, benchmark, path, imported)


def list_benchmarks() -> tuple[list[Kept], list[KdError]]:
    """Return what is kept, the latest first, and what could not be read."""
    found, problems = [], []
    for folder in (latency_folder(), latency_folder() / "imported"):
        for path in folder.glob("*.json"):
            try:
                found.append(load_benchmark(path))
            except KdError as error:
                problems.append(error)
    return sorted(found, key=lambda kept: kept.name, reverse=True), problems


def load_benchmark(path: Path) -> Kept:
    """Return the benchmark in a kept file.

    Raises
    ------
    DataError
        If it is gone, can't be read or is not a benchmark; file and field are named.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} can't be read.", "Delete it, or copy it again.") from error
    benchmark = from_json(text, path.name)
    return Kept(path.stem, benchmark, path, path.parent == latency_folder() / "imported")


def import_benchmark(data: bytes, file: str) -> Kept:
    """Keep a benchmark of another machine.

    Parameters
    ----------
    data : the file's bytes, as `to_json` wrote them
    file : what errors call it

    Raises
    ------
    DataError
        If it is no benchmark, larger than 20 MB, or here already.
    """
    if len(data) > MOST_BYTES:
        raise DataError(
            f"{file} has {len(data) / 1e6:.0f} MB; at most {MOST_BYTES / 1e6:.0f} are read.",
            "Choose a file that this page exported.",
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not a text file.", "Choose a JSON file.") from error
    benchmark = from_json(text, file)
    for folder in (latency_folder(), latency_folder() / "imported"):
        if (folder / f"{benchmark.name}.json").exists():
            raise DataError(f"{file} is here already.", "Choose it in the history.")
    return keep_benchmark(benchmark, imported=True)


def delete_benchmark(kept: Kept) -> None:
    """Delete a kept benchmark; one that is gone already is no error."""
    kept.path.unlink(missing_ok=True)
