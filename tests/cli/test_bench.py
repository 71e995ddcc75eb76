"""`kdcore bench`: the table, the record, what is kept, progress for programs, and refusals."""

from __future__ import annotations

import json

import pytest

from kdcore.cli.main import main
from kdcore.deploy.latency_record import from_json
from kdcore.deploy.latency_store import list_benchmarks
from tests.conftest import write_tiny_checkpoint


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    root = tmp_path / "checkpoints"
    for name, role in (("big", "teacher"), ("small", "student")):
        write_tiny_checkpoint(root / name, role, "cnn2", title=name.capitalize())
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(root))
    return root


COMMAND = ["--engines", "eager", "--threads", "1", "--seconds", "0.3"]


def test_table_and_record(checkpoints, tmp_path, capsys):
    file = tmp_path / "out.json"
    command = ["bench", "big", str(checkpoints / "small"), *COMMAND, "--batch", "1", "2"]
    assert main([*command, "--end-to-end", "--json", str(file), "--keep"]) == 0
    said = capsys.readouterr().out
    found = from_json(file.read_text(), "out.json")
    assert [t.contender.batch for t in found.timings] == [1, 2, 1] * 2
    assert "Small is" in said or "**" not in said
    assert "The machine was" in said and "p90" in said and "MLPerf" in said
    kept = list_benchmarks()[0]
    assert [k.name for k in kept] == [found.name] and str(kept[0].path) in said


def test_nothing_is_kept_unasked(checkpoints):
    assert main(["bench", "small", *COMMAND]) == 0
    assert list_benchmarks() == ([], [])


def test_lines_for_programs(checkpoints, capsys):
    assert main(["bench", "small", *COMMAND, "--keep", "--live"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1] == {"kept": list_benchmarks()[0][0].name}
    assert lines[-2]["fraction"] == 1 and lines[-2]["known"][0]["p50"] > 0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--batch", "0"], "batch size of 0"),
        (["--threads", "9999"], "number of threads"),
        (["--device", "tpu"], "no device 'tpu'"),
        (["--seconds", "1e9"], "can't be done"),
    ],
)
def test_refusals(checkpoints, capsys, more, words):
    assert main(["bench", "small", *COMMAND, *more]) == 1
    assert words in capsys.readouterr().err


def test_a_checkpoint_that_is_not_there(checkpoints, capsys):
    assert main(["bench", "absent", *COMMAND]) == 1
    assert "absent" in capsys.readouterr().err
