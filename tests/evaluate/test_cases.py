"""Cases of a cell: as many as the cell counts, the surest first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kdcore.evaluate import (
    QUADRANTS,
    agreement,
    cases,
    evaluate_predictions,
    pair_cases,
    quadrant_cases,
)
from kdcore.evaluate.align import take
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import CLASSES, make_predictions


@pytest.fixture(scope="module")
def predictions():
    return make_predictions(n=200)


def test_every_cell_has_as_many_cases_as_it_counts(predictions):
    confusion = evaluate_predictions(predictions, n_boot=0).confusion
    for t, truth in enumerate(CLASSES):
        for d, decision in enumerate(CLASSES):
            found = cases(predictions, truth, decision)
            assert len(found) == confusion[t, d]
            assert (predictions.labels[found] == t).all()
            assert (predictions.logits[found].argmax(1) == d).all()
    assert len(cases(predictions, "mel")) == confusion[4].sum()
    assert len(cases(predictions, decision="mel")) == confusion[:, 4].sum()


@pytest.mark.parametrize("temperature", [0.3, 1.0, 6.0])
def test_the_surest_come_first(predictions, temperature):
    found = cases(predictions, temperature=temperature)
    assert sorted(found) == list(range(200))
    confidence = softmax(predictions.logits, temperature).max(1)[found]
    assert (np.diff(confidence) <= 0).all()


def test_equally_sure_ones_keep_their_order(predictions):
    same = replace(predictions, logits=np.tile(np.arange(7, dtype=np.float32), (200, 1)))
    assert cases(same).tolist() == list(range(200))
    assert cases(same, decision="akiec").tolist() == []
    assert cases(take(same, [])).tolist() == []


def test_cells_of_two_models(predictions):
    noise = np.random.default_rng(0).normal(size=(200, 7)).astype(np.float32)
    student = replace(predictions, logits=predictions.logits + noise)
    answers = agreement(predictions, student, n_boot=0).answers
    for t, one in enumerate(CLASSES):
        for s, other in enumerate(CLASSES):
            assert len(pair_cases(predictions, student, one, other)) == answers[t, s]
    found = pair_cases(predictions, student, "nv", temperature_student=2.0)
    assert (np.diff(softmax(student.logits, 2.0).max(1)[found]) <= 0).all()


def test_cases_of_quadrants_are_those_that_are_counted(predictions):
    noise = np.random.default_rng(1).normal(size=(200, 7)).astype(np.float32) * 2
    student = replace(predictions, logits=predictions.logits + noise)
    seen = []
    for quadrant in agreement(predictions, student, n_boot=0).quadrants:
        found = quadrant_cases(predictions, student, quadrant.name, 3.0)
        assert set(student.sample_ids[found]) == set(quadrant.sample_ids)
        assert (np.diff(softmax(student.logits, 3.0).max(1)[found]) <= 0).all()
        seen += found.tolist()
    assert sorted(seen) == list(range(200))
    assert len(QUADRANTS) == 5


def test_bad_requests(predictions):
    with pytest.raises(ValueError, match="truth: expected one of akiec"):
        cases(predictions, "melanoma")
    with pytest.raises(ValueError, match="student_answer"):
        pair_cases(predictions, predictions, student_answer="")
    with pytest.raises(ValueError, match="quadrant: expected one of both_right"):
        quadrant_cases(predictions, predictions, "wrong")
    with pytest.raises(ValueError, match="align"):
        pair_cases(predictions, take(predictions, range(100)))
    with pytest.raises(ValueError, match="temperature"):
        cases(predictions, temperature=0)
