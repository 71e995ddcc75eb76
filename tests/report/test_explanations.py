"""Studies of heatmaps as sentences, tables and files."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from kdcore.evaluate.explanations import evaluate_explanations
from kdcore.evaluate.map_means import ALL
from kdcore.predict.map_scores import AGREEMENT, MapScores
from kdcore.report.explanations import (
    CHECKS,
    FAITHFULNESS,
    METRICS,
    corrupted_rows,
    difference_rows,
    floor_rows,
    mean_table,
    transfer_rows,
)
from kdcore.report.explanations_files import read_studies, write_explanations
from kdcore.report.explanations_floors import floor_verdicts
from kdcore.report.explanations_text import (
    checks_text,
    faithfulness_text,
    floor_text,
    localisation_text,
    markdown_study,
    road_text,
    transfer_text,
)
from tests.evaluate.map_makers import make_baseline, make_scores, with_checks


def study(**changes):
    """Records of a teacher, its student and a baseline; `changes` are of the student."""
    teacher = make_scores(
        checkpoint="teacher",
        meta={"role": "teacher"},
        columns={n: v for n, v in make_scores().columns.items() if n.startswith("deletion")},
    )
    return [teacher, make_scores(**{"seed": 2} | changes), make_baseline()]


def alike():
    """Columns of a student whose maps are its teacher's, and of no other image."""
    scores = make_scores(seed=2).columns
    return {**scores, **{m: np.float32(0.4) + scores[m] for m in AGREEMENT}}


def usual(gain):
    """Columns of a student that is ahead of its baseline by `gain` beside any map of the answer."""
    scores = make_baseline().columns
    higher = {n: scores[n] + np.float32(gain) for m in AGREEMENT for n in (m, f"{m}_mismatched")}
    return {**scores, **higher}


def found_of(records):
    return evaluate_explanations(records, n_boot=100)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"columns": usual(0.4)},
            [
                "In general, not image by image: the maps of The student",
                "by more than its answers explain",
                "is left: less than 0.05, so it looks where its teacher usually looks",
            ],
        ),
        (
            {"level": 0.9, "columns": alike()},
            ["Yes: the maps", "is left: that is about the image itself."],
        ),
        ({"level": 0.5}, ["No: the maps of The student", "no gain of 0.05 or more is left"]),
        ({"columns": usual(0.05)}, ["In general"]),
        (
            {"level": 0.9},
            ["These images can’t say", "that is about the image itself can't be told"],
        ),
        ({"level": 0.3}, ["No", "looks less where the teacher looks than without a teacher"]),
    ],
)
def test_the_answer_in_words(changes, words):
    found = found_of(study(**changes))
    text = transfer_text(found, found.transfers[0])
    assert all(word in text for word in words)
    gain = found.transfers[0].gain.mean.value
    assert f"{abs(gain):.3f}" in text
    assert text.endswith("One training run of each network: other seeds may differ.")


def test_the_answer_where_it_is_open():
    records = [r.take(np.arange(12)) for r in study(level=0.9)]
    found = found_of(records)
    text = transfer_text(found, found.transfers[0])
    assert text.startswith("These images can’t say") and "too few to tell" in text
    student = replace(records[1], answer=(records[1].target + 1) % 7)
    found = found_of([records[0], student, records[2]])
    assert "no image where both" in transfer_text(found, found.transfers[0])


@pytest.mark.parametrize(
    ("shift", "words"),
    [(0.3, "is more like"), (-0.3, "is less like"), (0.0, "not shown to be more like")],
)
def test_a_blob_in_the_middle_that_wins_is_said_to(shift, words):
    records = study()
    columns = dict(records[1].columns)
    columns["pearson_centre"] = columns["pearson"] + np.float32(shift)
    columns["pearson_centre"][::2] += 0.01
    columns["pearson_centre"][1::2] -= 0.01
    text = floor_text(
        found_of([records[0], replace(records[1], columns=columns), records[2]]), "student"
    )
    assert words in text and "another image of the same answer" in text


def test_deletion_is_better_when_it_is_lower():
    records = study()
    text = faithfulness_text(found_of(records), "student")
    assert "The middle of the image marks what the answer hangs on better than the map" in text
    swapped = dict(records[1].columns)
    swapped["deletion_centre"] = swapped["deletion"] + np.float32(0.2)
    found = found_of([records[0], replace(records[1], columns=swapped), records[2]])
    assert "The map marks what the answer hangs on better" in faithfulness_text(found, "student")
    assert localisation_text(found, "student") == ""  # there were no masks


def test_tables_hold_the_numbers():
    records = [r if r.checkpoint == "teacher" else None for r in study()]
    records[1:] = [make_scores(stacks=("jpeg-1",)), make_baseline(stacks=("jpeg-1",))]
    found = found_of(records)
    head, *rows = mean_table(found, METRICS)
    assert head[:2] == ["model", "images"] and "deletion ↓" in head and len(rows) == 3
    means = {r.metric: r.mean for r in found.means["student"] if r.scope == ALL}
    assert rows[1][2] == means["pearson"] and rows[0][2] is None
    assert {row[1] for row in mean_table(found, METRICS, "class")[1:]} == set(records[0].classes)
    assert len(transfer_rows(found)) == 2 and transfer_rows(found)[1][-1] in ("yes", "no")
    floors = floor_rows(found)
    lifted = next(r for r in floors[1:] if r[0] == "The student")
    assert lifted[4].value - lifted[5].value == pytest.approx(lifted[6].value)
    assert {row[1] for row in floor_rows(found, ("deletion",))[1:]} == {"deletion"}
    assert ["corruption", "JPEG compression 1"] in [row[2:4] for row in difference_rows(found)[1:]]
    assert {row[2] for row in corrupted_rows(found)[1:]} == {"clean", "JPEG compression 1"}
    widths = {len(row) for row in floors}
    assert len(widths) == 1


def checked(**levels):
    """Return what is found of a student of 200 images, 60 of them checked."""
    return found_of([with_checks(make_scores(), 60, **levels), make_baseline()])


def test_road_says_who_is_ahead_of_whom():
    text = road_text(checked(), "student")
    assert "(ROAD)" in text and "n = 60" in text
    assert "The middle of the image marks what the answer hangs on better than the map" in text
    ahead = road_text(checked(road_centre=0.5), "student")
    assert "The map marks what the answer hangs on better" in ahead


def test_checks_say_on_which_side_of_the_bounds_the_maps_are():
    text = checks_text(checked(), "student")
    assert text.count(". ") == 1 and "(n = 60)" in text
    assert "change under noise is below 0.2" in text
    assert "likeness to the shuffled network's map is below 0.5" in text
    assert "likeness to other classes' maps is above 0.9" in text
    assert "is not shown to differ from 0.5" in checks_text(checked(shuffled=0.5), "student")
    few = with_checks(make_scores(), 12)
    assert checks_text(found_of([few]), "student").count("not shown to differ from") == 3


def test_empty_maps_are_counted_and_said_to_show_little():
    record = with_checks(make_scores(), 60)
    columns = dict(record.columns)
    columns["shuffled"] = np.where(
        np.arange(200) < 45, columns["shuffled"] * 0, columns["shuffled"]
    )
    found = found_of([replace(record, columns=columns)])
    (share,) = [
        r for r in found.means["student"] if r.metric == "shuffled_empty" and r.scope == ALL
    ]
    assert share.mean.value == 0.75 and share.n == 60
    assert "75 % of the shuffled network's maps are empty" in checks_text(found, "student")
    assert any(
        "75 % of those are empty" in told for told in floor_verdicts(found, ["student"], "shuffled")
    )
    assert "are empty" not in " ".join(floor_verdicts(found, ["student"], "other_class"))


def test_a_method_that_shows_no_class_is_told_without_it():
    record = with_checks(make_scores(), 60)
    columns = {n: v for n, v in record.columns.items() if not n.startswith("other_class")}
    text = checks_text(found_of([replace(record, columns=columns)]), "student")
    assert "other classes" not in text and "shuffled weights, of " in text


def test_an_older_record_has_no_checks_and_is_told_as_before(tmp_path):
    make_scores().save(tmp_path / "old.npz")
    found = found_of([MapScores.load(tmp_path / "old.npz"), make_baseline()])
    assert road_text(found, "student") == checks_text(found, "student") == ""
    text = markdown_study(found, 60)
    assert "ROAD" not in text and "need the network" not in text and "random order 0.4" in text


def test_tested_images_are_counted_apart():
    found = checked()
    head, row, _ = mean_table(found, METRICS)
    counts = [row[k] for k, name in enumerate(head) if str(name).startswith("images")]
    assert "images tested" in head and counts == [200, 200]  # deletion has all of them here
    head, row = mean_table(found, CHECKS)
    assert (
        head[1] == "images"
        and row[1] == 60
        and [str(n).endswith(" ↓") for n in head[2:]] == [1, 1, 0, 1, 0]
    )
    assert "ROAD ↓" in mean_table(found, FAITHFULNESS)[0]
    text = markdown_study(found, 60)
    assert "## Does the map need the network, and the class?" in text
    assert "The last run took 60 s, without what was kept of earlier ones." in text


def test_files_are_read_again_without_a_model(tmp_path):
    records = study(columns=usual(0.4))
    found = found_of(records)
    write_explanations(tmp_path, records, found, 90)
    [(key, again)] = read_studies(tmp_path).items()
    assert key == ("grad-cam", "test", "teacher")
    assert [r.checkpoint for r in again] == ["teacher", "student", "baseline"]
    assert evaluate_explanations(again, 100).transfers == found.transfers
    stem = "explanations-grad-cam-test"
    rows = list(csv.DictReader((tmp_path / f"{stem}-transfer.csv").open()))
    assert rows[0]["explanations transferred"] == "in general only"
    assert float(rows[0]["difference low"]) > 0
    text = (tmp_path / f"{stem}.md").read_text()
    assert (
        "In general, not image by image: the maps of The student" in text
        and "n = 200 images" in text
    )
    assert (tmp_path / f"{stem}-agreement.tex").read_text().startswith(r"\begin{tabular}")
    assert not (tmp_path / f"{stem}-corrupted.csv").exists()
    assert read_studies(tmp_path / "nothing") == {}


def test_a_student_of_another_teacher_is_said_to_be():
    meta = make_scores().meta | {"taught_by": "somebody"}
    text = markdown_study(found_of(study(meta=meta)), 60)
    assert "The student was taught by somebody, not by teacher." in text
    meta["taught_by"] = "somebody, teacher"
    assert "was taught by" not in markdown_study(found_of(study(meta=meta)), 60)
