"""Hard and soft label losses and hints against an independent computation or a closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import entropy
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

from kdcore.losses import class_weights, dkd_loss, hard_loss, hint_loss, kd_loss


@pytest.fixture
def logits():
    torch.manual_seed(0)
    return torch.randn(6, 7) * 3, torch.randn(6, 7) * 3


@pytest.mark.parametrize("temperature", [1.0, 4.0, 10.0])
def test_kd_against_scipy(logits, temperature):
    student, teacher = logits
    p, q = softmax(teacher.numpy() / temperature, 1), softmax(student.numpy() / temperature, 1)
    expected = temperature**2 * np.mean([entropy(a, b) for a, b in zip(p, q)])
    assert float(kd_loss(student, teacher, temperature)) == pytest.approx(expected, rel=1e-4)


def test_sample_weights_give_a_weighted_mean_of_the_images_own_losses(logits):
    weights = torch.tensor([0.0, 1.0, 2.0, 0.5, 0.0, 3.0])
    labels = torch.tensor([0, 1, 2, 5, 5, 6])
    pairs = list(zip(*logits, labels))
    plain = [float(kd_loss(s[None], t[None], 2.0)) for s, t, _ in pairs]
    decoupled = [float(dkd_loss(s[None], t[None], y[None], 2.0)) for s, t, y in pairs]
    ours = kd_loss(*logits, 2.0, weights), dkd_loss(*logits, labels, 2.0, sample_weights=weights)
    for loss, each in zip(ours, (plain, decoupled)):
        assert float(loss) == pytest.approx(np.average(each, weights=weights), rel=1e-4)


def test_kd_is_zero_only_for_equal_answers(logits):
    assert float(kd_loss(logits[0], logits[0] + 5, 4.0)) == pytest.approx(0, abs=1e-5)
    with pytest.raises(ValueError, match="temperature"):
        kd_loss(*logits, 0.0)
    with pytest.raises(ValueError, match="shape"):
        kd_loss(logits[0], logits[1][:3], 1.0)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_hard_loss_equals_torch_for_one_hot(logits, smoothing):
    labels = torch.tensor([0, 1, 2, 5, 5, 6])
    ours = hard_loss(logits[0], F.one_hot(labels, 7).float(), None, smoothing)
    assert torch.allclose(ours, F.cross_entropy(logits[0], labels, label_smoothing=smoothing))


def test_hard_loss_weighs_classes_as_torch(logits):
    labels, weights = torch.tensor([0, 1, 2, 5, 5, 6]), torch.rand(7) + 0.1
    ours = hard_loss(logits[0], F.one_hot(labels, 7).float(), weights)
    assert torch.allclose(ours, F.cross_entropy(logits[0], labels, weights))


def test_focal_loss_of_two_classes_is_torchvisions(logits):
    # A softmax over (0, x) is a sigmoid of x, of which torchvision has the focal loss.
    x = logits[0][:, 0]
    labels = torch.tensor([0, 1, 1, 0, 1, 0])
    ours = hard_loss(
        torch.stack([torch.zeros(6), x], 1), F.one_hot(labels, 2).float(), focal_gamma=1.5
    )
    theirs = sigmoid_focal_loss(x, labels.float(), alpha=-1, gamma=1.5, reduction="mean")
    assert torch.allclose(ours, theirs, rtol=1e-4)


def test_focal_loss_of_none_is_cross_entropy_and_gradients_are_finite(logits):
    targets = F.one_hot(torch.tensor([0, 1, 2, 5, 5, 6]), 7).float()
    assert torch.equal(hard_loss(logits[0], targets), hard_loss(logits[0], targets, focal_gamma=0))
    sure = (targets * 200).requires_grad_()  # p = 1 exactly: (1 - p)^γ has no gradient there
    hard_loss(sure, targets, focal_gamma=0.5).backward()
    assert torch.isfinite(sure.grad).all()


def test_class_weights_against_their_formulas():
    counts = torch.tensor([1, 10, 1000])
    inverse = class_weights(counts, "inverse-sqrt").numpy()
    assert inverse == pytest.approx(
        (1 / np.sqrt([1, 10, 1000])) / np.mean(1 / np.sqrt([1, 10, 1000]))
    )
    effective = np.array(
        [sum(0.9**k for k in range(n)) for n in (1, 10, 1000)]
    )  # Cui et al., eq. 3
    expected = (1 / effective) / np.mean(1 / effective)
    assert class_weights(counts, "effective-number", 0.9).numpy() == pytest.approx(
        expected, rel=1e-5
    )
    assert class_weights(counts, "none") is None
    empty = class_weights(torch.tensor([0, 4]), "inverse-sqrt")
    assert torch.isfinite(empty).all()
    with pytest.raises(ValueError, match="kind"):
        class_weights(counts, "inverse")
    with pytest.raises(ValueError, match="beta"):
        class_weights(counts, "effective-number", 1.0)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_decoupled_kd_with_the_teachers_own_weight_is_kd(logits, temperature):
    # KL = TCKD + (1 - p) NCKD (Zhao et al. 2022, eq. 5), sample by sample.
    student, teacher = logits
    labels = torch.tensor([0, 1, 2, 5, 5, 6])
    for i in range(6):
        one = slice(i, i + 1)
        p = float(softmax(teacher[i].numpy() / temperature)[labels[i]])
        ours = dkd_loss(student[one], teacher[one], labels[one], temperature, 1.0, 1 - p)
        assert float(ours) == pytest.approx(
            float(kd_loss(student[one], teacher[one], temperature)), rel=1e-3, abs=1e-5
        )


def test_decoupled_parts_against_scipy(logits):
    student, teacher = (x.numpy() / 2.0 for x in logits)
    labels = np.array([0, 1, 2, 5, 5, 6])
    target, other = [], []
    for s, t, y in zip(student, teacher, labels):
        p, q = softmax(t), softmax(s)
        target.append(entropy([p[y], 1 - p[y]], [q[y], 1 - q[y]]))
        rest = np.arange(7) != y
        other.append(entropy(p[rest] / p[rest].sum(), q[rest] / q[rest].sum()))
    ours = dkd_loss(*logits, torch.tensor(labels), 2.0, 0.7, 3.0)
    assert float(ours) == pytest.approx(4 * (0.7 * np.mean(target) + 3 * np.mean(other)), rel=1e-3)


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: hard_loss(x, F.one_hot(torch.arange(6), 7).double(), None, 0.1, 1.5),
        lambda x: kd_loss(x, torch.linspace(-2, 2, 42).view(6, 7).double(), 4.0),
        lambda x: dkd_loss(x, torch.linspace(-2, 2, 42).view(6, 7).double(), torch.arange(6), 4.0),
    ],
    ids=["focal", "kd", "dkd"],
)
def test_gradients_against_differences(logits, loss):
    assert torch.autograd.gradcheck(loss, (logits[0].double().requires_grad_(),))


def test_hints_are_compared_on_the_students_grid():
    teacher = torch.rand(2, 5, 8, 8)
    assert float(hint_loss(F.avg_pool2d(teacher, 2), teacher)) == pytest.approx(0, abs=1e-12)
    projected = torch.rand(2, 5, 4, 4)
    expected = np.mean((projected.numpy() - F.avg_pool2d(teacher, 2).numpy()) ** 2)
    assert float(hint_loss(projected, teacher)) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match="channels"):
        hint_loss(torch.rand(2, 4, 4, 4), teacher)
