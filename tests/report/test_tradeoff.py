"""Points, fronts and answers of trade-offs, against the record, paired bootstraps and loops."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from kdcore.evaluate import LOWER_IS_BETTER, Interval, compare_pair, evaluate_predictions
from kdcore.evaluate.robustness import robustness
from kdcore.report.tradeoff import (
    COSTS,
    QUALITIES,
    chosen_on,
    drawable,
    front_of,
    make_points,
    point_rows,
    scored,
    single_pictures,
)
from kdcore.report.tradeoff_words import answer
from tests.deploy.fakes import benchmark
from tests.deploy.makers import efficiency
from tests.evaluate.test_robustness import make_grid
from tests.report.tradeoffs import named, points, predictions, scores_of

WIDE = {"latency": 1000.0, "size": 1000.0}
NAN = float("nan")


@pytest.mark.parametrize("quality", [q for q in QUALITIES if q not in ("mel", "corrupted")])
def test_scores_and_differences_are_those_of_the_evaluation(quality):
    one, other = (predictions(n, "eager", "test") for n in ("big", "small"))
    own = scored(one, 1.3, 100)
    expected = evaluate_predictions(one, 1.3, 100).metrics[quality]
    assert own.interval(quality) == expected
    pair = compare_pair(other, one, 1.3, 1.3, 100).metrics[quality].delta
    found = own.less(scored(other, 1.3, 100), quality)
    assert found.value == pytest.approx(pair.value)
    assert (found.low, found.high) == pytest.approx((pair.low, pair.high))


def test_melanoma_is_the_recall_of_its_class():
    one = predictions("big", "eager", "test")
    rows = {row.name: row for row in evaluate_predictions(one, 1.3, 100).per_class}
    assert scored(one, 1.3, 100).interval("mel") == rows["mel"].recall
    other = replace(one, classes=tuple("abcdefg"))
    assert math.isnan(scored(other, 1.0, 10).interval("mel").value)


def test_no_difference_on_other_images():
    one, other = (scored(predictions("big", "eager", p), 1.3, 20) for p in ("val", "test"))
    assert math.isnan(one.less(other, "macro_f1").value)


def test_points_are_the_record():
    found, record = points(), efficiency()
    assert len(found) == 6
    for p in found:
        (engine,) = p.engines
        model = next(m for m in record.models if m.name == p.name)
        variant = model.variant(engine)
        assert p.costs["latency"].value == record.timing(model, engine).summary.p50
        assert p.costs["size"].value == variant.size / 1e6
        assert p.costs["memory"].value == 50 and p.costs["parameters"].value == 1.048576
        assert p.costs["macs"].value == 0.005
        assert p.recommended == variant.recommended
        assert p.quality == scores_of(p.name, engine == "int8", "test").interval("macro_f1")


def test_a_model_of_other_weights_is_no_point():
    found = efficiency()
    (timings,) = single_pictures(found.benchmark).values()
    assert make_points(timings, {}, "macro_f1", lambda *_: None) == []
    with pytest.raises(ValueError, match="macro_f2"):
        make_points(timings, {}, "macro_f2", lambda *_: None)


def test_single_pictures_leave_out_batches_and_the_whole_way():
    found = single_pictures(benchmark())
    assert list(found) == ["1 thread", "2 threads"]
    assert all(not t.contender.end_to_end for ts in found.values() for t in ts)


def test_forms_at_one_place_are_one():
    found = drawable(points(), "macs")
    assert [p.engines for p in found] == [("eager", "onnxruntime"), ("int8",)] * 2
    assert found[2].recommended, "of ONNX Runtime, which is drawn with eager"
    assert len(drawable(points(), "latency")) == 6
    unknown = [replace(p, quality=Interval(NAN, NAN, NAN)) for p in points()]
    assert drawable(unknown, "macs") == []


@pytest.mark.parametrize("quality", ["macro_f1", "ece"])
@pytest.mark.parametrize("cost", ["latency", "size"])
def test_the_front_is_beaten_by_nothing(quality, cost):
    found = points(quality)
    front = front_of(found, cost, quality)
    sign = -1 if quality in LOWER_IS_BETTER else 1
    for p in found:
        beaten = any(
            o.costs[cost].value <= p.costs[cost].value
            and sign * o.quality.value >= sign * p.quality.value
            and (o.costs[cost].value, o.quality.value) != (p.costs[cost].value, p.quality.value)
            for o in found
        )
        assert (p in front) != beaten
    assert [p.costs[cost].value for p in front] == sorted(p.costs[cost].value for p in front)


def grid_of(names):
    """A robustness table of models of these names."""
    made = make_grid(60)
    found = robustness({n: next(iter(made.values())) for n in names}, n_boot=20)
    return replace(found, weights={})


def test_under_corruption():
    table = grid_of(["big"])
    found = points("corrupted", corrupted=table)
    error = next(c for c in table.means if c.corruption == "all").balanced_error
    own = named(found, "big", "onnxruntime").quality
    assert own == Interval(1 - error.value, 1 - error.high, 1 - error.low)
    assert own.low <= own.value <= own.high
    assert math.isnan(named(found, "big", "int8").quality.value), "not measured"
    assert math.isnan(named(found, "small", "eager").quality.value), "not in the table"
    assert "only" in answer(found, "corrupted", {"latency": 30.0, "size": 100.0}).text
    stale = points("corrupted", corrupted=replace(table, weights={"big": "another"}))
    assert math.isnan(named(stale, "big", "onnxruntime").quality.value), "of other weights"


def test_the_best_on_validation_is_chosen_and_test_reported():
    found = points()
    assert chosen_on(found, "macro_f1") == "val"
    swapped = [replace(p, val=scores_of({"big": "small", "small": "big"}[p.name],
                                        "int8" in p.engines, "val")) for p in found]  # fmt: skip
    told = answer(swapped, "macro_f1", WIDE)
    assert told.best.name == "small" and told.best.engines == ("onnxruntime",)
    assert f"{told.best.quality.value:.3f}" in told.text and "validation" in told.more[0]
    plain = answer(found, "macro_f1", WIDE)
    assert plain.best.name == "big" and "of the 6 forms that fit" in plain.text


def test_without_validation_the_flattery_is_told():
    told = answer(points(parts=("test",)), "macro_f1", WIDE)
    assert "flattered" in told.more[0]


def test_lower_is_better_of_errors():
    found = points("nll")
    best = answer(found, "nll", WIDE).best
    assert best.val.interval("nll").value == min(p.val.interval("nll").value for p in found)


@pytest.mark.parametrize("latency", [1.0, 5.0, 10.0, 20.001, 1000.0])
@pytest.mark.parametrize("size", [2.5, 5.0, 9.0, 1000.0])
def test_limits(latency, size):
    best, ms = None, math.inf
    for p in points():
        own, cost = p.val.interval("macro_f1").value, p.costs["latency"].value
        if cost > latency or p.costs["size"].value > size:
            continue
        top = best.val.interval("macro_f1").value if best else -1
        if own > top or (own == top and cost < ms):
            best, ms = p, cost
    found = answer(points(), "macro_f1", {"latency": latency, "size": size}).best
    assert (found and found.full) == (best and best.full)


def test_nothing_fits():
    told = answer(points(), "macro_f1", {"latency": 0.5, "size": 1})
    assert told.best is None and told.text == "Nothing fits under 0.5 ms and 1 MB."
    assert told.more[0].startswith("The fastest is Small · ONNX Runtime INT8: 1.00")
    assert told.more[1].startswith("The smallest is Big · ONNX Runtime INT8")
    one = [named(points(), "small", "int8")]
    assert (
        answer(one, "macro_f1", {"latency": 0.5, "size": 1})
        .more[0]
        .startswith("The fastest and smallest is Small")
    )


def test_nothing_known():
    unknown = [replace(p, quality=Interval(NAN, NAN, NAN)) for p in points()]
    assert "No model here has a known macro-F1" in answer(unknown, "macro_f1", WIDE).text
    assert answer([], "macro_f1", WIDE).best is None


def test_what_can_not_be_told_apart_is_told():
    found = points()
    for most in (1000.0, 5.0):
        told = answer(found, "macro_f1", {"latency": most, "size": 100.0})
        best = told.best
        level: dict[object, str] = {}
        for p in sorted(found, key=lambda p: p.costs["latency"].value):
            delta = best.val.less(p.val, "macro_f1")
            fits = p.costs["latency"].value <= most
            if p.val is not best.val and fits and delta.low <= 0 <= delta.high:
                level.setdefault(id(p.val), p.full)  # of forms that answer alike, the fastest
        text = " ".join(told.more)
        assert ("Not told apart" in text) == bool(level)
        assert sum(full in text for full in level.values()) == min(len(level), 3)
        assert ("better than all others" in text) == (not level)


def test_a_twin_is_not_told_apart_and_a_cheaper_one_is_named():
    found = points()
    big = named(found, "big", "onnxruntime")
    twin = replace(named(found, "small", "onnxruntime"), val=big.val, quality=big.quality)
    told = answer([replace(big, name="z"), twin], "macro_f1", WIDE)
    assert told.best.name == "small", "equally good, and faster"
    assert "Not told apart from it: Big" in " ".join(told.more)
    worse = replace(twin, val=scores_of("small", False, "val"), quality=twin.quality)
    slower = answer([big, worse], "macro_f1", WIDE)
    delta = big.val.less(worse.val, "macro_f1")
    assert ("10.0 times as fast" in " ".join(slower.more)) == (delta.low <= 0 <= delta.high)


def test_over_the_limit_by_its_interval():
    p = named(points(), "small", "onnxruntime")
    wide = replace(p, costs=dict(p.costs) | {"latency": Interval(2.0, 1.5, 2.6)})
    told = answer([wide], "macro_f1", {"latency": 2.5, "size": 100})
    assert "reaches 2.60 ms" in told.more[-1] and "only **Small" in told.text


def test_the_table():
    head, *body = point_rows(points(), "ece")
    assert len(body) == 6 and {len(r) for r in body} == {len(head)}
    assert head[-1] == QUALITIES["ece"] and set(COSTS.values()) <= set(head)
