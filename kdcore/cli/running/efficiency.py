"""Efficiency of checkpoints: exported, checked, predicted with and timed, in one record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kdcore.base import DataError, sha256_file
from kdcore.base.progress import Progress
from kdcore.data import ImageDataset, first_by_hash, samples_by_part
from kdcore.data.splits import MEASURED_PARTS
from kdcore.deploy.calibration import calibration_samples
from kdcore.deploy.efficiency import Efficiency, ModelCost, Quality, Variant, recommend
from kdcore.deploy.efficiency_make import (
    Exports,
    keep_forms,
    keep_memory,
    keep_predictions,
    time_exports,
)
from kdcore.deploy.export_plan import CALIBRATION
from kdcore.deploy.latency import Live
from kdcore.evaluate import unseen_samples
from kdcore.evaluate.headline import headline_scores
from kdcore.models import Checkpoint, check_names, load_checkpoint
from kdcore.models.checkpoint import WEIGHTS
from kdcore.predict import Predictions
from kdcore.report.efficiency_files import Kept, predictions_file


@dataclass(frozen=True)
class Told:
    """Where progress goes: what is done next, images done and in all, and the timing's state."""

    say: Callable[[str], None] = lambda text: None
    progress: Progress | None = None
    live: Callable[[Live], None] = lambda live: None


def compute_efficiency(
    folders: Sequence[Path],
    data: ImageDataset | None,
    threads: int = 1,
    seconds: float = 60.0,
    told: Told | None = None,
) -> tuple[Efficiency, Kept]:
    """Export, check, predict with and time checkpoints; all but the times are kept for a rerun.

    Parameters
    ----------
    folders : of the checkpoints
    data : of the classes of the checkpoints; None, or another, leaves out quality and INT8
    threads, seconds : of the timing
    told : where progress goes

    Returns
    -------
    the record, and the predictions of each form that does not answer as its network does, by the
    name of the file that they belong into

    Raises
    ------
    CheckpointError
        If two checkpoints have one name, or one can't be loaded.
    """
    told = told or Told()
    checkpoints = [load_checkpoint(folder) for folder in folders]
    check_names(checkpoint.card for checkpoint in checkpoints)
    titles, left_out = _titles(checkpoints), []
    every: list[Exports] = []
    models: list[ModelCost] = []
    kept: dict[str, Predictions] = {}
    for k, (checkpoint, title) in enumerate(zip(checkpoints, titles), start=1):
        told.say(f"{title} ({k} of {len(checkpoints)})")
        exports, model, own, problems = _prepare(checkpoint, title, data, told)
        every.append(exports)
        models.append(model)
        kept |= own
        left_out += problems
    told.say(f"Timing {sum(len(m.variants) for m in models)} forms in turns")
    benchmark = time_exports(every, titles, threads, seconds, told.live)
    p50 = {(t.contender.model, t.contender.engine): t.summary.p50 for t in benchmark.timings}
    marked = [recommend(m, {e: ms for (n, e), ms in p50.items() if n == m.name}) for m in models]
    measured = data is not None and any(m.variants[0].quality for m in models)
    images = max((e.artefacts["int8"].notes["calibration_images"] for e in every
                  if "int8" in e.artefacts), default=0)  # fmt: skip
    name = data.info.name if data is not None and measured else ""
    return Efficiency(name, images, tuple(marked), benchmark, tuple(left_out)), kept


def _prepare(
    checkpoint: Checkpoint, title: str, data: ImageDataset | None, told: Told
) -> tuple[Exports, ModelCost, Kept, list[str]]:
    """Return what is timed, the record without times, predictions to keep, and what is missing."""
    card, own, left_out = checkpoint.card, data, []
    if own is None or own.info.classes != card.classes:
        own = None
        left_out.append(f"{title}: quality and INT8 are left out, for lack of its pictures.")
    split = card.recipe.get("split", ""), card.recipe.get("split_seed", 0)
    parts = samples_by_part(own, *split) if own else {}
    calibration = calibration_samples(parts["train"], CALIBRATION) if parts else []
    exports, problems = keep_forms(checkpoint, own, calibration, told.say)
    predictions: dict[str, dict[str, Predictions]] = {}
    for part in MEASURED_PARTS if own else ():
        try:
            assert own is not None
            samples = first_by_hash(unseen_samples(parts[part], [card]))
            told.say(f"Predicting on {len(samples):,} images of {part}")
            predictions[part] = keep_predictions(exports, own, samples, part, told.progress)
        except DataError as error:
            problems.append(f"{title}, {part} part: {error.problem}")
    told.say("Measuring memory")
    model, kept = _cost(exports, title, predictions)
    return exports, model, kept, left_out + problems


def _cost(
    exports: Exports, title: str, predictions: Mapping[str, Mapping[str, Predictions]]
) -> tuple[ModelCost, Kept]:
    checkpoint, card = exports.checkpoint, exports.checkpoint.card
    memory = keep_memory(exports)
    variants: list[Variant] = []
    kept: dict[str, Predictions] = {}
    for engine in ("eager", *exports.artefacts):
        quality = {}
        for part, by_engine in predictions.items():
            own = by_engine[engine]
            quality[part] = _quality(by_engine["eager"], own, card.temperature, engine)
            if quality[part].kept:
                kept[predictions_file(card.name, engine, part)] = own
        made = exports.artefacts.get(engine)
        weights = checkpoint.path / WEIGHTS
        variants.append(
            Variant(
                engine=engine,
                size=made.size if made else weights.stat().st_size,
                sha256=made.sha256 if made else sha256_file(weights),
                check=made.check if made else None,
                memory=memory.get(engine),
                quality=quality,
            )
        )
    model = ModelCost.of(card, checkpoint.model, variants)
    return replace(model, title=title, weights=checkpoint.hash), kept


def _quality(network: Predictions, own: Predictions, temperature: float, engine: str) -> Quality:
    values = headline_scores(own, temperature, n_boot=0).values
    same = float((network.logits.argmax(1) == own.logits.argmax(1)).mean())
    scores = {k: float(values[k][0]) for k in ("macro_f1", "balanced_accuracy", "accuracy", "ece")}
    return Quality(n=len(own), agreement=same, kept=engine == "int8" or same < 1, **scores)


def _titles(checkpoints: Sequence[Checkpoint]) -> list[str]:
    """Return a title of its own for each: charts and tables tell models apart by it."""
    titles = [c.card.title or c.card.name for c in checkpoints]
    times = Counter(titles)
    return [
        title if times[title] == 1 else f"{title} ({c.card.name})"
        for title, c in zip(titles, checkpoints)
    ]
