"""Exported files that are kept: listed, bounded, deleted, and told when they are damaged."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from kdcore.base import ExportError
from kdcore.deploy import export_store
from kdcore.deploy.export_store import (
    STAGING,
    damage,
    delete_export,
    exports_folder,
    keep_exports,
    list_exports,
    read_member,
    remove_stale,
    zip_of,
)
from kdcore.deploy.package import SAID, example, package


@pytest.fixture(scope="module")
def packed(made, saved, tmp_path_factory):
    """A folder with an ONNX and a TorchScript file, their records and zips."""
    folder = tmp_path_factory.mktemp("packed")
    for record in made[1][:2]:
        for name in (record.file, f"{record.file}.json"):
            shutil.copy(made[0] / name, folder / name)
        package(folder / record.file, saved, zip_of(folder / record.file))
    return folder


@pytest.fixture
def kept(packed, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(packed, out)
    return keep_exports(out)


def test_kept_files_are_listed_and_whole(kept, saved):
    found, problems = list_exports()
    assert problems == [] and {k.path for k in found} == {k.path for k in kept}
    assert len({k.zip for k in found}) == 2  # formats have one stem, and a zip each
    for one in found:
        assert one.path.parent == exports_folder() / saved.hash
        assert damage(one) == ""
        assert read_member(one, "example.py") == example(one.artefact.format)
        assert read_member(one, SAID).split("\t")[0] in saved.card.classes


def test_the_same_again_takes_the_place(kept, packed, tmp_path):
    shutil.copytree(packed, tmp_path / "again")
    keep_exports(tmp_path / "again")
    assert len(list_exports()[0]) == 2


def test_nothing_kept():
    assert list_exports() == ([], [])
    remove_stale()


@pytest.mark.parametrize("what", ["file", "zip", "gone", "member"])
def test_damage(kept, what):
    one = kept[0]
    if what == "gone":
        one.zip.unlink()
    elif what == "member":  # a byte in the middle of the network
        data = bytearray(one.zip.read_bytes())
        data[3000] ^= 255
        one.zip.write_bytes(data)
    else:
        path = one.path if what == "file" else one.zip
        path.write_bytes(path.read_bytes()[:100])
    assert one.path.name in damage(one) or one.zip.name in damage(one)


def test_delete(kept, saved):
    delete_export(kept[0])
    assert [k.path for k in list_exports()[0]] == [kept[1].path]
    delete_export(kept[0])  # gone already
    delete_export(kept[1])
    assert not (exports_folder() / saved.hash).exists()


@pytest.mark.parametrize(
    "change",
    [{"check": 1}, {"size": "big"}, {"format": "tflite"}, {"quality": []}, {"checkpoint": None}],
)
def test_a_broken_record_is_told_and_the_rest_is_listed(kept, change):
    record = kept[0].paths[0]
    record.write_text(json.dumps(json.loads(record.read_text()) | change))
    found, problems = list_exports()
    assert [k.path for k in found] == [kept[1].path]
    (problem,) = problems
    assert isinstance(problem, ExportError) and kept[0].path.name in problem.problem


def test_the_oldest_make_room(kept, packed, tmp_path, monkeypatch, saved):
    os.utime(kept[0].path, (1, 1))
    os.utime(kept[1].path, (2, 2))
    out = tmp_path / "third"
    shutil.copytree(packed, out)
    one = next(path for path in out.iterdir() if path.suffix == ".onnx")
    record = json.loads((out / f"{one.name}.json").read_text()) | {"checkpoint_hash": "1" * 64}
    (out / f"{one.name}.json").write_text(json.dumps(record))
    for path in out.glob("*.pt*"):
        path.unlink()
    monkeypatch.setattr(export_store, "MOST_FILES", 2)
    (new,) = keep_exports(out)
    assert [k.path for k in list_exports()[0]] == [new.path, kept[1].path]
    monkeypatch.setattr(export_store, "MOST_BYTES", 10)  # what is new stays, however large
    shutil.copytree(packed, tmp_path / "fourth")
    assert len(keep_exports(tmp_path / "fourth")) == len(list_exports()[0]) == 2


def test_what_a_killed_program_left_is_swept_a_day_later(kept):
    old, new = (exports_folder() / f"{STAGING}{name}" for name in ("old", "new"))
    for folder in (old, new):
        folder.mkdir()
        (folder / "half.onnx").write_bytes(b"half")
    os.utime(old, (1, 1))
    remove_stale()
    assert not old.exists() and new.exists()
    assert len(list_exports()[0]) == 2
