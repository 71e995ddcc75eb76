"""A trade-off of made-up predictions: a teacher and a student in three forms each."""

from __future__ import annotations

from functools import cache

import numpy as np

from kdcore.predict import Predictions
from kdcore.report.tradeoff import Point, Scored, make_points, scored, single_pictures
from tests.deploy.makers import efficiency
from tests.evaluate.makers import make_predictions

SIGNAL = {"big": 2.5, "small": 1.5}
LESS = 0.4  # of the signal, in INT8


def predictions(name: str, engine: str, part: str, n: int = 120) -> Predictions:
    """What a form answers; float forms answer alike."""
    signal = SIGNAL[name] - (LESS if engine == "int8" else 0.0)
    ids = np.array([f"{part} {i}" for i in range(n)])
    return make_predictions(n, signal=signal, split=part, seed=3, sample_ids=ids)


@cache
def scores_of(name: str, quantised: bool, part: str) -> Scored:
    return scored(predictions(name, "int8" if quantised else "eager", part), 1.3, 100)


def points(quality: str = "macro_f1", parts: tuple[str, ...] = ("val", "test"), **more):
    """The points of the made-up record, with scores on `parts` alone."""
    found = efficiency()

    def scores(model, engine, part) -> Scored | None:
        return scores_of(model.name, engine == "int8", part) if part in parts else None

    (timings,) = single_pictures(found.benchmark).values()
    models = {m.weights: m for m in found.models}
    return make_points(timings, models, quality, scores, **more)


def named(found: list[Point], name: str, engine: str) -> Point:
    return next(p for p in found if p.name == name and engine in p.engines)
