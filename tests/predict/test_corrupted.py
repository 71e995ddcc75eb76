"""What a network says of a spoilt picture, and at which severity it changes its mind."""

from __future__ import annotations

import numpy as np
import pytest

from kdcore.data import draw_lesion
from kdcore.data.corruptions import corrupt, parse_stack, reference_square
from kdcore.predict import predict_image
from kdcore.predict.corrupted import SeveritySweep, predict_pictures, sweep_severity
from kdcore.predict.probabilities import softmax
from tests.predict.test_grid import models  # noqa: F401

SQUARE = reference_square(draw_lesion("mel", 3))


def test_probabilities_are_those_of_single_pictures_at_the_cards_temperature(models):  # noqa: F811
    named = {m.card.name: m for m in models}
    spoilt = corrupt(SQUARE, parse_stack("hair-3"), 5)
    found = predict_pictures(named, [SQUARE, spoilt])
    for name, model in named.items():
        expected = [softmax(predict_image(model, p).logits) for p in (SQUARE, spoilt)]
        np.testing.assert_allclose(found[name], expected, atol=1e-5)


def test_one_step_is_swept_and_the_others_stay(models):  # noqa: F811
    named, stack = {"m": models[0]}, parse_stack("hair-3+jpeg-2")
    sweep = sweep_severity(named, SQUARE, stack, 0, seed=5)
    assert sweep.severities == (0, 1, 2, 3, 4, 5)
    pictures = [corrupt(SQUARE, parse_stack(f"hair-{s}+jpeg-2"), 5) for s in range(1, 6)]
    pictures.insert(0, corrupt(SQUARE, parse_stack("jpeg-2"), 5))
    np.testing.assert_allclose(sweep.probs["m"], predict_pictures(named, pictures)["m"])
    assert sweep.answers["m"] == predict_pictures(named, [SQUARE])["m"].argmax()
    with pytest.raises(IndexError):
        sweep_severity(named, SQUARE, stack, 2)


@pytest.mark.parametrize(
    ("choices", "place"), [((0, 0, 1, 0), 2), ((0, 0, 0, 0), None), ((1, 0, 0, 0), 0)]
)
def test_where_the_answer_is_no_longer_the_clean_one(choices, place):
    probs = 0.2 + 0.6 * np.eye(2)[list(choices)]
    sweep = SeveritySweep((0, 1, 2, 3), {"Teacher": probs}, {"Teacher": 0})
    assert sweep.changes_at("Teacher") == place
    assert [row["value"] for row in sweep.rows()] == probs[:, 0].tolist()
