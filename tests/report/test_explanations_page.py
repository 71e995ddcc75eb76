"""What the Explanations page says: who is ahead of which floor, masks, cases, and versions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kdcore.evaluate.explanations import evaluate_explanations, lowest_agreement, transfers
from kdcore.evaluate.interventions import measure_interventions
from kdcore.evaluate.transfer import transfer
from kdcore.report.explanations import map_corruptions, metric_note, metrics_of
from kdcore.report.explanations_floors import floor_verdicts
from kdcore.report.explanations_text import transfer_text
from kdcore.report.interventions_text import mask_text, mask_transfer_text
from kdcore.report.map_cases import map_case_lines, map_case_rows
from kdcore.report.versions import version_text
from tests.evaluate.map_makers import make_baseline, make_scores, with_checks
from tests.predict.test_intervention_scores import made


def with_centre(metric, shift):
    """Return a study of a student whose floor `centre` of a metric lies `shift` above it."""
    record = make_scores()
    columns = dict(record.columns)
    wave = np.where(np.arange(len(record)) % 2, 0.01, -0.01).astype(np.float32)
    columns[f"{metric}_centre"] = columns[metric] + np.float32(shift) + wave
    return evaluate_explanations([replace(record, columns=columns), make_baseline()], 100)


def only_verdict(found, model, metric):
    return " ".join(floor_verdicts(found, [model], metric))


@pytest.mark.parametrize(
    ("metric", "shift", "place"),
    [
        ("pearson", 0.3, "behind a blob"),
        ("pearson", 0.0, "not shown to differ from a blob"),
        ("deletion", -0.3, "behind a blob"),
    ],
)
def test_a_floor_that_is_not_beaten_has_a_consequence(metric, shift, place):
    text = only_verdict(with_centre(metric, shift), "student", metric)
    assert place in text and text.startswith("**The student**: ")
    claim = "look at the same" if metric == "pearson" else "the map is right"
    assert "does not show that" in text and claim in text


def test_a_map_that_beats_all_floors_is_said_to():
    for metric, shift in (("pearson", -0.3), ("deletion", 0.3)):
        text = only_verdict(with_centre(metric, shift), "student", metric)
        assert "ahead of" in text and "behind" not in text and "does not show" not in text
    assert only_verdict(with_centre("pearson", 0), "student", "lesion_iou") == ""


def test_agreement_with_any_image_is_not_about_the_image():
    record, columns = make_scores(), dict(make_scores().columns)
    columns["pearson_mismatched"] = columns["pearson"] + np.float32(0.1)
    columns["pearson_centre"] = columns["pearson"] - np.float32(0.1)
    found = evaluate_explanations([replace(record, columns=columns)], 50)
    assert "not about the image" in only_verdict(found, "student", "pearson")


def test_likeness_is_no_contest_and_a_check_that_is_passed_proves_nothing():
    found = evaluate_explanations([with_checks(make_scores(), 60)], 50)
    text = only_verdict(found, "student", "shuffled")
    assert "less like the shuffled network's maps than like the edges in the picture" in text
    assert "more like the shuffled network's maps than like random blobs" in text
    steady = only_verdict(found, "student", "sensitivity")
    assert steady == "**The student**: behind the edges in the picture."
    assert "does not show" not in text + steady
    assert "does not show that the map is right" in only_verdict(found, "student", "road")


def test_what_holds_of_several_is_said_once():
    found = evaluate_explanations([make_scores(), make_baseline()], 50)
    (told,) = floor_verdicts(found, found.means, "deletion")
    assert told.startswith("**The student; The baseline**: ahead of a map that is the same")
    one, other = floor_verdicts(with_centre("deletion", 0.5), found.means, "deletion")
    assert one.startswith("**The student**: ") and other.startswith("**The baseline**: ")


def test_few_lesions_show_no_place():
    records = [r.take(np.arange(12)) for r in (make_scores(), make_baseline())]
    text = only_verdict(evaluate_explanations(records, 50), "student", "pearson")
    assert "ahead of" not in text and "behind" not in text and "not shown to differ" in text


def test_a_metric_of_fewer_images_says_how_many():
    record = make_scores(stacks=("jpeg-1", "jpeg-2", "hair-3"))
    columns = dict(record.columns)
    columns["deletion"] = np.where(np.arange(len(record)) < 30, columns["deletion"], np.nan)
    found = evaluate_explanations([replace(record, columns=columns)], 20)
    assert "n = 30 images of 20 lesions" in metric_note(found, "deletion")
    assert "n = 200 images" in metric_note(found, "pearson")
    assert "n = 200 images" in metric_note(found, "pearson", corrupted=True)
    assert metrics_of(found, ("lesion_iou", "deletion")) == ["deletion"]
    assert list(map_corruptions(found)) == ["jpeg", "hair"]


def test_the_answer_by_another_measure_names_it():
    records = [make_scores(seed=2, level=0.9), make_baseline()]
    found = evaluate_explanations(records, 50)
    (answer,) = transfers(records, "cosine", 50)
    assert answer == transfer(*records, "cosine", 50)
    assert "agree in cosine with the teacher's" in transfer_text(found, answer)
    assert "correlate with the teacher's" in transfer_text(found, found.transfers[0])


def test_masks_are_counted_and_the_largest_is_named(rng):
    scores = made(rng, n=30)
    drops = np.full((30, 2, 3), 0.1, np.float32) + rng.normal(0, 0.01, (30, 2, 3)).astype("f4")
    drops[:, 1, 2] += 0.5
    zeros = np.zeros_like(scores.random_drops)
    sure = replace(
        scores,
        drops=drops,
        random_drops=zeros,
        transfer_drops=-drops,
        transfer_random_drops=zeros,
    )
    study = measure_interventions(sure, 50)
    text = mask_text(study, "Small")
    assert "the mask of Small costs more than removing random regions at 6 of the 6" in text
    assert "at s1 with 30 % of the cells: +0.6" in text and "chance gives 20 %" in text
    moved = mask_transfer_text(study, "Small")
    assert "at 0 of the 6 stages and areas, and less at 6" in moved and "-1.00 times" in moved
    none = measure_interventions(replace(sure, drops=-drops), 50)
    assert "no clear effect" in mask_transfer_text(none, "Small")


def test_cases_hold_both_answers_and_the_agreement():
    record = make_scores()
    rows = lowest_agreement(record, "iou", 5)
    head, *body = map_case_rows(record, rows, "iou")
    assert head[-1] == "overlap of the top 20 %" and len(body) == 5
    row, first = int(rows[0]), body[0]
    assert first[0] == record.sample_ids[row] and first[2] == record.classes[record.labels[row]]
    assert first[3] == record.classes[record.target[row]]
    assert first[4] == record.classes[record.answer[row]]
    assert (
        first[5]
        == min(line[5] for line in body)
        == pytest.approx(record.columns["iou"].min(), abs=1e-4)
    )
    lines = map_case_lines(record, rows, "iou")
    assert list(lines) == [line[0] for line in body]
    assert lines[first[0]].endswith(f"Teacher: {first[3]}; Student: {first[4]}")


def test_other_weights_are_told_and_missing_ones_are_not():
    assert version_text({"a": "1", "b": "2"}, {"a": "1"}) == ""
    assert version_text({"a": "1", "b": "2"}, {"a": "1", "b": "3"}).startswith(
        "b has other weights"
    )
    assert version_text({"a": "1", "b": "2"}, {"a": "4", "b": "3"}).startswith("a, b have other")
