"""Images of lesions that were trained on are found and refused."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from kdcore.base import DataError, group_hash
from kdcore.evaluate import refuse_training_images, trained_on
from tests.evaluate.makers import make_predictions


def test_hash_is_the_start_of_sha256():
    assert group_hash("HAM_0000001") == hashlib.sha256(b"HAM_0000001").hexdigest()[:12]


def test_images_of_trained_lesions_are_found():
    groups = np.array(["c", "a", "b", "a"])
    assert trained_on(groups, (group_hash("a"), group_hash("z"))).tolist() == [1, 3]
    assert trained_on(groups, ()).tolist() == []
    assert trained_on(np.array([], dtype=np.str_), ("abc",)).tolist() == []


def test_training_images_are_refused_unless_allowed():
    predictions = make_predictions(n=20)
    known = (group_hash(predictions.group_ids[0]),)
    expected = np.flatnonzero(predictions.group_ids == predictions.group_ids[0])
    with pytest.raises(DataError, match=f"{len(expected)} of 20 images") as caught:
        refuse_training_images(predictions, known)
    assert "kdcore predict" in caught.value.hint
    assert np.array_equal(refuse_training_images(predictions, known, allow=True), expected)
    assert not len(refuse_training_images(predictions, (group_hash("other"),)))
