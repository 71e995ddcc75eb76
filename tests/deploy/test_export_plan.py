"""Plans of exports, the command for them, and the process that carries it out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from kdcore.base import Cancelled, ExportError, KdError, SettingError
from kdcore.cli import export as cli
from kdcore.deploy import export_apart
from kdcore.deploy.export_apart import export_apart as run_it
from kdcore.deploy.export_plan import ExportPlan, command, estimate, live_command, steps
from kdcore.deploy.export_store import exports_folder, list_exports
from kdcore.deploy.make import Target
from tests.deploy.test_artefact import LIMITED


def test_what_a_plan_makes():
    plan = ExportPlan(Path("x"), ("onnx", "export"), ("float", "int8"), True, Path("data"))
    assert plan.targets == (
        Target("onnx", "float32", True),
        Target("onnx", "int8", True),
        Target("export", "float32", True),
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"forms": ()}, "No formats were chosen"),
        ({"precisions": ()}, "No precisions were chosen"),
        ({"precisions": ("int8",)}, "INT8 takes its ranges from pictures"),
        ({"forms": ("tflite",)}, "no export as tflite"),
        ({"forms": ("export",), "precisions": ("fp16",)}, "no float16 of export"),
        ({"precisions": ("int4",)}, "no export as onnx in int4"),
    ],
)
def test_plans_that_there_are_not(fields, words):
    with pytest.raises(KdError, match=words):
        ExportPlan(Path("x"), **fields)


@pytest.mark.parametrize("data", [None, Path("/some/data")])
def test_the_command_line_makes_what_the_plan_says(data):
    plan = ExportPlan(
        Path("x"),
        ("torchscript", "onnx"),
        ("fp16", "float"),
        True,
        data,
        images=7 if data else None,
    )
    python, *line = live_command(plan, Path("out"))
    assert python == sys.executable and line[:3] == ["-m", "kdcore", "export"]
    assert line == [*command(plan, Path("out")), "--live"]
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    options = parser.parse_args(line[3:])
    assert (tuple(options.format), tuple(options.precision)) == (plan.forms, plan.precisions)
    assert options.fold_preprocessing and options.zip and options.live
    assert options.no_data == (data is None) and options.out == Path("out")
    assert (options.data, options.images) == (str(data) if data else None, plan.images)


def test_the_estimate_grows_with_the_work(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(bytes(5_000_000))
    one = ExportPlan(tmp_path)
    assert estimate(one).startswith("About 10 s for one file;")
    many = ExportPlan(tmp_path, ("onnx", "export"), ("float", "int8"), data=tmp_path)
    assert "for 3 files, each measured on 1,349 pictures" in estimate(many, 1349)

    def seconds(*args):
        return sum(step.seconds for step in steps(*args))

    targets, size = many.targets, 5_000_000
    assert seconds(one.targets, size) < seconds(targets, size) < seconds(targets, size, 100)
    assert seconds(targets, size, 100) < seconds(targets, size, 1000)
    assert seconds(targets, size, 100) < seconds(targets, 20 * size, 100)
    assert seconds(targets, size, 0, False) < seconds(targets, size)


@pytest.fixture
def script(monkeypatch):
    """`script(text)`: the process runs this Python, its first argument the folder for files."""

    def use(text):
        line = lambda plan, out: [sys.executable, "-c", text, str(out)]  # noqa: E731
        monkeypatch.setattr(export_apart, "live_command", line)

    return use


def nothing_is_left():
    return list_exports() == ([], []) and not list(exports_folder().iterdir())


def test_a_failure_is_told_and_nothing_kept(script):
    script(
        "import sys, pathlib; out = pathlib.Path(sys.argv[1]); out.mkdir();"
        "(out / 'half.onnx').write_bytes(b'x'); sys.exit('Error: No translation. Take another.')"
    )
    with pytest.raises(SettingError, match="The export ended without a result. No translation"):
        run_it(ExportPlan(Path("x")), lambda told: None)
    assert nothing_is_left()


def test_a_cancelled_export_leaves_nothing(script):
    script(
        "import sys, tempfile, time, pathlib; pathlib.Path(sys.argv[1]).mkdir();"
        "tempfile.mkstemp(); print('{\"fraction\": 0.5}', flush=True); time.sleep(600)"
    )

    def report(latest):
        if latest["fraction"]:
            (folder,) = exports_folder().iterdir()
            assert len(list(folder.iterdir())) == 2  # its temporary file lies there, too
            raise Cancelled("The export")

    with pytest.raises(Cancelled):
        run_it(ExportPlan(Path("x")), report)
    assert nothing_is_left()


def test_a_store_that_can_not_be_made(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("DISTILSCOPE_STATE", str(tmp_path / "file"))
    with pytest.raises(SettingError, match="can't be kept: Not a directory"):
        run_it(ExportPlan(Path("x")), lambda told: None)


@pytest.mark.slow
def test_from_checkpoint_to_kept_files(saved):
    told = []
    plan = ExportPlan(saved.path, ("torchscript", "onnx"))
    kept = run_it(plan, lambda latest: told.append(latest["fraction"]))
    assert [k.artefact.file for k in kept] == ["tiny-cnn2-float32.onnx", "tiny-cnn2-float32.pt"]
    assert {k.path for k in list_exports()[0]} == {k.path for k in kept}
    assert all(k.zip.is_file() and k.artefact.check.passed for k in kept)
    assert told == sorted(told) and told[0] == 0 < told[-1] < 1


@pytest.mark.slow
def test_a_full_disk(saved, monkeypatch):
    def line(plan, out):
        return [sys.executable, "-c", LIMITED, *live_command(plan, out)[3:]]

    monkeypatch.setattr(export_apart, "live_command", line)
    with pytest.raises(SettingError, match="disk is full"):
        run_it(ExportPlan(saved.path, ("torchscript",)), lambda told: None)
    assert nothing_is_left()


def test_int8_of_a_single_other_format_is_refused():
    with pytest.raises(ExportError, match="no int8 of torchscript"):
        ExportPlan(Path("x"), ("torchscript",), ("int8",), data=Path("data"))
