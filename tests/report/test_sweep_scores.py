"""Sweeps read back: compared again they give what the sweep's own command has written."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from kdcore.base import results_folder
from kdcore.distill import Recipe
from kdcore.evaluate.held_out import VAL_SCORE
from kdcore.report.pinned import BY_SEEDS, how_paired, seed_differences
from kdcore.report.results_found import sweep_results
from kdcore.report.sweep_methods import method_lines, recipe_words, student_name
from kdcore.report.sweep_scores import (
    SUFFIX,
    SweepScores,
    ablation_note,
    ablation_rows,
    ablation_sentence,
    ablation_sentences,
    method_title,
    read_sweeps,
)

SHIPPED, _ = read_sweeps([results_folder()])
HEAD = "student,method,seed,macro_f1,balanced_accuracy,accuracy,nll,ece,val_macro_f1\n"


def write(folder: Path, text: str, name: str = "mine") -> SweepScores:
    (folder / f"{name}{SUFFIX}").write_text(HEAD + text)
    found, problems = read_sweeps([folder])
    assert problems == []
    return found[0]


def scores(value: float) -> str:
    return ",".join([str(value)] * 6)


@pytest.mark.parametrize("sweep", SHIPPED, ids=lambda s: s.name)
def test_the_shipped_tables_again(sweep: SweepScores) -> None:
    with (results_folder() / f"{sweep.name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    ablation, checked = cache(sweep.ablation), 0
    for row in rows:
        score = VAL_SCORE if row["split"] == "val" else row["metric"]
        found = ablation(score, row["student"])
        own = next(m for m in found.methods if m.method == row["method"])
        assert own.mean.value == pytest.approx(float(row["mean"]), abs=1e-12)
        assert own.sd == pytest.approx(float(row["sd"]), abs=1e-12)
        if row["reference"] == found.references[0]:
            cells = {r[0]: r for r in ablation_rows(found)[1:]}[method_title(row["method"])]
            assert cells[4].value == pytest.approx(float(row["difference"]), abs=1e-12)
            assert cells[4].low == pytest.approx(float(row["difference_low"]), abs=1e-9)
            assert cells[5] == pytest.approx(float(row["p_t_holm"]), abs=1e-9)
            checked += 1
        assert sweep.images[row["split"]] == int(row["n_images"])
    assert checked > 5


@pytest.mark.parametrize("sweep", SHIPPED, ids=lambda s: s.name)
def test_means_are_means_of_the_seeds(sweep: SweepScores) -> None:
    found = sweep_results(sweep, "test")
    seeds = [r for r in found if r.origin == "seed"]
    assert len(seeds) == len(sweep.runs) and len({r.key for r in found}) == len(found)
    for mean in (r for r in found if r.origin == "mean"):
        own = [r for r in seeds if r.method == mean.method]
        assert mean.seed == ", ".join(r.seed for r in own)
        for name, score in mean.scores.items():
            values = [r.score(name).value for r in own]
            assert score.value == pytest.approx(np.mean(values))
            assert score.low < score.value < score.high
        assert (mean.taught == "") == (mean.method == "no teacher")
        assert mean.parameters and mean.input_size and mean.data and mean.split
    assert all(set(r.scores) == {"macro_f1"} for r in sweep_results(sweep, "val"))


@pytest.mark.parametrize("sweep", SHIPPED, ids=lambda s: s.name)
def test_each_method_has_words_of_its_own(sweep: SweepScores) -> None:
    student = sweep.students[0]
    found = sweep.ablation("macro_f1", student)
    lines = method_lines(sweep, found, student)
    assert list(lines) == [method_title(m.method) for m in found.methods]
    assert len(set(lines.values())) == len(lines) and lines["no teacher"] == "the labels alone"
    known = ("resnet18", "mobilenet_v2", "efficientnet_b0", "cnn2")
    assert student_name(sweep, student) in known
    head = ablation_rows(found, "macro-F1")[0]
    assert head[2] == "macro-F1, mean"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"alpha": 0.25, "temperature": 3.0}, "the labels weigh α = 0.25, the teacher's"),
        ({"alpha": 0.2, "schedules": (("alpha", "linear", 0.9),)}, "α = 0.2 at first, 0.9 at last"),
        ({"beta": 5.0, "schedules": (("beta", "warm-up", 2),)}, "β = 5 after 2 epochs"),
        ({"beta": 7.0, "at_masked": True}, "β = 7, inside the causal mask"),
        ({"lam": 2.0, "align": "contrastive"}, "told apart from other images', λ = 2"),
        ({"hint": 0.5}, "weight 0.5"),
        ({"alpha": 0.5, "teacher_views": 1}, "kept, of 1 look at each image"),
        ({"alpha": 0.5}, "the very image that the student sees"),
    ],
)
def test_settings_in_words(fields: dict, words: str) -> None:
    recipe = Recipe(name="x", architecture="resnet18", teachers=("t",), **fields)
    assert words in recipe_words(recipe)
    assert recipe_words(recipe, ["epochs"]).endswith(f"; epochs = {recipe.epochs}")


def test_two_means_are_paired_by_seed() -> None:
    sweep = next(s for s in SHIPPED if s.name == "ham10000-methods")
    means = {r.method: r for r in sweep_results(sweep, "test") if r.origin == "mean"}
    one, other = means["no teacher"], means["KD"]
    assert how_paired(one, other) == BY_SEEDS
    every = seed_differences(sweep, one, other)
    assert list(every) == ["macro-F1", "balanced accuracy", "accuracy", "ECE"]
    val = (replace(result, part="val") for result in (one, other))
    assert list(seed_differences(sweep, *val)) == ["macro-F1"]
    found = every["macro-F1"].comparisons[0]
    values = {
        method: [r.scores["macro_f1"] for r in sweep.runs if r.method == method]
        for method in ("baseline", "kd")
    }
    assert found.difference.value == pytest.approx(np.mean(np.subtract(*values.values())) * -1)
    assert found.p_holm == found.p_t and found.family == 1


def test_sentences_say_what_the_tests_say(tmp_path: Path) -> None:
    noise = [0.001, -0.001, 0.0005]
    lines = [f",{m},{k},{scores(v + e)}" for m, v, sign in (("baseline", 0.5, 1), ("kd", 0.6, -1))
             for k, e in enumerate(sign * n for n in noise)]  # fmt: skip
    sweep = write(tmp_path, "\n".join(lines))
    said = ablation_sentence(sweep.ablation("macro_f1"))
    assert said == "Against “no teacher”: KD is better (p < 0.05)."
    found = {name: sweep.ablation(name) for name in ("macro_f1", "accuracy", "nll")}
    assert ablation_sentences(found) == [
        "macro_f1 and accuracy: Against “no teacher”: KD is better (p < 0.05).",
        "nll: Against “no teacher”: KD is worse (p < 0.05).",
    ]
    assert "KD is worse" in ablation_sentence(sweep.ablation("nll"))
    slopes = {"baseline": -0.01, "kd": 0.01, "full": -0.01}
    flat = [f",{m},{k},{scores(0.5 + k * s)}" for m, s in slopes.items() for k in range(3)]
    (tmp_path / "flat").mkdir()
    said = ablation_sentence(write(tmp_path / "flat", "\n".join(flat)).ablation("macro_f1"))
    assert said.startswith("A difference of any method to “no teacher”") and "is not shown" in said
    note = ablation_note(sweep, sweep.ablation(VAL_SCORE), VAL_SCORE)
    assert note.startswith("mine. Validation part; seeds 0, 1, 2.") and "mine-seeds.csv" in note


def test_a_sweep_without_a_plan_or_reference(tmp_path: Path) -> None:
    sweep = write(tmp_path, f",own,0,{scores(0.5)}\n,other,0,{scores(0.6)}")
    assert sweep.plan is None and sweep.title == "mine" and sweep.images == {}
    found = sweep.ablation("macro_f1")
    assert method_lines(sweep, found, "") == {} and student_name(sweep, "net") == "net"
    assert "no reference" in ablation_sentence(found)
    assert [row[0] for row in ablation_rows(found)[1:]] == ["own", "other"]
    assert all(math.isnan(r.score("ece").low) for r in sweep_results(sweep, "test"))


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    alone = "".join(f"s,baseline,{seed},{scores(0.5)}\n" for seed in range(3))
    said = ablation_sentence(write(tmp_path, alone).ablation("macro_f1", "s"))
    assert said == "No other method is there to compare with “no teacher”."
    once = f"s,baseline,0,{scores(0.5)}\ns,kd,0,{scores(0.6)}\n"
    said = ablation_sentence(write(tmp_path, once).ablation("macro_f1", "s"))
    assert said == "Too few seeds are shared with “no teacher” for a test."


@pytest.mark.parametrize("text", ["", ",kd,x,1,1,1,1,1,1", ",kd,0,1", f",kd,0,{scores(math.inf)}"])
def test_a_broken_file_is_told_and_the_others_are_read(tmp_path: Path, text: str) -> None:
    (tmp_path / f"broken{SUFFIX}").write_text(HEAD + text)
    (tmp_path / f"good{SUFFIX}").write_text(f"{HEAD},kd,0,{scores(0.5)}")
    found, problems = read_sweeps([tmp_path, tmp_path / "missing"])
    assert [s.name for s in found] == ["good"]
    assert len(problems) == 1 and "broken-seeds.csv" in str(problems[0])
