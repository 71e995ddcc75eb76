"""Tables of several models: the evaluations' numbers, as texts, in LaTeX and spread in CSV."""

from __future__ import annotations

import math

import pytest
from sklearn.metrics import confusion_matrix

from kdcore.data import HAM10000
from kdcore.evaluate import Interval, detection, evaluate_predictions
from kdcore.report.cells import compact, interval_text, spread
from kdcore.report.latex import latex_table
from kdcore.report.models import (
    CLASS_SCORES,
    SCORES,
    class_gloss,
    confusion_rows,
    detection_rows,
    model_class_rows,
    model_rows,
)
from tests.evaluate.makers import CLASSES, make_predictions
from tests.report.test_latex import parse


@pytest.fixture(scope="module")
def predictions():
    return {name: make_predictions(n=120, seed=s) for s, name in enumerate(("big", "small"))}


@pytest.fixture(scope="module")
def found(predictions):
    return {name: evaluate_predictions(p, n_boot=30) for name, p in predictions.items()}


def test_overall_scores(found):
    head, *body = model_rows(found)
    assert head == ["model", *SCORES.values()]
    assert [row[0] for row in body] == ["big", "small"]
    for row, evaluation in zip(body, found.values(), strict=True):
        assert row[1:] == [evaluation.metrics[name] for name in SCORES]
    wide_head, *wide = spread([head, *body])
    assert wide_head[:4] == ["model", "macro-F1", "macro-F1 low", "macro-F1 high"]
    low = found["small"].metrics["ece"].low
    assert wide[1][wide_head.index("ECE low")] == low
    assert compact(body)[0][1] == interval_text(found["big"].metrics["macro_f1"])


def test_confusion_counts_every_image(found, predictions):
    for name, evaluation in found.items():
        (_, *names), *body = confusion_rows(evaluation)
        own = predictions[name]
        assert names == [row[0] for row in body] == list(CLASSES)
        expected = confusion_matrix(own.labels, own.logits.argmax(1), labels=range(7))
        assert [row[1:] for row in body] == expected.tolist()


@pytest.mark.parametrize("score", CLASS_SCORES)
def test_classes(found, score):
    head, *body = model_class_rows(found, score)
    assert head == ["class", "images", "big", "small"]
    assert [row[0] for row in body] == list(CLASSES)
    for row, big, small in zip(body, *(e.per_class for e in found.values()), strict=True):
        assert row[1:] == [big.support, getattr(big, score), getattr(small, score)]
    columns, cells, _ = parse(latex_table([head, *body]))
    assert columns == "lrrr"
    assert len(cells) == 8


def test_an_unknown_score(found):
    with pytest.raises(ValueError, match="score: expected one of precision"):
        model_class_rows(found, "macro_f1")


def test_melanoma(predictions):
    found = {name: detection(p, n_boot=30) for name, p in predictions.items()}
    head, *body = detection_rows(found)
    assert head[2] == "sensitivity at 80 % specificity"
    assert head[-1] == "specificity at 95 % sensitivity"
    assert body[1][1] == found["small"].auc
    assert (
        body[0][head.index("sensitivity at 90 % specificity")] == found["big"].sensitivity_at[0.9]
    )


def test_only_columns_of_intervals_are_spread():
    half = Interval(0.5, 0.4, 0.6)
    rows = [["a", "b", "c"], [1, half, "x"], [2, None, "y"]]
    assert spread(rows) == [
        ["a", "b", "b low", "b high", "c"],
        [1, 0.5, 0.4, 0.6, "x"],
        [2, None, None, None, "y"],
    ]
    plain = [["a"], [math.pi]]
    assert spread(plain) == compact(plain) == plain
    assert spread([["a"]]) == [["a"]]


def test_short_names_are_explained_and_plain_ones_are_not():
    assert class_gloss(HAM10000.classes).startswith(f"akiec: {HAM10000.long_names[0]}; bcc: ")
    assert class_gloss(("cat", "dog")) == ""
