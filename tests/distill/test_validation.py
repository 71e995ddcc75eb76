"""What is measured after each epoch, against scikit-learn and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from kdcore.data import HAM10000, Preprocess
from kdcore.distill.signals import Teacher
from kdcore.distill.sources import Sources
from kdcore.distill.validation import TeacherView, is_better, validate, view_of_teachers
from kdcore.models import load_checkpoint

CPU = torch.device("cpu")
HOW = Preprocess(64, HAM10000.mean, HAM10000.std)


@pytest.fixture(scope="module")
def data():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (70, 3, 64, 64), generator=generator, dtype=torch.uint8)
    return Sources(images, torch.arange(70) % 7)


@pytest.fixture
def teacher(tiny_checkpoints):
    return Teacher(load_checkpoint(tiny_checkpoints / "teacher-resnet18"), CPU)


def test_scores_are_scikit_learns(data, teacher):
    found = validate(teacher.model, data, HOW, None, CPU)
    with torch.inference_mode():
        logits = teacher.model(HOW.normalise(data.images.float() / 255)).logits.numpy()
    labels, answers = data.labels.numpy(), logits.argmax(1)
    assert found == pytest.approx(
        {
            "val_nll": -log_softmax(logits, 1)[np.arange(70), labels].mean(),
            "val_accuracy": accuracy_score(labels, answers),
            "val_balanced_accuracy": balanced_accuracy_score(labels, answers),
            "val_macro_f1": f1_score(labels, answers, average="macro"),
        },
        rel=1e-4,
    )


def test_a_network_agrees_with_itself_and_less_with_another(data, teacher, tiny_checkpoints):
    other = Teacher(load_checkpoint(tiny_checkpoints / "student-mobilenetv2"), CPU)
    same = validate(teacher.model, data, HOW, view_of_teachers([teacher], [1.0], [data], CPU), CPU)
    assert same["val_agreement"] == 1
    assert same["val_attention"] == pytest.approx(1, abs=1e-5)
    view = view_of_teachers([other, teacher], [0.5, 0.5], [data, data], CPU)
    mixed = validate(teacher.model, data, HOW, view, CPU)
    alone = validate(teacher.model, data, HOW, TeacherView(view.answers, view.attention[:1]), CPU)
    assert mixed["val_attention"] == pytest.approx((1 + alone["val_attention"]) / 2, abs=1e-5)
    assert alone["val_attention"] < 1


def test_better_is_at_least_as_good():
    low, high = ({"val_macro_f1": f, "val_nll": n} for f, n in ((0.4, 1.0), (0.5, 1.2)))
    assert is_better(high, low, "macro_f1")
    assert not is_better(low, high, "macro_f1")
    assert is_better(low, high, "nll")
    assert is_better(low, low, "nll")
