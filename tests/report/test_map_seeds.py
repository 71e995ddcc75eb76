"""Maps over training seeds, read from the files of the benchmark."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from kdcore.base import DataError, results_folder
from kdcore.distill.sweep import Sweep
from kdcore.evaluate import Interval
from kdcore.report.explanations import METRICS
from kdcore.report.map_seeds import map_seed_rows
from tests.conftest import REPO
from tests.evaluate.map_makers import make_scores

HEAD = (
    "maps,part,teacher,student,measure,method,seeds,mean,sd,reference,difference,low,high,p (t),"
    "seeds won"
)
STUDY = ("grad-cam", "test", "big")


def write(folder: Path, *rows: str, head: str = HEAD) -> None:
    (folder / "sweep-maps.csv").write_text("\n".join([head, *rows]), encoding="utf-8")


def test_rows_of_one_study(tmp_path: Path) -> None:
    write(
        tmp_path,
        "grad-cam,test,big,resnet18,iou,kd-at,3,0.5,0.01,baseline,0.1,-0.02,0.22,0.07,3",
        "grad-cam,test,big,resnet18,iou,baseline,3,0.4,0.02,,,,,,",
        "score-cam-fast,test,big,resnet18,iou,baseline,3,0.9,0.02,,,,,,",
        "grad-cam,test,other,resnet18,iou,baseline,3,0.8,0.02,,,,,,",
    )
    head, taught = map_seed_rows(tmp_path, *STUDY)
    assert dict(zip(head, taught)) == {
        "student": "resnet18",
        "measure": "overlap of the top 20 %",
        "method": "KD + attention transfer",
        "seeds": 3,
        "mean ± sd": "0.500 ± 0.010",
        "compared with": "no teacher",
        "its mean ± sd": "0.400 ± 0.020",
        "difference": Interval(0.1, -0.02, 0.22),
        "p": 0.07,
        "seeds won": 3,
    }
    write(
        tmp_path,
        "grad-cam,test,big,resnet18,iou,kd-at,1,0.5,,baseline,0.1,,,,1",
        "grad-cam,test,big,resnet18,iou,baseline,1,0.4,,,,,,,",
    )
    one = dict(zip(head, map_seed_rows(tmp_path, *STUDY)[1]))  # of one seed no spread is defined
    assert one["mean ± sd"] == "0.500" and one["its mean ± sd"] == "0.400"
    assert one["difference"].value == 0.1 and math.isnan(one["difference"].low)
    assert math.isnan(one["p"])
    assert map_seed_rows(tmp_path, "occlusion", "test", "big") == []
    assert map_seed_rows(tmp_path / "none", *STUDY) == []


@pytest.mark.parametrize(
    "bad",
    [
        {"head": "maps,part"},
        {"head": HEAD.replace("sd", "spread")},
        {"rows": "grad-cam,test,big,resnet18,beauty,kd,3,0.5,0.01,kd,0.1,0.1,0.1,0.1,3"},
        {"rows": "grad-cam,test,big,resnet18,iou,kd,3,0.5,0.01,gone,0.1,0.1,0.1,0.1,3"},
        {"rows": "grad-cam,test,big,resnet18,iou,kd,three,0.5,0.01,kd,0.1,0.1,0.1,0.1,3"},
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, bad: dict[str, str]) -> None:
    good = "grad-cam,test,big,resnet18,iou,baseline,3,0.4,0.02,,,,,,"
    write(tmp_path, bad.get("rows", good), head=bad.get("head", HEAD))
    with pytest.raises(DataError, match=r"sweep-maps\.csv can't be read as maps over seeds"):
        map_seed_rows(tmp_path, *STUDY)


def test_what_the_benchmark_writes_is_read(tmp_path: Path) -> None:
    plan = REPO / "recipes/sweeps/ham10000-resnet18.toml"
    for index, member in enumerate(Sweep.read(plan).members()):
        level = 0.9 if member.method == "kd-at" else 0.5
        record = make_scores(30, seed=index, level=level, checkpoint=member.name)
        record.save(tmp_path / "explanations" / f"{member.name}.npz")
    script = [str(REPO / "benchmarks/map_seeds.py"), str(plan), str(tmp_path)]
    file = tmp_path / "x-maps.csv"
    subprocess.run([sys.executable, *script, "--csv", str(file)], check=True, cwd=tmp_path)
    head, *rows = map_seed_rows(tmp_path, "grad-cam", "test", "teacher")
    assert [row[1] for row in rows] == [METRICS[m] for m in ("pearson", "spearman", "iou")]
    for row in rows:  # without lesion masks there is nothing on lesions
        told = dict(zip(head, row))
        assert (told["seeds"], told["seeds won"]) == (3, 3)
        assert told["difference"].value == pytest.approx(0.4, abs=0.05)


def test_the_shipped_files_are_read() -> None:
    rows = map_seed_rows(results_folder(), "grad-cam", "test", "mobilenet_v2-teacher-144")
    assert {row[0] for row in rows[1:]} == {"mobilenet_v2", "resnet18"}
    by_name = {tuple(row[:3]): row for row in rows[1:]}
    row = by_name["resnet18", "share of the map on the lesion", "KD + attention transfer"]
    assert row[7].value == pytest.approx(-0.0237, abs=1e-4) and row[9] == 0
