"""The columns of ROAD and the checks of sensitivity: each is what its function returns alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kdcore.data import HAM10000, open_dataset
from kdcore.data.corruptions import image_seed
from kdcore.explain.baseline_maps import baseline_maps, edge_map
from kdcore.explain.batched import heatmaps_of
from kdcore.explain.map_checks import check_columns
from kdcore.explain.map_question import MapQuestion
from kdcore.explain.road import road
from kdcore.explain.sensitivity import other_classes, randomisation, sensitivity
from kdcore.explain.similarity import similarity
from kdcore.models import Card, Checkpoint, build_model, load_checkpoint, save_checkpoint
from kdcore.predict import preprocess_of
from tests.explain.test_map_agreement import make

SIDE, SEED, TARGETS = 32, 3, (2, 5)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Checkpoint:
    torch.manual_seed(0)
    card = Card("net", "teacher", "cnn2", HAM10000.classes, SIDE, HAM10000.mean, HAM10000.std)
    folder = tmp_path_factory.mktemp("models") / "net"
    save_checkpoint(folder, build_model("cnn2", 7), card, half=False)
    return load_checkpoint(folder)


@pytest.fixture(scope="module")
def data(ham_dataverse):
    return open_dataset(ham_dataverse)


@pytest.fixture(scope="module")
def maps():
    return make(2, side=SIDE, cells=4)


@pytest.fixture(scope="module")
def columns(model, data, maps):
    return check_columns(model, data, data.samples[:2], maps, TARGETS, "grad-cam", seed=SEED)


def asked(model, data, index):
    """Return (the network, a picture, its target), and the seed of the picture's draws."""
    sample = data.samples[index]
    image = preprocess_of(model)(data.picture(sample.image_id).rgb)[None]
    return (model.model, image, TARGETS[index]), image_seed(sample.image_id) + SEED


@pytest.mark.parametrize("index", [0, 1])
def test_road_is_that_of_the_kept_map_and_each_baseline(columns, model, data, maps, index):
    about, seed = asked(model, data, index)
    others = baseline_maps(about[1], model.card.std, seed)
    for suffix, heatmap in [("", maps[index]), *((f"_{n}", m) for n, m in others.items())]:
        [found] = road(*about, [heatmap], seed=SEED)
        assert columns[f"road{suffix}"][index] == pytest.approx(found.score, abs=1e-6)


@pytest.mark.parametrize("index", [0, 1])
def test_noise_moves_the_method_and_the_edges_as_alone(columns, model, data, index):
    about, seed = asked(model, data, index)
    std = model.card.std
    found = sensitivity(MapQuestion(*about, "grad-cam"), std=std, seed=seed)
    assert columns["sensitivity"][index] == pytest.approx(found.worst, rel=1e-5)
    edges = MapQuestion(*about, lambda net, image, target: edge_map(image, std))
    blind = sensitivity(edges, std=std, seed=seed)
    assert columns["sensitivity_edges"][index] == pytest.approx(blind.worst, rel=1e-5) != 0


@pytest.mark.parametrize("index", [0, 1])
def test_shuffling_and_other_classes_are_as_alone_beside_blind_maps(columns, model, data, index):
    about, seed = asked(model, data, index)
    question = MapQuestion(*about, "grad-cam")
    shuffled = randomisation(question, seed=seed).spearman
    others = other_classes(question, count=3, seed=seed).spearman
    assert columns["shuffled"][index] == pytest.approx(shuffled, abs=1e-5)
    assert columns["other_class"][index] == pytest.approx(others, abs=1e-5)
    heatmap = heatmaps_of(model.model, about[1], about[2:], "grad-cam")[0]
    blind = baseline_maps(about[1], model.card.std, seed)
    for floor in ("centre", "edges", "random"):
        alike = similarity(heatmap, blind[floor]).spearman
        for metric in ("shuffled", "other_class"):
            assert columns[f"{metric}_{floor}"][index] == pytest.approx(alike, abs=1e-5)


def test_a_method_that_shows_no_class_is_not_asked_about_another(model, data, maps):
    found = check_columns(model, data, data.samples[:1], maps[:1], (2,), "eigen-cam")
    told = [name for name in found if not name.startswith("other_class")]
    assert all(np.isnan(found[name]).all() for name in found if name not in told)
    assert len(told) == 11 and all(np.isfinite(found[name]).all() for name in told)
