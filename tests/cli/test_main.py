"""What every command shares: exit codes, one line for what went wrong, streams of any encoding."""

from __future__ import annotations

import io
import json
import signal
import sys
from pathlib import Path

import pytest

from kdcore.cli import interrupts
from kdcore.cli import main as module
from kdcore.cli.main import main
from tests.data.folder_makers import make_classes


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_name_that_the_terminal_lacks_is_shown_by_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    make_classes(tmp_path / "pictures", ("母斑 nevus", "dog"), 2)
    shown = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", shown)
    result = tmp_path / "result.json"
    arguments = ["data", "--data", str(tmp_path / "pictures"), "--json", str(result)]
    assert main(arguments) == 0
    shown.flush()
    assert b"\\u6bcd\\u6591 nevus" in shown.buffer.getvalue()  # type: ignore[attr-defined]
    assert "母斑 nevus" in json.loads(result.read_text(encoding="utf-8"))["counts"]


def test_ctrl_c_while_a_command_loads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_module", interrupted)
    assert main(["data"]) == 130
    assert capsys.readouterr().err.count("\n") == 1


def test_ctrl_c_that_an_import_swallows_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(interrupts.os, "_exit", leave)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job beside ignores it
    try:
        with pytest.raises(SystemExit, match="130"), interrupts.ends_at_once():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err == f"{interrupts.CANCELLED}\n"


def test_what_the_system_refuses_is_told_in_a_line_with_the_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_classes(tmp_path / "pictures", count=2)
    (tmp_path / "file").write_text("")
    told = tmp_path / "file/result.json"
    assert main(["data", "--data", str(tmp_path / "pictures"), "--json", str(told)]) == 1
    assert capsys.readouterr().err.startswith("Error: ")
    assert main(["data", "--data", "/x" * 2500]) == 1
    assert "File name too long" in (error := capsys.readouterr().err) and "shorter" in error


@pytest.mark.parametrize("command", ["robustness", "interventions", "explanations"])
def test_no_image_at_all_is_told_before_anything_is_read(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([command, "x", "--images", "0"])
    assert "--images: expected a whole number from 1 on" in capsys.readouterr().err
