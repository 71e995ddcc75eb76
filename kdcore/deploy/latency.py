"""Timing of several models and engines against each other, fairly: in turns.

Blocks of calls go round robin over all contenders, in an order drawn anew for each round, so that
whatever drifts (a neighbour's load, heat, frequency) hits all alike. The first call of a block,
which finds the caches and thread pools of another contender, is made and not counted. Rounds end
when every contender's interval is narrow enough, or the time is up; always after a whole round.

`torch.utils.benchmark.Timer` gives the mean of a run of calls: no tail, and one contender after
the other. Here each call is read from the clock by itself; its care for threads is used.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.benchmark.utils.common import set_torch_threads

from kdcore.deploy.latency_stats import Summary, summarise

Floats = NDArray[np.float64]
Step = tuple[str, Callable[[Any], Any]]
PRECISION = 0.05
MIN_ROUNDS = 6  # fewer blocks have no interval
SETTLING = 1  # calls at the start of each block that are not counted
_WARM_CALLS = 4  # TorchScript and CUDA still compile in the first ones
_WARM_S = 0.15
_WARM_MOST_S = 1.0  # a call that takes this long is not made much faster by another
_ROUNDS_AIM = 20
_MOST_CALLS = 500  # of a block
_LEAST_CALLS = 2


@dataclass(frozen=True)
class Contender:
    """One thing that is timed.

    Attributes
    ----------
    model, title, role, weights : of the checkpoint: its name, what people call it, "teacher" or
        another, and the SHA-256 of its weights
    engine : what runs the network, "eager" or another
    device : "cpu" or "cuda"
    threads : of one call
    batch : images of one call
    input_size : side of the square input, pixels
    end_to_end : from the bytes of a JPEG to probabilities, instead of the network alone
    """

    model: str
    title: str
    role: str
    weights: str
    engine: str
    device: str
    threads: int
    batch: int
    input_size: int
    end_to_end: bool = False


class Stopwatch(Protocol):
    """Marks moments, and tells the seconds between them."""

    def mark(self) -> None:
        """Note this moment."""

    def laps(self) -> list[float]:
        """Return the seconds between the marks, and forget them."""


class Clock:
    """A stopwatch on the processor's monotonic clock."""

    def __init__(self, now: Callable[[], int] = time.perf_counter_ns) -> None:
        self._now = now
        self._marks: list[int] = []

    def mark(self) -> None:
        """Note this moment."""
        self._marks.append(self._now())

    def laps(self) -> list[float]:
        """Return the seconds between the marks, and forget them."""
        marks, self._marks = self._marks, []
        return [(end - start) / 1e9 for start, end in pairwise(marks)]


class CudaClock:
    """A stopwatch of CUDA events: work on the device is not over when a call returns."""

    def __init__(self) -> None:
        self._events: list[torch.cuda.Event] = []

    def mark(self) -> None:
        """Note the moment at which the device comes to this place of its queue."""
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        self._events.append(event)

    def laps(self) -> list[float]:
        """Wait for the device; return the seconds between the marks, and forget them."""
        events, self._events = self._events, []
        events[-1].synchronize()
        return [start.elapsed_time(end) / 1e3 for start, end in pairwise(events)]


@dataclass
class Runner:
    """A contender at work: its steps, each given what the one before returned.

    `blocks` are the seconds so far, each (calls, steps); `calls` is the length of a block.
    """

    contender: Contender
    first: Any
    steps: tuple[Step, ...]
    blocks: list[Floats] = field(default_factory=list)
    calls: int = _LEAST_CALLS

    def summary(self) -> Summary:
        """Return the summary of whole calls in ms; ValueError before the first block."""
        return summarise([1000 * block.sum(1) for block in self.blocks])

    def run_block(self, watch: Stopwatch, calls: int) -> Floats:
        """Make `calls` calls with the contender's threads, restored on whatever error.

        Returns
        -------
        (calls, steps) seconds
        """
        with set_torch_threads(self.contender.threads):
            return np.array([self._call(watch) for _ in range(calls)])

    def _call(self, watch: Stopwatch) -> list[float]:
        value = self.first
        watch.mark()
        for _, step in self.steps:
            value = step(value)
            watch.mark()
        return watch.laps()


@dataclass(frozen=True)
class Live:
    """How far a benchmark is: share done in [0, 1], what is at work, and what is known so far."""

    fraction: float
    doing: str
    known: tuple[tuple[Contender, Summary], ...] = ()


def measure(
    runners: Sequence[Runner],
    seconds: float,
    precision: float = PRECISION,
    report: Callable[[Live], None] = lambda live: None,
    watch: Callable[[str], Stopwatch] | None = None,
    seed: int = 0,
) -> None:
    """Time `runners` in turns; their `blocks` then hold the seconds of each call.

    Parameters
    ----------
    runners : at least one
    seconds : for the rounds, after the warm-up; one round is made whatever it takes
    precision : rounds end early once every interval's half width is within this share of its
        median
    report : called between blocks; what it raises (`Cancelled`) ends the benchmark
    watch : gives the stopwatch for a device; default CUDA events for "cuda", else the clock
    seed : of the order within rounds

    Raises
    ------
    ValueError
        If there is no runner, or `seconds` or `precision` is not above 0.
    """
    if not runners or not seconds > 0 or not precision > 0:
        raise ValueError("runners, seconds, precision: expected at least one, and above 0")
    watches = [(watch or _stopwatch)(runner.contender.device) for runner in runners]
    _warm_up(runners, watches, seconds / _ROUNDS_AIM / len(runners), report)
    order = list(zip(runners, watches))
    draw = random.Random(seed)
    spent = longest = 0.0
    while not runners[0].blocks or (spent + longest <= seconds and not _tight(runners, precision)):
        draw.shuffle(order)
        took = 0.0
        for done, (runner, own) in enumerate(order):
            report(_live(runners, runner, (spent + took) / seconds, done == 0))
            block = runner.run_block(own, SETTLING + runner.calls)
            took += float(block.sum())
            runner.blocks.append(block[SETTLING:])
        spent, longest = spent + took, max(longest, took)
    report(Live(1.0, "Done", _known(runners)))


def _stopwatch(device: str) -> Stopwatch:
    return CudaClock() if device == "cuda" else Clock()


def _warm_up(
    runners: Sequence[Runner],
    watches: Sequence[Stopwatch],
    share: float,
    report: Callable[[Live], None],
) -> None:
    """Call each until it is warm, and set the length of its blocks to about `share` seconds."""
    for runner, own in zip(runners, watches):
        report(Live(0.0, f"Warming up {label(runner.contender)}"))
        spent, calls = 0.0, 0
        while spent < _WARM_MOST_S and (calls < _WARM_CALLS or spent < _WARM_S):
            last = float(runner.run_block(own, 1).sum())
            spent, calls = spent + last, calls + 1
        wanted = math.inf if last <= 0 else share / last - SETTLING
        runner.calls = int(min(max(wanted, _LEAST_CALLS), _MOST_CALLS))


def _tight(runners: Sequence[Runner], precision: float) -> bool:
    return all(runner.summary().spread <= precision for runner in runners)


def _live(runners: Sequence[Runner], runner: Runner, fraction: float, known: bool) -> Live:
    """Return what to report; numbers only at a round's start, where all have equally many."""
    doing = f"Timing {label(runner.contender)}"
    return Live(min(fraction, 1.0), doing, _known(runners) if known else ())


def _known(runners: Sequence[Runner]) -> tuple[tuple[Contender, Summary], ...]:
    return tuple((r.contender, r.summary()) for r in runners if r.blocks)


def label(contender: Contender) -> str:
    """Return what people read of a contender: model, engine, batch, threads."""
    threads = "1 thread" if contender.threads == 1 else f"{contender.threads} threads"
    parts = [contender.title, contender.engine, f"batch {contender.batch}", threads]
    parts += ["end to end"] if contender.end_to_end else []
    return " · ".join(parts + ([contender.device] if contender.device != "cpu" else []))
