"""On the command line each bad input gives one sentence and status 1, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kdcore.cli.main import main
from tests.bad_input import makers
from tests.evaluate.makers import make_predictions
from tests.pages.conftest import page_checkpoints

__all__ = ["page_checkpoints"]  # a fixture, found by name
Error = Callable[[list[str]], str]


@pytest.fixture
def error_of(capsys: pytest.CaptureFixture[str]) -> Error:
    """`error_of(arguments)`: what a failing command says."""

    def run(arguments: list[str]) -> str:
        assert main(arguments) == 1
        said = capsys.readouterr().err
        assert said.splitlines()[-1].startswith("Error: ")
        assert "Traceback" not in said
        return said

    return run


@pytest.fixture
def explain(page_checkpoints: Path, tmp_path: Path) -> Callable[..., list[str]]:
    """`explain(data, teacher)`: the arguments of a quick explanation."""

    def make(data: bytes, teacher: Path | None = None) -> list[str]:
        (tmp_path / "lesion.jpg").write_bytes(data)
        pair = [str(teacher or page_checkpoints / "tiny-teacher"), "--student"]
        pair.append(str(page_checkpoints / "tiny-student"))
        out = ["--out", str(tmp_path / "out"), "--method", "grad-cam"]
        return ["explain", str(tmp_path / "lesion.jpg"), "--teacher", *pair, *out]

    return make


@pytest.mark.parametrize("kind", makers.REFUSED)
def test_refused_pictures(explain: Callable[..., list[str]], error_of: Error, kind: str) -> None:
    assert "lesion.jpg" in error_of(explain(makers.REFUSED[kind])) or kind == "empty"


@pytest.mark.parametrize("kind", makers.UNUSUAL)
def test_unusual_pictures(explain: Callable[..., list[str]], kind: str) -> None:
    assert main(explain(makers.UNUSUAL[kind][0])) == 0


@pytest.mark.parametrize("how", makers.CHECKPOINTS)
def test_spoilt_checkpoints(
    explain: Callable[..., list[str]],
    error_of: Error,
    page_checkpoints: Path,
    ham_folder: Path,
    tmp_path: Path,
    how: str,
) -> None:
    spoilt = makers.spoilt_checkpoint(page_checkpoints / "tiny-teacher", tmp_path / "x", how)
    expected = makers.CHECKPOINTS[how][1]
    assert expected in error_of(explain(makers.encode(makers.LESION, "JPEG"), spoilt))
    evaluate = ["evaluate", "--checkpoint", str(spoilt), "--data", str(ham_folder)]
    assert expected in error_of(evaluate)


@pytest.mark.parametrize("command", ["data", "evaluate"])
@pytest.mark.parametrize("how", makers.TABLES)
def test_spoilt_tables(
    error_of: Error,
    make_ham: Callable[..., Path],
    page_checkpoints: Path,
    tmp_path: Path,
    command: str,
    how: str,
) -> None:
    change, expected = makers.TABLES[how]
    makers.spoil_table(make_ham(tmp_path), change)
    checkpoint = ["--checkpoint", str(page_checkpoints / "tiny-teacher")]
    extra = checkpoint if command == "evaluate" else []
    assert expected in error_of([command, *extra, "--data", str(tmp_path)])


def test_missing_files(error_of: Error, make_ham: Callable[..., Path], tmp_path: Path) -> None:
    makers.spoil_table(make_ham(tmp_path), lambda rows: [*rows, makers.MISSING_FILE])
    assert "have no file" in error_of(["data", "--data", str(tmp_path)])


def test_a_damaged_image_is_named(
    error_of: Error, make_ham: Callable[..., Path], page_checkpoints: Path, tmp_path: Path
) -> None:
    make_ham(tmp_path)
    path = next(tmp_path.rglob("ISIC_0000003.jpg"))
    path.write_bytes(path.read_bytes()[:-400])
    checkpoint = ["--checkpoint", str(page_checkpoints / "tiny-teacher")]
    said = error_of(["evaluate", *checkpoint, "--data", str(tmp_path), "--split", "all"])
    assert said == (
        "Error: Image ISIC_0000003 is incomplete or damaged: not all of its pixels could be "
        "decoded. Copy or download it again.\n"
    )


@pytest.mark.parametrize("kind", makers.PREDICTIONS)
def test_spoilt_predictions(error_of: Error, tmp_path: Path, kind: str) -> None:
    text, extra, expected = makers.PREDICTIONS[kind]
    (tmp_path / "theirs.csv").write_bytes(text)
    out = tmp_path / "p.npz"
    said = error_of(["import", str(tmp_path / "theirs.csv"), "--out", str(out), *extra])
    assert expected in said
    assert not out.exists()


def test_a_folder_without_csv(error_of: Error, tmp_path: Path) -> None:
    said = error_of(["import", str(tmp_path), "--out", str(tmp_path / "p.npz")])
    assert "holds no CSV file" in said


def test_saved_predictions_with_a_gap(error_of: Error, tmp_path: Path) -> None:
    """A number that is no number is told by file and row before anything is measured."""
    path = tmp_path / "p.npz"
    make_predictions(20).save(path)
    with np.load(path) as arrays:
        content = dict(arrays)
    content["logits"][7, 2] = np.nan
    np.savez(path, **content)
    said = error_of(["evaluate", "--predictions", str(path)])
    assert "p.npz" in said
    assert "got nan in row 7 (image 7), column 2" in said
