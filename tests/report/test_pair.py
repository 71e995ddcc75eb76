"""Tables of a pair hold the comparison's numbers, and go through CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest

from kdcore.evaluate import BY_CLASS, OVERALL, QUADRANTS, compare_pair
from kdcore.evaluate.align import take
from kdcore.report.cells import csv_text, spread
from kdcore.report.models import SCORES
from kdcore.report.pair import (
    HEADLINE,
    agreement_rows,
    answer_rows,
    class_gap_rows,
    pair_class_rows,
    pair_rows,
    pair_summary_rows,
    quadrant_rows,
    quadrant_summary_rows,
    quadrant_titles,
)
from kdcore.report.tables import TITLES
from tests.evaluate.makers import CLASSES
from tests.evaluate.test_pair import make_pair
from tests.report.test_latex import latex_table, parse


@pytest.fixture(scope="module")
def found():
    teacher, student = make_pair(n=120)
    keep = np.flatnonzero(teacher.labels != 3)  # a class without images
    return compare_pair(take(teacher, keep), take(student, keep), n_boot=30).named("Big", "Small")


def test_overall_scores(found):
    head, *body = pair_rows(found)
    assert head == ["score", "Big", "Small", "Δ", "relative Δ"]
    assert [row[0] for row in body] == [TITLES[name] for name in OVERALL]
    for name, (_, teacher, student, delta, relative) in zip(OVERALL, body, strict=True):
        assert delta == found.metrics[name].delta
        assert delta.value == student - teacher
        assert relative == delta.value / teacher


@pytest.mark.parametrize("score", BY_CLASS)
def test_classes(found, score):
    head, *body = pair_class_rows(found, score)
    assert head[:2] == ["class", "images"]
    assert [row[0] for row in body] == list(CLASSES)
    assert [row[1] for row in body] == [row.support for row in found.per_class]
    for row, ours in zip(body, found.per_class, strict=True):
        np.testing.assert_equal(row[4].value, ours.scores[score].delta.value)
        np.testing.assert_equal(row[5], ours.scores[score].relative)
    assert body[3][1] == 0
    with pytest.raises(ValueError, match="score: expected one of precision"):
        pair_class_rows(found, "macro_f1")


def test_answers_and_quadrants(found):
    head, *body = quadrant_rows(found)
    titles = quadrant_titles("Big", "Small")
    assert list(titles) == list(QUADRANTS) and titles["student_only"] == "only right: Small"
    assert [row[0] for row in body] == list(titles.values())
    assert sum(row[head.index("images")] for row in body) == found.n
    assert sum(row[head.index("share")] for row in body) == pytest.approx(1)
    assert [row[1:] for row in answer_rows(found)[1:]] == found.agreement.answers.tolist()
    figures = {row[0]: row[1] for row in agreement_rows(found)[1:]}
    assert figures["same answer"] == found.agreement.share
    assert next(v for k, v in figures.items() if "McNemar" in k) == found.agreement.mcnemar.p


def test_every_table_goes_through_csv_and_latex(found):
    makers = (
        *(pair_rows, pair_class_rows, agreement_rows, quadrant_rows, answer_rows),
        *(class_gap_rows, lambda c: pair_summary_rows({"Small": c})),
        lambda c: quadrant_summary_rows({"Small": c}),
    )
    for rows in (make(found) for make in makers):
        read = list(csv.reader(io.StringIO(csv_text(spread(rows)))))
        assert "Big" in str(read) and "Small" in str(read), "a file names both models"
        assert not re.search("teacher|student", str(read), re.IGNORECASE)
        assert [len(row) for row in read] == [len(spread(rows)[0])] * len(rows)
        columns, cells, note = parse(latex_table(rows, found.interval_method))
        assert set(columns) <= {"l", "r"} and len(columns) == len(rows[0])
        assert len(cells) == len(rows)
        assert "nan" not in str(cells)
        assert "resamples" in note
    assert "n/a" in latex_table(pair_class_rows(found))


def test_the_summary_has_every_headline_score(found):
    (head, row) = pair_summary_rows({"Small": found})
    for name in HEADLINE:
        assert row[head.index(f"Δ {SCORES[name]}")] == found.metrics[name].delta


def test_gaps_by_class(found):
    head, *body = class_gap_rows(found)
    assert head[3:] == ["Big", "Small", "Δ", "relative Δ"]
    assert len(body) == 3 * len(CLASSES)
    for place, row in enumerate(body):
        own = found.per_class[place // 3]
        pair = own.scores[("precision", "recall", "f1")[place % 3]]
        assert row[:2] == [own.name, own.support]
        assert row[3:6] == [pair.teacher, pair.student, pair.delta]
        np.testing.assert_equal(row[6], pair.relative)
