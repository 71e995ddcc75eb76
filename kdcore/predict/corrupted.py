"""One picture, clean and spoilt: what networks say of both, and where they change their mind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from kdcore.data.corruptions import CORRUPTIONS, Stack, corrupt
from kdcore.models import Checkpoint
from kdcore.predict.predict import preprocess_of
from kdcore.predict.probabilities import softmax


@dataclass(frozen=True)
class SeveritySweep:
    """One step of a stack at each of its severities, the other steps as they are.

    Attributes
    ----------
    severities : 0 (the step left out), 1, ...
    probs : by model, (K, C), one row for each severity
    answers : by model, the class that it chooses for the picture without any corruption
    """

    severities: tuple[int, ...]
    probs: Mapping[str, NDArray[np.float64]]
    answers: Mapping[str, int]

    def changes_at(self, model: str) -> int | None:
        """Return the lowest severity at which the model's answer is another, None if it stays.

        0 means that the other steps have changed it already.
        """
        changed = self.probs[model].argmax(1) != self.answers[model]
        return self.severities[int(changed.argmax())] if changed.any() else None

    def rows(self) -> list[dict[str, object]]:
        """Return the probability of each model's clean answer, for `labelled_lines`."""
        return [
            {"x": severity, "series": model, "value": float(row[self.answers[model]])}
            for model, probs in self.probs.items()
            for severity, row in zip(self.severities, probs, strict=True)
        ]


def predict_pictures(
    checkpoints: Mapping[str, Checkpoint], pictures: list[Image.Image]
) -> dict[str, NDArray[np.float64]]:
    """Return each model's probabilities (N, C) of RGB pictures at its card's temperature."""
    found = {}
    for name, checkpoint in checkpoints.items():
        prepare = preprocess_of(checkpoint)
        with torch.inference_mode():
            logits = checkpoint.model(torch.stack([prepare(p) for p in pictures])).logits
        found[name] = softmax(logits.float().numpy(), checkpoint.card.temperature)
    return found


def sweep_severity(
    checkpoints: Mapping[str, Checkpoint],
    square: Image.Image,
    stack: Stack,
    place: int,
    seed: int = 0,
) -> SeveritySweep:
    """Return what the models say as the severity of one step of `stack` rises.

    Parameters
    ----------
    checkpoints : by the name to call them
    square : from `reference_square`
    stack : at least one step
    place : which step is varied, from 0
    seed : of the corruptions

    Raises
    ------
    IndexError
        If the stack has no such step.
    """
    step = stack[place]
    severities = CORRUPTIONS.get(step.name).severities
    others = stack[:place], stack[place + 1 :]
    stacks = [others[0] + others[1]]
    stacks += [(*others[0], replace(step, severity=s), *others[1]) for s in severities]
    pictures = [square, *(corrupt(square, spoilt, seed) for spoilt in stacks)]
    found = predict_pictures(checkpoints, pictures)
    answers = {model: int(probs[0].argmax()) for model, probs in found.items()}
    return SeveritySweep((0, *severities), {m: p[1:] for m, p in found.items()}, answers)
