"""Subgroups: values against an evaluation of the group alone, intervals against a loop."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from kdcore.base import DataError
from kdcore.evaluate import evaluate_predictions, gap_differences, subgroups
from kdcore.evaluate.align import take
from kdcore.evaluate.bootstrap import draw_groups, index_groups
from kdcore.evaluate.significance import holm
from kdcore.evaluate.subgroups import MIN_IMAGES, MIN_LESIONS, OVERALL, UNKNOWN
from kdcore.predict import Predictions
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import CLASSES, make_predictions, subset

MEL = CLASSES.index("mel")


def with_attribute(predictions: Predictions, values, by: str = "sex") -> Predictions:
    return replace(predictions, attributes={by: np.array(values, dtype=np.str_)})


def in_thirds(n: int = 400, seed: int = 0, **options) -> Predictions:
    values = np.random.default_rng(seed).choice(["female", "male", ""], n, p=[0.5, 0.4, 0.1])
    return with_attribute(make_predictions(n, seed, **options), values)


def scores_of(predictions: Predictions, keep: np.ndarray, temperature: float = 1.0):
    """Return a group's scores by evaluating it alone, and its recall and F1 by class."""
    one = evaluate_predictions(subset(predictions, keep), temperature, n_boot=0)
    values = {name: one.metrics[name].value for name in OVERALL[:4]}
    confidence = softmax(predictions.logits[keep], temperature).max(1)
    values["overconfidence"] = confidence.mean() - values["accuracy"]
    values |= {name: getattr(one.per_class[MEL], name).value for name in ("recall", "auc")}
    by_class = {
        "balanced_accuracy": np.array([row.recall.value for row in one.per_class]),
        "macro_f1": np.array([row.f1.value for row in one.per_class]),
    }
    return values, by_class


def gaps_of(predictions: Predictions, inside: np.ndarray, rest: np.ndarray):
    own, rest = scores_of(predictions, inside), scores_of(predictions, rest)
    gaps = {name: own[0][name] - rest[0][name] for name in own[0]}
    return gaps | {name: np.nanmean(own[1][name] - rest[1][name]) for name in own[1]}


@pytest.mark.parametrize("seed", range(4))
def test_values_are_those_of_the_group_alone(seed: int) -> None:
    predictions = in_thirds(seed=seed)
    found = subgroups(predictions, "sex", 1.7, n_boot=0)
    values = predictions.attributes["sex"]
    assert sorted(g.n for g in found.groups) == sorted(np.unique(values, return_counts=True)[1])
    for group in found.groups:
        keep = np.flatnonzero(values == group.name.replace(UNKNOWN, ""))
        expected, _ = scores_of(predictions, keep, 1.7)
        for name, value in expected.items():
            assert group.scores[name].value.value == pytest.approx(value, nan_ok=True), name
        assert group.n == len(keep)
        assert group.lesions == len(set(predictions.group_ids[keep]))
        counts = np.bincount(predictions.labels[keep], minlength=7)
        assert group.support == dict(zip(CLASSES, counts.tolist(), strict=True))
        assert group.positives == (predictions.labels[keep] == MEL).sum()
        assert group.absent == tuple(
            c for k, c in enumerate(CLASSES) if not (predictions.labels[keep] == k).any()
        )


def test_intervals_and_gaps_equal_a_loop_over_resamples() -> None:
    predictions, n_boot = in_thirds(n=160, signal=1.0), 25
    found = subgroups(predictions, "sex", n_boot=n_boot, seed=5)
    index, lesions = index_groups(predictions.group_ids)
    values = predictions.attributes["sex"]
    draws = np.concatenate(list(draw_groups(lesions, n_boot, seed=5)))
    keeps = [np.repeat(np.arange(len(index)), row[index].astype(int)) for row in draws]
    for group in found.groups[:2]:
        inside = values == group.name
        in_loop, gap_loop = [], []
        for keep in keeps:
            own, rest = keep[inside[keep]], keep[~inside[keep]]
            in_loop.append(scores_of(predictions, own)[0])
            gap_loop.append(gaps_of(predictions, own, rest))
        point = gaps_of(predictions, np.flatnonzero(inside), np.flatnonzero(~inside))
        for name in (*OVERALL[:3], "overconfidence", "recall", "auc"):
            score = group.scores[name]
            both = [(in_loop, score.value), (gap_loop, score.gap)]
            for loop, interval in both:
                many = np.array([row[name] for row in loop])
                ends = np.nanquantile(many, [0.025, 0.975])
                assert (interval.low, interval.high) == pytest.approx(ends), name
            many = many[~np.isnan(many)]
            assert score.gap.value == pytest.approx(point[name]), name
            below, above = (many <= 1e-12).sum() + 1, (many >= -1e-12).sum() + 1
            assert score.p == pytest.approx(min(1, 2 * min(below, above) / (len(many) + 1))), name


def test_two_groups_mirror_each_other() -> None:
    values = np.random.default_rng(3).choice(["female", "male"], 500)
    found = subgroups(with_attribute(make_predictions(500), values), "sex", n_boot=200)
    first, second = found.groups
    for name in found.scores:
        one, other = first.scores[name], second.scores[name]
        assert one.gap.value == pytest.approx(-other.gap.value), name
        assert (one.gap.low, one.gap.high) == pytest.approx((-other.gap.high, -other.gap.low)), name
        assert one.p == pytest.approx(other.p, nan_ok=True), name


@pytest.mark.parametrize("score", [s for s in OVERALL if s != "ece"] + ["recall", "auc"])
def test_gaps_of_two_models_differ_as_in_a_loop(score: str) -> None:
    one = in_thirds(n=160, signal=1.0)
    other = replace(make_predictions(160, 8, signal=2.0), attributes={})
    other = replace(other, labels=one.labels, group_ids=one.group_ids, sample_ids=one.sample_ids)
    order = np.random.default_rng(0).permutation(160).tolist()
    found = gap_differences((one, 1.0), (take(other, order), 1.0), "sex", score, 25, 5)
    index, lesions = index_groups(one.group_ids)
    draws = np.concatenate(list(draw_groups(lesions, 25, seed=5)))
    keeps = [np.repeat(np.arange(len(index)), row[index].astype(int)) for row in draws]
    for d in found[:2]:
        inside = one.attributes["sex"] == d.name

        def gaps(keep: np.ndarray, inside: np.ndarray = inside) -> list[float]:
            own, rest = keep[inside[keep]], keep[~inside[keep]]
            return [gaps_of(p, own, rest)[score] for p in (one, other)]

        first, second = gaps(np.arange(160))
        assert (d.first, d.second) == pytest.approx((first, second))
        many = np.array([b - a for a, b in map(gaps, keeps)])
        expected = (second - first, *np.nanquantile(many, [0.025, 0.975]))
        assert tuple(vars(d.difference).values()) == pytest.approx(expected)


def test_the_same_model_twice_has_no_difference_and_a_planted_one_is_found() -> None:
    made = in_thirds(1200, signal=1.0)
    for d in gap_differences((made, 1.0), (made, 1.0), "sex", "accuracy", 100):
        assert (d.difference.value, d.difference.low, d.difference.high, d.p) == (0, 0, 0, 1)
    right = np.eye(7, dtype=np.float32)[made.labels] * 9
    female = made.attributes["sex"] == "female"
    mended = female & (np.arange(1200) % 3 > 0)  # where all were right no resample would differ
    better = replace(made, logits=np.where(mended[:, None], right, made.logits))
    by_name = {
        d.name: d for d in gap_differences((made, 1.0), (better, 1.0), "sex", "accuracy", 200)
    }
    assert by_name["female"].difference.low > 0 and by_name["female"].p_holm < 0.05
    assert by_name["male"].difference.high < 0
    raised = [d.p_holm for d in by_name.values() if not d.too_small]
    assert raised == pytest.approx(holm(d.p for d in by_name.values() if not d.too_small))


def test_differences_refuse_other_images_and_scores_without_a_fair_gap() -> None:
    made = in_thirds(200)
    for score in ("ece", "f2"):
        with pytest.raises(ValueError, match="score: expected one of accuracy"):
            gap_differences((made, 1.0), (made, 1.0), "sex", score, 0)
    with pytest.raises(DataError):
        gap_differences((made, 1.0), (take(made, range(50)), 1.0), "sex", "accuracy", 0)
    with pytest.raises(DataError):
        gap_differences((made, 1.0), (made, 1.0), "age", "accuracy", 0)
    few = take(made, range(20)), 1.0
    small = gap_differences(few, few, "sex", "accuracy", 0)
    assert all("fewer than" in d.too_small and np.isnan(d.p_holm) for d in small)


def test_p_values_are_adjusted_over_the_groups_that_can_be_told() -> None:
    values = np.random.default_rng(1).choice(["a", "b", "c", "tiny"], 900, p=[0.4, 0.3, 0.28, 0.02])
    found = subgroups(with_attribute(make_predictions(900), values, "site"), "site", n_boot=200)
    tiny = next(g for g in found.groups if g.name == "tiny")
    assert all("fewer than 50" in s.too_small for s in tiny.scores.values())
    for name in found.scores:
        told = [g.scores[name] for g in found.groups if not g.scores[name].gap_too_small]
        assert len(told) == 3
        if name == "ece":
            continue
        assert [s.p_holm for s in told] == pytest.approx(holm([s.p for s in told]))
        assert np.isnan(tiny.scores[name].p_holm)


def test_a_planted_gap_is_found_and_no_gap_is_not() -> None:
    predictions = make_predictions(1200, groups=1200, signal=2.0)
    values = np.where(np.arange(1200) % 3 == 0, "worse", "other")
    logits = np.where((values == "worse")[:, None], predictions.logits[::-1], predictions.logits)
    planted = with_attribute(replace(predictions, logits=logits.astype(np.float32)), values)
    worse = next(g for g in subgroups(planted, "sex").groups if g.name == "worse")
    for name in ("accuracy", "auc", "recall"):
        assert worse.scores[name].gap.high < 0, name
        assert worse.scores[name].p_holm < 0.01, name
    same = subgroups(with_attribute(predictions, values), "sex").groups[0]
    assert same.scores["accuracy"].gap.low < 0 < same.scores["accuracy"].gap.high


@pytest.mark.slow
def test_few_calibrated_images_do_not_look_miscalibrated() -> None:
    """By noise alone the ECE of 80 images is far above that of 520; the signed gap is not."""
    held, signed, rng = 0, 0, np.random.default_rng(0)
    for _ in range(60):
        logits = rng.normal(size=(600, 7)) * 1.5
        labels = (logits + rng.gumbel(size=(600, 7))).argmax(1)  # drawn from the softmax
        one = make_predictions(600, groups=600, logits=logits.astype(np.float32), labels=labels)
        found = subgroups(with_attribute(one, ["few"] * 80 + ["many"] * 520), "sex", n_boot=200)
        few = next(g for g in found.groups if g.name == "few")
        gap, other = few.scores["ece"].gap, few.scores["overconfidence"].gap
        held += gap.low <= 0 <= gap.high
        signed += other.low <= 0 <= other.high
        assert np.isnan(few.scores["ece"].p)
    assert held >= 48  # plain percentiles: far fewer; see the module
    assert signed >= 54


def test_the_ece_gap_reaches_over_its_excess() -> None:
    predictions = in_thirds(n=300)
    gaps = [g.scores["ece"].gap for g in subgroups(predictions, "sex", n_boot=100).groups]
    assert all(gap.low <= gap.value <= gap.high for gap in gaps)


def test_small_groups_say_why() -> None:
    assert (MIN_LESIONS, MIN_IMAGES) == (50, 10)
    predictions = make_predictions(300, groups=300)
    rare = np.where(predictions.labels == MEL, "without", "a")
    rare[np.flatnonzero(predictions.labels == MEL)[:4]] = "a"
    found = {
        g.name: g for g in subgroups(with_attribute(predictions, rare), "sex", n_boot=50).groups
    }
    assert found["a"].scores["recall"].too_small == "4 images of mel, fewer than 10"
    assert found["a"].scores["accuracy"].too_small == ""
    whole = with_attribute(predictions, ["a"] * 300)
    only = subgroups(whole, "sex", n_boot=50).groups[0].scores["accuracy"]
    assert only.too_small == ""
    assert only.gap_too_small == "outside the group: 0 lesions, fewer than 50"
    assert np.isnan([only.gap.value, only.gap.low, only.p]).all()
    right = 20 * np.eye(7, dtype=np.float32)[predictions.labels]
    perfect = with_attribute(replace(predictions, logits=right), ["a"] * 150 + ["b"] * 150)
    score = subgroups(perfect, "sex", n_boot=50).groups[0].scores["accuracy"]
    assert score.too_small == "all resamples agree, which gives no interval"


def test_gaps_of_macro_means_compare_the_same_classes() -> None:
    """A group that lacks the hard classes, and is answered alike otherwise, has no gap."""
    predictions = make_predictions(400, groups=400)
    labels = predictions.labels
    logits = np.zeros((400, 7), np.float32)
    logits[np.arange(400), np.where(np.isin(labels, (0, 1)), 5, labels)] = 5  # two are never right
    values = np.where(np.isin(labels, (0, 1)) | (np.arange(400) % 2 == 0), "all", "easy")
    one = with_attribute(replace(predictions, logits=logits), values)
    easy = next(g for g in subgroups(one, "sex", n_boot=50).groups if g.name == "easy")
    assert easy.absent == ("akiec", "bcc")
    assert easy.scores["balanced_accuracy"].value.value == pytest.approx(1)
    assert easy.scores["balanced_accuracy"].gap.value == pytest.approx(0)


def test_order_of_groups() -> None:
    one = make_predictions(60)
    ages = with_attribute(one, ["70+", "0-29", "", "30-39", "30-39", "unknown"] * 10, "age")
    names = [g.name for g in subgroups(ages, "age", n_boot=0).groups]
    assert names == ["0-29", "30-39", "70+", UNKNOWN]
    sites = with_attribute(one, ["", "back", "face", "back", "", "arm"] * 10, "site")
    names = [g.name for g in subgroups(sites, "site", n_boot=0).groups]
    assert names == ["back", "arm", "face", UNKNOWN]


def test_the_same_in_any_order_of_images() -> None:
    predictions = in_thirds(n=200)
    order = np.random.default_rng(0).permutation(200)
    shuffled = with_attribute(subset(predictions, order), predictions.attributes["sex"][order])
    first, second = (subgroups(p, "sex", n_boot=40) for p in (predictions, shuffled))
    for one, other in zip(first.groups, second.groups, strict=True):
        for name in first.scores:
            a, b = one.scores[name], other.scores[name]
            for x, y in ((a.value, b.value), (a.gap, b.gap)):
                assert (x.value, x.low, x.high) == pytest.approx(
                    (y.value, y.low, y.high), nan_ok=True
                ), name


def test_a_data_set_without_melanoma_has_no_score_of_it() -> None:
    one = replace(in_thirds(120), classes=tuple("abcdefg"))
    found = subgroups(one, "sex", n_boot=10)
    assert found.positive == ""
    assert found.scores == OVERALL
    assert all(g.positives == 0 for g in found.groups)


def test_one_lesion_has_no_interval() -> None:
    one = with_attribute(make_predictions(5, groups=1), ["a", "a", "b", "b", ""])
    found = subgroups(one, "sex", n_boot=10)
    assert found.interval_method.startswith("none")
    assert all(np.isnan(g.scores["accuracy"].value.low) for g in found.groups)


def test_bad_requests() -> None:
    one = in_thirds(30)
    with pytest.raises(DataError, match="no attribute 'age', but sex"):
        subgroups(one, "age")
    with pytest.raises(DataError, match="kdcore predict"):
        subgroups(make_predictions(30), "age")
    with pytest.raises(ValueError, match="n_boot"):
        subgroups(one, "sex", n_boot=-1)
    with pytest.raises(ValueError, match="temperature"):
        subgroups(one, "sex", temperature=0)
    none = np.array([], dtype=np.str_)
    empty = replace(
        one,
        logits=np.zeros((0, 7), np.float32),
        labels=np.zeros(0, np.int64),
        sample_ids=none,
        group_ids=none,
        attributes={"sex": none},
    )
    with pytest.raises(DataError, match="no images"):
        subgroups(empty, "sex")


def test_fourteen_groups_of_1350_images_are_quick() -> None:
    values = np.random.default_rng(0).choice([f"site {k}" for k in range(14)], 1350)
    predictions = with_attribute(make_predictions(1350, groups=1000), values)
    start = time.process_time()
    subgroups(predictions, "sex")
    assert time.process_time() - start < 4  # about 0.4 s; slack for a busy machine
