"""What is measured after each epoch: the student on validation, and how near it is to its teacher.

They choose the epoch, and nothing else: results are `kdcore.evaluate`'s. Macro-F1 is scikit-learn's
here, which counts a class that is answered and does not occur as 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from sklearn.metrics import balanced_accuracy_score, f1_score
from torch import Tensor, nn

from kdcore.data import Preprocess
from kdcore.distill.signals import Teacher, weighted_mean
from kdcore.distill.sources import Sources
from kdcore.losses import attention_map, attention_vector

VAL_SCORE = "val_macro_f1"  # the column of a history that epochs are told by
_BATCH = 64


@dataclass(frozen=True)
class TeacherView:
    """What the teachers say of the validation part.

    `answers` (N,) is their joint first choice, `attention` the last stage's maps (N, h, w) of
    each teacher.
    """

    answers: Tensor
    attention: tuple[Tensor, ...]


def view_of_teachers(
    teachers: Sequence[Teacher],
    weights: Sequence[float],
    inputs: Sequence[Sources],
    device: torch.device,
) -> TeacherView:
    """Ask each teacher about the validation part.

    Parameters
    ----------
    teachers, weights : who is asked, and how much each counts
    inputs : of each teacher the part's N pictures at its own input size
    device : where the networks are
    """
    logits, attention = [], []
    for teacher, data in zip(teachers, inputs, strict=True):
        scores, maps = _outputs(teacher.model, data, teacher.preprocess, device)
        logits.append(scores)
        attention.append(maps)
    return TeacherView(weighted_mean(logits, weights).argmax(1), tuple(attention))


def validate(
    model: nn.Module,
    data: Sources,
    preprocess: Preprocess,
    seen: TeacherView | None,
    device: torch.device,
) -> dict[str, float]:
    """Return the history's validation columns.

    Parameters
    ----------
    model : a `Classifier`; left in eval mode
    data : N inputs of the validation part, not normalised
    preprocess : normalises them
    seen : what the teachers say of the same pictures; None without teachers
    device : where the network is

    Returns
    -------
    `val_nll` (nats), `val_accuracy`, `val_balanced_accuracy` and `val_macro_f1`; with teachers,
    `val_agreement`, the share of equal first choices, and `val_attention`, the mean cosine of
    the last stage's attention maps on the student's grid, averaged over teachers.
    """
    scores, maps = _outputs(model.eval(), data, preprocess, device)
    labels, answers = data.labels, scores.argmax(1)
    found = {
        "val_nll": float(nn.functional.cross_entropy(scores, labels)),
        "val_accuracy": float((answers == labels).float().mean()),
        "val_balanced_accuracy": float(balanced_accuracy_score(labels, answers)),
        VAL_SCORE: float(f1_score(labels, answers, average="macro")),
    }
    if seen is not None:
        found["val_agreement"] = float((answers == seen.answers).float().mean())
        ours, grid = attention_vector(maps), (maps.shape[-2], maps.shape[-1])
        cosines = [(ours * attention_vector(m, grid)).sum(1).mean() for m in seen.attention]
        found["val_attention"] = float(torch.stack(cosines).mean())
    return found


def is_better(row: dict[str, float], other: dict[str, float], monitor: str) -> bool:
    """Tell whether an epoch is at least as good as an earlier one by "macro_f1" or "nll"."""
    if monitor == "nll":
        return row["val_nll"] <= other["val_nll"]
    return row[VAL_SCORE] >= other[VAL_SCORE]


def _outputs(
    model: nn.Module, data: Sources, preprocess: Preprocess, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return logits (N, C) and the last stage's attention maps (N, h, w), on the CPU."""
    logits, maps = [], []
    with torch.inference_mode():
        for batch in data.images.split(_BATCH):
            inputs = preprocess.normalise(batch.to(device).float() / 255)
            output = model(inputs.to(memory_format=torch.channels_last))
            logits.append(output.logits.float().cpu())
            maps.append(attention_map(output.stages[-1]).float().cpu())
    return torch.cat(logits), torch.cat(maps)
