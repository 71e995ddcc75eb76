"""Charts of a study of heatmaps: every number drawn is the result's, and none is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kdcore.charts.explanations import (
    floor_dots,
    gain_dots,
    mask_dots,
    mask_transfer_dots,
    part_dots,
    severity_lines,
)
from kdcore.evaluate import QUADRANTS
from kdcore.evaluate.explanations import Explanations, evaluate_explanations
from kdcore.evaluate.interventions import measure_interventions
from kdcore.evaluate.map_means import ALL, SAME_ANSWERS
from tests.evaluate.map_makers import make_baseline, make_scores, with_checks
from tests.predict.test_intervention_scores import made

COLOURS = {"teacher": "#1A80C4", "The student": "#D55E00", "The baseline": "#0E8F6E"}


@pytest.fixture(scope="module")
def found() -> Explanations:
    stacks = ("jpeg-1", "jpeg-5", "hair-2")
    teacher = make_scores(
        checkpoint="teacher",
        meta={"role": "teacher"},
        columns={n: v for n, v in make_scores().columns.items() if n.startswith("deletion")},
    )
    records = [teacher, make_scores(stacks=stacks), make_baseline(stacks=stacks)]
    return evaluate_explanations(records, 20)


def rows(chart: Any) -> list[dict[str, Any]]:
    spec = chart.to_dict()  # validates against the schema
    return max(spec["datasets"].values(), key=len)


def drawn(chart: Any) -> list[tuple[Any, ...]]:
    return [(r["series"], r["value"], r["low"], r["high"]) for r in rows(chart)]


def told(found: Explanations, tables: dict[str, Any], where: Any) -> set[tuple[Any, ...]]:
    return {
        (found.titles[model], *r.mean.as_dict().values())  # None for NaN, as JSON has it
        for model, of in tables.items()
        for r in of
        if where(r)
    }


@pytest.mark.parametrize(
    ("metric", "labels"),
    [
        ("pearson", ["the same image", "same answer", "any other image", "in the middle"]),
        ("deletion", ["the model's map", "in the middle", "same everywhere"]),
    ],
)
def test_a_metric_stands_beside_each_of_its_floors(
    found: Explanations, metric: str, labels: list[str]
) -> None:
    chart = floor_dots(found, metric, COLOURS)
    expected = told(
        found, found.means, lambda r: r.scope == ALL and r.metric.split("_")[0] == metric
    )
    assert set(drawn(chart)) == expected
    lines = list(dict.fromkeys(row["label"] for row in rows(chart)))
    assert len(lines) == len(labels) and all(a in b for a, b in zip(labels, lines))
    names = {series for series, *_ in drawn(chart)}
    assert ("teacher" in names) == (metric == "deletion")
    text = chart.to_json()
    assert ("lower is better" in text) == (metric == "deletion")
    assert (COLOURS["teacher"] in text) == (metric == "deletion")


def test_parts_are_classes_with_their_size_and_quadrants_in_order(found: Explanations) -> None:
    for scope in ("class", "quadrant"):
        chart = part_dots(found, "iou", scope, COLOURS)
        expected = told(
            found, found.means, lambda r, scope=scope: (r.metric, r.scope) == ("iou", scope)
        )
        assert set(drawn(chart)) == expected
    order = list(dict.fromkeys(row["label"].replace("\n", " ") for row in rows(chart)))
    assert order == [title for title in QUADRANTS.values() if title in order]
    classes = {row["label"] for row in rows(part_dots(found, "iou", "class", COLOURS))}
    assert all(" (n = " in label for label in classes)


def test_gains_are_drawn_beside_those_of_the_same_answers(found: Explanations) -> None:
    chart = gain_dots(found, "ssim", ALL, COLOURS)
    expected = told(
        found,
        found.differences,
        lambda r: r.metric == "ssim" and r.scope in (ALL, SAME_ANSWERS),
    )
    assert set(drawn(chart)) == expected and len(expected) == 2
    assert gain_dots(found.only(["baseline"]), "ssim", ALL, COLOURS) is None


def test_severities_begin_with_the_same_images_clean(found: Explanations) -> None:
    table = rows(severity_lines(found, "pearson", "jpeg", COLOURS))
    places = {(r["series"], r["x"]): r["value"] for r in table if "value" in r}
    for model in ("student", "baseline"):
        means = {r.name: r.mean.value for r in found.corrupted[model] if r.metric == "pearson"}
        title = found.titles[model]
        for place, name in {0: "clean", 1: "jpeg-1", 5: "jpeg-5"}.items():
            assert places[title, place] == pytest.approx(means[name])
    assert len(places) == 6


def test_only_some_models_are_drawn_and_their_titles_stay(found: Explanations) -> None:
    some = found.only(["student"])
    assert {series for series, *_ in drawn(floor_dots(some, "pearson", COLOURS))} == {"The student"}
    assert some.titles == found.titles and [t.student for t in some.transfers] == ["student"]
    assert found.only([]).transfers == () and found.only([]).means == {}


def test_masks_stand_beside_random_regions_and_the_teachers(rng: np.random.Generator) -> None:
    study = measure_interventions(made(rng, n=12), 20)
    own = [e.own.drop.value for e in study.effects], [e.own.random.value for e in study.effects]
    table = rows(mask_dots(study, "#D55E00"))
    assert [r["value"] for r in table] == [v for pair in zip(*own) for v in pair]
    assert table[0]["label"] == "s0\n10 % of the cells"
    moved = [r for r in rows(mask_transfer_dots(study)) if r["series"] == "the teacher's mask"]
    assert [(r["value"], r["low"]) for r in moved] == [
        (e.transferred.effect.value, e.transferred.effect.low) for e in study.effects
    ]


def test_without_resamples_dots_are_drawn_without_lines() -> None:
    found = evaluate_explanations([make_scores(), make_baseline()], 0)
    assert all(np.isnan(r.mean.low) for r in found.means["student"])
    assert len(drawn(floor_dots(found, "pearson", COLOURS))) == 8


def test_a_check_has_the_line_of_its_bound_and_every_floor():
    found = evaluate_explanations([with_checks(make_scores(), 60)], 20)
    for metric, bound in (("shuffled", 0.5), ("other_class", 0.9), ("sensitivity", 0.2)):
        spec = floor_dots(found, metric, COLOURS).to_dict()
        assert [{"value": bound}] in list(spec["datasets"].values())
        seen = {r.metric for r in found.means["student"] if r.metric.startswith(metric)}
        seen.discard(f"{metric}_empty")
        drawn_rows = max(spec["datasets"].values(), key=len)
        assert len(drawn_rows) == len(seen) and drawn_rows[0]["note"] == "n = 60 images"
    assert all(
        len(d) > 1 for d in floor_dots(found, "road", COLOURS).to_dict()["datasets"].values()
    )
