"""Plans, engines and the benchmark's own process, on networks of two convolutions."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from kdcore.base import Cancelled, KdError, SettingError, apart, state_folder
from kdcore.base.machine import cores
from kdcore.deploy import latency_apart
from kdcore.deploy.check import compare_logits, drawn_images
from kdcore.deploy.latency import Live
from kdcore.deploy.latency_apart import bench_apart, command
from kdcore.deploy.latency_engines import cached_file, is_cached, open_call
from kdcore.deploy.latency_plan import (
    Plan,
    estimate,
    jpeg,
    noise,
    prepare,
    run_plan,
    thread_counts,
    whole_way,
)
from kdcore.deploy.latency_record import from_json, to_json
from kdcore.models import load_checkpoint
from kdcore.predict import predict_image
from kdcore.predict.probabilities import softmax
from tests.conftest import write_tiny_checkpoint


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan") / "tiny"
    write_tiny_checkpoint(folder, "student", "cnn2", title="Tiny")
    return folder


@pytest.mark.parametrize("engine", ["eager", "torchscript"])
def test_an_engine_answers_as_the_network(tiny, engine):
    checkpoint = load_checkpoint(tiny)
    images = noise(3, 64)
    with torch.inference_mode():
        expected = checkpoint.model(torch.from_numpy(images)).logits.numpy()
    for _ in range(2):  # made, then from the cache
        found = open_call(checkpoint, engine)(images)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert is_cached(checkpoint.hash, engine)


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "precision"), [("onnxruntime", "float32"), ("int8", "int8")])
def test_the_engines_of_onnx_runtime(tiny, engine, precision):
    checkpoint = load_checkpoint(tiny)
    images = drawn_images(checkpoint)  # noise is outside of the ranges that INT8 was given
    with torch.inference_mode():
        expected = checkpoint.model(torch.from_numpy(images)).logits.numpy()
    found = open_call(checkpoint, engine, threads=1)(images)
    assert compare_logits(expected, found, precision).passed
    program = cached_file(checkpoint.hash, engine).read_bytes()
    assert (b"QuantizeLinear" in program) == (engine == "int8")


def test_a_damaged_export_is_made_again(tiny):
    checkpoint = load_checkpoint(tiny)
    path = cached_file(checkpoint.hash, "torchscript")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no program")
    assert open_call(checkpoint, "torchscript")(noise(1, 64)).shape == (1, 7)
    assert path.stat().st_size > 1000


def test_the_whole_way_is_the_apps(tiny):
    checkpoint = load_checkpoint(tiny)
    value = jpeg()
    steps = whole_way(checkpoint, open_call(checkpoint, "eager"))
    for name, step in steps:
        value = step(value)
        if name == "decode":
            picture = value
    expected = softmax(predict_image(checkpoint, picture).logits, checkpoint.card.temperature)
    assert [name for name, _ in steps] == ["decode", "preprocess", "network", "softmax"]
    np.testing.assert_allclose(np.ravel(value), np.ravel(expected), atol=1e-6)


def test_every_combination_has_a_runner(tiny):
    plan = Plan((tiny, tiny), ("eager",), batches=(1, 4), threads=(1,), end_to_end=True)
    runners, left_out = prepare(plan)
    found = [(r.contender.title, r.contender.batch, r.contender.end_to_end) for r in runners]
    other = "Tiny (tiny)"
    assert found == [
        (title, batch, whole)
        for title in ("Tiny", other)
        for batch, whole in ((1, False), (4, False), (1, True))
    ]
    assert left_out == [] and runners[1].first.shape == (4, 3, 64, 64)


def test_an_engine_that_fails_is_left_out_with_its_reason(tiny, monkeypatch):
    def fail(checkpoint, engine, device, threads):
        if engine == "torchscript":
            raise KdError("It has a loop.", "Unroll it.")
        return open_call(checkpoint, engine, device, threads)

    monkeypatch.setattr("kdcore.deploy.latency_plan.open_call", fail)
    runners, left_out = prepare(Plan((tiny,), ("torchscript", "eager")))
    assert [r.contender.engine for r in runners] == ["eager"]
    assert left_out == ["Tiny does not run with TorchScript: It has a loop."]
    with pytest.raises(SettingError, match="It has a loop"):
        prepare(Plan((tiny,), ("torchscript",)))


def test_a_benchmark(tiny):
    told: list[Live] = []
    found = run_plan(Plan((tiny,), ("eager",), seconds=0.2, end_to_end=True), told.append)
    assert [t.contender.end_to_end for t in found.timings] == [False, True]
    assert found.took >= 0.1 and told[-1].fraction == 1
    assert to_json(from_json(to_json(found), "f")) == to_json(found)
    assert found.timings[1].parts.keys() == {"decode", "preprocess", "network", "softmax"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"checkpoints": ()}, "No checkpoints"),
        ({"engines": ()}, "No engines"),
        ({"engines": ("tpu",)}, "'tpu'"),
        ({"batches": (0,)}, "batch size of 0"),
        ({"threads": (0,)}, "number of threads of 0"),
        ({"threads": (10_000,)}, "10000"),
        ({"devices": ("tpu",)}, "'tpu'"),
        ({"seconds": 0.0}, "0 seconds"),
        ({"seconds": float("nan")}, "seconds"),
        ({"precision": 1.0}, "precision of 1"),
    ],
)
def test_settings_out_of_range(tiny, change, words):
    with pytest.raises(SettingError, match=words):
        Plan(**({"checkpoints": (tiny,)} | change))


def test_a_missing_checkpoint(tmp_path):
    with pytest.raises(KdError):
        prepare(Plan((tmp_path,), ("eager",)))


def test_thread_counts():
    found = thread_counts()
    assert found[0] == 1 and found[-1] == cores() and list(found) == sorted(set(found))


def test_estimate_counts_what_is_missing(tiny):
    plan = Plan((tiny,), ("eager", "onnxruntime"), batches=(1, 8), threads=(1,), seconds=10)
    assert "4 timings, and about 12 s more for exports, once." in estimate(plan)
    path = cached_file(load_checkpoint(tiny).hash, "onnxruntime")
    path.parent.mkdir(parents=True)
    path.touch()
    assert estimate(plan).endswith("4 timings.")


def test_the_command_says_the_whole_plan(tiny):
    plan = Plan(
        (tiny,), ("eager", "int8"), (1, 8), (1,), seconds=7.0, precision=0.1, end_to_end=True
    )
    words = " ".join(command(plan)[1:])
    assert words == (
        f"-m kdcore bench {tiny} --engines eager int8 --batch 1 8 --threads 1 --device cpu "
        "--seconds 7 --precision 0.1 --end-to-end --keep --live"
    )


@pytest.fixture
def script(monkeypatch):
    """`script(text)`: the process runs this Python in the place of the benchmark."""

    def use(text: str) -> None:
        monkeypatch.setattr(latency_apart, "command", lambda plan: [sys.executable, "-c", text])

    return use


def test_progress_and_result_of_the_process(tiny, script):
    line = json.dumps({"fraction": 0.5, "doing": "Timing", "known": [{"what": "x"}]})
    script(f'print({line!r}); print(\'{{"kept": "20260102-a"}}\')')
    told = []
    kept = bench_apart(Plan((tiny,)), lambda latest: told.append(dict(latest)))
    assert kept == "20260102-a"
    known = {"fraction": 0.5, "doing": "Timing", "known": [{"what": "x"}]}
    assert told[-1] == known | {"kept": "20260102-a"}


def test_what_a_library_prints_is_passed_over(tiny, script):
    script("print('Converting ...'); print(7); print('{\"kept\": \"20260102-a\"}')")
    assert bench_apart(Plan((tiny,)), lambda latest: None) == "20260102-a"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import sys; sys.exit('noise\\nError: No disk. Buy one.')", "No disk"),
        ("raise ValueError('a bug')", "a bug"),
        ("pass", "without a word"),
    ],
)
def test_a_process_that_fails_is_told(tiny, script, text, words):
    script(text)
    with pytest.raises(SettingError, match=words):
        bench_apart(Plan((tiny,)), lambda latest: None)


def test_cancel_ends_the_process(tiny, script, monkeypatch):
    script("import time; print('{\"fraction\": 0.1}', flush=True); time.sleep(600)")
    processes = []
    end = apart._end
    monkeypatch.setattr(apart, "_end", lambda p: (processes.append(p), end(p)))

    def report(latest):
        if latest["fraction"]:
            raise Cancelled()

    with pytest.raises(Cancelled):
        bench_apart(Plan((tiny,)), report)
    assert processes[0].poll() is not None
    assert not (state_folder() / "latency").exists()


def test_cancel_leaves_no_temporary_files(tiny, script):
    script(
        "import json, tempfile, time; name = tempfile.mkdtemp();"
        "print(json.dumps({'fraction': 0.1, 'name': name}), flush=True); time.sleep(600)"
    )
    names = []

    def report(latest):
        if "name" in latest:
            names.append(Path(latest["name"]))
            assert names[0].is_dir()
            raise Cancelled()

    with pytest.raises(Cancelled):
        bench_apart(Plan((tiny,)), report)
    assert not names[0].exists()
