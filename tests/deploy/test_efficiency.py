"""The efficiency record: the rule that recommends, round trips, every broken field named."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from kdcore.base import DataError
from kdcore.deploy.efficiency import (
    MOST_LOSS,
    PARENTS,
    from_json,
    loss_on_validation,
    recommend,
    to_json,
)
from tests.deploy.makers import MS, efficiency, model, quality, variant, without_quality


def recommended_by_hand(found, p50) -> str:
    """The rule, form by form, with nothing shared with the code."""
    scores = {v.engine: v.quality["val"].macro_f1 for v in found.variants}
    allowed = []
    for engine, score in scores.items():
        parent = {"torchscript": "eager", "onnxruntime": "eager", "int8": "onnxruntime"}.get(engine)
        if parent not in (None, *p50):
            parent = "eager"
        if scores["eager"] - score <= 0.01 and (parent is None or p50[engine] <= p50[parent]):
            allowed.append((p50[engine], list(scores).index(engine), engine))
    return min(allowed)[2]


@pytest.mark.parametrize("seed", range(40))
def test_the_rule(seed):
    rng = np.random.default_rng(seed)
    engines = ["eager", *rng.permutation(list(PARENTS))[: rng.integers(0, 4)].tolist()]
    forms = tuple(variant(e, 0.6 - 0.005 * int(rng.integers(0, 5))) for e in engines)
    p50 = {e: float(rng.integers(1, 6)) for e in engines}  # ties are likely
    found = recommend(model(variants=forms), p50)
    assert found.recommended.engine == recommended_by_hand(found, p50)
    assert sum(v.recommended for v in found.variants) == 1


def test_a_loss_at_the_limit_is_allowed_and_one_beyond_is_not():
    forms = (variant("eager", 0.5), variant("onnxruntime", 0.5))
    for score, engine in ((0.5 - MOST_LOSS + 1e-9, "int8"), (0.48, "onnxruntime")):
        found = recommend(model(variants=(*forms, variant("int8", score))), MS["small"])
        assert found.recommended.engine == engine


def test_test_has_no_say():
    worse = variant("int8", 0.6, quality={"val": quality(0.6), "test": quality(0.1)})
    forms = (variant("eager"), variant("onnxruntime"), worse)
    assert recommend(model(variants=forms), MS["small"]).recommended.engine == "int8"


def test_without_pictures_a_float_form_counts_as_the_network():
    found = without_quality(model())
    assert [loss_on_validation(found, v) for v in found.variants] == [0, 0, math.inf]
    assert recommend(found, MS["small"]).recommended.engine == "onnxruntime"


def test_what_can_not_be_recommended():
    with pytest.raises(ValueError, match="int8"):
        recommend(model(), {"eager": 1.0, "onnxruntime": 1.0})
    with pytest.raises(ValueError, match="eager"):
        recommend(model(variants=(variant("int8"),)), {"int8": 1.0})


def test_speed_ups_are_ratios_of_medians():
    found = efficiency()
    for m in found.models:
        for v in m.variants:
            expected = MS[m.name]["eager"] / MS[m.name][v.engine]
            assert found.speed_up(m, v.engine) == pytest.approx(expected)
        assert math.isnan(found.speed_up(m, "torchscript"))
    assert found.models[0].recommended.engine == "int8"
    assert found.models[1].recommended.engine == "onnxruntime"
    assert found.models[0].parameters_mb == 1.048576


def test_round_trip():
    found = efficiency()
    assert from_json(to_json(found), "e.json") == found
    bare = efficiency((replace(without_quality(model()), variants=model().variants[:1]),))
    assert from_json(to_json(bare), "e.json") == bare


CHANGES = {
    "efficiency.data": ("data", 3),
    "efficiency.models": ("models", []),
    "efficiency.models[0].name": ("models.0.name", "../evil"),
    "efficiency.models[0].macs": ("models.0.macs", 0),
    "efficiency.models[1].temperature": ("models.1.temperature", None),
    "efficiency.models[0].variants": ("models.0.variants", []),
    "efficiency.models[0].variants[1].engine": ("models.0.variants.1.engine", "torchscript"),
    "efficiency.models[0].variants[1].size": ("models.0.variants.1.size", 0),
    "efficiency.models[0].variants[1].check.n": ("models.0.variants.1.check.n", "many"),
    "efficiency.models[0].variants[2].quality.val.ece": (
        "models.0.variants.2.quality.val.ece", 1.5),
    "efficiency.models[0].variants[2].quality.test.kept": (
        "models.0.variants.2.quality.test.kept", 1),
    "efficiency.benchmark.conditions.date": ("benchmark.conditions.date", "now"),
    "efficiency.benchmark.timings[0].summary.p50": ("benchmark.timings.0.summary.p50", -1),
    "efficiency.more": ("more", 1),
}  # fmt: skip


@pytest.mark.parametrize("told", CHANGES)
def test_a_wrong_field_is_named(told):
    path, value = CHANGES[told]
    whole = json.loads(to_json(efficiency()))
    *places, last = path.split(".")
    at = whole["efficiency"]
    for place in places:
        at = at[int(place)] if isinstance(at, list) else at[place]
    at[int(last) if isinstance(at, list) else last] = value
    with pytest.raises(DataError) as error:
        from_json(json.dumps(whole), "mine.json")
    assert f"mine.json: {told}" in error.value.problem


@pytest.mark.parametrize("marks", [(False, False, False), (True, True, False)])
def test_one_form_is_recommended(marks):
    whole = json.loads(to_json(efficiency()))
    for form, mark in zip(whole["efficiency"]["models"][0]["variants"], marks, strict=True):
        form["recommended"] = mark
    with pytest.raises(DataError, match="one that is recommended"):
        from_json(json.dumps(whole), "mine.json")


def test_two_models_of_one_name():
    whole = json.loads(to_json(efficiency()))
    whole["efficiency"]["models"][1]["name"] = "big"
    with pytest.raises(DataError, match="different names"):
        from_json(json.dumps(whole), "mine.json")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kind": "distilscope latency benchmark"}'])
def test_what_is_no_record(text):
    with pytest.raises(DataError, match=r"mine\.json"):
        from_json(text, "mine.json")
