"""What a latency benchmark is to compare, and the runners that do it."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from kdcore.base import KdError, SettingError, numpy_generator
from kdcore.base.machine import cores
from kdcore.data import draw_lesion, read_image
from kdcore.deploy.conditions import watched
from kdcore.deploy.latency import PRECISION, Contender, Live, Runner, measure
from kdcore.deploy.latency_engines import ENGINES, EXPORT_S, ON_CUDA, Call, is_cached, open_call
from kdcore.deploy.latency_record import Benchmark, timing_of
from kdcore.models import Card, Checkpoint, load_checkpoint, read_card
from kdcore.predict import preprocess_of
from kdcore.predict.probabilities import softmax

Floats = NDArray[np.float32]
Report = Callable[[Live], None]
_START_S = 4  # of a process, until torch is loaded
_WARM_CASE_S = 0.3


@dataclass(frozen=True)
class Plan:
    """What is compared: every combination of these.

    Attributes
    ----------
    checkpoints : folders, at least one
    engines : of `ENGINES`
    batches : images of one call, each from 1 on
    threads : of one call, each from 1 to the cores of this machine
    devices : "cpu", "cuda" or both
    seconds : for the timing itself
    precision : rounds end early at this half width of every interval, as a share of its median
    end_to_end : time, too, what a picture takes from JPEG bytes to probabilities
    """

    checkpoints: tuple[Path, ...]
    engines: tuple[str, ...] = ("eager", "onnxruntime")
    batches: tuple[int, ...] = (1,)
    threads: tuple[int, ...] = (1,)
    devices: tuple[str, ...] = ("cpu",)
    seconds: float = 12.0
    precision: float = PRECISION
    end_to_end: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises
        ------
        SettingError
            If one is out of its domain; the value is named.
        """
        for name in ("checkpoints", "engines", "batches", "threads", "devices"):
            if not getattr(self, name):
                raise SettingError(f"No {name} were chosen.", "Choose at least one.")
        for name in self.engines:
            if name not in ENGINES:
                raise SettingError(
                    f"There is no engine {name!r}.", f"Choose of {', '.join(ENGINES)}."
                )
        _within("batch size", self.batches, 1, 4096)
        _within("number of threads", self.threads, 1, cores())
        for name in self.devices:
            if name not in devices():
                raise SettingError(
                    f"There is no device {name!r} here.", f"There is {' and '.join(devices())}."
                )
        if not 0 < self.seconds <= 86400 or not 0 < self.precision < 1:
            raise SettingError(
                f"{self.seconds:g} seconds at a precision of {self.precision:g} can't be done.",
                "Give seconds from 1 to a day, and a precision such as 0.05.",
            )


def devices() -> tuple[str, ...]:
    """Return the devices that are there: "cpu", and "cuda" where torch finds one."""
    return ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


def thread_counts() -> tuple[int, ...]:
    """Return the thread counts that can be chosen: powers of two, and all cores."""
    powers = (2**k for k in range(cores().bit_length()))
    return tuple(sorted({*powers, cores()}))


def prepare(plan: Plan, report: Report = lambda live: None) -> tuple[list[Runner], list[str]]:
    """Load, export and open what a plan needs.

    Parameters
    ----------
    plan : what is compared
    report : called before each step; what it raises (`Cancelled`) ends it

    Returns
    -------
    runners, and one sentence for each engine that does not run a model; KdError of a checkpoint
    that can't be loaded, or where nothing at all can be run
    """
    runners: list[Runner] = []
    left_out: list[str] = []
    titles: set[str] = set()
    for folder in plan.checkpoints:
        report(Live(0.0, f"Loading {folder.name}"))
        checkpoint = load_checkpoint(folder)
        title = _free_title(checkpoint.card, folder, titles)
        titles.add(title)
        for engine, device in product(plan.engines, plan.devices):
            if device == "cuda" and engine not in ON_CUDA:
                left_out.append(f"{ENGINES[engine]} runs on the processor only here: {title}.")
                continue
            report(Live(0.0, f"Preparing {title} for {ENGINES[engine]}"))
            try:
                runners += list(_runners(plan, checkpoint, title, engine, device))
            except KdError as error:
                left_out.append(f"{title} does not run with {ENGINES[engine]}: {error.problem}")
    if not runners:
        raise SettingError("Nothing of this can be run.", " ".join(left_out))
    return runners, left_out


def estimate(plan: Plan) -> str:
    """Return about how long a plan takes, in one sentence; of exports only what is missing."""
    hashes = [read_card(folder).weights_sha256 for folder in plan.checkpoints]
    missing = sum(
        EXPORT_S[engine]
        for engine, weights in product(plan.engines, hashes)
        if not is_cached(weights, engine)
    )
    ways = len(plan.batches) + plan.end_to_end
    cases = len(hashes) * len(plan.engines) * len(plan.threads) * len(plan.devices) * ways
    rest = plan.seconds + _START_S + cases * _WARM_CASE_S
    more = f", and about {missing:.0f} s more for exports, once" if missing else ""
    return f"About {rest:.0f} s for {cases} timings{more}."


def run_plan(plan: Plan, report: Report = lambda live: None) -> Benchmark:
    """Carry out a plan; parameters and errors are those of `prepare`."""
    start = time.monotonic()
    runners, left_out = prepare(plan, report)
    with watched() as watch:
        measure(runners, plan.seconds, plan.precision, report)
    assert watch.found is not None
    return Benchmark(
        conditions=watch.found,
        seconds=plan.seconds,
        took=round(time.monotonic() - start, 1),
        precision=plan.precision,
        timings=tuple(timing_of(runner) for runner in runners),
        left_out=tuple(left_out),
    )


def _runners(
    plan: Plan, checkpoint: Checkpoint, title: str, engine: str, device: str
) -> Iterator[Runner]:
    card = checkpoint.card
    for threads in plan.threads:
        call = open_call(checkpoint, engine, device, threads)
        make = partial(
            Contender, card.name, title, card.role, checkpoint.hash, engine, device, threads
        )  # fmt: skip
        for batch in plan.batches:
            images = noise(batch, card.input_size)
            yield Runner(make(batch, card.input_size), images, (("network", call),))
        if plan.end_to_end:
            yield Runner(make(1, card.input_size, True), jpeg(), whole_way(checkpoint, call))


def whole_way(checkpoint: Checkpoint, call: Call) -> tuple[tuple[str, Callable[..., Any]], ...]:
    """Return the steps from a JPEG's bytes to calibrated probabilities (1, C)."""
    prepare = preprocess_of(checkpoint)
    return (
        ("decode", lambda data: read_image(data).rgb),
        ("preprocess", lambda rgb: prepare(rgb)[None].numpy()),
        ("network", call),
        ("softmax", lambda logits: softmax(logits, checkpoint.card.temperature)),
    )


def noise(batch: int, side: int) -> Floats:
    """Return normalised images (batch, 3, side, side) of noise: times don't depend on content."""
    return numpy_generator(0).standard_normal((batch, 3, side, side)).astype(np.float32)


def jpeg() -> bytes:
    """Return a drawn lesion as JPEG bytes, of HAM10000's size: 600 × 450 pixels."""
    buffer = io.BytesIO()
    draw_lesion("nv", 0).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def _free_title(card: Card, folder: Path, taken: Container[str]) -> str:
    """Return a title of its own: charts and tables tell models apart by it."""
    title = card.title or card.name
    own = folder.parent.name if folder.name == "checkpoint" else folder.name
    names = (title, f"{title} ({own})", *(f"{title} ({own}, {k})" for k in range(2, 1000)))
    return next(name for name in names if name not in taken)


def _within(what: str, values: Sequence[int], low: int, high: int) -> None:
    for value in values:
        if not low <= value <= high:
            raise SettingError(
                f"A {what} of {value} is out of range.", f"Choose from {low} to {high}."
            )
