"""Latency benchmarks as tables and sentences: one alone, and two beside each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kdcore.deploy.latency import Contender
from kdcore.deploy.latency_engines import ENGINES
from kdcore.deploy.latency_record import Benchmark, Timing
from kdcore.deploy.latency_stats import TAIL
from kdcore.evaluate import Interval
from kdcore.report.cells import interval_text

METHOD = "Intervals: 95 %, order statistics of the medians of blocks of calls, timed in turns."
PERCENTILES = (
    "p90 of single images is what MLPerf's single-stream scenario reports; seconds here, "
    "600 s and a penalty for few calls there, so this is no MLPerf result."
)


@dataclass(frozen=True)
class Ratio:
    """A contender in two benchmarks, or two contenders in one: how many times faster, from to."""

    label: str
    one: Timing
    other: Timing
    times: Interval


def engine_title(engine: str) -> str:
    """Return what people call an engine, one of another version's by its own name."""
    return ENGINES.get(engine, engine)


def threads_text(threads: int) -> str:
    """Return "1 thread" or "4 threads"."""
    return "1 thread" if threads == 1 else f"{threads} threads"


def median_of(timing: Timing) -> Interval:
    """Return a timing's median with its interval, ms."""
    return Interval(timing.summary.p50, timing.summary.low, timing.summary.high)


def machine_title(benchmark: Benchmark) -> str:
    """Return what kind of machine it was: "AMD EPYC, 2 cores, 25 GB"."""
    facts = benchmark.conditions.machine
    memory = facts.get("memory_gb")
    count = facts["cores"]
    parts = [facts["processor"], "1 core" if count == 1 else f"{count} cores"]
    parts += [f"{memory:.0f} GB"] if isinstance(memory, int | float) else []
    return ", ".join(parts)


def benchmark_title(benchmark: Benchmark, imported: bool = False) -> str:
    """Return what a benchmark is called in a list: its date and machine."""
    date = benchmark.conditions.date[:16].replace("T", " ")
    return f"{date} UTC · {machine_title(benchmark)}" + (" · imported" if imported else "")


def timed(benchmark: Benchmark) -> str:
    """Return on what machine, when, how and under which conditions it was timed."""
    conditions = benchmark.conditions
    return f"{machine_title(benchmark)}, {conditions.date[:10]}. {METHOD} {conditions.sentence()}"


def timing_rows(benchmark: Benchmark) -> list[list[object]]:
    """Return every number of every contender, the first row the head."""
    head: list[object] = [
        "model", "engine", "device", "threads", "batch", "way", "p50 ms", "p90 ms", "p99 ms",
        "mean ms", "sd ms", "images/s", "calls", "blocks",
    ]  # fmt: skip
    return [head, *(_row(timing) for timing in benchmark.timings)]


def _row(timing: Timing) -> list[object]:
    c, s = timing.contender, timing.summary
    way = "JPEG to probabilities" if c.end_to_end else "network"
    numbers = [round(v, 3) for v in (s.p90, s.p99, s.mean, s.sd)]
    return [
        c.title, engine_title(c.engine), c.device, c.threads, c.batch, way, median_of(timing),
        *numbers, round(timing.images_per_second, 1), s.calls, s.blocks,
    ]  # fmt: skip


def compact_rows(benchmark: Benchmark) -> list[list[object]]:
    """Return `timing_rows` for the screen: fewer digits, and a p99 of few calls left out."""
    head, *body = timing_rows(benchmark)
    shown = []
    for row, timing in zip(body, benchmark.timings, strict=True):
        s = timing.summary
        tail = f"{s.p99:.2f}" if s.calls >= TAIL else "too few calls"
        numbers: list[object] = [f"{s.p90:.2f}", tail, f"{s.mean:.2f}", _digits(s.sd)]
        shown.append([*row[:6], interval_text(median_of(timing), 2), *numbers, *row[11:]])
    return [head, *shown]


def _digits(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:.2f}"


def part_rows(benchmark: Benchmark) -> list[list[object]]:
    """Return the mean ms and share of each step from JPEG to probabilities; only a head if none."""
    rows: list[list[object]] = [["model", "engine", "threads", "step", "mean ms", "share"]]
    for timing in benchmark.timings:
        c, whole = timing.contender, sum(timing.parts.values())
        if c.end_to_end:
            start = [c.title, engine_title(c.engine), c.threads]
            rows += [
                [*start, name, round(ms, 3), round(ms / whole, 4)]
                for name, ms in timing.parts.items()
            ]
    return rows


def fact_rows(benchmarks: Mapping[str, Benchmark]) -> list[list[object]]:
    """Return the conditions of benchmarks side by side, one column for each name."""
    columns = [_facts(benchmark) for benchmark in benchmarks.values()]
    head: list[object] = ["", *benchmarks]
    rows: list[list[object]] = [[name, *(facts[name] for facts in columns)] for name in columns[0]]
    return [head, *rows]


def _facts(benchmark: Benchmark) -> dict[str, str]:
    conditions, facts = benchmark.conditions, benchmark.conditions.machine
    libraries = ("torch", "onnxruntime", "torchvision", "numpy", "pillow")
    found = {
        "processor": facts["processor"],
        "cores": facts["cores"],
        "memory, GB": facts.get("memory_gb"),
        "graphics processor": facts.get("cuda") or "none",
        "power": facts.get("power"),
        "system": facts.get("system"),
        "Python": facts.get("python"),
        **{name: facts["versions"].get(name) for name in libraries},
        "OMP_NUM_THREADS": facts.get("omp_num_threads"),
        "OMP_WAIT_POLICY": facts.get("omp_wait_policy"),
        "priority (nice)": facts.get("nice"),
        "load average before": conditions.load_before,
        "load average after": conditions.load_after,
        "cores busy with others": conditions.others,
        "left alone": "yes" if conditions.alone else "no",
        "date (UTC)": conditions.date[:19].replace("T", " "),
    }
    return {name: "not told" if value is None else str(value) for name, value in found.items()}


def speed_ups(benchmark: Benchmark) -> list[Ratio]:
    """Return how many times faster than the first teacher each other model answers.

    Only like is compared with like: the same engine, device, threads, batch and way. Ends of the
    ratio are of both intervals at their worst, so that they are wider than 95 % needs.
    """
    teacher = next((t.contender.model for t in benchmark.timings if _teaches(t)), None)
    base = {_setting(t): t for t in benchmark.timings if t.contender.model == teacher}
    return [
        Ratio(f"{t.contender.title} · {setting_text(t.contender)}", base[_setting(t)], t,
              _ratio(base[_setting(t)], t))
        for t in benchmark.timings
        if t.contender.model != teacher and _setting(t) in base
    ]  # fmt: skip


def first_speed_ups(benchmark: Benchmark, most: int = 4) -> list[Ratio]:
    """Return the first of `speed_ups` by setting, so that no model takes every place."""
    order = list(settings(benchmark))
    ratios = speed_ups(benchmark)
    return sorted(ratios, key=lambda r: order.index(setting_text(r.other.contender)))[:most]


def speed_up_sentence(ratio: Ratio) -> str:
    """Return a speed-up in words; a model that is not faster is said to be so."""
    one, other = ratio.one.contender, ratio.other.contender
    text = interval_text(ratio.times, 1)
    where = setting_text(other)
    if math.isnan(ratio.times.low):
        return f"**{other.title}**: too few calls were timed to compare it: {where}."
    if ratio.times.low > 1:
        return f"**{other.title}** is {text} times as fast as {one.title}: {where}."
    if ratio.times.high < 1:
        return f"**{other.title}** is slower than {one.title} ({text} times as fast): {where}."
    times, bounds = text.split(" ", 1)
    told = f"no difference shown ({times} times as fast {bounds})"
    return f"**{other.title}** against **{one.title}**: {told}, {where}."


def settings(benchmark: Benchmark) -> dict[str, list[Timing]]:
    """Return the timings of each setting by its words: the same in all but the model."""
    found: dict[str, list[Timing]] = {}
    for timing in benchmark.timings:
        found.setdefault(setting_text(timing.contender), []).append(timing)
    return found


def over_threads(benchmark: Benchmark, like: Contender) -> list[Timing]:
    """Return the timings that differ from `like` in model and threads only; [] for one count."""
    wanted = (like.engine, like.device, like.batch, like.end_to_end)
    found = [
        t
        for t in benchmark.timings
        if wanted
        == (t.contender.engine, t.contender.device, t.contender.batch, t.contender.end_to_end)
    ]
    return found if len({t.contender.threads for t in found}) > 1 else []


def whole_ways(benchmark: Benchmark) -> list[Timing]:
    """Return the timings from JPEG to probabilities."""
    return [t for t in benchmark.timings if t.contender.end_to_end]


def compare_benchmarks(one: Benchmark, other: Benchmark) -> list[Ratio]:
    """Return how many times faster `other` is than `one`, for all that both have timed."""
    known = {_identity(t): t for t in one.timings}
    pairs = [(known[_identity(t)], t) for t in other.timings if _identity(t) in known]
    return [Ratio(_label(b.contender), a, b, _ratio(a, b)) for a, b in pairs]


def comparison_rows(ratios: Sequence[Ratio], names: tuple[str, str]) -> list[list[object]]:
    """Return two benchmarks' medians and their ratio, the first row the head."""
    medians_of = [f"{name}, p50 ms" for name in names]
    head: list[object] = ["what", *medians_of, "times as fast", "weights"]
    body: list[list[object]] = []
    for ratio in ratios:
        same = ratio.one.contender.weights == ratio.other.contender.weights
        medians = [median_of(ratio.one), median_of(ratio.other), ratio.times]
        body.append([ratio.label, *medians, "the same" if same else "differ"])
    return [head, *body]


def setting_text(contender: Contender) -> str:
    """Return how it was run: engine, threads, batch, way."""
    parts = [engine_title(contender.engine), threads_text(contender.threads)]
    parts += [f"batch {contender.batch}"] if contender.batch != 1 else ["one picture at a time"]
    parts += ["JPEG to probabilities"] if contender.end_to_end else []
    return ", ".join(parts + ([contender.device] if contender.device != "cpu" else []))


def setting_lines(contender: Contender) -> str:
    """Return how it was run in lines for a chart's row: engine, threads and batch, way."""
    pictures = "1 picture" if contender.batch == 1 else f"{contender.batch} pictures"
    lines = [engine_title(contender.engine), f"{threads_text(contender.threads)}, {pictures}"]
    lines += ["JPEG to probabilities"] if contender.end_to_end else []
    return "\n".join(lines + ([contender.device] if contender.device != "cpu" else []))


def _label(contender: Contender) -> str:
    return f"{contender.title} · {setting_text(contender)}"


def _ratio(one: Timing, other: Timing) -> Interval:
    a, b = one.summary, other.summary
    return Interval(a.p50 / b.p50, a.low / b.high, a.high / b.low)


def _teaches(timing: Timing) -> bool:
    return timing.contender.role == "teacher"


def _setting(timing: Timing) -> tuple[object, ...]:
    c = timing.contender
    return c.engine, c.device, c.threads, c.batch, c.end_to_end


def _identity(timing: Timing) -> tuple[object, ...]:
    return timing.contender.model, timing.contender.input_size, *_setting(timing)
