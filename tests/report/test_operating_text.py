"""Sentences on operating points say the numbers of their results, and no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kdcore.evaluate import (
    Interval,
    choose_alarm,
    choose_class_weights,
    decision_curve,
    risk_coverage,
)
from kdcore.evaluate.conformal import conformal_sets
from kdcore.predict.probabilities import softmax
from kdcore.report.operating_text import (
    RULES,
    alarm_rule,
    alarm_text,
    benefit_text,
    missed_target_text,
    parts_note,
    risk_text,
    sets_text,
    spoken,
    weights_text,
)
from tests.evaluate.makers import make_predictions

VAL = make_predictions(200, seed=1, signal=1.0, split="val")
TEST = make_predictions(300, seed=2, signal=1.0)
NAN = float("nan")


def test_every_rule_is_one_that_there_is() -> None:
    for name in RULES:
        choose_alarm(VAL, TEST, n_boot=0, **alarm_rule(name))
    assert alarm_rule("95") == {"rule": "sensitivity", "target": 0.95}
    assert spoken("mel") == "melanoma"
    assert spoken("frog") == "frog"


def test_the_four_cells_are_those_counted() -> None:
    alarm = choose_alarm(VAL, TEST, n_boot=0)
    raised = softmax(TEST.logits)[:, 4] >= alarm.tau
    mel = TEST.labels == 4
    cells = (raised[mel], raised[~mel], mel[raised], ~mel[~raised])
    said = alarm_text(alarm).replace("*", "")
    hits, false, right, silent = (f"{100 * cell.mean():.0f}" for cell in cells)
    assert f"alarm for {hits}, and for {false} of 100 others" in said
    assert f"Of 100 alarms {right} are melanoma" in said
    assert f"without one {silent} are not" in said


def test_an_alarm_with_nothing_to_find_says_so() -> None:
    alarm = choose_alarm(VAL, TEST, n_boot=0)
    empty = replace(alarm, test=replace(alarm.test, sensitivity=Interval(NAN, NAN, NAN)))
    assert "No test image is of melanoma" in alarm_text(empty)
    assert missed_target_text(empty) == ""


@pytest.mark.parametrize(
    ("reached", "words"),
    [
        (Interval(0.95, 0.9, 0.99), None),
        (Interval(0.9, 0.8, 0.95), None),
        (Interval(0.85, 0.75, 0.92), "within what chance does"),
        (Interval(0.7, 0.6, 0.8), "lies below the target"),
    ],
)
def test_a_missed_target_is_told(reached: Interval, words: str | None) -> None:
    alarm = choose_alarm(VAL, TEST, n_boot=0)
    told = missed_target_text(replace(alarm, test=replace(alarm.test, sensitivity=reached)))
    assert (words in told) if words else not told
    best = replace(alarm, target=NAN, test=replace(alarm.test, sensitivity=reached))
    assert missed_target_text(best) == ""


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [((0.01, 0.03), "(better)"), ((-0.03, -0.01), "(worse)"), ((-0.01, 0.03), "(not clearly")],
)
def test_weights_are_judged_by_the_interval_on_test(
    ends: tuple[float, float], verdict: str
) -> None:
    found = choose_class_weights(VAL, TEST, n_boot=0)
    changed = [replace(s, difference=Interval(sum(ends) / 2, *ends)) for s in found.scores]
    text = weights_text(replace(found, scores=tuple(changed), val_plain=0.5, val_changed=0.6))
    assert text.count(verdict) == 3
    assert "0.500 to 0.600" in text
    same = weights_text(replace(found, val_plain=0.5, val_changed=0.5))
    assert "no weights are better" in same


def test_leaving_images_to_a_human() -> None:
    curve = risk_coverage(TEST, n_boot=0)
    hits = TEST.logits.argmax(1) == TEST.labels
    surest = np.argsort(-softmax(TEST.logits).max(1))[:240]
    text = risk_text(curve, 0.2)
    assert f"from {100 * (~hits).mean():.1f} % to {100 * (~hits[surest]).mean():.1f} %" in text
    assert "lowers" in text
    flat = replace(curve, risk=np.full_like(curve.risk, 0.25))
    assert "does not lower" in risk_text(flat, 0.2)


def test_net_benefit_is_counted_in_a_thousand() -> None:
    curve = decision_curve(TEST, n_boot=50)
    text = benefit_text(curve, 0.2)
    acted, mel = softmax(TEST.logits)[:, 4] >= 0.2, TEST.labels == 4
    worth = 1000 * ((acted & mel).mean() - (acted & ~mel).mean() / 4)
    assert "worth 4 false alarms" in text
    assert f"worth {worth:.0f} found".replace("-", "−") in text
    worse = replace(curve, gain=replace(curve.gain, high=np.full(99, -0.01)))
    assert "worse" in benefit_text(worse, 0.2)


def test_sets_name_the_class_they_serve_worst() -> None:
    found = conformal_sets(VAL, TEST, n_boot=0)
    ones = [Interval(1.0, NAN, NAN)] * 7
    worst = replace(
        found, by_class=(*ones[:3], Interval(0.25, NAN, NAN), Interval(NAN, NAN, NAN), *ones[:2])
    )
    text = sets_text(worst)
    assert "Worst served is dermatofibroma: 25 %" in text
    assert f"in {100 * found.coverage.value:.1f} % of the test images" in text
    assert f"{found.size.value:.2f} of 7 classes" in text


def test_a_note_tells_data_sets_of_different_sizes_apart() -> None:
    same = parts_note({"A": TEST, "B": TEST}, 1000)
    lesions = len(np.unique(TEST.group_ids))
    assert same.startswith(f"Test part, n = 300 images of {lesions} lesions. Intervals: 95 %")
    other = parts_note({"A": TEST, "B": make_predictions(100)}, 1000)
    assert "A: test part, n = 300" in other
    assert "B: test part, n = 100" in other
