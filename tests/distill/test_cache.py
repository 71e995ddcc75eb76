"""The teacher cache says what the live teacher says, resumes, sees what is stale, stays small."""

from __future__ import annotations

import dataclasses
import os
import shutil

import numpy as np
import pytest
import torch

from kdcore.base import Cancelled, RecipeError, SettingError
from kdcore.data import HAM10000, Ham10000
from kdcore.distill import Recipe, RunFolder, TeacherCache, prepare
from kdcore.distill.batches import Batches
from kdcore.distill.cache import CachedTeachers
from kdcore.distill.cache_room import make_room
from kdcore.distill.signals import LiveTeachers, Teacher
from kdcore.distill.sources import load_sources
from kdcore.models import Card, build_model, load_checkpoint, save_checkpoint

CPU = torch.device("cpu")
FULL = Recipe(
    "full", "cnn2", input_size=32, epochs=2, batch_size=16, ema=0.5, alpha=0.3, beta=100.0,
    at_masked=True, lam=10.0, teachers=("teacher-resnet18",), teacher_views=2,
)  # fmt: skip
SOFT = dataclasses.replace(FULL, name="soft", beta=0.0, at_masked=False, lam=0.0)


@pytest.fixture
def teacher(tiny_checkpoints):
    return Teacher(load_checkpoint(tiny_checkpoints / "teacher-resnet18"), CPU)


@pytest.fixture(scope="module")
def sources(ham_folder):
    data = Ham10000.open(ham_folder)
    return load_sources(data, data.samples[:40], 80)


def _files(folder):
    return {p.relative_to(folder): p.stat().st_mtime_ns for p in folder.rglob("*.npy")}


@pytest.mark.parametrize("recipe", [FULL, SOFT], ids=["full", "soft"])
def test_cached_signals_are_the_live_ones_in_every_view(recipe, teacher, sources, tmp_path):
    cache = TeacherCache(teacher, sources, recipe, tmp_path)
    cache.fill()
    cached, live = CachedTeachers([cache], recipe), LiveTeachers([teacher], recipe)
    batches = Batches(recipe, sources, 7, CPU)
    for epoch in (0, 1):
        for batch in batches.epoch(epoch):
            ours, theirs = cached.signals(batch), live.signals(batch)
            assert torch.allclose(ours.logits, theirs.logits, atol=1e-4)
            for a, b in zip(ours.attention, theirs.attention, strict=True):
                for x, y in zip(a, b, strict=True):
                    assert torch.allclose(x, y, atol=1e-3)
            for a, b in zip(ours.relevance, theirs.relevance, strict=True):
                for x, y in zip(a, b, strict=True):  # scaled, which leaves the order
                    y = y / y.abs().amax((1, 2), keepdim=True).clamp_min(1e-12)
                    assert torch.allclose(x, y, atol=1e-3)


def test_every_image_goes_through_all_its_views_before_one_comes_again(sources):
    batches = Batches(dataclasses.replace(SOFT, epochs=4), sources, 7, CPU)
    seen = [
        {int(i): int(k) for b in batches.epoch(e) for i, k in zip(b.indices, b.bank)}
        for e in range(4)
    ]
    both = set(seen[0]) & set(seen[1]) & set(seen[2])
    assert all({seen[0][i], seen[1][i]} == {0, 1} for i in both)
    assert all(seen[2][i] == seen[0][i] for i in both)
    assert len(set(seen[0].values())) == 2  # not all images are in the same one


def test_views_come_again_turned_for_answers_and_as_they_were_for_maps(sources):
    for recipe, turned in ((SOFT, True), (FULL, False)):
        batches = Batches(dataclasses.replace(recipe, epochs=4), sources, 7, CPU)
        first = {int(i): g for b in batches.epoch(0) for i, g in zip(b.indices, b.view.geometry)}
        again = {int(i): g for b in batches.epoch(2) for i, g in zip(b.indices, b.view.geometry)}
        shared = set(first) & set(again)
        assert any(not torch.allclose(first[i], again[i]) for i in shared) == turned
        dets = [(float(first[i].det().abs()), float(again[i].det().abs())) for i in shared]
        assert np.allclose(*zip(*dets), rtol=1e-4)  # a turn changes neither zoom nor stretch


def test_a_killed_fill_goes_on_where_it_was(teacher, sources, tmp_path):
    cache = TeacherCache(teacher, sources, FULL, tmp_path)

    def stop(done, total):
        assert total == 80
        if done > 40:
            raise Cancelled("The test")

    with pytest.raises(Cancelled):
        cache.fill(stop)
    first = _files(cache.folder / "views" / "0000")
    again = TeacherCache(teacher, sources, FULL, tmp_path)
    again.fill()
    assert _files(cache.folder / "views" / "0000") == first
    assert len(list((cache.folder / "views").iterdir())) == 2


@pytest.mark.slow
def test_what_no_longer_agrees_with_the_teacher_is_made_again(teacher, sources, tmp_path):
    cache = TeacherCache(teacher, sources, FULL, tmp_path)
    cache.fill()
    batch = next(iter(Batches(FULL, sources, 7, CPU).epoch(0)))
    truth = CachedTeachers([cache], FULL).signals(batch).logits
    for view in ("0000", "0001"):  # whichever is stale is found
        path = cache.folder / "views" / view / "logits.npy"
        np.save(path, np.load(path) + 1)
        fresh = TeacherCache(teacher, sources, FULL, tmp_path)
        assert not fresh.is_true([0, 1])
        fresh.fill()
        assert fresh.is_true([0, 1])
        assert torch.allclose(CachedTeachers([fresh], FULL).signals(batch).logits, truth)
    for path in cache.folder.rglob("attention1.npy"):
        path.write_bytes(path.read_bytes()[:200])  # cut short
    cut = TeacherCache(teacher, sources, FULL, tmp_path)
    cut.fill()
    assert cut.is_true([0, 1])


def test_the_key_holds_what_the_answers_depend_on(teacher, sources, tmp_path, tiny_checkpoints):
    def folder(recipe=FULL, data=sources, who=teacher):
        return TeacherCache(who, data, recipe, tmp_path).folder.name

    other = Teacher(load_checkpoint(tiny_checkpoints / "student-mobilenetv2"), CPU)
    brighter = dataclasses.replace(sources, images=sources.images + 1)
    names = {
        folder(),
        folder(dataclasses.replace(FULL, augmentation="none")),
        folder(data=brighter),
        folder(who=other),
    }
    assert len(names) == 4
    assert folder(dataclasses.replace(FULL, seed=5, learning_rate=0.1, temperature=2.0)) == folder()


def test_answers_alone_are_read_from_a_cache_that_has_maps_too(teacher, sources, tmp_path):
    full = TeacherCache(teacher, sources, FULL, tmp_path)
    assert TeacherCache(teacher, sources, SOFT, tmp_path).folder != full.folder
    full.fill()
    soft = TeacherCache(teacher, sources, SOFT, tmp_path)
    assert soft.folder == full.folder
    before = _files(full.folder)
    soft.fill()
    assert _files(full.folder) == before
    batch = next(iter(Batches(SOFT, sources, 7, CPU).epoch(0)))
    signals = CachedTeachers([soft], SOFT).signals(batch)
    assert signals.attention == signals.relevance == ()


def test_a_teacher_with_fewer_stages_gives_what_it_has(sources, tmp_path):
    card = Card("two", "teacher", "cnn2", HAM10000.classes, 32, HAM10000.mean, HAM10000.std)
    save_checkpoint(tmp_path / "two", build_model("cnn2", 7), card)
    two = Teacher(load_checkpoint(tmp_path / "two"), CPU)
    recipe = dataclasses.replace(FULL, teachers=("two",))
    cache = TeacherCache(two, sources, recipe, tmp_path / "cache")
    cache.fill()
    batch = next(iter(Batches(recipe, sources, 7, CPU).epoch(0)))
    ours, live = (
        t.signals(batch) for t in (CachedTeachers([cache], recipe), LiveTeachers([two], recipe))
    )
    assert len(ours.attention[0]) == len(live.attention[0]) == len(ours.relevance[0]) == 2


def _cache_of(folder, megabytes, used):
    (folder / "views").mkdir(parents=True)
    (folder / "views" / "logits.npy").write_bytes(bytes(int(megabytes * 1e6)))
    (folder / "key.json").write_text("{}")
    os.utime(folder / "key.json", (used, used))


def test_the_oldest_caches_make_room(tmp_path, monkeypatch):
    for name, used in (("old", 1), ("mine-too", 2), ("new", 3)):
        _cache_of(tmp_path / name, 1, used)
    monkeypatch.setenv("DISTILSCOPE_CACHE_GB", "0.0035")
    make_room(tmp_path / "mine", 400_000)
    assert (tmp_path / "old" / "views").exists()  # all of it fits
    make_room(tmp_path / "mine", 1_400_000, [tmp_path / "mine-too"])
    assert not (tmp_path / "old" / "views").exists()
    assert (tmp_path / "mine-too" / "views").exists()
    assert (tmp_path / "new" / "views").exists()


def test_what_can_not_fit_deletes_nothing(tmp_path, monkeypatch):
    _cache_of(tmp_path / "old", 1, 1)
    _cache_of(tmp_path / "mine-too", 1, 2)
    monkeypatch.setenv("DISTILSCOPE_CACHE_GB", "0.003")
    with pytest.raises(SettingError, match="its limit"):
        make_room(tmp_path / "mine", 2_500_000, [tmp_path / "mine-too"])
    assert (tmp_path / "old" / "views").exists()
    monkeypatch.setenv("DISTILSCOPE_CACHE_GB", "much")
    with pytest.raises(SettingError, match="no positive number"):
        make_room(tmp_path / "mine", 1)


def test_a_cache_too_large_is_told_before_it_is_filled(teacher, sources, tmp_path, monkeypatch):
    monkeypatch.setenv("DISTILSCOPE_CACHE_GB", "0.00001")
    cache = TeacherCache(teacher, sources, FULL, tmp_path)
    with pytest.raises(SettingError, match="Lower teacher_views"):
        cache.fill()
    assert not list(cache.folder.rglob("*.npy"))


def test_a_cache_that_is_taken_away_meanwhile_is_still_read(teacher, sources, tmp_path):
    cache = TeacherCache(teacher, sources, SOFT, tmp_path)
    cache.fill()
    shutil.rmtree(cache.folder / "views")
    batch = next(iter(Batches(SOFT, sources, 7, CPU).epoch(0)))
    live = LiveTeachers([teacher], SOFT).signals(batch)
    assert torch.allclose(
        CachedTeachers([cache], SOFT).signals(batch).logits, live.logits, atol=1e-4
    )


@pytest.mark.slow
def test_a_run_with_a_cache_is_the_run_without(ham_folder, tmp_path, tiny_checkpoints):
    histories = []
    for name in ("cached", "live"):
        folder = RunFolder(tmp_path / name)
        trainer = prepare(FULL, Ham10000.open(ham_folder), tiny_checkpoints, folder).trainer
        if name == "live":  # asked about the same views
            trainer.teachers = LiveTeachers([trainer.teachers.caches[0].teacher], FULL)
        histories.append(trainer.run())
        for part in ("kd", "at", "align"):
            assert histories[-1][0][f"train_{part}"] > 0
    for cached, live in zip(*histories):
        for name in ("loss", "ce", "kd", "at", "align"):
            assert cached[f"train_{name}"] == pytest.approx(live[f"train_{name}"], rel=5e-3), name


def test_what_can_not_be_cached_is_told():
    for change, word in (({"mixup": 0.5}, "mixup"), ({"hint": 1.0}, "Whole feature maps")):
        with pytest.raises(RecipeError, match=word):
            dataclasses.replace(FULL, **change)
    with pytest.raises(RecipeError, match="names no teacher"):
        Recipe("a", "cnn2", teacher_views=3)


def test_a_cache_that_is_deleted_meanwhile_is_made_again(teacher, sources, tmp_path):
    cache = TeacherCache(teacher, sources, SOFT, tmp_path)
    cache.fill()
    shutil.rmtree(cache.folder)
    again = TeacherCache(teacher, sources, SOFT, tmp_path)
    again.fill()
    assert again.is_true([0, 1])
