"""The Train page: every preset gives a recipe, mistakes are told, a run is started and watched."""

from __future__ import annotations

import json
import os
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from kdcore.base import runs_folder
from kdcore.distill import Recipe, RunFolder
from kdcore.distill.presets import METHODS
from kdcore.distill.recipe_file import recipe_toml, shipped_recipes
from tests.conftest import REPO
from tests.data.cifar_makers import make_cifar
from tests.pages.conftest import words

Open = Callable[..., AppTest]
HISTORY = [
    {"epoch": e, "size": 32, "lr": 0.001, "train_loss": 2.0 / e, "train_ce": 2.0 / e,
     "train_kd": 1.0 / e, "train_at": 0.0, "train_align": 0.0, "train_hint": 0.0,
     "val_nll": 1.0, "val_accuracy": 0.5, "val_balanced_accuracy": 0.3,
     "val_macro_f1": 0.2 + e / 50, "val_agreement": 0.5, "val_attention": 0.7,
     "seconds": 3.0, "images_per_second": 90.0}
    for e in (1, 2, 3)
]  # fmt: skip
FACTS: dict[str, dict[str, Any]] = {
    "starting": {},
    "queued": {"asked": 1.0, "ahead": 2},
    "preparing": {"epoch": 0, "epochs": 8},
    "caching": {"done": 120, "total": 480},
    "running": {"epoch": 3, "epochs": 8, "step": 5, "steps": 10, "images_per_second": 90.5,
                "seconds_left": 7200.0},
    "paused": {"epoch": 3, "epochs": 8, "step": 5, "steps": 10, "images_per_second": None,
               "seconds_left": None},
    "measuring": {"epoch": 8, "epochs": 8},
    "done": {"epoch": 8, "epochs": 8, "checkpoint": "somewhere"},
    "cancelled": {"epoch": 3},
    "failed": {"error": "The disk is full."},
    "interrupted": {},
}  # fmt: skip
SAID = {
    "starting": "Starting", "queued": "Queued behind 2 other runs",
    "preparing": "Reading pictures and teachers", "caching": "120 of 480",
    "running": "epoch 4 of 8, step 5 of 10", "paused": "Paused in epoch 4 of 8",
    "measuring": "Measuring on validation and test", "done": "Done after 3 epochs",
    "cancelled": "Cancelled after 3 epochs", "failed": "Failed: The disk is full",
    "interrupted": "Interrupted after 3 epochs",
}  # fmt: skip
NO_HISTORY = ("starting", "queued", "preparing", "caching")


@pytest.fixture
def on_train(open_page: Open, ham_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """`on_train(folder, **link)`: a session on the Train page, links to others as text."""
    monkeypatch.setattr(
        st, "page_link", lambda page, label="", **more: st.markdown(f"[{label}] {page} {more}")
    )

    def make(folder: Path | None = ham_folder, **link: str) -> AppTest:
        if folder is not None:
            monkeypatch.setenv("DISTILSCOPE_DATA", str(folder))
        app = AppTest.from_file(str(REPO / "pages/build/train.py"), default_timeout=120)
        for name, value in link.items():
            app.query_params[name] = value
        return app.run()

    return make


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Recipe, Path, str]]:
    """What was started; the run folder is written and no process begins."""
    calls = []

    def start(recipe: Recipe, data: Path, device: str = "cpu") -> RunFolder:
        calls.append((recipe, data, device))
        return make_run(recipe, "starting")

    monkeypatch.setattr("kdcore.distill.start_run", start)
    return calls


def make_run(
    recipe: Recipe | str, state: str, history: list[dict[str, float]] | None = None
) -> RunFolder:
    """Write a run folder as a process in that state would leave it."""
    recipe = Recipe(recipe, "cnn2", role="baseline") if isinstance(recipe, str) else recipe
    folder = RunFolder(runs_folder() / recipe.name)
    folder.path.mkdir(parents=True)
    folder.write_recipe(recipe)
    if history:
        folder.write_history(history)
    folder.write_status("running" if state == "interrupted" else state, **FACTS[state])
    return folder


def errors(app: AppTest) -> str:
    return "\n".join(element.value for element in app.error)


def field(app: AppTest, name: str) -> Any:
    key = f"w:f-{name}"
    kinds = (app.text_input, app.number_input, app.selectbox, app.multiselect, app.checkbox)
    return next(w for kind in kinds for w in kind if w.key == key)


def shown_fields(app: AppTest) -> set[str]:
    kinds = (app.text_input, app.number_input, app.selectbox, app.multiselect, app.checkbox)
    keys = [w.key for kind in kinds for w in kind]
    return {key.removeprefix("w:f-") for key in keys if key and key.startswith("w:f-")}


def can_start(app: AppTest) -> bool:
    return not app.button(key="w:start").disabled


def test_without_data_it_says_where_to_name_it(on_train: Open) -> None:
    app = on_train(None)
    assert not app.exception
    assert "No data set is configured" in words(app)
    assert "pages/build/data.py" in words(app)
    assert "Nothing has been trained yet" in words(app)


@pytest.mark.parametrize("preset", METHODS)
def test_every_method_gives_a_recipe(
    on_train: Open, started: list[Any], preset: str, ham_folder: Path
) -> None:
    app = on_train(preset=preset)
    assert not app.exception
    assert errors(app) == ""
    assert "Nothing changed from the preset" in words(app)
    app.button(key="w:start").click().run()
    assert not app.exception
    ((recipe, data, device),) = started
    assert (data, device) == (ham_folder, "cpu")
    assert recipe.name == f"resnet18-{preset}"
    assert recipe.teachers == (("tiny-teacher",) if METHODS[preset].taught else ())
    assert recipe.role == ("student" if METHODS[preset].taught else "baseline")
    assert (recipe.beta > 0, recipe.lam > 0, recipe.kd) == (
        preset in ("kd-at", "full"), preset in ("kd-align", "full"),
        "dkd" if preset == "dkd" else "kl",
    )  # fmt: skip
    assert "**resnet18-" in words(app), "what was started is watched"


def test_cifar_without_a_teacher(on_train: Open, tmp_path: Path) -> None:
    app = on_train(make_cifar(tmp_path, "binary"), preset="kd")
    assert not app.exception
    assert "names no teacher" in errors(app)
    assert "No checkpoint of these classes can teach yet" in words(app)
    assert not can_start(app)
    app = on_train(None)  # the data stay, the link names no preset
    assert app.selectbox(key="w:preset").value == "baseline"
    assert "names no teacher" not in errors(app)
    assert "batch of 64" not in errors(app) or not can_start(app)
    assert field(app, "architecture").value == "resnet18_cifar"
    assert field(app, "augmentation").value == "cifar"


def test_shipped_recipes_are_presets(on_train: Open) -> None:
    app = on_train(preset="recipe:resnet18-baseline")
    assert not app.exception
    assert errors(app) == ""
    assert field(app, "sizes").value == "0:48, 5:64, 11:96"
    offered = app.selectbox(key="w:preset").options
    assert not any("sweep" in name for name in offered)
    assert len(offered) == len(METHODS) + len(shipped_recipes())
    app.selectbox(key="w:preset").set_value("recipe:mobilenet_v2-128-kd-at").run()
    assert "no checkpoint mobilenet_v2-teacher" in errors(app)
    assert "variable that is not set" in errors(app) or "no initial weights" in errors(app)
    assert not can_start(app)


def test_a_baseline_has_no_fields_of_a_teacher(on_train: Open) -> None:
    app = on_train(preset="baseline")
    assert field(app, "teachers").disabled
    assert not shown_fields(app) & {"alpha", "temperature", "beta", "lam", "schedules", "kd"}
    app.selectbox(key="w:preset").set_value("kd").run()
    assert {"alpha", "temperature", "beta", "lam", "schedules", "kd"} <= shown_fields(app)
    assert field(app, "at_weights").disabled
    assert "β is 0" in field(app, "at_weights").help
    field(app, "beta").set_value(10.0).run()
    assert not field(app, "at_weights").disabled
    assert field(app, "align").disabled


def test_changes_are_marked_and_undone(on_train: Open) -> None:
    app = on_train()
    field(app, "epochs").set_value(3)
    field(app, "learning_rate").set_value(0.01).run()
    assert "Changed: Epochs, Learning rate." in words(app)
    assert field(app, "epochs").label == "Epochs"
    assert words(app).count(":primary-badge[changed]") == 2
    app.button(key="w:back").click().run()
    assert field(app, "epochs").value == 8
    assert "Nothing changed from the preset" in words(app)


def test_the_name_follows_until_it_is_written(on_train: Open) -> None:
    make_run("resnet18-kd", "done", HISTORY)
    app = on_train()
    assert field(app, "name").value == "resnet18-kd-2"
    field(app, "architecture").set_value("cnn2").run()
    assert field(app, "name").value == "cnn2-kd"
    field(app, "seed").set_value(7).run()
    assert field(app, "name").value == "cnn2-kd-s7"
    field(app, "name").set_value("mine").run()
    field(app, "seed").set_value(8).run()
    assert field(app, "name").value == "mine"
    field(app, "name").set_value("resnet18-kd").run()
    assert "a run or a checkpoint named 'resnet18-kd' already" in errors(app)
    assert not can_start(app)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("name", "a/b", "a folder's name"),
        ("name", "", "a folder's name"),
        ("architecture", "visformer_small", "takes inputs of 224 pixels only, not of 96"),
        ("sizes", "0-64", "0:64, 8:96"),
        ("sizes", "0:5000", "16 to 1024 pixels"),
        ("schedules", "alpha sideways 2", "alpha linear 0.9"),
        ("init_mean", "0.5", "three numbers"),
        ("batch_size", 4000, "fewer than one batch"),
        ("init", "nowhere.safetensors", "no initial weights"),
        ("init", "$NOT_SET_HERE/x.pt", "variable that is not set"),
        ("temperature", 0.0, "a number above 0"),
        ("dataset", "cifar10", "is for cifar10"),
        ("split", "official", "has no split"),
    ],
)
def test_mistakes_are_told_as_they_are_made(
    on_train: Open, name: str, value: object, expected: str
) -> None:
    app = on_train()
    field(app, name).set_value(value).run()
    assert not app.exception
    assert expected in errors(app)
    assert not can_start(app)


def test_a_mistake_in_a_field_that_does_nothing_stops_nobody(on_train: Open) -> None:
    app = on_train(preset="kd-at")
    field(app, "at_weights").set_value("one, two").run()
    assert "1, 0.5, 0.25" in errors(app)
    field(app, "beta").set_value(0.0).run()
    assert errors(app) == ""
    assert can_start(app)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [("input_size", 7, "[16, 1024]"), ("epochs", 0, "at least 1"), ("alpha", 1.2, "[0, 1]")],
)
def test_a_number_out_of_range_is_refused_in_words(
    on_train: Open, name: str, value: float, expected: str
) -> None:
    app = on_train()
    proto = field(app, name).proto
    assert not (proto.has_min or proto.has_max), "the browser would drop it"
    field(app, name).set_value(value).run()
    assert not app.exception
    assert expected in errors(app)
    assert not can_start(app)


def test_a_start_takes_what_was_typed_last(on_train: Open, started: list[Any]) -> None:
    app = on_train()
    field(app, "epochs").set_value(3)  # and no run of the script before the click
    field(app, "architecture").set_value("cnn2")
    app.button(key="w:start").click().run()
    assert not app.exception
    ((recipe, *_),) = started
    assert (recipe.epochs, recipe.architecture, recipe.name) == (3, "cnn2", "cnn2-kd")


@pytest.mark.parametrize("button", ["w:start", "w:estimate"])
def test_a_click_with_a_mistake_does_nothing_and_says_why(
    on_train: Open, started: list[Any], button: str
) -> None:
    app = on_train()
    field(app, "input_size").set_value(7)
    app.button(key=button).click().run()
    assert not app.exception
    assert started == []
    assert "job" not in app.session_state
    assert errors(app).count("'input_size'") == 2, "at the top, and at the button"
    field(app, "input_size").set_value(32).run()
    assert errors(app) == ""


def test_fields_that_were_not_drawn_keep_their_values(
    on_train: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pages.ui import recipe_form

    app = on_train(preset="full")
    field(app, "beta").set_value(50.0)
    field(app, "optimizer").set_value("sgd").run()
    held = {name: field(app, name).value for name in shown_fields(app)}
    with monkeypatch.context() as cut:
        cut.setattr(recipe_form, "show_main", lambda *_: st.stop())
        app.run()
        assert shown_fields(app) == set()
    app.run()
    assert {name: field(app, name).value for name in shown_fields(app)} == held


def test_a_browser_that_draws_a_field_anew_finds_its_value(on_train: Open) -> None:
    """What a browser starts from without a value of its own is the protocol's default."""
    app = on_train(preset="full")
    field(app, "beta").set_value(50.0)
    field(app, "monitor").set_value("nll").run()
    app.run()
    for name in shown_fields(app):
        widget = field(app, name)
        default = widget.proto.default
        if widget.type == "selectbox":
            default = widget.options[default]
        elif widget.type == "multiselect":
            default = [widget.options[i] for i in default]
            assert all(d.startswith(v) for d, v in zip(default, widget.value, strict=True))
            continue
        assert default == widget.value, name


def test_no_teacher_is_a_mistake_where_one_is_weighed(on_train: Open) -> None:
    app = on_train()
    field(app, "teachers").set_value([]).run()
    assert "names no teacher" in errors(app)
    assert "alpha" in shown_fields(app)


def test_an_uploaded_recipe_fills_the_form(on_train: Open, started: list[Any]) -> None:
    recipe = Recipe("uploaded-one", "cnn2", role="baseline", epochs=2, input_size=32,
                    batch_size=16, sizes=((0, 16), (1, 32)))  # fmt: skip
    app = on_train()
    app.file_uploader[0].set_value(("mine.toml", recipe_toml(recipe).encode(), "text/plain")).run()
    assert not app.exception
    assert errors(app) == ""
    assert field(app, "name").value == "uploaded-one"
    app.button(key="w:start").click().run()
    assert started[0][0] == recipe


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xff\xfe\x00", "can't be parsed"),
        (b"name = ", "can't be parsed"),
        (b'name = "x"', "can't be read"),
        (b'name = "x"\narchitecture = "resnet81"', "resnet"),
        (b'name = "x"\n[base]\nepochs = 1', "is a sweep"),
        (b'name = "x"\narchitecture = "cnn2"\nepoch = 3', "unknown field 'epoch'"),
    ],
)
def test_a_bad_recipe_file_is_told(on_train: Open, data: bytes, expected: str) -> None:
    app = on_train()
    app.file_uploader[0].set_value(("mine.toml", data, "text/plain")).run()
    assert not app.exception
    assert expected in errors(app)
    assert field(app, "name").value == "resnet18-kd", "the form stays as it was"


def test_the_recipe_leaves_as_file_and_command(on_train: Open, ham_folder: Path) -> None:
    app = on_train(preset="full")
    command = next(c.value for c in app.code if "kdcore train" in c.value)
    assert command == f"python -m kdcore train resnet18-full.toml --data {ham_folder}"
    assert Recipe.from_dict(tomllib.loads(recipe_toml(shipped_recipes()["resnet18-baseline"])))


def test_the_draft_outlives_a_page_switch_and_links_cannot_set_it(on_train: Open) -> None:
    app = on_train(preset="dkd", recipe_values="x", **{"recipe-values": "y"})
    field(app, "epochs").set_value(5).run()
    app.session_state["kd:page"] = "Another page"
    app.run()
    assert not app.exception
    assert field(app, "epochs").value == 5
    assert app.query_params["preset"] in ("dkd", ["dkd"])


def test_a_link_with_nonsense_falls_back(on_train: Open) -> None:
    app = on_train(preset="magic", device="tpu", runs="x")
    assert not app.exception
    assert errors(app) == ""


def test_a_second_press_within_a_moment_starts_nothing_more(
    on_train: Open, started: list[Any]
) -> None:
    app = on_train()
    app.button(key="w:start").click().run()
    app.button(key="w:start").click().run()
    assert len(started) == 1


def test_after_a_start_the_form_has_the_next_free_name(on_train: Open, started: list[Any]) -> None:
    app = on_train()
    field(app, "name").set_value("mine")
    app.button(key="w:start").click().run()
    assert errors(app) == ""
    assert "Started **mine**." in words(app)
    assert field(app, "name").value == "mine-2"
    app.session_state["kd:started-at"] = -9.0
    app.button(key="w:start").click().run()
    assert "Queued **mine-2**." in words(app)
    assert field(app, "name").value == "mine-3"
    assert [recipe.name for recipe, *_ in started] == ["mine", "mine-2"]
    app.run()
    assert "Queued **mine-2**" not in words(app), "said once"


def test_a_paused_run_is_said_to_hold_the_turn(on_train: Open) -> None:
    folder = make_run("made-up", "paused", HISTORY)
    with FileLock(folder.path / ".lock"):
        app = on_train()
    assert "made-up is paused and holds the turn" in words(app)


def test_a_run_that_cannot_start_is_told(on_train: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    from kdcore.base import SettingError

    def refuse(*_: object) -> None:
        raise SettingError("There is a run named 'x' already.", "Rename it.")

    monkeypatch.setattr("kdcore.distill.start_run", refuse)
    app = on_train()
    app.button(key="w:start").click().run()
    assert "There is a run named 'x' already" in errors(app)


@pytest.mark.parametrize("state", FACTS)
def test_a_run_is_watched_in_every_state(on_train: Open, state: str) -> None:
    folder = make_run("made-up", state, None if state in NO_HISTORY else HISTORY)
    folder.log_file.write_text("Traceback: something broke")
    with FileLock(folder.path / ".lock") if state != "interrupted" else FileLock(os.devnull + "x"):
        app = on_train()
    assert not app.exception
    bars = [bar.proto.text for bar in app.get("progress")]
    assert SAID[state] in "\n".join([words(app), *bars])
    if state in NO_HISTORY:
        assert "Curves appear after the first epoch" in words(app)
    else:
        assert "Best epoch's validation macro-F1 **0.260 in epoch 3**" in words(app)
        assert len(app.get("vega_lite_chart")) == 5
    if state == "running":
        assert "Time left **2 h 0 min**" in words(app)
    log = [c.value for c in app.code if "something broke" in c.value]
    assert bool(log) == (state in ("failed", "interrupted"))


def test_pause_and_cancel_leave_files(on_train: Open) -> None:
    folder = make_run("made-up", "running", HISTORY)
    with FileLock(folder.path / ".lock"):
        app = on_train()
        app.button(key="w:pause-made-up").click().run()
        assert folder.pause_requested()
        app.button(key="w:go-made-up").click().run()
        assert not folder.pause_requested()
        app.button(key="w:ask-cancel-made-up").click().run()
        assert not folder.cancel_requested(), "it asks first"
        assert "What 3 epochs of training left is kept" in words(app)
        app.button(key="w:no-cancel-made-up").click().run()
        assert not folder.cancel_requested()
        app.button(key="w:ask-cancel-made-up").click().run()
        app.button(key="w:yes-cancel-made-up").click().run()
        assert folder.cancel_requested()
        app.run()
        assert not app.exception
        assert "Asked to stop" in words(app)


def test_stopping_a_queued_run_promises_nothing(on_train: Open) -> None:
    folder = make_run("made-up", "queued")
    with FileLock(folder.path / ".lock"):
        app = on_train()
        app.button(key="w:ask-cancel-made-up").click().run()
    assert "It has finished no epoch yet" in words(app)


def test_what_can_be_done_after_the_end(on_train: Open) -> None:
    folder = make_run("made-up", "done", HISTORY)
    folder.checkpoint.mkdir()
    (folder.checkpoint / "card.json").write_text("{}")
    app = on_train()
    assert "{'student': 'made-up'}" in words(app).replace('"', "'")
    assert "{'runs': 'made-up'}" in words(app).replace('"', "'")


def test_half_written_folders_are_no_trouble(on_train: Open) -> None:
    make_run("good", "done", HISTORY)
    bad = make_run("bad", "running", HISTORY)
    bad.recipe_file.write_text("{")
    bad.history_file.write_text("epoch,lr\n1")
    bad.status_file.write_text(json.dumps({"state": "running", "heartbeat": "soon", "epoch": "x"}))
    (runs_folder() / "empty").mkdir()
    app = on_train()
    assert not app.exception
    assert "Done after 3 epochs" in words(app)


def test_the_estimate_is_a_job(on_train: Open, ham_folder: Path) -> None:
    app = on_train(preset="baseline")
    field(app, "architecture").set_value("cnn2")
    field(app, "input_size").set_value(32)
    field(app, "batch_size").set_value(8).run()
    app.button(key="w:estimate").click().run()
    assert not app.exception
    job = app.session_state["job"]
    for _ in range(600):
        if job.over:
            break
        time.sleep(0.1)
    assert job.state == "done", job.error
    app.run()
    assert "for an epoch" in words(app)
    assert "in all" in words(app)
    field(app, "epochs").set_value(9).run()
    assert "for an epoch" not in words(app), "another recipe is another question"
