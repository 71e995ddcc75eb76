"""Efficiency records made up of known numbers: three forms of a teacher and of a student."""

from __future__ import annotations

from dataclasses import replace

from kdcore.deploy.check import Check
from kdcore.deploy.efficiency import Efficiency, ModelCost, Quality, Variant, recommend
from kdcore.deploy.latency import measure
from kdcore.deploy.latency_record import Benchmark, timing_of
from kdcore.deploy.profile import PeakMemory
from tests.deploy.fakes import FakeTime, conditions, runner

MS = {  # of one picture
    "big": {"eager": 40.0, "onnxruntime": 20.0, "int8": 8.0},
    "small": {"eager": 8.0, "onnxruntime": 2.0, "int8": 1.0},
}
LOST = {"big": 0.002, "small": 0.05}  # macro-F1 on validation, of INT8


def quality(macro_f1: float, agreement: float = 1.0, kept: bool = False) -> Quality:
    return Quality(120, macro_f1, macro_f1, macro_f1, 0.05, agreement, kept)


def variant(engine: str, macro_f1: float | None = 0.6, **more) -> Variant:
    """One form; its scores on both parts are `macro_f1`, none where that is None."""
    kept = engine == "int8"
    own = quality(macro_f1 or 0.0, 0.9 if kept else 1.0, kept)
    fields = {
        "engine": engine,
        "size": {"eager": 5_000_000, "int8": 2_500_000}.get(engine, 9_000_000),
        "sha256": engine,
        "check": None if engine == "eager" else Check(14, 0.01, 1e-6, 1.0, 1e-4),
        "memory": PeakMemory(150.0, 100.0),
        "quality": {} if macro_f1 is None else {"val": own, "test": own},
    }
    return Variant(**(fields | more))


def model(name: str = "small", weights: str = "0" * 64, **more) -> ModelCost:
    """A model in three forms, INT8 as much worse as `LOST` says."""
    fields = {
        "name": name,
        "title": name.capitalize(),
        "role": "teacher" if name == "big" else "student",
        "architecture": "cnn2",
        "input_size": 32,
        "temperature": 1.3,
        "weights": weights,
        "parameters": 2**18,
        "macs": 5_000_000,
        "variants": tuple(
            variant(e, 0.6 - (LOST.get(name, 0.0) if e == "int8" else 0.0))
            for e in ("eager", "onnxruntime", "int8")
        ),
    }
    return ModelCost(**(fields | more))


def times(models) -> Benchmark:
    """A benchmark of every form, of the delays of `MS`."""
    time = FakeTime()
    runners = [
        runner(
            time, m.name, MS.get(m.name, MS["small"])[v.engine] / 1000, engine=v.engine,
            weights=m.weights, title=m.title, role=m.role,
        )
        for m in models
        for v in m.variants
    ]  # fmt: skip
    measure(runners, seconds=8, watch=time.clock)
    return Benchmark(conditions(), 8.0, 9.0, 0.05, tuple(timing_of(r) for r in runners))


def efficiency(models=None) -> Efficiency:
    """A whole record; the default has a teacher and a student of different weights."""
    models = models or (model("big", "b" * 64), model("small", "5" * 64))
    marked = tuple(recommend(m, MS.get(m.name, MS["small"])) for m in models)
    return Efficiency("HAM10000", 100, marked, times(models))


def without_quality(found: ModelCost) -> ModelCost:
    return replace(found, variants=tuple(replace(v, quality={}) for v in found.variants))
