"""`kdcore report`: its numbers are those of the evaluation, its files are whole, read and safe."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kdcore.base import group_hash
from kdcore.cli.main import main
from kdcore.cli.reporting import figures
from kdcore.cli.reporting import folder as report_folder
from kdcore.cli.reporting.folder import SOURCE
from kdcore.data import HAM10000, Ham10000
from kdcore.evaluate import evaluate_predictions
from kdcore.evaluate.robustness import robustness
from kdcore.models import read_card
from kdcore.report.robustness_files import write_robustness
from kdcore.report.summary import SUMMARY
from kdcore.report.tables import TITLES
from tests.conftest import REPO, write_tiny_checkpoint
from tests.evaluate.makers import make_predictions
from tests.evaluate.test_robustness import make_grid
from tests.report import pdf, tex
from tests.report.test_latex_paper import PREAMBLE, parse_paper

NASTY = 'Small <script>alert("1")</script> & 50 % of α_1'
MODELS = {
    "big": ("teacher", "Big", 2.5),
    "small": ("student", NASTY, 1.5),
    "alone": ("baseline", "Alone", 1.0),
}
RECIPE = {"architecture": "cnn2", "name": "x", "split": "lesion-grouped", "teachers": []}
TOLD = {"provenance": "Drawn for a test.", "licence": "CC0"}
FOLDERS = ("tables", "figures")


def write_model(root: Path, name: str, part_size: int = 120, **card: object) -> None:
    role, title, signal = MODELS.get(name, ("student", name, 1.0))
    made = write_tiny_checkpoint(
        root / name, role, "cnn2", title=title, recipe=RECIPE, **TOLD, **card
    )
    own = {"checkpoint": name, "checkpoint_hash": made.weights_sha256, "seed": 3}
    for part in ("val", "test"):
        own["sample_ids"] = np.array([f"{part} {i}" for i in range(part_size)])
        predictions = make_predictions(part_size, signal=signal, split=part, **own)
        predictions.save(root / name / f"predictions-{part}.npz")
    (root / name / "history.csv").write_text(
        "epoch,train_loss,train_ce,val_macro_f1,val_balanced_accuracy,val_accuracy\n"
        "1,2.0,2.0,0.2,0.3,0.5\n2,1.5,1.5,0.4,0.4,0.6\n"
    )


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("checkpoints")
    for name in MODELS:
        write_model(root, name)
    return root


@pytest.fixture(autouse=True)
def _checkpoints(models, monkeypatch):
    """The made-up models; only the module's one report, made before this, draws its figures."""
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(models))
    monkeypatch.setattr(figures, "figure_bytes", lambda _, kind, __: pdf.FIGURE[kind])


@pytest.fixture(scope="module")
def report(models, tmp_path_factory) -> Path:
    """One report of all three models, made once."""
    out = tmp_path_factory.mktemp("report") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISTILSCOPE_CHECKPOINTS", str(models))
        patch.setenv("DISTILSCOPE_STATE", str(out.parent / "state"))
        command = ["report", "--out", str(out), "--resamples", "20"]
        assert main([*command, "--json", str(out.parent / "r.json")]) == 0
    return out


def document(report: Path) -> str:
    return (report / "report.html").read_text(encoding="utf-8")


def test_the_summary_is_the_evaluation(report, models):
    rows = list(csv.DictReader((report / "tables" / "summary.csv").open()))
    assert [row["model"] for row in rows] == ["Big", NASTY, "Alone"]
    result = json.loads((report.parent / "r.json").read_text())
    assert result["teacher"] == "big" and set(result["pairs"]) == {"small", "alone"}
    for name, row in zip(MODELS, rows, strict=True):
        predictions = make_test(models, name)
        expected = evaluate_predictions(predictions, 1.3, 20).metrics
        for score in SUMMARY:
            for end, key in (("value", ""), ("low", " low"), ("high", " high")):
                wanted = getattr(expected[score], end)
                assert float(row[TITLES[score] + key]) == pytest.approx(wanted, abs=1e-12)
            shown = f">{expected[score].value:.3f}<"
            assert shown in document(report) or expected[score].value < 0.001
        assert result["models"][name]["n"] == 120


def make_test(models: Path, name: str):
    from kdcore.predict import Predictions

    return Predictions.load(models / name / "predictions-test.npz")


def test_gaps_are_differences_and_shares_of_the_teacher(report, models):
    big, small = (evaluate_predictions(make_test(models, n), 1.3, 0) for n in ("big", "small"))
    rows = list(csv.DictReader((report / "tables" / "classes-small.csv").open()))
    scores = [
        (getattr(one, score).value, getattr(other, score).value)
        for one, other in zip(big.per_class, small.per_class, strict=True)
        for score in ("precision", "recall", "f1")
    ]
    for row, (a, b) in zip(rows, scores, strict=True):
        assert (float(row["Big"]), float(row[NASTY])) == pytest.approx((a, b))
        assert float(row["Δ"]) == pytest.approx(b - a, abs=1e-12)
        gap = row["relative Δ"]
        assert (gap == "" and a == 0) or float(gap) == pytest.approx((b - a) / a)
    quadrants = list(csv.reader((report / "tables" / "quadrants.csv").open()))
    assert all(sum(map(int, row[1:])) == 120 for row in quadrants[1:])


def test_a_pair_is_called_by_its_titles(report):
    text = document(report)
    assert "<strong>Alone</strong> less" not in text, "sentences are of the students"
    assert "</strong> less <strong>Big</strong>: macro-F1 " in text
    assert not re.search("the student|the teacher|Teacher and", text)
    pairs = list(csv.reader((report / "tables" / "pairs.csv").open()))
    assert {"Δ balanced accuracy", "Δ ECE", "only Big right"} <= set(pairs[0])
    result = json.loads((report.parent / "r.json").read_text())
    assert result["pairs"]["alone"]["teacher"] == "big"


def test_it_says_when_it_was_made_and_which_model_each_text_is_of(report):
    assert re.search(r"<p>Made on \d{4}-\d{2}-\d{2} of 3 models", document(report))
    for title in ("Big", "Alone"):
        assert f"<strong>{title}</strong>: Drawn for a test. Licence: CC0." in document(report)


def test_sizes(report):
    rows = list(csv.DictReader((report / "tables" / "models.csv").open()))
    from kdcore.models import build_model

    count = sum(p.numel() for p in build_model("cnn2", 7).parameters())
    assert {float(row["parameters, M"]) for row in rows} == {count / 1e6}
    assert {row["stored as"] for row in rows} == {"F16"}


def test_every_table_is_strict_latex(report):
    texts = {p.stem: p.read_text(encoding="utf-8") for p in (report / "tables").glob("*.tex")}
    for name, text in texts.items():
        cells = parse_paper(text)
        written = list(csv.reader((report / "tables" / f"{name}.csv").open()))
        assert len(written) >= 2 and len(cells) >= 2
    assert {"summary", "classes-small", "pairs", "calibration", "recipes"} <= set(texts)


def test_the_latex_is_typeset_and_nothing_lies_beside_the_page(report, tmp_path):
    if why := tex.missing():
        pytest.skip(why)
    shutil.copytree(report, tmp_path / "report")
    assert tex.typeset(tmp_path / "report" / SOURCE) == []
    count = len(list((report / "tables").glob("*.tex")))
    said = " ".join(
        word["text"]
        for page in pdf.pages((tmp_path / "report" / SOURCE).with_suffix(".pdf").read_bytes())
        for word in page
    )
    assert {int(n) for n in re.findall(r"Table (\d+)\.", said)} == set(range(1, count + 1))


def test_the_single_tables_fit_a_page_of_article(report, tmp_path):
    if why := tex.missing():
        pytest.skip(why)
    inputs = "\n".join(rf"\input{{{p}}}\par" for p in sorted((report / "tables").glob("*.tex")))
    (tmp_path / "all.tex").write_text(f"{PREAMBLE}{inputs}\\end{{document}}")
    assert tex.typeset(tmp_path / "all.tex") == []


def test_the_document_is_whole_well_formed_and_alone(report):
    text = document(report)
    root = ET.fromstring(text.removeprefix("<!DOCTYPE html>\n"))
    assert root.find(".//script") is None and root.find(".//link") is None
    assert root.find(".//img") is None and "@import" not in text
    names = [e.get(k, "") for e in root.iter() for k in ("href", "src") if e.get(k)]
    assert names and all(name.startswith("#") for name in names)
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids)) and {name[1:] for name in names} <= set(ids)
    assert not re.search(r"url\((?!#)", text)
    for kind, folder, suffix in (("table", "tables", "tex"), ("figure", "figures", "svg")):
        stems = {p.stem for p in (report / folder).glob(f"*.{suffix}")}
        assert stems and stems == {i.removeprefix(f"{kind}-") for i in ids if i in
                                   {f"{kind}-{s}" for s in stems}}  # fmt: skip
        labels = re.findall(rf"<strong>{kind.capitalize()} (\d+)\.", text)
        assert labels == [str(n) for n in range(1, len(stems) + 1)]
    assert text.count("<svg") == len(list((report / "figures").glob("*.svg")))


def test_the_pdf_has_every_table_and_figure_on_its_pages(report):
    pages = pdf.pages((report / "report.pdf").read_bytes())
    said = " ".join(word["text"] for page in pages for word in page)
    for kind, folder, suffix in (("Table", "tables", "tex"), ("Figure", "figures", "svg")):
        count = len(list((report / folder).glob(f"*.{suffix}")))
        labels = {int(n) for n in re.findall(rf"{kind} (\d+)\.", said)}
        assert labels == set(range(1, count + 1))
    assert 'alert("1")' in said and "python -m kdcore report" in said


def test_only_the_sections_that_are_wanted(tmp_path):
    out = tmp_path / "out"
    command = ["report", "--out", str(out), "--models", "big", "small", "--resamples", "0"]
    assert main([*command, "--sections", "methods", "summary"]) == 0
    titles = re.findall(r"<h2>(.*?)</h2>", document(out))
    assert titles == ["Models and scores", "Methods"]
    assert "--sections methods summary" in document(out)
    assert not (out / "tables" / "classes.csv").exists()


@pytest.mark.parametrize("option", ["robustness", "efficiency"])
def test_a_folder_that_was_named_and_has_no_record_is_told(tmp_path, capsys, option):
    command = ["report", "--out", str(tmp_path / "out"), "--models", "big", "--resamples", "0"]
    assert main([*command, f"--{option}", str(tmp_path / "none")]) == 1
    assert f"there is no {option}.json in" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_sections_that_have_nothing_to_tell_are_named(models, tmp_path, capsys):
    (models / "big/history.csv").write_text("epoch,\0\n")
    command = ["report", "--out", str(tmp_path / "out"), "--models", "big", "--resamples", "0"]
    assert main([*command, "--sections", "training"]) == 1
    assert "There is nothing to tell of these models under training" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*command, "--sections", "training", "summary"]) == 0
    assert "has no section on training" in capsys.readouterr().err


def test_a_folder_with_only_a_foreign_pdf_is_not_touched(tmp_path, capsys):
    (tmp_path / "report.pdf").write_bytes(b"a thesis")
    assert main(["report", "--out", str(tmp_path), "--models", "big"]) == 1
    assert (tmp_path / "report.pdf").read_bytes() == b"a thesis"


def test_titles_are_escaped(report):
    assert "<script>alert" not in document(report)
    assert "Small &lt;script&gt;" in document(report)


def test_figures_are_what_they_are_called(report):
    for path in (report / "figures").iterdir():
        head = path.read_bytes()[:5]
        assert head == (b"%PDF-" if path.suffix == ".pdf" else b"<svg ")
    assert {p.suffix for p in (report / "figures").iterdir()} == {".pdf", ".svg"}


def test_what_it_is_made_from_is_named_without_the_machine(report, models):
    text = document(report)
    assert str(models) not in text and str(REPO) not in text
    assert "small/predictions-test.npz" in text and "python -m kdcore report" in text
    assert "Robustness</h2>" not in text


def test_what_the_robustness_table_lacks_or_has_of_other_weights_is_named(models, tmp_path):
    grid = make_grid(60)
    hashes = {"big": read_card(models / "big").weights_sha256, "small": "1" * 64}
    cells = zip(hashes, grid.values(), strict=True)
    named = {
        name: {
            stack: replace(p, checkpoint=name, checkpoint_hash=hashes[name])
            for stack, p in own.items()
        }
        for name, own in cells
    }
    write_robustness(tmp_path / "tables", robustness(named, teacher="big", n_boot=0), 1.0)
    command = ["report", "--models", "big", "small", "alone", "--resamples", "0"]
    command += ["--out", str(tmp_path / "out"), "--robustness", str(tmp_path / "tables")]
    assert main(command) == 0
    told = document(tmp_path / "out")
    head = "Robustness</h2>\n<p>Not measured: Alone; Small &lt;script&gt;"
    assert head in told and "of α_1 (the study has other weights of it).</p>" in told
    rows = list(csv.reader((tmp_path / "out/tables/robustness-by-severity.csv").open()))
    assert {row[0] for row in rows[1:]} == {"big"}


def test_an_earlier_report_is_replaced_and_other_files_are_kept(tmp_path):
    out = tmp_path / "out"
    command = ["report", "--out", str(out), "--resamples", "0", "--models"]
    assert main([*command, "big", "small"]) == 0
    (out / "paper.tex").write_text("mine")
    assert main([*command, "alone"]) == 0
    assert sorted(p.name for p in out.iterdir()) == [
        "figures",
        "paper.tex",
        "report-latex.tex",
        "report.html",
        "report.pdf",
        "tables",
    ]
    assert not (out / "tables" / "classes-small.csv").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_failure_leaves_the_earlier_report(report, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    shutil.copytree(report, out)
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report_folder, "html_document", full)
    with pytest.raises(OSError, match="No space"):
        report_folder.write_document(tmp_path, made_document(), out)
    monkeypatch.undo()
    monkeypatch.setattr(Path, "write_bytes", full)
    with (
        pytest.raises(report_folder.SettingError, match="No space left"),
        report_folder.staged(out) as folder,
    ):
        report_folder.write_document(folder, made_document(), out)
    monkeypatch.undo()
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def made_document():
    from kdcore.report.document import Document

    return Document("title", "lead", ())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--models", "smal"], "Choose one of: small"),
        (["--teacher", "bigg"], "Choose one of: big"),
    ],
)
def test_unknown_models(arguments, words, tmp_path, capsys):
    assert main(["report", "--out", str(tmp_path / "out"), *arguments]) == 1
    assert words in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_no_predictions(tmp_path, monkeypatch, capsys):
    write_tiny_checkpoint(tmp_path / "checkpoints" / "bare", "teacher", "cnn2")
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    assert main(["report", "--out", str(tmp_path / "out")]) == 1
    assert "kdcore predict" in capsys.readouterr().err


def test_folders_that_are_not_a_reports(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("a file")
    for name in ("mine", "file", "file/below"):
        assert main(["report", "--out", str(tmp_path / name), "--models", "big"]) == 1
    said = capsys.readouterr().err
    assert said.count("no report") == 2 and said.count("can't be written") == 1
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_models_that_do_not_fit_the_teacher(tmp_path, monkeypatch, capsys):
    root = tmp_path / "checkpoints"
    write_model(root, "big")
    write_model(root, "fewer", 60)
    lesion = make_predictions(120, seed=3).group_ids[0]
    write_model(root, "knows", train_groups=(group_hash(str(lesion)),))
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(root))
    command = ["report", "--out", str(tmp_path / "out"), "--resamples", "0"]
    assert main(command) == 0
    said = capsys.readouterr()
    assert "fewer is left out" in said.err and "knows is left out" in said.err
    assert "of 1 models" in said.out or "of 1 model" in said.out
    assert main([*command, "--models", "big", "knows"]) == 1
    assert "was trained on" in capsys.readouterr().err


def test_the_validation_part(tmp_path):
    out = tmp_path / "out"
    command = ["report", "--out", str(out), "--part", "val", "--resamples", "0"]
    assert main([*command, "--models", "big", "alone", "--teacher", "alone"]) == 0
    text = document(out)
    assert "Validation part, n = 120" in text and "Operating points</h2>" not in text
    rows = list(csv.DictReader((out / "tables" / "summary.csv").open()))
    assert rows[0]["model"] == "Alone" and rows[0]["macro-F1 low"] == ""
    assert not math.isnan(float(rows[0]["macro-F1"]))


@pytest.mark.slow
def test_the_shipped_checkpoints(tmp_path, monkeypatch):
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(REPO / "checkpoints"))
    out = tmp_path / "out"
    assert main(["report", "--out", str(out)]) == 0
    ET.fromstring(document(out).removeprefix("<!DOCTYPE html>\n"))
    pages = pdf.pages((out / "report.pdf").read_bytes())
    assert len(pages) > 20
    assert [pair for words in pages for pair in pdf.overlaps(words)] == []
    for path in (out / "tables").glob("*.tex"):
        parse_paper(path.read_text(encoding="utf-8"))
    rows = list(csv.DictReader((out / "tables" / "summary.csv").open()))
    assert len(rows) == len(list((REPO / "checkpoints").glob("*/predictions-test.npz")))


def test_a_data_folder_adds_its_classes_and_pictures(ham_folder, tmp_path):
    out = tmp_path / "out"
    command = ["report", "--out", str(out), "--resamples", "0", "--sections", "summary"]
    assert main([*command, "--data", str(ham_folder)]) == 0
    rows = list(csv.reader((out / "tables/data-classes.csv").open(encoding="utf-8")))
    parts = Ham10000.open(ham_folder).parts()
    assert sum(int(n) for row in rows[1:] for n in row[2:]) == len(parts)
    assert [row[0] for row in rows[1:]] == list(HAM10000.classes)
    drawn = ET.parse(out / "figures/data-montage.svg").getroot()
    assert drawn[0].attrib["href"].startswith("data:image/jpeg;base64,")
    assert (out / "figures/data-montage.pdf").read_bytes().startswith(b"%PDF")
    assert "by class, the first 5" in (out / "report.html").read_text(encoding="utf-8")


def test_a_data_folder_of_other_classes_is_refused(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    command = ["report", "--out", str(tmp_path / "out"), "--resamples", "0"]
    assert main([*command, "--data", str(tmp_path / "data")]) == 1
    assert "was not found" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
