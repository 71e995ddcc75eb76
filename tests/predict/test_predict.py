"""Streaming over a data set names the picture that stops it, and says when there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kdcore.base import DataError, ImageError
from kdcore.data import Ham10000, LoadedImage, attributes_of
from kdcore.models import load_checkpoint
from kdcore.predict import predict_dataset, stream_outputs
from tests.pages.conftest import page_checkpoints

__all__ = ["page_checkpoints"]  # a fixture, found by name


def test_a_damaged_picture_is_named(
    page_checkpoints: Path, make_ham: Callable[..., Path], tmp_path: Path
) -> None:
    checkpoint = load_checkpoint(page_checkpoints / "tiny-student")
    make_ham(tmp_path)
    path = next(tmp_path.rglob("ISIC_0000004.jpg"))
    path.write_bytes(path.read_bytes()[:-400])
    data = Ham10000.open(tmp_path)
    with pytest.raises(ImageError, match="^Image ISIC_0000004 is incomplete"):
        list(stream_outputs(checkpoint, data, data.samples, batch_size=3))


def test_attributes_come_with_predictions_and_each_picture_is_decoded_once(
    page_checkpoints: Path, ham_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = load_checkpoint(page_checkpoints / "tiny-student")
    data = Ham10000.open(ham_folder)
    samples, decoded, picture = data.samples[:40], [], Ham10000.picture

    def counted(self: Ham10000, image_id: str) -> LoadedImage:
        decoded.append(image_id)
        return picture(self, image_id)

    monkeypatch.setattr(Ham10000, "picture", counted)
    found = predict_dataset(checkpoint, data, samples, "test").attributes
    assert sorted(decoded) == sorted(s.image_id for s in samples)
    expected = attributes_of(data, samples)
    assert {k: v.tolist() for k, v in found.items()} == {k: v.tolist() for k, v in expected.items()}


def test_no_samples_are_told(page_checkpoints: Path, ham_folder: Path) -> None:
    checkpoint = load_checkpoint(page_checkpoints / "tiny-student")
    with pytest.raises(DataError, match="no image to predict on"):
        predict_dataset(checkpoint, Ham10000.open(ham_folder), (), "test")
