"""Checks, registry, whole-or-nothing writes, hashes, seeds and settings."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from kdcore.base import (
    DATA_VARIABLE,
    Cancelled,
    CheckpointError,
    KdError,
    Registry,
    SettingError,
    check_labels,
    check_logits,
    check_probs,
    checkpoints_folder,
    data_folder,
    files,
    folder_bytes,
    numpy_generator,
    refusal,
    remember_data_folder,
    save_npz,
    seed_everything,
    sha256_bytes,
    sha256_file,
    state_folder,
    torch_generator,
    write_atomically,
    write_bytes,
    write_text,
)
from kdcore.base.errors import first_line, last_line


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("DISTILSCOPE_STATE", str(folder))
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    return folder


def test_logits_come_back_as_float64():
    array = check_logits(np.zeros((3, 2), np.float32))
    assert array.dtype == np.float64
    assert array.shape == (3, 2)
    assert check_logits(np.zeros((0, 7))).shape == (0, 7)


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((3, 1)), [[0.0, np.nan]], [[np.inf, 0.0]]])
def test_bad_logits_raise_by_name(bad):
    with pytest.raises(ValueError, match="logits"):
        check_logits(bad)


@pytest.mark.parametrize("bad", [[[1.2, -0.2]], [[0.5, 0.6]], [[3.0, 1.0]]])
def test_what_are_not_probabilities_raise_by_name(bad):
    with pytest.raises(ValueError, match="probs"):
        check_probs(bad)


def test_probabilities_may_be_off_by_rounding():
    assert check_probs([[0.5, 0.50001]]).shape == (1, 2)


@pytest.mark.parametrize("bad", [[0, 1], [0, 1, 2], [0, -1, 1], [[0], [1], [1]]])
def test_bad_labels_raise_by_name(bad):
    with pytest.raises(ValueError, match="labels"):
        check_labels(bad, 3, 2)


def test_labels_come_back_as_int64():
    assert check_labels(np.array([0, 1], np.int8), 2, 2).dtype == np.int64
    assert check_labels([], 0, 2).shape == (0,)


def test_errors_tell_the_problem_and_the_way_out():
    error = KdError("It broke.", "Mend it.")
    assert str(error) == "It broke. Mend it."
    assert error.hint == "Mend it."
    assert str(KdError("It broke.")) == "It broke."
    assert "Training was cancelled." in str(Cancelled("Training"))


@pytest.fixture
def registry() -> Registry[int]:
    registry: Registry[int] = Registry("architecture", CheckpointError)
    registry.register("resnet18")(18)
    registry.register("resnet50")(50)
    registry.register("kd_cbam")(2)
    return registry


def test_registry_keeps_items_and_order(registry):
    assert registry.get("resnet50") == 50
    assert registry.names() == ["resnet18", "resnet50", "kd_cbam"]


def test_registry_miss_lists_near_names_only(registry):
    with pytest.raises(CheckpointError) as caught:
        registry.get("resnet5O")
    assert "resnet50" in caught.value.hint
    assert "kd_cbam" not in caught.value.hint
    assert "architecture 'resnet5O'" in caught.value.problem


def test_registry_miss_with_nothing_near_lists_all(registry):
    with pytest.raises(CheckpointError) as caught:
        registry.get("zzzzzz")
    assert all(name in caught.value.hint for name in registry.names())


def test_registry_duplicate_raises_and_keeps_the_first(registry):
    with pytest.raises(ValueError, match="registered twice"):
        registry.register("resnet18")(99)
    assert registry.get("resnet18") == 18


def test_write_makes_folders_and_replaces(tmp_path):
    path = tmp_path / "a" / "b.txt"
    write_atomically(path, lambda p: p.write_text("one"))
    write_atomically(path, lambda p: p.write_text("two"))
    assert path.read_text() == "two"
    assert [p.name for p in path.parent.iterdir()] == ["b.txt"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_failed_write_keeps_the_old_file_and_no_rest(tmp_path, error):
    path = tmp_path / "b.txt"
    path.write_text("old")

    def write(temporary: Path) -> None:
        temporary.write_text("half of the n")
        raise error

    with pytest.raises(type(error)):
        write_atomically(path, write)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["b.txt"]


def test_text_bytes_and_arrays_come_back_as_they_were(tmp_path):
    write_text(tmp_path / "t.txt", "α ≤ 1\n")
    assert (tmp_path / "t.txt").read_bytes() == "α ≤ 1\n".encode()
    write_bytes(tmp_path / "b", memoryview(b"\x00\r\n"))
    assert (tmp_path / "b").read_bytes() == b"\x00\r\n"
    save_npz(tmp_path / "a", {"x": np.arange(3), "y": 0.5})  # no suffix is added
    with np.load(tmp_path / "a") as arrays:
        assert arrays["x"].tolist() == [0, 1, 2] and arrays["y"] == 0.5


def test_a_folder_is_as_large_as_its_files(tmp_path):
    write_bytes(tmp_path / "a", bytes(10))
    write_bytes(tmp_path / "b/c/d", bytes(32))
    assert folder_bytes(tmp_path) == 42 and folder_bytes(tmp_path / "none") == 0


def test_a_pipe_is_written_to_and_a_link_stays_one(tmp_path):
    pipe, link, target = tmp_path / "pipe", tmp_path / "link", tmp_path / "there/target"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, lambda path: path.write_text("told"))
    assert os.read(reader, 9) == b"told" and pipe.is_fifo()
    os.close(reader)
    target.parent.mkdir()
    link.symlink_to(target)
    for text in ("new", "newer"):
        write_atomically(link, lambda path, text=text: path.write_text(text))
        assert target.read_text() == text and link.is_symlink()


def test_what_the_system_refuses_names_the_file_that_was_meant(tmp_path, monkeypatch):
    def refuse(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / ".a.json.x1y2"))

    monkeypatch.setattr(files.tempfile, "mkstemp", refuse)
    with pytest.raises(PermissionError) as raised:
        write_atomically(tmp_path / "a.json", lambda path: None)
    told = str(refusal(raised.value))
    assert told.startswith(f"Permission denied: '{tmp_path / 'a.json'}'. Change who may")
    assert "disk is full" in str(refusal(OSError(errno.ENOSPC, "No space left on device")))
    assert str(refusal(OSError("odd"))).startswith("odd. Check")


@pytest.mark.parametrize("variable", ["DISTILSCOPE_STATE", "DISTILSCOPE_CHECKPOINTS"])
def test_the_home_of_nobody_is_told(state, monkeypatch, variable):
    monkeypatch.setenv(variable, "~nobody-is-called-so/x")
    with pytest.raises(SettingError, match=f"no home folder .*{variable}"):
        state_folder() if variable == "DISTILSCOPE_STATE" else checkpoints_folder()


@pytest.mark.parametrize("text", ['{"data_folder": 3}', "[" * 5000, "3", "{"])
def test_settings_of_another_kind_count_as_none(state, text):
    state.mkdir()
    (state / "settings.json").write_text(text)
    assert data_folder() is None
    with pytest.raises(SettingError, match=r"no home folder .*--data"):
        data_folder("~nobody-is-called-so/x")


def test_hashes_agree_with_hashlib(tmp_path):
    data = b"lesion" * 400_000  # more than one piece
    path = tmp_path / "data"
    path.write_bytes(data)
    assert sha256_file(path) == sha256_bytes(data) == hashlib.sha256(data).hexdigest()


def test_one_seed_one_result():
    draws = [numpy_generator(3, 1).random(4) for _ in range(2)]
    assert np.array_equal(*draws)
    assert not np.array_equal(draws[0], numpy_generator(3, 2).random(4))
    tensors = [torch.rand(4, generator=torch_generator(3, 1)) for _ in range(2)]
    assert torch.equal(*tensors)
    assert not torch.equal(tensors[0], torch.rand(4, generator=torch_generator(3, 2)))
    seed_everything(5)
    first = torch.rand(3), np.random.rand(3)  # noqa: NPY002
    seed_everything(5)
    assert torch.equal(first[0], torch.rand(3))
    assert np.array_equal(first[1], np.random.rand(3))  # noqa: NPY002


def test_state_folder_follows_its_variable(state):
    assert state_folder() == state


def test_no_data_is_configured(state):
    assert data_folder() is None


def test_explicit_wins_over_remembered_wins_over_variable(state, tmp_path, monkeypatch):
    folders = {name: tmp_path / name for name in ("explicit", "remembered", "variable")}
    for folder in folders.values():
        folder.mkdir()
    monkeypatch.setenv(DATA_VARIABLE, str(folders["variable"]))
    assert data_folder() == folders["variable"]
    remember_data_folder(folders["remembered"])
    assert data_folder() == folders["remembered"]
    assert data_folder(folders["explicit"]) == folders["explicit"]
    remember_data_folder(None)
    assert data_folder() == folders["variable"]


@pytest.mark.parametrize("source", ["--data", DATA_VARIABLE, "the Data page"])
def test_missing_folder_names_who_named_it(state, tmp_path, monkeypatch, source):
    missing = tmp_path / "missing"
    if source == DATA_VARIABLE:
        monkeypatch.setenv(DATA_VARIABLE, str(missing))
    if source == "the Data page":
        remember_data_folder(missing)
    with pytest.raises(SettingError, match=source):
        data_folder(missing if source == "--data" else None)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"other": 1}'])
def test_broken_settings_count_as_none(state, text):
    state.mkdir()
    (state / "settings.json").write_text(text)
    assert data_folder() is None


def test_one_line_of_an_error_is_told():
    assert first_line(ValueError("\n one\ntwo")) == "one"
    assert first_line(ValueError()) == "ValueError" and first_line(OSError(" "), "none") == "none"
    assert first_line(OSError("x" * 200)) == last_line("a\n" + "x" * 200 + "\n") == "x" * 160
    assert last_line("") == "it was killed"
