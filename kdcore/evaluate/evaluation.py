"""Everything measured on one set of predictions, with intervals clustered by lesion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdcore.evaluate.bootstrap import SHIFTED, Interval, index_groups, interval_words
from kdcore.evaluate.headline import BY_CLASS, OVERALL, headline_scores
from kdcore.predict import Predictions


@dataclass(frozen=True)
class ClassRow:
    """One row of the table per class: `support` images, and each score with its interval."""

    name: str
    support: int
    precision: Interval
    recall: Interval
    f1: Interval
    auc: Interval
    ap: Interval

    def as_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        row: dict[str, Any] = {"class": self.name, "support": self.support}
        return row | {name: getattr(self, name).as_dict() for name in BY_CLASS}


@dataclass(frozen=True)
class Evaluation:
    """What one checkpoint reached on one split.

    Attributes
    ----------
    n, n_groups : images, and lesions they show
    metrics : the scores of `OVERALL`; macro means run over the classes that have images
    per_class : one row for each class, in logit order, those without images too
    confusion : (C, C) counts, row the true class, column the decision
    temperature : what the logits were divided by before the softmax
    n_boot, seed : of the bootstrap
    checkpoint, checkpoint_hash, split, corruption : what was measured
    """

    n: int
    n_groups: int
    metrics: Mapping[str, Interval]
    per_class: tuple[ClassRow, ...]
    confusion: NDArray[np.int64]
    temperature: float
    n_boot: int
    seed: int
    checkpoint: str = ""
    checkpoint_hash: str = ""
    split: str = ""
    corruption: str = "clean"

    @property
    def interval_method(self) -> str:
        """How the intervals were made, one sentence."""
        more = f"; that of the ECE is {SHIFTED}"
        return interval_words(self.n_boot, self.n_groups, self.seed, more)

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON; a number that is not defined is None."""
        head = {
            "checkpoint": self.checkpoint,
            "checkpoint_hash": self.checkpoint_hash,
            "split": self.split,
            "corruption": self.corruption,
            "n": self.n,
            "n_groups": self.n_groups,
        }
        tail = {
            "per_class": [row.as_dict() for row in self.per_class],
            "classes": [row.name for row in self.per_class],
            "confusion": self.confusion.tolist(),
            "temperature": self.temperature,
            "n_boot": self.n_boot,
            "seed": self.seed,
            "interval": self.interval_method,
        }
        return head | {name: value.as_dict() for name, value in self.metrics.items()} | tail


def evaluate_predictions(
    predictions: Predictions, temperature: float = 1.0, n_boot: int = 1000, seed: int = 0
) -> Evaluation:
    """Measure `predictions`, with 95 % intervals from resampling lesions.

    Parameters
    ----------
    predictions : at least one image
    temperature : divides the logits before the softmax; a fitted one calibrates
    n_boot : resamples; 0 leaves the intervals NaN
    seed : of the resampling

    Notes
    -----
    Macro means run over the classes that have images, in each resample anew, so a rare class
    that no drawn lesion shows is left out of that resample. The weighted F1 weighs the classes
    by their images; the Matthews coefficient is the multi-class one of Gorodkin 2004, NaN where
    all images are of one class. AUC and average precision (AP) are one class against the rest on
    the probabilities at `temperature`; AP takes images of equal probability together, and is 1
    where there is no rest. Bins of equal mass keep the data's own edges in every resample. With a
    single lesion there is nothing to resample and intervals are NaN.

    Raises
    ------
    DataError
        If there is no image.
    ValueError
        If the temperature is not positive or `n_boot` is negative.
    """
    scores = headline_scores(predictions, temperature, n_boot, seed)
    per_class = tuple(
        ClassRow(
            name=name,
            support=int(scores.confusion[c].sum()),
            **{k: scores.interval(k, c) for k in BY_CLASS},
        )
        for c, name in enumerate(predictions.classes)
    )
    return Evaluation(
        n=len(predictions),
        n_groups=index_groups(predictions.group_ids)[1],
        metrics={k: scores.interval(k) for k in OVERALL},
        per_class=per_class,
        confusion=scores.confusion,
        temperature=float(temperature),
        n_boot=n_boot,
        seed=seed,
        checkpoint=predictions.checkpoint,
        checkpoint_hash=predictions.checkpoint_hash,
        split=predictions.split,
        corruption=predictions.corruption,
    )
