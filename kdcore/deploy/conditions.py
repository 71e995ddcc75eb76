"""Under what conditions times were measured: which machine, and whether it was left alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import torch

from kdcore.base.machine import cores, load_average, machine, others_seconds
from kdcore.distill import list_runs

PACKAGES = ("torch", "torchvision", "onnxruntime", "numpy", "pillow")
BUSY = 0.1  # cores that others may use without being told: a desktop at rest
BUSY_LOAD = 0.3  # of the load average for each core


@dataclass(frozen=True)
class Conditions:
    """The machine and what else it did meanwhile.

    Attributes
    ----------
    date : UTC, ISO 8601, seconds
    machine : the facts of `kdcore.base.machine`, and "cuda", the device's name or None
    threads : torch's own number in this process
    load_before, load_after : load average of one minute; None where the system has none. The
        benchmark itself raises the latter
    others : processor cores that other programs kept busy, on average; None where not known
    runs : training runs of DistilScope that were at work
    """

    date: str
    machine: dict[str, Any]
    threads: int
    load_before: float | None
    load_after: float | None
    others: float | None
    runs: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """What else computed, each in words; empty where the benchmark was alone."""
        found = [f"training runs were under way ({', '.join(self.runs)})"] if self.runs else []
        count = self.machine["cores"]
        if self.others is not None and self.others > BUSY:
            found.append(f"other programs kept {self.others:.1f} of {count} cores busy")
        elif self.others is None and (self.load_before or 0) > BUSY_LOAD * count:
            found.append(f"the load average before it was {self.load_before:.1f} on {count} cores")
        return tuple(found)

    @property
    def alone(self) -> bool:
        """Whether nothing else was seen to compute meanwhile."""
        return not self.reasons

    def sentence(self) -> str:
        """Return whether the machine was left alone, in one sentence."""
        if self.alone:
            return "The machine was left alone: nothing else was seen to compute."
        return (
            f"The machine was not left alone: {'; '.join(self.reasons)}. Compare within this "
            "benchmark, where all had the same share of it: absolute times are too long, and "
            "intervals wide."
        )


@dataclass
class Watch:
    """Gives the conditions, once what it watches is over."""

    found: Conditions | None = None


@contextmanager
def watched() -> Iterator[Watch]:
    """Watch the machine while the block runs; the watch's `found` then holds the conditions."""
    watch = Watch()
    date = datetime.now(UTC).isoformat(timespec="seconds")
    facts: dict[str, Any] = {**machine(PACKAGES), "cuda": _cuda()}
    load = facts.pop("load_average_1min_before")
    others, start = others_seconds(), time.monotonic()
    yield watch
    seconds = time.monotonic() - start
    now = others_seconds()
    used = None if others is None or now is None else max(now - others, 0.0) / max(seconds, 1e-9)
    watch.found = Conditions(
        date=date,
        machine=facts,
        threads=torch.get_num_threads(),
        load_before=load,
        load_after=load_average(),
        others=None if used is None else round(min(used, float(cores())), 2),
        runs=_runs(),
    )


def _runs() -> tuple[str, ...]:
    """Return the names of this state folder's runs that are at work (not waiting, not paused)."""
    idle = ("queued", "paused")
    return tuple(r.name for r in list_runs() if r.status.live and r.status.state not in idle)


def _cuda() -> str | None:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else None
