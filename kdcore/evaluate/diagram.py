"""Reliability diagrams with intervals: of the answer, or of one class against the rest.

Sources: Guo et al. 2017 (of the answer), Niculescu-Mizil & Caruana 2005 (of one class). Bins are
those of `calibration`: right-closed, where scikit-learn's `calibration_curve` closes them on the
left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kdcore.base import DataError, check_probs
from kdcore.evaluate.bootstrap import Interval, index_groups, interval_words, mean_interval
from kdcore.evaluate.calibration import BINS, Reliability, binned, confidence_and_hits
from kdcore.evaluate.miscalibration import binned_intervals
from kdcore.predict import Predictions


@dataclass(frozen=True)
class Diagram:
    """What was said and what happened, by bin and over all images.

    Attributes
    ----------
    bins : what was said ("confidence") and how often it was so ("accuracy") in each of B bins
    happened : (B,) the latter with its interval over lesions
    said : mean over all images
    excess : mean of what was said less what happened, over all images; above 0 too much is said
    target : the class that is meant, "" for the answer, whichever it is
    equal_mass : whether bins hold equally many images instead of having equal width
    n, n_groups, split : images, the lesions they show, and the part they are of
    n_boot, seed : of the bootstrap
    """

    bins: Reliability
    happened: tuple[Interval, ...]
    said: float
    excess: Interval
    target: str
    equal_mass: bool
    n: int
    n_groups: int
    split: str
    n_boot: int
    seed: int

    @property
    def interval_method(self) -> str:
        """How the intervals were made, one sentence."""
        return interval_words(self.n_boot, self.n_groups, self.seed)

    @property
    def adds_most(self) -> int | None:
        """The bin that adds most to the ECE of those whose interval leaves out what was said.

        None where there is no such bin. A bin where all images agree has an interval without
        width, which shows nothing, and is passed over.
        """
        gaps = self.bins.count * np.abs(self.bins.confidence - self.bins.accuracy)
        off = [
            b
            for b, (said, found) in enumerate(zip(self.bins.confidence, self.happened, strict=True))
            if found.low < found.high and not found.low <= said <= found.high
        ]
        return max(off, key=lambda b: float(gaps[b]), default=None)


def reliability_diagram(
    predictions: Predictions,
    probs: ArrayLike,
    target: str = "",
    bins: int = BINS,
    equal_mass: bool = False,
    n_boot: int = 1000,
    seed: int = 0,
) -> Diagram:
    """Return the reliability diagram of the answer, or of the class `target`.

    Parameters
    ----------
    predictions : of N images, for their labels, lesions and classes
    probs : (N, C) what is said of them, such as a calibrator's
    target : a class; "" takes the highest probability, and whether its class is right
    bins, equal_mass : as in `reliability`
    n_boot, seed : of the bootstrap

    Raises
    ------
    DataError
        If there is no image, or the classes lack `target`.
    """
    if not len(predictions):
        raise DataError("There are no images to measure.", "Choose predictions that have some.")
    if target:
        if target not in predictions.classes:
            raise DataError(
                f"{predictions.checkpoint or 'This model'} does not know the class {target}.",
                f"Choose one of {', '.join(predictions.classes)}.",
            )
        c = predictions.classes.index(target)
        said = np.clip(check_probs(probs)[:, c], 0.0, 1.0)
        happened = (predictions.labels == c).astype(np.float64)
    else:
        said, happened = confidence_and_hits(probs, predictions.labels)
    drawn = n_boot, seed
    groups = predictions.group_ids
    return Diagram(
        bins=binned(said, happened, bins, equal_mass),
        happened=binned_intervals(said, happened, groups, bins, equal_mass, *drawn),
        said=float(said.mean()),
        excess=mean_interval(said - happened, groups, *drawn),
        target=target,
        equal_mass=equal_mass,
        n=len(predictions),
        n_groups=index_groups(groups)[1],
        split=predictions.split,
        n_boot=n_boot,
        seed=seed,
    )
