"""What the repository ships keeps its promises: cards, demo samples, out-of-distribution alarm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from kdcore.data import HAM10000, Ham10000, draw_lesion, drawn_samples
from kdcore.distill import Recipe
from kdcore.distill.readiness import idle_fields
from kdcore.distill.recipe_file import shipped_recipes
from kdcore.evaluate import compare_figures, evaluate_predictions, refuse_training_images
from kdcore.explain import score_cam
from kdcore.models import list_checkpoints, load_checkpoint
from kdcore.predict import Predictions, ood, predict_dataset, predict_image
from kdcore.report.model_card import NAME, model_card
from tests.explain.test_cams import reference

ROOT = Path(__file__).parents[2] / "checkpoints"
CARDS = list_checkpoints(ROOT)
SINGLE = [card for card in CARDS if not card.members]
RECIPES = shipped_recipes()


def test_there_is_a_teacher_and_a_student():
    assert {"teacher", "student"} <= {card.role for card in CARDS}


@pytest.mark.parametrize("card", CARDS, ids=lambda c: c.name)
@pytest.mark.parametrize("part", ["val", "test"])
def test_card_follows_from_its_predictions(card, part):
    predictions = Predictions.load(ROOT / card.name / f"predictions-{part}.npz")
    assert predictions.checkpoint_hash == card.weights_sha256
    assert len(refuse_training_images(predictions, card.trained)) == 0
    result = evaluate_predictions(predictions, card.temperature).as_dict()
    found = compare_figures(card.metrics[part], result)
    assert found.figures > 150 and found.largest < 1e-9, found


@pytest.mark.parametrize("part", ["val", "test"])
def test_the_same_image_has_the_same_attributes_in_every_file(part):
    files = [Predictions.load(ROOT / c.name / f"predictions-{part}.npz") for c in CARDS]
    assert set(files[0].attributes) == {
        "sex", "age", "site", "dx_type", "brightness", "lesion_size"
    }  # fmt: skip
    for other in files[1:]:
        assert np.array_equal(files[0].sample_ids, other.sample_ids)
        for name, values in files[0].attributes.items():
            assert np.array_equal(values, other.attributes[name]), name


@pytest.mark.parametrize("card", CARDS, ids=lambda c: c.name)
def test_the_card_for_people_follows_from_card_and_predictions(card):
    parts = (Predictions.load(ROOT / card.name / f"predictions-{p}.npz") for p in ("val", "test"))
    assert (ROOT / card.name / NAME).read_text(encoding="utf-8") == model_card(card, *parts)


@pytest.mark.parametrize("card", SINGLE, ids=lambda c: c.name)
def test_the_recipe_of_its_name_is_the_one_that_made_it(card):
    made, shipped = (r.to_dict() for r in (Recipe.from_dict(card.recipe), RECIPES[card.name]))
    assert shipped["precision"] in ("auto", made["precision"])
    told = made.keys() - idle_fields(made) - {"precision"}
    assert {name: shipped[name] for name in told} == {name: made[name] for name in told}


@pytest.mark.parametrize("card", CARDS, ids=lambda c: c.name)
def test_cards_say_where_they_come_from(card):
    assert "CC BY-NC" in card.licence
    assert HAM10000.source in card.provenance
    assert card.classes == HAM10000.classes


def test_the_teacher_names_the_drawn_lesions_and_raises_no_alarm():
    teacher = load_checkpoint(ROOT / CARDS[0].name)
    named = set()
    for sample in drawn_samples():
        result = predict_image(teacher, draw_lesion(sample.dx, sample.seed))
        if teacher.card.classes[int(result.logits.argmax())] == sample.dx:
            named.add(sample.dx)
        density = ood.score(teacher, result.stages)
        assert not density.outside, sample.name
    assert len(named) >= 5


def not_dermoscopy() -> dict[str, Image.Image]:
    rng = np.random.default_rng(0)
    page = Image.new("RGB", (600, 450), "white")
    for line in range(10, 440, 14):
        ImageDraw.Draw(page).text((10, line), "It is a truth " * 9, "black")
    noise = Image.fromarray(rng.integers(0, 256, (450, 600, 3), dtype=np.uint8))
    plain = {c: Image.new("RGB", (600, 450), c) for c in ("white", "black", "grey", "green")}
    return {"page": page, "noise": noise} | plain


@pytest.mark.parametrize("card", CARDS, ids=lambda c: c.name)
def test_what_is_no_dermoscopy_raises_the_alarm(card):
    checkpoint = load_checkpoint(ROOT / card.name)
    for name, image in not_dermoscopy().items():
        assert ood.score(checkpoint, predict_image(checkpoint, image).stages).outside, name
    assert card.ood["false_alarm_rate"] < 0.05


@pytest.mark.parametrize("colour", ["pink", (224, 172, 140)])
def test_the_teacher_shown_first_notices_plain_skin_colour(colour):
    """The ensemble of EfficientNets and the ResNet-18 without a teacher do not."""
    teacher = load_checkpoint(ROOT / SINGLE[0].name)
    image = Image.new("RGB", (600, 450), colour)
    assert ood.score(teacher, predict_image(teacher, image).stages).outside


@pytest.mark.slow
@pytest.mark.parametrize("card", SINGLE, ids=lambda c: c.name)
def test_score_cam_is_the_packages(card):
    checkpoint = load_checkpoint(ROOT / card.name)
    network = checkpoint.model.net
    layer = network.layer4[-1] if card.architecture.startswith("resnet") else network.features[-1]
    sample = drawn_samples()[0]
    image = predict_image(checkpoint, draw_lesion(sample.dx, sample.seed)).tensor
    target = card.classes.index(sample.dx)
    theirs = reference("ScoreCAM", checkpoint.model, layer, image, target)
    mine = score_cam(checkpoint.model, image, target, -1)
    if theirs.any():
        assert np.corrcoef(mine.ravel(), theirs.ravel())[0, 1] >= 0.999
    else:  # every mask speaks against the class
        assert not mine.any()


@pytest.mark.slow
@pytest.mark.parametrize("card", CARDS, ids=lambda c: c.name)
def test_the_weights_give_the_card_again(card, real_data: Ham10000):
    checkpoint = load_checkpoint(ROOT / card.name)
    parts = real_data.parts(card.recipe["split"], card.recipe["split_seed"])
    samples = [s for s, part in zip(real_data.samples, parts, strict=True) if part == "test"]
    found = predict_dataset(checkpoint, real_data, samples, "test")
    saved = Predictions.load(ROOT / card.name / "predictions-test.npz")
    assert np.array_equal(found.sample_ids, saved.sample_ids)
    assert np.array_equal(found.logits.argmax(1), saved.logits.argmax(1))
    metrics = evaluate_predictions(found, card.temperature).as_dict()
    again = compare_figures(card.metrics["test"], metrics)
    assert again.same, again
