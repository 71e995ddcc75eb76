"""The robustness grid: cells as single predictions would be, kept, resumed, shared by models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from kdcore.base import Cancelled, CheckpointError, DataError
from kdcore.data import HAM10000, open_dataset
from kdcore.data.corruptions import CORRUPTIONS, corrupt, image_seed, parse_stack, reference_square
from kdcore.models import Card, build_model, load_checkpoint, save_checkpoint
from kdcore.predict import predict_image
from kdcore.predict.grid import all_stacks, grid_store, run_grid

STACKS = ("clean", "jpeg-2", "hair-1+gaussian_noise-3")


@pytest.fixture(scope="module")
def data(ham_folder):
    return open_dataset(ham_folder)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    made = []
    for seed, size in enumerate((32, 32, 48)):
        torch.manual_seed(seed)
        card = Card(
            f"m{seed}", "student", "cnn2", HAM10000.classes, size, HAM10000.mean, HAM10000.std
        )
        folder = tmp_path_factory.mktemp("models") / card.name
        save_checkpoint(folder, build_model("cnn2", 7), card)
        made.append(load_checkpoint(folder))
    return made


def test_a_cell_is_what_one_picture_at_a_time_gives(data, models, tmp_path):
    samples = data.samples[:5]
    store = grid_store(samples, seed=3, root=tmp_path)
    run_grid(models, data, samples, "test", STACKS, store, seed=3)
    for model in models:
        for name in STACKS:
            cell = store.load(model.hash, name)
            assert (cell.checkpoint, cell.corruption, cell.split) == (model.card.name, name, "test")
            assert cell.sample_ids.tolist() == [s.image_id for s in samples]
            for sample, logits in zip(samples, cell.logits, strict=True):
                square = reference_square(data.picture(sample.image_id).rgb)
                spoilt = corrupt(square, parse_stack(name), image_seed(sample.image_id, 3))
                np.testing.assert_allclose(
                    logits, predict_image(model, spoilt).logits, rtol=1e-4, atol=1e-5
                )


def test_what_is_there_is_not_made_again(data, models, tmp_path):
    samples = data.samples[:4]
    store, told = grid_store(samples, root=tmp_path), []
    run_grid(models[:1], data, samples, "test", STACKS[:2], store)
    first = store.path(models[0].hash, "jpeg-2")
    before = first.stat().st_mtime_ns
    run_grid(models, data, samples, "test", STACKS[:2], store, progress=lambda *p: told.append(p))
    assert first.stat().st_mtime_ns == before and told[-1] == (8, 8)
    again: list[object] = []
    run_grid(models, data, samples, "test", STACKS[:2], store, progress=lambda *p: again.append(p))
    assert again == []


def test_a_half_written_cell_is_made_again(data, models, tmp_path):
    samples = data.samples[:3]
    store = grid_store(samples, root=tmp_path)
    path = store.path(models[0].hash, "clean")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PK half")
    run_grid(models[:1], data, samples, "test", ("clean",), store)
    assert len(store.load(models[0].hash, "clean")) == 3


def test_cancelling_keeps_whole_cells(data, models, tmp_path):
    samples = data.samples[:3]
    store, told = grid_store(samples, root=tmp_path), []

    def cancel_the_second_batch(*counts: int) -> None:
        told.append(counts)
        if len(told) > 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        run_grid(models, data, samples, "test", STACKS, store, progress=cancel_the_second_batch)
    kept = [store.load(models[0].hash, stack) is not None for stack in STACKS]
    assert kept == [True, False, False]


def test_other_pictures_or_seeds_have_cells_of_their_own(data, tmp_path):
    stores = [
        grid_store(data.samples[:3], root=tmp_path),
        grid_store(data.samples[:4], root=tmp_path),
        grid_store(data.samples[:3], seed=1, root=tmp_path),
    ]
    assert len({store.path("0" * 64, "clean") for store in stores}) == 3


def test_stacks_are_all_severities_of_the_names():
    assert all_stacks(("edge_contrast",)) == ("clean", "edge_contrast-1", "edge_contrast-2")
    everything = all_stacks()
    assert len(everything) == 1 + sum(
        len(CORRUPTIONS.get(name).levels) for name in CORRUPTIONS.names()
    )
    with pytest.raises(DataError):
        all_stacks(("snow",))


def test_networks_of_other_classes_are_refused(data, models, tmp_path):
    other = replace(models[1], card=replace(models[1].card, classes=HAM10000.classes[::-1]))
    store = grid_store(data.samples[:2], root=tmp_path)
    with pytest.raises(CheckpointError, match="m0 and m1 were trained on different classes"):
        run_grid([models[0], other], data, data.samples[:2], "test", ("clean",), store)


def test_no_pictures(data, models, tmp_path):
    with pytest.raises(DataError, match="no picture"):
        run_grid(models, data, (), "test", STACKS, grid_store((), root=tmp_path))
