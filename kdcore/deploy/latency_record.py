"""A latency benchmark as a record, and as JSON that is read back only if every field is right."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import datetime
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from kdcore.base import DataError, sha256_bytes
from kdcore.deploy.conditions import Conditions
from kdcore.deploy.latency import Contender, Runner
from kdcore.deploy.latency_stats import Summary, images_per_second, thinned

KIND = "distilscope latency benchmark"
SCHEMA = 1
MOST_SAMPLES = 1000
_HINT = "Export it again on the machine that it comes from."


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
    record = {"kind": KIND, "schema": SCHEMA, "benchmark": _defined(asdict(benchmark))}
    return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str, file: str) -> Benchmark:
    """Return the record in JSON `text`; `file` is what errors call it.

    Raises
    ------
    DataError
        If it is no such JSON, of another schema, or a field is missing, unknown or wrong; the
        field is named.
    """
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is not JSON.", "Choose a file that this page exported.") from error
    if not isinstance(record, dict) or record.get("kind") != KIND:
        raise DataError(
            f"{file} is not a latency benchmark of DistilScope.",
            "Choose a file that this page or `python -m kdcore bench --json` wrote.",
        )
    if record.get("schema") != SCHEMA:
        raise DataError(
            f"{file} has the schema {record.get('schema')!r}; this version reads {SCHEMA}.",
            "Update the older of the two installations.",
        )
    try:
        found: Benchmark = _read(Benchmark, record.get("benchmark"), "benchmark")
        _check(found)
    except _FieldError as error:
        raise DataError(f"{file}: {error}.", _HINT) from error
    return found


class _FieldError(ValueError):
    """A field's name, what was expected and what came."""


def _read(kind: Any, value: Any, where: str) -> Any:
    """Return JSON's `value` as `kind`, a dataclass or an annotation of one's field."""
    if is_dataclass(kind):
        return _read_fields(kind, value, where)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else _read(inner[0], value, where)
    if origin is tuple:
        _expect(isinstance(value, list), where, "a list", value)
        return tuple(_read(inner[0], item, f"{where}[{k}]") for k, item in enumerate(value))
    if origin is dict:
        _expect(isinstance(value, dict), where, "an object", value)
        return {key: _read(inner[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        _expect(value is None or number, where, "a number", value)
        return math.nan if value is None else float(value)
    if kind is not Any:
        right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        _expect(right, where, {int: "a whole number", str: "a text"}.get(kind, "yes or no"), value)
    return value


def _read_fields(kind: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, dict), where, "an object", value)
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    for name in (*names, *value):
        known = name in names and name in value
        _expect(known, f"{where}.{name}", "a known field that is there", "none or another")
    return kind(**{name: _read(hints[name], value[name], f"{where}.{name}") for name in names})


def _expect(right: bool, where: str, expected: str, came: Any) -> None:
    if not right:
        text = repr(came)
        raise _FieldError(f"{where}: expected {expected}, got {text[:60]}")


def _check(found: Benchmark) -> None:
    """Check what types alone don't: the date, the facts that pages show, and sound numbers."""
    conditions = found.conditions
    try:
        datetime.fromisoformat(conditions.date)
    except ValueError:
        _expect(False, "benchmark.conditions.date", "a date, ISO 8601", conditions.date)
    place = "benchmark.conditions.machine"
    for name, kind in (("processor", str), ("cores", int), ("versions", dict)):
        value = conditions.machine.get(name)
        _expect(isinstance(value, kind), f"{place}.{name}", f"a {kind.__name__}", value)
    _expect(conditions.machine["cores"] > 0, f"{place}.cores", "1 or more", 0)
    _expect(bool(found.timings), "benchmark.timings", "one or more", "none")
    for k, timing in enumerate(found.timings):
        _check_timing(timing, f"benchmark.timings[{k}]")


def _check_timing(timing: Timing, where: str) -> None:
    s, c = timing.summary, timing.contender
    for name in ("mean", "p50", "p90", "p99"):
        value = getattr(s, name)
        _expect(0 < value < math.inf, f"{where}.summary.{name}", "a number above 0", value)
    ends = math.isnan(s.low) and math.isnan(s.high)
    _expect(ends or s.low <= s.p50 <= s.high, f"{where}.summary.p50", "one in its interval", s.p50)
    _expect(s.p50 <= s.p90 <= s.p99, f"{where}.summary.p90", "one from p50 to p99", s.p90)
    for name in ("threads", "batch", "input_size"):
        value = getattr(c, name)
        _expect(value > 0, f"{where}.contender.{name}", "1 or more", value)
    _all_positive(timing.samples, f"{where}.samples")
    for name, value in {"images_per_second": timing.images_per_second, **timing.parts}.items():
        _expect(0 < value < math.inf, f"{where}.{name}", "a number above 0", value)


def _all_positive(values: Sequence[float], where: str) -> None:
    _expect(0 < len(values) <= MOST_SAMPLES, where, f"1 to {MOST_SAMPLES} numbers", len(values))
    for k, value in enumerate(values):
        _expect(0 < value < math.inf, f"{where}[{k}]", "a number above 0", value)


def _defined(value: Any) -> Any:
    """Return a JSON value with null for what is not finite."""
    keep: Callable[[Any], Any] = _defined
    if isinstance(value, dict):
        return {name: keep(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [keep(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
