"""The forms of a checkpoint made, checked, predicted with and timed; kept, so that a rerun times.

What is kept lies in the state folder under a hash of the weights, the card, the calibration
pictures and the libraries. What was made is read back only with the SHA-256 of its record.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from kdcore import __version__
from kdcore.base import ExportError, KdError, sha256_bytes, state_folder, write_text
from kdcore.base.progress import Progress
from kdcore.data import ImageDataset, Sample
from kdcore.deploy.artefact import Artefact, read_artefact, run_artefact
from kdcore.deploy.calibration import export_pictures
from kdcore.deploy.conditions import watched
from kdcore.deploy.latency import PRECISION, Contender, Live, Runner, measure
from kdcore.deploy.latency_engines import open_call
from kdcore.deploy.latency_plan import noise
from kdcore.deploy.latency_record import Benchmark, Timing, timing_of
from kdcore.deploy.latency_stats import thinned
from kdcore.deploy.make import Pictures, Target, make_artefacts
from kdcore.deploy.metadata import card_sha256
from kdcore.deploy.profile import PeakMemory, peak_memory
from kdcore.deploy.quality import predict_artefacts
from kdcore.models import Checkpoint
from kdcore.predict import Predictions, predict_dataset

TARGETS: Mapping[str, Target] = {
    "torchscript": Target("torchscript"),
    "onnxruntime": Target(),
    "int8": Target("onnx", "int8"),
}
_SAMPLES = 50
_LIBRARIES = ("torch", "onnx", "onnxruntime")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Exports:
    """The exported files of a checkpoint, by engine, in the folder where they are kept."""

    checkpoint: Checkpoint
    folder: Path
    artefacts: Mapping[str, Artefact]

    def file(self, engine: str) -> Path:
        """Return the file of an engine."""
        return self.folder / self.artefacts[engine].file


def keep_forms(
    checkpoint: Checkpoint,
    data: ImageDataset | None,
    calibration: Sequence[Sample],
    say: Say = lambda text: None,
) -> tuple[Exports, list[str]]:
    """Return the exports of a checkpoint, made and checked where they are not kept yet.

    Parameters
    ----------
    checkpoint : what is exported
    data, calibration : where pictures are, and which of them: every second one gives INT8 its
        ranges, the others are searched and checked on. Without them there is no INT8, and drawn
        lesions are checked on
    say : told what is done next

    Returns
    -------
    the exports, and one sentence for each that can't be made
    """
    folder = _folder(checkpoint, calibration)
    wanted = [e for e in TARGETS if e != "int8" or (data is not None and len(calibration) > 1)]
    missing = [e for e in wanted if not _is_whole(folder / _name(checkpoint, e))]
    left_out: list[str] = []
    if missing:
        pictures = export_pictures(checkpoint, data, calibration) if data else Pictures()
        for group in (["torchscript"], ["onnxruntime", "int8"]):  # INT8 is made of the float one
            targets = tuple(TARGETS[e] for e in group if e in missing)
            try:
                make_artefacts(checkpoint, folder, targets, pictures, say=say)
            except ExportError as error:
                left_out.append(f"{checkpoint.card.name}: {error.problem}")
    paths = {engine: folder / _name(checkpoint, engine) for engine in wanted}
    found = {e: read_artefact(path) for e, path in paths.items() if path.is_file()}
    return Exports(checkpoint, folder, found), left_out


def keep_predictions(
    exports: Exports,
    data: ImageDataset,
    samples: Sequence[Sample],
    part: str,
    progress: Progress | None = None,
) -> dict[str, Predictions]:
    """Return the predictions of the network, as "eager", and of each export, by engine.

    What is kept of the same pictures is read; all others are predicted, each picture decoded once
    for all exports.

    Parameters
    ----------
    exports : from `keep_forms`
    data, samples : where the pictures are, and which of them
    part : of the split, for the record
    progress : called with images done and images in all

    Raises
    ------
    DataError
        If there are no samples, or a picture's file can't be read.
    """
    ids = [sample.image_id for sample in samples]
    paths = {e: exports.folder / f"{e}-{part}.npz" for e in ("eager", *exports.artefacts)}
    made_by = {"eager": ""} | {e: a.sha256 for e, a in exports.artefacts.items()}
    found = {e: p for e, path in paths.items() if (p := _kept(path, ids, made_by[e])) is not None}
    if "eager" not in found:
        found["eager"] = predict_dataset(exports.checkpoint, data, samples, part, progress)
        found["eager"].save(paths["eager"])
    engines = [e for e in exports.artefacts if e not in found]
    if engines:
        runners = [(exports.artefacts[e], run_artefact(exports.file(e))) for e in engines]
        made = predict_artefacts(
            exports.checkpoint, runners, data, samples, part, progress=progress
        )
        for engine, predictions in zip(engines, made, strict=True):
            predictions.save(paths[engine])
            found[engine] = predictions
    return {engine: found[engine] for engine in paths}


def keep_memory(exports: Exports) -> dict[str, PeakMemory]:
    """Return what memory a process takes for each form, by engine.

    Nothing is measured again that is kept, and nothing returned where the system does not tell.
    """
    path = exports.folder / "memory.json"
    try:
        found = {e: PeakMemory(**m) for e, m in json.loads(path.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        found = {}
    side = exports.checkpoint.card.input_size
    forms = {"eager": ("checkpoint", exports.checkpoint.path)}
    forms |= {e: (TARGETS[e].form, exports.file(e)) for e in exports.artefacts}
    for engine, (form, file) in forms.items():
        try:
            found[engine] = found.get(engine) or peak_memory(form, file, side)
        except ExportError:
            continue
    text = json.dumps({engine: asdict(memory) for engine, memory in found.items()})
    write_text(path, text)
    return {engine: found[engine] for engine in forms if engine in found}


def time_exports(
    every: Sequence[Exports],
    titles: Sequence[str],
    threads: int = 1,
    seconds: float = 60.0,
    report: Callable[[Live], None] = lambda live: None,
) -> Benchmark:
    """Time every form of every checkpoint in turns, one picture at a time, on the processor.

    Parameters
    ----------
    every : from `keep_forms`
    titles : of their checkpoints, each another
    threads : of one call
    seconds : for the timing
    report : called between blocks; what it raises ends the benchmark

    Raises
    ------
    ExportError
        If a file is no longer what its record says.
    """
    runners = [
        runner
        for exports, title in zip(every, titles, strict=True)
        for runner in _runners(exports, title, threads)
    ]
    start = time.monotonic()
    with watched() as watch:
        measure(runners, seconds, PRECISION, report)
    assert watch.found is not None
    timings = tuple(_thinned(timing_of(runner)) for runner in runners)
    return Benchmark(watch.found, seconds, round(time.monotonic() - start, 1), PRECISION, timings)


def _runners(exports: Exports, title: str, threads: int) -> list[Runner]:
    checkpoint, card = exports.checkpoint, exports.checkpoint.card
    image = noise(1, card.input_size)
    calls = {"eager": open_call(checkpoint, "eager")}
    calls |= {e: run_artefact(exports.file(e), threads).raw for e in exports.artefacts}
    return [
        Runner(
            Contender(
                card.name, title, card.role, checkpoint.hash, engine, "cpu", threads, 1,
                card.input_size,
            ),
            image,
            (("network", call),),
        )
        for engine, call in calls.items()
    ]  # fmt: skip


def _thinned(timing: Timing) -> Timing:
    """Return a timing with few samples: the record is shipped, and shows no distribution."""
    few = thinned(np.array(timing.samples), _SAMPLES)
    return replace(timing, samples=tuple(few.tolist()))


def _folder(checkpoint: Checkpoint, calibration: Sequence[Sample]) -> Path:
    told = {
        "weights": checkpoint.hash,
        "card": card_sha256(checkpoint.card),
        "calibration": [sample.image_id for sample in calibration],
        "versions": [__version__, *map(version, _LIBRARIES)],
    }
    return state_folder() / "efficiency" / sha256_bytes(json.dumps(told).encode())[:24]


def _name(checkpoint: Checkpoint, engine: str) -> str:
    return TARGETS[engine].file_name(checkpoint.card.name)


def _is_whole(path: Path) -> bool:
    """Return whether a file and its record are there and belong together."""
    try:
        return sha256_bytes(path.read_bytes()) == read_artefact(path).sha256
    except (OSError, ExportError):
        return False


def _kept(path: Path, ids: Sequence[str], artefact: str) -> Predictions | None:
    """Return kept predictions if they are of these pictures in this order, and of this file."""
    try:
        found = Predictions.load(path)
    except KdError:
        return None
    same = found.meta.get("artefact_sha256", "") == artefact
    return found if same and found.sample_ids.tolist() == list(ids) else None
