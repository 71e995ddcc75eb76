"""Engines with known delays on a clock that only they move, and a benchmark made up of them."""

from __future__ import annotations

import numpy as np

from kdcore.deploy.conditions import Conditions
from kdcore.deploy.latency import Clock, Contender, Runner, measure
from kdcore.deploy.latency_record import Benchmark, timing_of


class FakeTime:
    """Nanoseconds that pass when a step says so."""

    def __init__(self) -> None:
        self.now = 0
        self.log: list[str] = []

    def step(self, name: str, delays):
        """Return a step that takes the next of `delays` (seconds), again and again."""
        delays = [delays] if isinstance(delays, float) else list(delays)
        calls = 0

        def run(value):
            nonlocal calls
            self.log.append(name)
            self.now += round(1e9 * delays[calls % len(delays)])
            calls += 1
            return value

        return run

    def clock(self, device: str = "cpu") -> Clock:
        return Clock(lambda: self.now)


def contender(model: str = "small", **more) -> Contender:
    fields = {
        "model": model,
        "title": model.capitalize(),
        "role": "teacher" if model == "big" else "student",
        "weights": "0" * 64,
        "engine": "eager",
        "device": "cpu",
        "threads": 1,
        "batch": 1,
        "input_size": 32,
    }
    return Contender(**(fields | more))


def runner(time: FakeTime, model: str, delays, **more) -> Runner:
    return Runner(contender(model, **more), None, (("network", time.step(model, delays)),))


def conditions(**more) -> Conditions:
    machine = {
        "processor": "Testing 9000",
        "cores": 2,
        "memory_gb": 8.0,
        "power": None,
        "system": "Linux",
        "python": "3.11.7",
        "versions": {"torch": "2.0", "onnxruntime": "1.0"},
        "cuda": None,
        **more.pop("machine", {}),
    }
    fields = {
        "date": "2026-01-02T03:04:05+00:00",
        "machine": machine,
        "threads": 2,
        "load_before": 0.1,
        "load_after": 0.9,
        "others": 0.0,
    }
    return Conditions(**(fields | more))


def benchmark(seed: int = 0, scale: float = 1.0, **more) -> Benchmark:
    """A teacher of 10 ms and a student of 2 ms, both noisy, in two engines and with 1, 2 threads.

    With `scale` the machine is slower; `more` are fields of the conditions.
    """
    time, rng = FakeTime(), np.random.default_rng(seed)
    runners = []
    for model, ms in (("big", 10), ("small", 2)):
        for engine, factor in (("eager", 1.0), ("onnxruntime", 0.5)):
            for threads in (1, 2):
                delay = scale * factor * ms / 1000 / threads**0.5
                delays = (delay * rng.lognormal(0, 0.05, size=997)).tolist()
                runners.append(runner(time, model, delays, engine=engine, threads=threads))
    for model in ("big", "small"):
        steps = [
            (name, time.step(name, scale * ms / 1000))
            for name, ms in {
                "decode": 2.0,
                "preprocess": 3.0,
                "network": 4.0,
                "softmax": 1.0,
            }.items()
        ]
        runners.append(Runner(contender(model, end_to_end=True), None, tuple(steps)))
    measure(runners, seconds=4 * scale, watch=time.clock, precision=0.001)
    return Benchmark(
        conditions=conditions(**more),
        seconds=4.0,
        took=9.5,
        precision=0.05,
        timings=tuple(timing_of(r) for r in runners),
    )
