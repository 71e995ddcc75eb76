"""A study of heatmaps: its numbers one image at a time, resumed, and what is not computed again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from kdcore.base import Cancelled, CheckpointError, DataError, SettingError
from kdcore.data import HAM10000, open_dataset
from kdcore.data.corruptions import corrupt, image_seed, parse_stack, reference_square
from kdcore.data.lesion_masks import lesion_mask
from kdcore.evaluate.transfer import NO, YES, transfer
from kdcore.explain import explain_one
from kdcore.explain.baseline_maps import centre_map
from kdcore.explain.faithfulness import faithfulness
from kdcore.explain.localisation import localisation
from kdcore.explain.map_agreement import agreement, map_agreement
from kdcore.explain.map_cells import CHUNK, chunks, map_cells, reduce_maps, restore_maps
from kdcore.explain.map_study import MapStudy, run_map_study
from kdcore.explain.road import road
from kdcore.models import Card, Checkpoint, build_model, load_checkpoint, save_checkpoint
from kdcore.predict import predict_image, preprocess_of
from tests.explain.test_map_agreement import make

SIDE = 48


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> tuple[Checkpoint, ...]:
    """A teacher, a copy of it as a student, and an unrelated baseline of the same network."""
    made = []
    for name, seed, role in (
        ("big", 0, "teacher"),
        ("copy", 0, "student"),
        ("own", 11, "baseline"),
    ):
        torch.manual_seed(seed)
        card = Card(name, role, "cnn2", HAM10000.classes, SIDE, HAM10000.mean, HAM10000.std)
        folder = tmp_path_factory.mktemp("models") / name
        save_checkpoint(folder, upright(build_model("cnn2", 7)), card, half=False)
        made.append(load_checkpoint(folder))
    return tuple(made)


@pytest.fixture(scope="module")
def data(ham_dataverse):
    return open_dataset(ham_dataverse)


@pytest.fixture
def study(models, data):
    return MapStudy(
        models[0], models[1:], data, tuple(data.samples[:6]), "test",
        faithful=2, stacks=("jpeg-5",), corrupted=3,
    )  # fmt: skip


@pytest.fixture
def cells(models, tmp_path):
    return map_cells("grad-cam", models[0].hash, root=tmp_path)


def upright(model: nn.Module) -> nn.Module:
    """Return the network with nothing that speaks against a class, so that no map is empty."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            module.weight.data.abs_()
    return model


def same(one, other) -> bool:
    return all(
        np.array_equal(values, other.columns[name], equal_nan=True)
        for name, values in one.columns.items()
    ) and np.array_equal(one.answer, other.answer)


def test_numbers_are_those_of_one_image_at_a_time(study, cells):
    teacher, *students = run_map_study(study, cells)
    assert [r.checkpoint for r in (teacher, *students)] == ["big", "copy", "own"]
    assert not {"pearson", "pearson_centre"} & set(teacher.columns)
    assert len(teacher) == 6 and len(students[1]) == 9
    for i, sample in enumerate(study.samples):
        rgb = study.data.picture(sample.image_id).rgb
        theirs = explain_one(study.teacher, rgb, "grad-cam")
        assert teacher.target[i] == students[1].target[i] == theirs.target
        mine = explain_one(study.students[1], rgb, "grad-cam", target=theirs.target)
        assert students[1].answer[i] == mine.logits.argmax()
        expected = agreement(theirs.heatmap, mine.heatmap)
        assert students[1].columns["pearson"][i] == pytest.approx(expected, abs=0.01)
        small = [reduce_maps(m.heatmap[None]) for m in (theirs, mine)]
        exact = map_agreement(*(m.astype(np.float32) for m in small))
        assert students[1].columns["iou"][i] == pytest.approx(exact["iou"][0], abs=1e-3)
        kept = restore_maps(small[1], SIDE)[0]
        prepare = preprocess_of(study.students[1])
        lesion = lesion_mask(study.data, sample.image_id, prepare)
        own, centre = localisation([kept, centre_map((SIDE, SIDE))], lesion)
        assert students[1].columns["lesion_energy"][i] == pytest.approx(own.energy, abs=1e-3)
        assert students[1].columns["lesion_energy_centre"][i] == pytest.approx(centre.energy)
        assert students[1].columns["lesion_energy_chance"][i] == pytest.approx(own.area)
        if i < study.faithful:
            image = prepare(rgb)[None]
            [found] = faithfulness(study.students[1].model, image, theirs.target, [kept])
            assert students[1].columns["drop"][i] == pytest.approx(found.drop, abs=1e-3)
            [removed] = road(study.students[1].model, image, theirs.target, [kept])
            assert students[1].columns["road"][i] == pytest.approx(removed.score, abs=1e-3)
        else:
            for name in ("drop", "road", "sensitivity", "shuffled", "other_class"):
                assert np.isnan(students[1].columns[name][i])


def test_a_corrupted_image_is_asked_about_the_clean_answer(study, cells):
    _, _, own = run_map_study(study, cells)
    spoilt = own.take(own.corruptions == "jpeg-5")
    assert spoilt.sample_ids.tolist() == [s.image_id for s in study.samples[:3]]
    for i, sample in enumerate(study.samples[:3]):
        square = reference_square(study.data.picture(sample.image_id).rgb)
        picture = corrupt(square, parse_stack("jpeg-5"), image_seed(sample.image_id))
        target = int(spoilt.target[i])
        assert target == own.target[i]
        maps = [
            explain_one(model, picture, "grad-cam", target=target).heatmap
            for model in (study.teacher, study.students[1])
        ]
        assert spoilt.columns["pearson"][i] == pytest.approx(agreement(*maps), abs=0.01)
        assert spoilt.answer[i] == predict_image(study.students[1], picture).logits.argmax()
    assert np.isnan(spoilt.columns["lesion_energy"]).all()
    assert np.isnan(spoilt.columns["pearson_centre"]).all()


def test_a_copy_agrees_wholly_and_the_answer_says_so(models, data, cells):
    study = MapStudy(models[0], models[1:], data, data.samples[::2], "test")
    _, copy, own = run_map_study(study, cells)
    for measure in ("pearson", "spearman", "cosine", "ssim", "iou"):
        assert copy.columns[measure] == pytest.approx(1, abs=1e-6)
    assert (copy.answer == copy.target).all()
    own = replace(own, answer=own.target)
    assert transfer(copy, own, n_boot=200).verdict == YES
    assert transfer(own, replace(own, checkpoint="again"), n_boot=200).verdict == NO
    assert "drop" not in copy.columns  # not asked for


def test_a_resumed_study_gives_the_same_and_computes_nothing(study, cells, tmp_path, monkeypatch):
    told = []
    first = run_map_study(study, cells, lambda *counts: told.append(counts))
    assert told[-1] == (study.work, study.work)
    assert [done for done, _ in told] == sorted(done for done, _ in told)

    def never(*arguments, **named):
        raise AssertionError("computed again")

    for name in (
        "explain_pictures",
        "faithfulness_columns",
        "check_columns",
        "localisation_columns",
    ):
        monkeypatch.setattr(f"kdcore.explain.map_study.{name}", never)
    again = run_map_study(study, cells)
    assert all(same(*pair) for pair in zip(first, again))


@pytest.mark.slow
def test_a_cancelled_study_goes_on_where_it_ended(study, cells, tmp_path):
    whole = run_map_study(study, map_cells("grad-cam", study.teacher.hash, root=tmp_path / "other"))

    def cancel(done: int, total: int) -> None:
        if done > total / 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        run_map_study(study, cells, cancel)
    kept = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.npz") if "other" not in p.parts}
    assert kept
    found = run_map_study(study, cells)
    assert all(same(*pair) for pair in zip(found, whole))
    assert all(p.stat().st_mtime_ns == at for p, at in kept.items())


def test_a_broken_chunk_is_made_again_and_more_images_keep_whole_chunks(models, data, cells):
    samples = tuple(data.samples[: CHUNK + 3])
    study = MapStudy(models[0], models[2:], data, samples, "test")
    run_map_study(study, cells)
    path = cells.path(models[2].hash, "maps/clean", samples[:CHUNK])
    last = cells.path(models[2].hash, "maps/clean", samples[CHUNK:])
    assert last.is_file()
    path.write_bytes(b"PK half")
    more = replace(study, samples=tuple(data.samples[: CHUNK + 5]))
    teachers = cells.path(models[0].hash, "maps/clean", samples[:CHUNK])
    at = teachers.stat().st_mtime_ns
    _, own = run_map_study(more, cells)
    assert len(own) == CHUNK + 5 and teachers.stat().st_mtime_ns == at
    with pytest.raises(ValueError, match="not there yet"):
        cells.gather("f" * 64, "maps/clean", samples)


def test_without_masks_there_is_no_localisation(models, ham_folder, cells):
    data = open_dataset(ham_folder)
    records = run_map_study(MapStudy(models[0], models[2:], data, data.samples[:3], "test"), cells)
    assert not any(name.startswith("lesion") for r in records for name in r.columns)


def test_masks_that_come_later_count(models, data, ham_folder, cells, tmp_path):
    bare = open_dataset(ham_folder)
    samples = [s for s in bare.samples if data.has_mask(s.image_id)][:3]
    run_map_study(MapStudy(models[0], models[2:], bare, samples, "test"), cells)
    _, later = run_map_study(MapStudy(models[0], models[2:], data, samples, "test"), cells)
    apart = map_cells("grad-cam", models[0].hash, root=tmp_path / "apart")
    _, fresh = run_map_study(MapStudy(models[0], models[2:], data, samples, "test"), apart)
    assert np.isfinite(later.columns["lesion_energy"]).any()
    np.testing.assert_array_equal(later.columns["lesion_energy"], fresh.columns["lesion_energy"])


def test_kept_maps_are_the_maps():
    maps = make(5, side=96, cells=3)
    kept = reduce_maps(maps)
    assert kept.shape == (5, 28, 28) and kept.dtype == np.float16
    back = restore_maps(kept, 96)
    assert map_agreement(maps, back)["pearson"].min() > 0.999
    assert np.abs(maps - back).mean() < 0.01


def test_chunks_are_all_of_the_samples_in_order(data):
    pieces = list(chunks(data.samples))
    assert [s for piece in pieces for s in piece] == list(data.samples)
    assert {len(piece) for piece in pieces[:-1]} <= {CHUNK}


def test_what_is_refused(models, data):
    samples = data.samples[:2]
    with pytest.raises(DataError, match="no picture"):
        MapStudy(models[0], models[1:], data, (), "test")
    with pytest.raises(CheckpointError, match="one name"):
        MapStudy(models[0], (models[1], models[1]), data, samples, "test")
    with pytest.raises(SettingError, match="tea-leaves"):
        MapStudy(models[0], models[1:], data, samples, "test", method="tea-leaves")
    with pytest.raises(SettingError, match="not defined for cnn2"):
        MapStudy(models[0], models[1:], data, samples, "test", method="attention-rollout")
    with pytest.raises(DataError, match="snow"):
        MapStudy(models[0], models[1:], data, samples, "test", stacks=("snow-1",))
    with pytest.raises(SettingError, match="0 images to compare maps"):
        MapStudy(models[0], models[1:], data, samples, "test", stacks=("jpeg-5",), corrupted=0)
    card = replace(models[1].card, classes=HAM10000.classes[::-1])
    with pytest.raises(CheckpointError, match="different classes"):
        MapStudy(models[0], (replace(models[1], card=card),), data, samples, "test")
