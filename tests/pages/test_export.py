"""The Export page: its form, what was made and what it loses, downloads, delete, jobs, errors."""

from __future__ import annotations

import json
import shutil
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from kdcore.base import ExportError
from kdcore.deploy import export_apart
from kdcore.deploy.export_store import Kept, exports_folder, keep_exports, list_exports, zip_of
from kdcore.deploy.make import Target, make_artefacts
from kdcore.deploy.package import SAID, example
from kdcore.models import load_checkpoint
from tests.pages.conftest import ended, words

Open = Callable[..., AppTest]
PAGE = "build/export"
LOSS = {
    "split": "test", "n": 1349, "n_groups": 1001, "macro_f1": 0.5, "ece": 0.03,
    "agreement": 0.96, "network": {"macro_f1": 0.55, "ece": 0.02},
    "macro_f1_change": {"value": -0.05, "low": -0.07, "high": -0.03}, "interval": "95 %",
}  # fmt: skip


@pytest.fixture(scope="session")
def packed(page_checkpoints: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The student's TorchScript file, quickly made, with its record and a zip with texts only."""
    folder = tmp_path_factory.mktemp("exported")
    checkpoint = load_checkpoint(page_checkpoints / "tiny-student")
    (made,) = make_artefacts(checkpoint, folder, (Target("torchscript"),))
    with zipfile.ZipFile(zip_of(folder / made.file), "w") as archive:
        archive.writestr("example.py", example("torchscript"))
        archive.writestr(SAID, "mel\t0.9\nnv\t0.1\n")
    return folder


@pytest.fixture
def keep(packed: Path, tmp_path: Path) -> Callable[..., Kept]:
    """`keep(quality=…)`: put the file into the store, its record changed."""

    def put(**changes: Any) -> Kept:
        shutil.copytree(packed, tmp_path / "out")
        (record,) = (tmp_path / "out").glob("*.json")
        record.write_text(json.dumps(json.loads(record.read_text()) | changes))
        (kept,) = keep_exports(tmp_path / "out")
        return kept

    return put


def test_nothing_made_and_nothing_runs_unasked(open_page: Open) -> None:
    app = open_page(PAGE)
    assert not app.exception and not app.error
    assert "Nothing is exported of it yet" in words(app) and "job" not in app.session_state
    assert app.selectbox(key="w:model").value == "tiny-student"
    assert app.multiselect(key="w:precision").options == ["float32", "FP16"]
    assert "INT8 is not offered" in words(app) and "Data page" in words(app)
    assert "About 10 s for one file" in words(app) and "no CUDA device is needed" in words(app)
    line = app.code[0].value
    assert line.startswith("python -m kdcore export") and "--no-data" in line


def test_with_data(open_page: Open, ham_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILSCOPE_DATA", str(ham_folder))
    # `open_page` has taken the variable away before.
    app = open_page(PAGE, precision="int8,float", format="onnx,export", fold="yes")
    assert not app.exception and not app.error
    assert app.multiselect(key="w:precision").value == ["int8", "float"]
    assert "for 3 files, each measured on" in words(app)
    line = app.code[0].value
    assert "--precision int8 float --fold-preprocessing --data" in line
    app.toggle(key="w:ondata").set_value(False).run()
    assert "INT8 takes its ranges from pictures" in words(app), "it says why it can't be started"
    assert not [b for b in app.button if b.key == "w:export"]


def test_without_onnx_there_is_one_precision(open_page: Open) -> None:
    app = open_page(PAGE, format="torchscript")
    assert "are written in float32" in words(app)
    assert not [m for m in app.multiselect if m.key == "w:precision"]
    assert "--precision float " in app.code[0].value
    app.multiselect(key="w:format").set_value([]).run()
    assert not app.exception and "No formats were chosen" in words(app)


@pytest.mark.parametrize("link", [{"model": "nobody"}, {"format": "a,b", "precision": "int8"}])
def test_a_link_with_nonsense_falls_back(open_page: Open, link: dict[str, str]) -> None:
    app = open_page(PAGE, **link)
    assert not app.exception and not app.error
    assert app.multiselect(key="w:format").value == ["onnx"]


def test_what_was_made(open_page: Open, keep: Callable[..., Kept]) -> None:
    kept = keep()
    app = open_page(PAGE)
    assert not app.exception and not app.error
    (table,) = (f.value for f in app.dataframe)
    assert table.iloc[0]["same answers"] == "11 of 11" and table.iloc[0]["allowed"] == "0.0001"
    assert "11 drawn samples" in words(app) and "macro-F1" not in words(app)
    program, printed = (block.value for block in app.code[-2:])
    assert "torch.jit.load" in program and printed == "mel\t0.9\nnv\t0.1"
    app.selectbox(key="w:model").set_value("tiny-teacher").run()
    assert "Nothing is exported of it yet" in words(app)
    assert any(kept.artefact.checkpoint in text.value for text in app.markdown), "among others"


@pytest.mark.parametrize("precision", ["int8", "float16"])
def test_a_loss_is_told(open_page: Open, keep: Callable[..., Kept], precision: str) -> None:
    keep(format="onnx", precision=precision, quality=LOSS)
    app = open_page(PAGE)
    assert not app.exception
    assert "loses\\: its macro-F1 is 0.500 where the network has 0.550" in app.warning[0].value
    assert [f.value.iloc[0].get("macro-F1") for f in app.dataframe] == [None, "0.500"]
    assert "n = 1,349" in words(app)


def test_damaged_files_are_told_and_not_offered(open_page: Open, keep: Callable[..., Kept]) -> None:
    kept = keep()
    kept.path.write_bytes(kept.path.read_bytes()[:-10])
    app = open_page(PAGE)
    assert not app.exception
    assert "SHA-256 differs" in app.error[0].value and "Delete it" in app.error[0].value
    assert not app.dataframe and not list(app.get("download_button"))
    app.button(key=f"w:ask-delete-export-{kept.name}").click().run()
    app.button(key=f"w:yes-delete-export-{kept.name}").click().run()
    assert not app.exception and not app.error and list_exports() == ([], [])


def test_a_broken_record(open_page: Open, keep: Callable[..., Kept]) -> None:
    keep().paths[0].write_text("{")
    app = open_page(PAGE)
    assert not app.exception
    assert "The record of tiny-student-float32.pt can't be read" in app.error[0].value


def test_delete_asks_first(open_page: Open, keep: Callable[..., Kept]) -> None:
    kept = keep()
    app = open_page(PAGE)
    app.button(key=f"w:ask-delete-export-{kept.name}").click().run()
    assert "It can be exported again" in words(app) and len(list_exports()[0]) == 1
    app.button(key=f"w:yes-delete-export-{kept.name}").click().run()
    assert not app.exception and list_exports()[0] == []


def test_an_export_is_shown_when_it_ends(
    open_page: Open, keep: Callable[..., Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = []

    def fake(plan: Any, report: Callable[[dict[str, Any]], None]) -> tuple[Kept, ...]:
        plans.append(plan)
        report({"fraction": 0.5, "doing": "Exporting"})
        return (keep(),)

    monkeypatch.setattr(export_apart, "export_apart", fake)
    app = open_page(PAGE, fold="yes")
    app.button(key="w:export").click().run()
    app = ended(app)
    assert not app.exception and not app.error
    assert "Exported and checked: tiny-student-float32.pt" in words(app).replace("\\", "")
    (plan,) = plans
    assert plan.targets == (Target(folded=True),) and plan.data is None
    assert plan.checkpoint.name == "tiny-student"
    assert app.dataframe and app.button(key="w:export")
    (kept,) = list_exports()[0]
    app.button(key=f"w:ask-delete-export-{kept.name}").click().run()
    app.button(key=f"w:yes-delete-export-{kept.name}").click().run()
    assert "Exported and checked" not in words(app)


def test_cancel_and_unsupported_layer(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(plan: Any, report: Callable[[dict[str, Any]], None]) -> tuple[Kept, ...]:
        while True:
            report({"fraction": 0.2, "doing": "Exporting"})
            time.sleep(0.01)

    monkeypatch.setattr(export_apart, "export_apart", endless)
    app = open_page(PAGE)
    app.button(key="w:export").click().run()
    assert not [b for b in app.button if b.key == "w:export"], "one at a time"
    app.session_state["job"].stop.set()
    app = ended(app)
    assert "Cancelled. Nothing was kept." in words(app) and app.button(key="w:export")

    def failing(plan: Any, report: Callable[[dict[str, Any]], None]) -> tuple[Kept, ...]:
        raise ExportError("odd can't be exported as onnx: no translation.", "Choose another.")

    monkeypatch.setattr(export_apart, "export_apart", failing)
    app.button(key="w:export").click().run()
    app = ended(app)
    assert "can't be exported as onnx" in app.error[0].value and app.button(key="w:export")


def test_a_process_that_runs_out_of_disk(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "import sys; sys.exit('Error: The disk is full: free some space.')"
    monkeypatch.setattr(export_apart, "live_command", lambda *given: [sys.executable, "-c", text])
    app = open_page(PAGE)
    app.button(key="w:export").click().run()
    app = ended(app)
    assert not app.exception
    assert "The disk is full" in app.error[0].value
    assert list(exports_folder().iterdir()) == []


def test_no_checkpoint(open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path))
    app = open_page(PAGE)
    assert not app.exception and "There is no checkpoint to export" in words(app)


def test_a_broken_checkpoint_is_told(
    open_page: Open, broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(broken))
    app = open_page(PAGE)
    assert not app.exception and "can't be read" in app.error[0].value
    assert app.button(key="w:export")
