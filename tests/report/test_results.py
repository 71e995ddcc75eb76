"""Results as records: filtered and sorted as a plain loop does it, published ones always marked."""

from __future__ import annotations

import csv
import io
import math
import random
from collections import Counter

import pytest

from kdcore.data.info import LEAKY
from kdcore.evaluate import Interval
from kdcore.report.cells import csv_text, spread
from kdcore.report.published import PUBLISHED, published_results
from kdcore.report.results import (
    ORIGINS,
    SCORES,
    Result,
    choose_results,
    own_beside,
    paper_rows,
    result_rows,
    several_data,
    sort_results,
    studies_text,
    usual_data,
    values_of,
)
from tests.report.test_latex import parse


def result(k: int, **fields: object) -> Result:
    rng = random.Random(k)
    scores = {
        name: Interval(v := rng.random(), v - 0.1, v + 0.1) for name in SCORES if rng.random() < 0.8
    }
    made = {
        "key": str(k),
        "origin": rng.choice(list(ORIGINS)),
        "title": f"Model {k}",
        "method": rng.choice(["KD", "no teacher"]),
        "role": rng.choice(["teacher", "student", "baseline"]),
        "network": rng.choice(["resnet18", "mobilenet_v2"]),
        "data": rng.choice(["HAM10000", "CIFAR-10"]),
        "split": "lesion-grouped",
        "part": "test",
        "scores": scores,
        "spread": "lesions",
        "source": "a/card.json",
        "parameters": rng.choice([None, rng.random() * 20]),
    }
    return Result(**{**made, **fields})


MANY = [result(k) for k in range(120)]


@pytest.mark.parametrize("text", ["", "resnet18", "RESNET18 model", "12"])
@pytest.mark.parametrize("roles", [(), ("student",), ("student", "baseline")])
def test_filters_are_a_plain_loop(text: str, roles: tuple[str, ...]) -> None:
    origins = ("released", "published")
    expected = []
    for r in MANY:
        row = " ".join([r.mark, r.title, r.method, r.role, r.network, r.data, r.split, r.source])
        fits = r.origin in origins and r.data == "HAM10000" and (not roles or r.role in roles)
        if fits and all(word in row.lower() for word in text.lower().split()):
            expected.append(r.key)
    found = choose_results(MANY, origins, "HAM10000", roles, text=text)
    assert [r.key for r in found] == expected
    assert expected or text == "12"


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize("by", [*SCORES, "parameters"])
def test_sorting_keeps_all_and_puts_the_undefined_last(by: str, falling: bool) -> None:
    found = sort_results(MANY, by, falling)
    assert Counter(r.key for r in found) == Counter(r.key for r in MANY)
    values = [r.parameters if by == "parameters" else r.score(by).value for r in found]
    defined = [v for v in values if v is not None and not math.isnan(v)]
    assert values[: len(defined)] == sorted(defined, reverse=falling)
    assert 0 < len(defined) < len(values)


def test_an_unknown_score() -> None:
    with pytest.raises(ValueError, match="by"):
        sort_results(MANY, "luck")


def test_rows_hold_the_numbers() -> None:
    rows = result_rows(MANY, protocol=True)
    assert {len(row) for row in rows} == {len(rows[0])}
    read = list(csv.DictReader(io.StringIO(csv_text(spread(rows)))))
    for r, line in zip(MANY, read, strict=True):
        assert (line["whose"], line["model"]) == (r.mark, r.title)
        for name, title in SCORES.items():
            cell = line[title]
            assert cell == "" if name not in r.scores else float(cell) == r.scores[name].value
            assert (line[f"{title} low"] == "") == (name not in r.scores)
    from kdcore.report.latex import latex_table

    parse(latex_table(rows, "A note."))


def test_rows_for_paper_are_some_columns_of_all() -> None:
    whole, printed = result_rows(MANY), paper_rows(MANY)
    scores = [title for name, title in SCORES.items() if name != "nll"]
    assert printed[0] == ["model", "data", "whose", *scores]  # images of none are told
    for row, short in zip(whole[1:], printed[1:], strict=True):
        line = dict(zip(whole[0], row))
        assert short == [line[name] for name in printed[0]]


def test_the_data_stand_beside_the_model_where_there_are_several() -> None:
    assert result_rows(MANY)[0][:3] == ["whose", "model", "data"]
    one = [r for r in MANY if r.data == "HAM10000"]
    assert several_data(MANY) and not several_data(one)
    assert result_rows(one)[0][2] == SCORES["macro_f1"] and "data" in result_rows(one)[0]
    assert "data" not in paper_rows(one)[0]


def test_the_usual_data_are_those_of_the_released() -> None:
    released = [result(k, origin="released", data=d) for k, d in enumerate("ABBA" + "B")]
    others = [result(k, origin="mean", data="A") for k in range(9)]
    assert usual_data([*others, *released]) == "B" and usual_data(others) == ""


def test_published_rows_can_be_told_apart_and_cited() -> None:
    found = published_results()
    assert len({(r.title, r.data) for r in found}) == len(found)
    head, *body = result_rows(found, protocol=True)
    there = ["macro-F1", "accuracy", "ECE"]  # of no other score is anything published
    assert head[:6] == ["whose", "model", "data", *there]
    assert head[6:9] == ["method", "protocol", "reference"] and "seed" not in head
    for r, row in zip(found, body, strict=True):
        line = dict(zip(head, row))
        assert (line["method"], line["protocol"]) == (r.method, r.protocol)
        assert line["reference"] == r.reference and r.source in r.title
        assert (" by KD" in r.title) == (r.role == "student")
        assert (r.reference == "arXiv 2508.15251") == (r.source == "Explainable KD")
        assert r.reference in ("arXiv 2508.15251", "no reference")
        assert ("not recalibrated" in r.protocol) == ("ece" in r.scores)
    told = studies_text(found).splitlines()
    assert len(told) == len({r.source for r in found}) == 6
    assert "not recalibrated" in told[0] and told[0].startswith("HAM10000 edge study (no ref")


def test_values_keep_their_order() -> None:
    assert values_of([result(1, role="b"), result(2, role=""), result(3, role="a")], "role") == [
        "b",
        "a",
    ]


def test_published_rows_agree_with_themselves() -> None:
    found = published_results()
    assert len(found) == len(PUBLISHED) == len({r.key for r in found}) == 26
    for r in found:
        assert r.is_published and r.mark.startswith("PUBLISHED") and r.protocol and r.source
        assert r.scores and set(r.scores) <= set(SCORES)
        assert ("leaky" in r.mark) == (r.split == LEAKY) == ("leaks" in r.protocol)
        assert r.parameters is None and not r.measured
        for score in r.scores.values():
            assert 0 < score.value < 1
            assert math.isnan(score.low) == math.isnan(score.high)
            assert math.isnan(score.low) or score.low < score.value < score.high


def test_published_students_are_below_their_teacher() -> None:
    studies = {row.publication for row in PUBLISHED}
    checked = 0
    for study in studies:
        own = [row for row in PUBLISHED if row.publication == study and "accuracy" in row.scores]
        best = {
            role: max((first(r.scores["accuracy"]) for r in own if r.role == role), default=None)
            for role in ("teacher", "student")
        }
        if None not in best.values():
            assert best["teacher"] > best["student"]
            checked += 1
    assert checked == 4


def first(score: float | tuple[float, float, float]) -> float:
    return score[0] if isinstance(score, tuple) else score


def test_published_and_ours_are_never_one_list() -> None:
    ours = own_beside([*MANY, *published_results()], "HAM10000")
    assert ours and not any(r.is_published for r in ours)
    assert {r.origin for r in ours} == {"released", "mean"}
    assert all("after temperature scaling" in r.protocol for r in ours)
