"""The Runs page: table, comparison, resume, delete, promote, import, and what is half written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
import torch
from filelock import FileLock
from safetensors.torch import save_file
from streamlit.testing.v1 import AppTest

from kdcore.base import runs_folder
from kdcore.distill import Recipe, RunFolder
from kdcore.models import build_model, load_checkpoint, read_card, save_checkpoint, write_card
from kdcore.report.model_card import NAME
from tests.conftest import REPO
from tests.pages.conftest import words
from tests.pages.test_train import HISTORY, errors, make_run

Open = Callable[..., AppTest]


@pytest.fixture
def on_runs(
    open_page: Open, page_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Open:
    """`on_runs(**link)`: a session on the Runs page, with a folder of checkpoints of its own."""
    monkeypatch.setattr(
        st, "page_link", lambda page, label="", **more: st.markdown(f"[{label}] {page} {more}")
    )
    shutil.copytree(page_checkpoints, tmp_path / "checkpoints")
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path / "checkpoints"))

    def make(**link: str) -> AppTest:
        app = AppTest.from_file(str(REPO / "pages/build/runs.py"), default_timeout=120)
        for name, value in link.items():
            app.query_params[name] = value
        return app.run()

    return make


def finished(name: str, checkpoints: Path, **fields: Any) -> RunFolder:
    """Write the folder of a run that is done, with a checkpoint."""
    recipe = Recipe(name, "cnn2", **({"role": "baseline"} | fields))
    folder = make_run(recipe, "done", HISTORY)
    shutil.copytree(checkpoints / "tiny-student", folder.checkpoint)
    return folder


def press(app: AppTest, *keys: str) -> AppTest:
    for key in keys:
        app.button(key=key).click().run()
        assert not app.exception
    return app


def table(app: AppTest, index: int = 0) -> Any:
    return app.dataframe[index].value


def test_nothing_trained_yet(on_runs: Open) -> None:
    app = on_runs()
    assert not app.exception
    assert errors(app) == ""
    assert "Nothing has been trained on this machine yet" in words(app)
    assert "pages/build/train.py" in words(app)
    assert table(app)["name"].tolist() == ["tiny-teacher", "tiny-student"]


def test_the_table_and_its_filters(on_runs: Open, page_checkpoints: Path) -> None:
    finished("first", page_checkpoints, teachers=("tiny-teacher",), alpha=0.5)
    make_run("second", "failed", HISTORY[:1])
    make_run("third", "cancelled")
    app = on_runs()
    assert not app.exception
    rows = table(app).set_index("run")
    assert sorted(rows.index) == ["first", "second", "third"]
    assert rows.loc["first", "epochs"] == "3 / 14"
    assert rows.loc["first", "best val macro-F1"] == "0.260"
    assert rows.loc["first", "teachers"] == "tiny-teacher"
    app.segmented_control(key="w:runstate").set_value("failed").run()
    assert table(app)["run"].tolist() == ["second"]
    app.segmented_control(key="w:runstate").set_value("all").run()
    app.text_input(key="w:run-filter").set_value("TEACHER").run()
    assert table(app)["run"].tolist() == ["first"]
    app.text_input(key="w:run-filter").set_value("nothing").run()
    assert "No run is like this" in words(app)


def test_runs_are_compared(on_runs: Open) -> None:
    make_run(Recipe("one", "cnn2", role="baseline", epochs=3), "done", HISTORY)
    make_run(Recipe("two", "cnn2", role="baseline", epochs=5, seed=4), "done", HISTORY[:2])
    app = on_runs(runs="one,two,nobody")
    assert not app.exception
    assert app.multiselect(key="w:runs").value == ["one", "two"]
    assert len(app.get("vega_lite_chart")) == 1
    differences = table(app, 1)
    assert dict(zip(differences["field"], zip(differences["one"], differences["two"]))) == {
        "seed": ("0", "4"),
        "epochs": ("3", "5"),
    }
    app.selectbox(key="w:column").set_value("lr").run()
    assert not app.exception
    assert app.query_params["column"] in ("lr", ["lr"])
    app.multiselect(key="w:runs").set_value(["two"]).run()
    assert app.query_params["runs"] in ("two", ["two"])
    app.multiselect(key="w:runs").set_value([]).run()
    assert not app.exception


def test_a_run_is_deleted_after_a_question(on_runs: Open, page_checkpoints: Path) -> None:
    folder = finished("first", page_checkpoints)
    app = press(on_runs(), "w:ask-delete-first")
    assert folder.path.exists()
    assert " MB in" in words(app)
    press(app, "w:no-delete-first")
    assert folder.path.exists()
    press(app, "w:ask-delete-first", "w:yes-delete-first")
    assert not folder.path.exists()
    assert "first is deleted" in words(app)
    assert "Nothing has been trained on this machine yet" in words(app)


def test_a_run_that_is_gone_meanwhile(on_runs: Open, page_checkpoints: Path) -> None:
    folder = finished("first", page_checkpoints)
    make_run("second", "done", HISTORY)
    app = press(on_runs(runs="first"), "w:ask-delete-first")
    shutil.rmtree(folder.path)
    app.run()
    assert not app.exception
    assert table(app)["run"].tolist() == ["second"]
    assert app.multiselect(key="w:runs").value == []


def test_a_live_run_is_not_touched(on_runs: Open) -> None:
    folder = make_run("first", "running", HISTORY)
    with FileLock(folder.path / ".lock"):
        app = on_runs()
    assert not app.exception
    assert "pause or cancel it on the Train page" in words(app)
    assert not [b for b in app.button if b.key and "delete" in b.key]


def test_a_live_run_is_polled_until_it_ends(
    on_runs: Open, page_checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = []
    fragment = st.fragment

    def noted(run_every: float | None = None) -> Any:
        every.append(run_every)
        return fragment(run_every=run_every)

    monkeypatch.setattr(st, "fragment", noted)
    folder = make_run("first", "running", HISTORY[:1])
    with FileLock(folder.path / ".lock"):
        app = on_runs()
        assert table(app)["epochs"].tolist() == ["1 / 14"]
        app.segmented_control(key="w:runstate").set_value("live").run()
        assert not app.exception
        assert len(every) == 4, "table and card, of both runs of the page"
        assert all(every)
        assert app.query_params["runstate"] in ("live", ["live"])
    app.segmented_control(key="w:runstate").set_value("all").run()
    every.clear()
    finished("second", page_checkpoints)
    app.run()
    assert every == [], "nothing is polled where all has ended"


@pytest.mark.parametrize("part", ["table", "card"])
def test_a_poll_that_finds_the_end_draws_the_page_again(
    on_runs: Open, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    from pages.ui import runs, watch

    folder = make_run("first", "running", HISTORY)
    lock = FileLock(folder.path / ".lock", thread_local=False)  # AppTest runs pages in a thread
    lock.acquire()

    def end(_: object) -> None:  # between the page's reading and the fragment's
        if lock.is_locked:
            lock.release()
            folder.write_status("cancelled", epoch=3)

    where, name = (runs, "show_runs") if part == "table" else (watch, "show_summary")
    draw = getattr(where, name)
    monkeypatch.setattr(where, name, lambda given: (end(given), draw(given)))
    app = on_runs()
    assert not app.exception
    assert "Cancelled after 3 epochs" in words(app)
    assert app.button(key="w:ask-delete-first")


def test_promotion(on_runs: Open, page_checkpoints: Path, tmp_path: Path) -> None:
    folder = finished("first", page_checkpoints).checkpoint
    card = save_checkpoint(folder, build_model("cnn2", 7), read_card(folder))
    assert card.added == ""
    app = press(on_runs(), "w:promote")
    assert (tmp_path / "checkpoints/first/card.json").is_file()
    assert "first is now in" in words(app)
    assert "Promoted as **first**" in words(app)
    assert not [b for b in app.button if b.key == "w:promote"]
    press(app, "w:ask-delete-checkpoint-first")
    assert "Delete **first**" in words(app)
    press(app, "w:yes-delete-checkpoint-first")
    assert not (tmp_path / "checkpoints/first").exists()
    assert "first is deleted" in words(app)
    assert app.button(key="w:promote")
    assert not [b for b in app.button if b.key and "delete-checkpoint" in b.key], (
        "shipped ones stay"
    )


def test_a_promotion_that_is_refused_leaves_the_other_buttons(
    on_runs: Open, page_checkpoints: Path
) -> None:
    finished("tiny-teacher", page_checkpoints)
    folder = runs_folder() / "tiny-teacher/checkpoint"
    write_card(folder, replace(read_card(folder), weights_sha256="another"))
    app = press(on_runs(), "w:promote")
    assert "another checkpoint named 'tiny-teacher' already" in errors(app)
    assert "train this recipe again under another name" in errors(app)
    assert app.button(key="w:ask-delete-tiny-teacher")


def test_what_a_finished_run_scored_and_where_it_can_be_seen(
    on_runs: Open, page_checkpoints: Path
) -> None:
    folder = finished("first", page_checkpoints).checkpoint
    scores = {"macro_f1": {"value": 0.5, "low": 0.4, "high": 0.6}}
    write_card(folder, replace(read_card(folder), metrics={"val": scores, "test": scores}))
    app = on_runs()
    assert "Validation macro-F1 [95 %] **0.500 [0.400, 0.600]**" in words(app)
    assert "Test macro-F1 [95 %] **0.500 [0.400, 0.600]**" in words(app)
    assert "[Explain a lesion with it]" in words(app)


def test_resuming(on_runs: Open, ham_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run("first", "cancelled", HISTORY)
    app = on_runs()
    assert app.button(key="w:resume").disabled
    assert "No data set is configured" in app.button(key="w:resume").help
    monkeypatch.setenv("DISTILSCOPE_DATA", str(ham_folder))
    calls = []
    monkeypatch.setattr("kdcore.distill.resume_run", lambda *given: calls.append(given))
    app = press(on_runs(), "w:resume")
    assert calls[0][0].path == runs_folder() / "first"
    assert calls[0][1:] == (ham_folder, "cpu")
    assert "first goes on after epoch 3" in words(app)


def test_half_written_runs(on_runs: Open) -> None:
    bad = make_run("bad", "failed", HISTORY)
    bad.recipe_file.write_text("{")
    make_run("good", "done", HISTORY)
    worse = make_run("worse", "done", HISTORY)
    worse.history_file.write_bytes(b"\xff\xfe,,\n1,2,3,4")
    worse.status_file.write_text('["running"]')
    (runs_folder() / "empty").mkdir()
    app = on_runs(runs="bad,good,worse")
    assert not app.exception
    assert "The recipe of bad can't be read" in words(app)
    assert "no run: empty" in words(app)
    rows = table(app).set_index("run")
    assert rows.loc["bad", "data"] == "unreadable recipe"
    assert rows.loc["worse", "state"] == "not started"
    assert "can't be read" in words(app)
    app.selectbox(key="w:which").set_value("bad").run()
    assert not [b for b in app.button if b.key == "w:resume"]
    press(app, "w:ask-delete-bad", "w:yes-delete-bad")
    assert not bad.path.exists()


def test_an_unreadable_card_is_told(on_runs: Open, tmp_path: Path) -> None:
    broken = tmp_path / "checkpoints/broken"
    broken.mkdir(parents=True)
    (broken / "card.json").write_text("{")
    app = on_runs()
    assert not app.exception
    assert "broken" in errors(app)
    assert len(table(app)) == 2


@pytest.fixture
def state_dict() -> dict[str, torch.Tensor]:
    return build_model("cnn2", 7).state_dict()


def offer(app: AppTest, name: str, data: bytes, called: str = "mine", network: str = "cnn2") -> Any:
    """Fill in the import's form and press its button."""
    app.file_uploader[0].set_value((name, data, "application/octet-stream"))
    by_label = {w.label: w for kind in (app.text_input, app.selectbox) for w in kind}
    by_label["Name of the checkpoint"].set_value(called)
    by_label["Network"].set_value(network)
    next(n for n in app.number_input if n.label == "Input side, pixels").set_value(32)
    next(b for b in app.button if b.label == "Import").click().run()
    assert not app.exception
    return app


@pytest.mark.parametrize("suffix", ["safetensors", "pt", "pth"])
def test_import(
    on_runs: Open, tmp_path: Path, state_dict: dict[str, torch.Tensor], suffix: str
) -> None:
    path = tmp_path / f"weights of mine.{suffix}"
    save_file(state_dict, path) if suffix == "safetensors" else torch.save(state_dict, path)
    app = offer(on_runs(), path.name, path.read_bytes())
    assert errors(app) == ""
    assert "mine is imported and listed" in words(app)
    assert "mine" in table(app)["name"].tolist()
    made = tmp_path / "checkpoints/mine"
    assert read_card(made).input_size == 32
    assert f"Imported from weights of mine.{suffix};" in read_card(made).provenance
    assert load_checkpoint(made).model.state_dict().keys() == state_dict.keys()
    app = offer(app, path.name, path.read_bytes())
    assert "There is a checkpoint 'mine' already" in errors(app)


class _Code:
    def __reduce__(self) -> Any:
        return print, ("executed",)


@pytest.mark.parametrize("kind", ["garbage", "cut", "code", "list", "empty", "other"])
@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_bad_imports(
    on_runs: Open,
    tmp_path: Path,
    state_dict: dict[str, torch.Tensor],
    kind: str,
    suffix: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / f"weights.{suffix}"
    if suffix == "pt":
        torch.save({"code": _Code(), "list": [1, 2]}.get(kind, state_dict), path)
    else:
        save_file(state_dict, path)
    good = path.read_bytes()
    data = {"garbage": b"\x80\x02nonsense" * 9, "cut": good[:100], "empty": b""}.get(kind, good)
    if suffix == "safetensors" and kind in ("code", "list"):
        torch.save(_Code(), path)
        data = path.read_bytes()
    network = "resnet18" if kind == "other" else "cnn2"
    app = offer(on_runs(), path.name, data, network=network)
    assert "**" in errors(app)
    assert "executed" not in capsys.readouterr().out
    assert not (tmp_path / "checkpoints/mine").exists()
    assert not list((tmp_path / "checkpoints").glob(".importing*"))


@pytest.mark.parametrize(
    ("name", "expected"), [("", "'name'"), ("a/b", "'name'"), ("..", "'name'")]
)
def test_import_under_a_bad_name(
    on_runs: Open, tmp_path: Path, state_dict: dict[str, torch.Tensor], name: str, expected: str
) -> None:
    torch.save(state_dict, tmp_path / "w.pt")
    app = offer(on_runs(), "w.pt", (tmp_path / "w.pt").read_bytes(), called=name)
    assert expected in errors(app)
    assert "card.json" not in errors(app)


def test_import_without_a_file_or_with_a_bad_mean(on_runs: Open) -> None:
    app = on_runs()
    next(t for t in app.text_input if t.label == "Name of the checkpoint").set_value("mine")
    next(b for b in app.button if b.label == "Import").click().run()
    assert "No file was chosen" in errors(app)
    next(t for t in app.text_input if t.label == "Pixel mean").set_value("0.5, 0.5")
    next(b for b in app.button if b.label == "Import").click().run()
    assert not app.exception
    assert "three numbers" in errors(app)


def test_a_link_with_nonsense_falls_back(on_runs: Open) -> None:
    make_run("first", "done", HISTORY)
    app = on_runs(runs="x,y", runstate="odd", column="magic", which="z")
    assert not app.exception
    assert errors(app) == ""
    assert app.multiselect(key="w:runs").value == ["first"]


def test_a_model_card_is_read(on_runs: Open, tmp_path: Path) -> None:
    assert "Read a model card" not in [element.label for element in on_runs().expander]
    name, home = "tiny-student", tmp_path / "checkpoints"
    written = "# Tiny: $x$\n\n## Where it fails\n\n- `$A`, é ![picture](http://x)\n"
    (home / name / NAME).write_text(written, encoding="latin-1")
    app = on_runs()
    assert not app.exception
    assert app.selectbox(key="w:card").options == [name]
    shown = words(app)
    assert "#### Tiny\\: \\$x\\$\n" in shown and "##### Where it fails\n" in shown
    assert "`$A`" in shown and "![" not in shown


def test_cards_of_runs_are_told_apart(on_runs: Open, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run = finished(name, tmp_path / "checkpoints")
        (run.path / "checkpoint" / NAME).write_text(f"# Card of {name}\n")
    app = on_runs()
    options = app.selectbox(key="w:card").options
    assert not app.exception and len(set(options)) == 2
    assert [name in option for name, option in zip(("one", "two"), sorted(options))] == [True] * 2
    assert "Card of" in words(app)
