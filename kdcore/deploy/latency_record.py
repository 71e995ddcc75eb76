"""A latency benchmark as a record, and as JSON that is read back only if every field is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from kdcore.base import sha256_bytes
from kdcore.deploy.conditions import Conditions
from kdcore.deploy.json_record import Kind, expect, from_text, to_text
from kdcore.deploy.latency import Contender, Runner
from kdcore.deploy.latency_stats import Summary, images_per_second, thinned

MOST_SAMPLES = 1000


@dataclass(frozen=True)
class Timing:
    """What was measured of one contender.

    Attributes
    ----------
    contender : what was timed
    summary : of all calls, ms
    images_per_second : throughput
    parts : mean ms of each step of a call, by name
    samples : ms of single calls in their order; at most `MOST_SAMPLES` of them, evenly spaced
    """

    contender: Contender
    summary: Summary
    images_per_second: float
    parts: dict[str, float]
    samples: tuple[float, ...]


@dataclass(frozen=True)
class Benchmark:
    """One benchmark: what was timed under which conditions, and what could not be.

    Attributes
    ----------
    conditions : machine, date, and whether it was left alone
    seconds : asked for
    took : seconds of all, exports and warm-up too
    precision : the share of the median within which every interval's half width was wanted
    timings : in the order of the plan
    left_out : one sentence for each contender that could not be run
    """

    conditions: Conditions
    seconds: float
    took: float
    precision: float
    timings: tuple[Timing, ...]
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is kept under: its date and the beginning of its content's SHA-256."""
        date = datetime.fromisoformat(self.conditions.date)
        return f"{date:%Y%m%d-%H%M%S}-{sha256_bytes(to_json(self).encode())[:8]}"


_KIND = Kind(
    name="distilscope latency benchmark",
    schema=1,
    key="benchmark",
    record=Benchmark,
    what="a latency benchmark of DistilScope",
    where_from="the Latency page or `python -m kdcore bench --json` wrote",
    hint="Export it again on the machine that it comes from.",
)


def timing_of(runner: Runner) -> Timing:
    """Return what a runner's blocks say; ValueError before the first block."""
    seconds = np.concatenate(runner.blocks)  # (calls, steps)
    whole = 1000 * seconds.sum(1)
    means = (1000 * seconds.mean(0)).tolist()
    return Timing(
        contender=runner.contender,
        summary=runner.summary(),
        images_per_second=images_per_second(whole, runner.contender.batch),
        parts={name: mean for (name, _), mean in zip(runner.steps, means, strict=True)},
        samples=tuple(round(ms, 5) for ms in thinned(whole, MOST_SAMPLES).tolist()),
    )


def to_json(benchmark: Benchmark) -> str:
    """Return the record as JSON text; a number that is not defined is null."""
    return to_text(_KIND, benchmark)


def from_json(text: str, file: str) -> Benchmark:
    """Return the record in JSON `text`; `file` is what errors call it.

    Raises
    ------
    DataError
        If it is no such JSON, of another schema, or a field is missing, unknown or wrong; the
        field is named.
    """
    found: Benchmark = from_text(_KIND, text, file, check_benchmark)
    return found


def check_benchmark(found: Benchmark, where: str = "benchmark") -> None:
    """Check what types alone don't: the date, the facts that pages show, and sound numbers.

    Raises
    ------
    FieldError
        For the first field that is wrong; its name begins with `where`.
    """
    conditions = found.conditions
    try:
        datetime.fromisoformat(conditions.date)
    except ValueError:
        expect(False, f"{where}.conditions.date", "a date, ISO 8601", conditions.date)
    place = f"{where}.conditions.machine"
    for name, kind in (("processor", str), ("cores", int), ("versions", dict)):
        value = conditions.machine.get(name)
        expect(isinstance(value, kind), f"{place}.{name}", f"a {kind.__name__}", value)
    expect(conditions.machine["cores"] > 0, f"{place}.cores", "1 or more", 0)
    expect(bool(found.timings), f"{where}.timings", "one or more", "none")
    for k, timing in enumerate(found.timings):
        _check_timing(timing, f"{where}.timings[{k}]")


def _check_timing(timing: Timing, where: str) -> None:
    s, c = timing.summary, timing.contender
    for name in ("mean", "p50", "p90", "p99"):
        value = getattr(s, name)
        expect(0 < value < math.inf, f"{where}.summary.{name}", "a number above 0", value)
    ends = math.isnan(s.low) and math.isnan(s.high)
    expect(ends or s.low <= s.p50 <= s.high, f"{where}.summary.p50", "one in its interval", s.p50)
    expect(s.p50 <= s.p90 <= s.p99, f"{where}.summary.p90", "one from p50 to p99", s.p90)
    for name in ("threads", "batch", "input_size"):
        value = getattr(c, name)
        expect(value > 0, f"{where}.contender.{name}", "1 or more", value)
    _all_positive(timing.samples, f"{where}.samples")
    for name, value in {"images_per_second": timing.images_per_second, **timing.parts}.items():
        expect(0 < value < math.inf, f"{where}.{name}", "a number above 0", value)


def _all_positive(values: Sequence[float], where: str) -> None:
    expect(0 < len(values) <= MOST_SAMPLES, where, f"1 to {MOST_SAMPLES} numbers", len(values))
    for k, value in enumerate(values):
        expect(0 < value < math.inf, f"{where}[{k}]", "a number above 0", value)
