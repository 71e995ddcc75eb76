"""The table, lines and pages of cases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kdcore.base.words import probability_text
from kdcore.predict.probabilities import softmax
from kdcore.report.cases import case_lines, case_pages, case_rows
from tests.evaluate.makers import make_predictions


@pytest.fixture(scope="module")
def models():
    teacher = make_predictions(n=40, seed=3)
    return {"Teacher": teacher, "Student": replace(teacher, logits=teacher.logits[:, ::-1].copy())}


@pytest.mark.parametrize("temperatures", [None, {"Teacher": 2.0, "Student": 0.5}])
def test_rows(models, temperatures):
    head, *body = case_rows(["image 7", "image 2"], models, temperatures)
    assert head == ["image", "lesion", "true class", "Teacher", "p, Teacher", "Student"] + [
        "p, Student"
    ]
    first = models["Teacher"]
    for row, k in zip(body, (7, 2), strict=True):
        assert row[:3] == [
            f"image {k}",
            first.group_ids[k],
            first.classes[first.labels[k]],
        ]
        for place, (name, p) in zip((3, 5), models.items(), strict=True):
            probs = softmax(p.logits, (temperatures or {}).get(name, 1.0))[k]
            assert row[place] == p.classes[probs.argmax()]
            assert row[place + 1] == pytest.approx(probs.max(), abs=1e-4)


def test_lines(models):
    lines = case_lines(models, {"Teacher": 2.0, "Student": 0.5})
    assert len(lines) == 40
    teacher, student = models.values()
    k = 11
    said = [
        f"{p.classes[p.logits[k].argmax()]} {probability_text(softmax(p.logits, t)[k].max())}"
        for p, t in ((teacher, 2.0), (student, 0.5))
    ]
    true = teacher.classes[teacher.labels[k]]
    assert lines["image 11"] == f"True: {true}; Teacher: {said[0]}; Student: {said[1]}"


@pytest.mark.parametrize("n", [0, 1, 12, 13, 25])
def test_pages_hold_every_case_once(n):
    ids = [str(i) for i in range(n)]
    pages = case_pages(ids, 12)
    assert list(pages) == list(range(1, len(pages) + 1))
    assert [i for page in pages.values() for i in page] == ids
    assert all(0 < len(page) <= 12 for page in pages.values())
