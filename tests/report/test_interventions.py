"""Tables of interventions: as CSV with ends, and as Markdown for people."""

from __future__ import annotations

import csv

from kdcore.evaluate.interventions import measure_interventions
from kdcore.report.interventions import interventions_markdown, write_interventions
from tests.predict.test_intervention_scores import made


def _studies(rng):
    scores = [made(rng, n=12, model="big"), made(rng, n=12)]
    return [measure_interventions(s, 30) for s in scores]


def test_the_csv_holds_each_number_with_its_ends(rng, tmp_path):
    studies = _studies(rng)
    write_interventions(tmp_path, studies, 90.0)
    rows = list(csv.DictReader((tmp_path / "interventions.csv").open()))
    assert len(rows) == 2 * 6
    found, row = studies[1].effects[4], rows[10]
    assert (row["model"], row["stage"], row["teacher stage"]) == ("small", "s1", "t1")
    assert float(row["area"]) == found.fraction
    assert float(row["own effect low"]) == found.own.effect.low
    assert float(row["transferred beats all"]) == found.transferred.beats_all.value
    assert (tmp_path / "interventions.md").read_text() == interventions_markdown(studies, 90.0)


def test_the_markdown_compares_students_with_the_teacher_only(rng):
    text = interventions_markdown(_studies(rng), 90.0)
    teacher, student = text.split("## ")[1:]
    assert "transfer ratio" in student and "transfer ratio" not in teacher
    assert "n = 12 images of 6 lesions" in teacher
    assert "1.5 minutes" in text and "20% of images" in text
