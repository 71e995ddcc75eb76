"""What an exported network has kept of the one it was made of, as plain numbers for its record."""

from __future__ import annotations

from typing import Any

from kdcore.evaluate.pair import compare_pair
from kdcore.predict import Predictions

SCORES = ("macro_f1", "accuracy", "ece", "nll")


def exported_quality(
    network: Predictions, exported: Predictions, temperature: float = 1.0, n_boot: int = 1000
) -> dict[str, Any]:
    """Return the scores of an exported network, those of its network, and the difference.

    Parameters
    ----------
    network, exported : predictions of both on the same images
    temperature : the card's, which divides the logits of both
    n_boot : resamples of the interval, the same lesions for both; 0 for none

    Returns
    -------
    "n" and "n_groups", each of `SCORES`, "agreement" in [0, 1], "network" with its `SCORES`,
    "macro_f1_change" with value, low and high (None where not defined), and "interval", how
    that was made

    Raises
    ------
    DataError
        If the images differ.
    ValueError
        If the temperature is not positive or `n_boot` is negative.
    """
    pair = compare_pair(network, exported, temperature, temperature, n_boot)
    return {
        "n": pair.n,
        "n_groups": pair.n_groups,
        **{name: pair.metrics[name].student.value for name in SCORES},
        "agreement": pair.agreement.share.value,
        "network": {name: pair.metrics[name].teacher.value for name in SCORES},
        "macro_f1_change": pair.metrics["macro_f1"].delta.as_dict(),
        "interval": pair.interval_method,
    }
