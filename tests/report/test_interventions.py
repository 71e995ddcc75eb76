"""Tables of interventions: as CSV with ends, and as Markdown for people."""

from __future__ import annotations

import csv

from kdcore.evaluate.interventions import measure_interventions
from kdcore.report.interventions import (
    interventions_markdown,
    read_interventions,
    write_interventions,
)
from tests.predict.test_intervention_scores import made


def _records(rng):
    return [made(rng, n=12), made(rng, n=12, model="big")]


def _studies(rng):
    return [measure_interventions(s, 30) for s in _records(rng)[::-1]]


def test_the_csv_holds_each_number_with_its_ends(rng, tmp_path):
    studies = _studies(rng)
    write_interventions(tmp_path, [], studies, 90.0)
    rows = list(csv.DictReader((tmp_path / "interventions-test.csv").open()))
    assert len(rows) == 2 * 6
    found, row = studies[1].effects[4], rows[10]
    assert (row["model"], row["stage"], row["teacher stage"]) == ("small", "s1", "t1")
    assert float(row["area"]) == found.fraction
    assert float(row["own effect low"]) == found.own.effect.low
    assert float(row["transferred beats all"]) == found.transferred.beats_all.value
    assert (tmp_path / "interventions-test.md").read_text() == interventions_markdown(studies, 90.0)


def test_the_markdown_compares_students_with_the_teacher_only(rng):
    text = interventions_markdown(_studies(rng), 90.0)
    teacher, student = text.split("## ")[1:]
    assert "transfer ratio" in student and "transfer ratio" not in teacher
    assert "n = 12 images of 6 lesions" in teacher
    assert "The last run took 2 min, without" in text and "20 % of images" in text


def test_records_are_read_again_the_teacher_first(rng, tmp_path):
    records = _records(rng)
    write_interventions(tmp_path, records, _studies(rng), 1.0)
    [(key, again)] = read_interventions(tmp_path).items()
    assert key == ("test", "big") and [r.model for r in again] == ["big", "small"]
    assert (again[1].drops == records[0].drops).all()
    assert read_interventions(tmp_path / "nothing") == {}
