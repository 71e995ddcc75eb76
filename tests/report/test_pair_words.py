"""Sentences on a pair say what the numbers say, and nothing where they say nothing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from kdcore.base.words import percent
from kdcore.evaluate import Interval, compare_pair
from kdcore.evaluate.agreement import McNemar
from kdcore.models import Card
from kdcore.report.cells import signed, signed_points
from kdcore.report.pair import HEADLINE
from kdcore.report.pair_words import (
    headline_sentence,
    mcnemar_sentence,
    mistakes_sentence,
    p_text,
    pair_facts,
    signed_percent,
    taught_sentence,
)
from tests.evaluate.makers import make_predictions
from tests.evaluate.test_pair import make_pair


@pytest.fixture(scope="module")
def found():
    return compare_pair(*make_pair(n=150), n_boot=40).named("Big", "Small")


def with_deltas(found, **intervals):
    own = {
        name: replace(found.metrics[name], delta=Interval(*interval))
        for name, interval in intervals.items()
    }
    return replace(found, metrics={**found.metrics, **own})


WORSE, BETTER, NEITHER = (-0.1, -0.2, -0.05), (0.1, 0.05, 0.2), (-0.1, -0.2, 0.01)


def test_every_score_whose_interval_leaves_out_0_is_named_for_better_or_worse(found):
    own = with_deltas(
        found, macro_f1=NEITHER, balanced_accuracy=WORSE, accuracy=BETTER, ece=BETTER
    )  # fmt: skip
    assert headline_sentence(own) == (
        "**Small** less **Big**: macro-F1 −0.100 [−0.200, +0.010], balanced accuracy −0.100 "
        "[−0.200, −0.050], accuracy +0.100 [+0.050, +0.200], ECE +0.100 [+0.050, +0.200]. "
        "**Small** is better in accuracy and worse in balanced accuracy, where the interval "
        "leaves out 0. A difference in macro-F1 is not shown."
    )


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        (BETTER, "is better in macro-F1, balanced accuracy and accuracy, where the interval "),
        (NEITHER, "in macro-F1, balanced accuracy and accuracy is not shown."),
        ((0.0, 0.0, 0.0), "in macro-F1, balanced accuracy and accuracy is not shown."),
        ((0.1, math.nan, math.nan), "macro-F1, balanced accuracy and accuracy is not shown."),
    ],
)
def test_a_difference_is_only_said_where_the_interval_leaves_out_0(found, interval, said):
    told = headline_sentence(with_deltas(found, **dict.fromkeys(HEADLINE, interval)))
    assert said in told and told.endswith(".")
    assert ("leaves out 0" in told) == (interval == BETTER)


def card(name, **fields):
    return Card(name, "student", "cnn2", ("a", "b"), 32, (0, 0, 0), (1, 1, 1), **fields)


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (card("t"), card("s", teachers={"t": "0" * 64}), "**Big** taught **Small**."),
        (card("t"), card("s", recipe={"teachers": ["t"]}), "**Big** taught **Small**."),
        (card("b"), card("s", teachers={"t": "0" * 64}, recipe={"teachers": ["t"]}), ""),
        (card("t"), card("s"), ""),
        (None, card("s", teachers={"t": "0" * 64}), ""),
        (card("t"), None, ""),
    ],
)
def test_a_teacher_is_only_called_so_by_the_second_s_card(found, one, other, said):
    assert taught_sentence(found, one, other) == said


@pytest.mark.parametrize(
    ("b", "c", "p", "end"),
    [
        (105, 69, 0.0078, "p = 0.008; **Big** is right more often."),
        (1, 40, 1e-9, "p < 0.001; **Small** is right more often."),
        (3, 5, 0.73, "p = 0.730, which does not show a difference in accuracy."),
    ],
)
def test_mcnemar(found, b, c, p, end):
    own = replace(found, agreement=replace(found.agreement, mcnemar=McNemar(b, c, p)))
    assert mcnemar_sentence(own) == (
        f"{b} images only **Big** has right, {c} only **Small**: McNemar's exact test, taking "
        f"images for independent, gives {end}"
    )


def test_facts_are_the_comparison_s(found):
    kept, delta, gap, same, kappa = pair_facts(found)
    assert kept.value == percent(found.retention.value, 1)
    assert delta.value == signed(found.metrics["macro_f1"].delta.value)
    assert gap.value == signed_percent(found.metrics["macro_f1"].relative)
    assert same.interval.split(" to ")[0] == percent(found.agreement.share.low, 1)
    assert float(kappa.value) == pytest.approx(found.agreement.kappa.value, abs=0.005)


def test_facts_without_intervals():
    one = make_predictions(n=9, groups=1)
    facts = pair_facts(compare_pair(one, one))
    assert {fact.interval for fact in facts} == {""}


def test_copied_mistakes_are_counted(found):
    count = {q.name: q.count for q in found.agreement.quadrants}
    both = count["same_mistake"] + count["other_mistake"]
    told = mistakes_sentence(found)
    assert told.startswith(f"In {count['same_mistake']} of the {both} images where both are wrong")


def test_few_mistakes_in_common():
    teacher = make_predictions(n=30, signal=30)
    assert mistakes_sentence(compare_pair(teacher, teacher, n_boot=0)).startswith("There is no")
    wrong = np.array(teacher.logits)
    wrong[0] = np.roll(wrong[0], 1)
    one = replace(teacher, logits=wrong)
    told = mistakes_sentence(compare_pair(one, one, n_boot=0))
    assert told == "In the one image where both are wrong, they give the same wrong answer."
    wrong = np.array(wrong)
    wrong[0] = np.roll(wrong[0], 1)
    told = mistakes_sentence(compare_pair(one, replace(one, logits=wrong), n_boot=0))
    assert told.endswith("they give different answers.")


def test_mistakes_that_are_never_the_same_are_not_called_copied(found):
    quadrants = tuple(
        replace(q, count={"same_mistake": 0, "other_mistake": 40}.get(q.name, q.count))
        for q in found.agreement.quadrants
    )
    own = replace(found, agreement=replace(found.agreement, quadrants=quadrants))
    assert mistakes_sentence(own) == (
        "In 0 of the 40 images where both are wrong (0.0 %), **Small** gives the same wrong "
        "answer as **Big**."
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.9312, "+93.1 %"), (-0.2, "−20.0 %"), (0, "0.0 %"), (-0.0004, "0.0 %")],
)
def test_signed_percent(value, text):
    assert signed_percent(value) == text
    assert signed_percent(math.nan) == "n/a"


@pytest.mark.parametrize(("p", "text"), [(0.0004, "< 0.001"), (0.05, "= 0.050"), (1, "= 1.000")])
def test_p(p, text):
    assert p_text(p) == text


def test_the_least_p_that_a_bootstrap_can_give_is_marked():
    assert p_text(2 / 1001, 2 / 1001) == "≤ 0.002"
    assert p_text(4 / 1001, 2 / 1001) == "= 0.004"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123, "+0.012"), (-0.5, "−0.500"), (-0.0001, "0.000"), (math.nan, "n/a")],
)
def test_signed(value, text):
    assert signed(value) == text
    assert signed_points(value / 100, 3) == text
