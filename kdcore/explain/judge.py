"""The verdict on one map, from its measurements: each check is a number beside its threshold.

Checks can show that a map is wrong; passing all of them doesn't prove that it is right. The bounds
are conventions of this project, from what its methods reach on HAM10000.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kdcore.base.words import percent
from kdcore.explain.faithfulness import Faithfulness
from kdcore.explain.localisation import Localisation
from kdcore.explain.sensitivity import OtherClasses, Sensitivity
from kdcore.explain.similarity import Similarity

MARGIN = 0.01  # by which an area has to be better: less is nothing that a person could see
MOST_CHANGE = 0.2  # of the map's norm, under noise of `RADIUS`
MOST_ALIKE_SHUFFLED = 0.5  # Spearman's correlation with the map of shuffled parameters
MOST_ALIKE_OTHER = 0.9  # and with the maps of other classes
_NO_CLASS = "Another class was not asked for: this method shows no class."
_EMPTY = "The map is empty: it shows nothing that could be steady, or like another map."
_NO_SHUFFLED = (
    "Shuffled weights told nothing: the network with them gives an empty map of this picture."
)
_NO_OTHERS = "Other classes told nothing: their maps of this picture are empty."
_NO_LESION = "The lesion was not compared: there is no mask of it in this picture."


@dataclass(frozen=True)
class Check:
    """One question asked of the map.

    Attributes
    ----------
    name : "insertion", "deletion", "steady", "shuffled", "other class" or "energy"
    title : the question, for people
    passed : whether the answer is the right one
    value : the map's number
    threshold : what it was compared with
    words : the numbers and the rule in one sentence
    """

    name: str
    title: str
    passed: bool
    value: float
    threshold: float
    words: str


@dataclass(frozen=True)
class Trust:
    """All checks of one map of one picture, and the measurements behind them.

    Attributes
    ----------
    checks : those that apply, in a fixed order
    left_out : a sentence for each that doesn't apply
    faithfulness : results of "map" and of every baseline map, by name; the random maps are
        "random", "random 2" and "random 3"
    localisation : the same against the lesion; empty without one
    sensitivity, randomisation : of the map
    other_classes : None where the method doesn't depend on the class
    """

    checks: tuple[Check, ...]
    left_out: tuple[str, ...]
    faithfulness: Mapping[str, Faithfulness]
    localisation: Mapping[str, Localisation]
    sensitivity: Sensitivity
    randomisation: Similarity
    other_classes: OtherClasses | None

    @property
    def verdict(self) -> str:
        """One of "passes" (every check passed), "mixed" and "fails".

        "fails" if neither insertion nor deletion did, or the map survives shuffled parameters.
        """
        passed = {check.name: check.passed for check in self.checks}
        if all(passed.values()):
            return "passes"
        unfaithful = not (passed["insertion"] or passed["deletion"])
        return "fails" if unfaithful or not passed.get("shuffled", True) else "mixed"

    @property
    def summary(self) -> str:
        """The verdict in one sentence, for people."""
        count = sum(check.passed for check in self.checks)
        told = {
            "passes": "nothing found against this map",
            "mixed": "read this map with care",
            "fails": "it says no more of this network than a map that never saw it",
        }
        return f"{count} of {len(self.checks)} checks passed: {told[self.verdict]}."

    @property
    def lift(self) -> dict[str, float]:
        """How much better than the centre prior, by metric; above 0 is better.

        Differences of the areas "insertion" and "deletion" and, with a lesion, of the "energy".
        """
        own, centre = self.faithfulness["map"], self.faithfulness["centre"]
        found = {
            "insertion": own.insertion_auc - centre.insertion_auc,
            "deletion": centre.deletion_auc - own.deletion_auc,
        }
        if self.localisation:
            found["energy"] = self.localisation["map"].energy - self.localisation["centre"].energy
        return found


def judge(
    faithfulness: Mapping[str, Faithfulness],
    localisation: Mapping[str, Localisation],
    sensitivity: Sensitivity,
    randomisation: Similarity,
    other_classes: OtherClasses | None,
    empty: bool = False,
) -> Trust:
    """Return the checks and the verdict.

    An empty map has the correlation 0 with any other, which would be a check that cannot fail:
    where the map, or what it is compared with, is empty, the check is left out.

    Parameters
    ----------
    faithfulness : of "map", "centre" and one or more maps whose name starts with "random"
    localisation : of "map" and "centre", or empty
    sensitivity, randomisation : of the map
    other_classes : None where the method doesn't depend on the class
    empty : whether the map is, as `is_empty` tells
    """
    checks = [_insertion(faithfulness), _deletion(faithfulness)]
    left_out = []
    if empty:
        left_out.append(_EMPTY)
    else:
        checks.append(_steady(sensitivity))
        if randomisation.spearman != 0:
            checks.append(_shuffled(randomisation))
        else:
            left_out.append(_NO_SHUFFLED)
        if other_classes and any(s.spearman != 0 for s in other_classes.similarities):
            checks.append(_other(other_classes))
        elif other_classes:
            left_out.append(_NO_OTHERS)
    if other_classes is None:
        left_out.append(_NO_CLASS)
    if localisation:
        checks.append(_energy(localisation))
    else:
        left_out.append(_NO_LESION)
    return Trust(
        tuple(checks),
        tuple(left_out),
        faithfulness,
        localisation,
        sensitivity,
        randomisation,
        other_classes,
    )


def _insertion(found: Mapping[str, Faithfulness]) -> Check:
    value, centre = found["map"].insertion_auc, found["centre"].insertion_auc
    chance = max(f.insertion_auc for name, f in found.items() if name.startswith("random"))
    threshold = max(centre, chance) + MARGIN
    words = (
        "Uncovering the map's pixels first gives the class a mean probability of "
        f"{value:.2f}; the middle first {centre:.2f}, the best map of random blobs "
        f"{chance:.2f}. Passed if {MARGIN} above both."
    )
    title = "Do its pixels bring the answer back?"
    return Check("insertion", title, value > threshold, value, threshold, words)


def _deletion(found: Mapping[str, Faithfulness]) -> Check:
    value, centre = found["map"].deletion_auc, found["centre"].deletion_auc
    chance = min(f.deletion_auc for name, f in found.items() if name.startswith("random"))
    threshold = min(centre, chance) - MARGIN
    words = (
        "Deleting the map's pixels first leaves the class a mean probability of "
        f"{value:.2f}; the middle first {centre:.2f}, the best map of random blobs "
        f"{chance:.2f}. Passed if {MARGIN} below both."
    )
    title = "Does the answer go with its pixels?"
    return Check("deletion", title, value < threshold, value, threshold, words)


def _steady(found: Sensitivity) -> Check:
    words = (
        f"Noise of at most {found.radius:g} of 255 levels changes the map by up to "
        f"{percent(found.worst)}. Passed if at most {percent(MOST_CHANGE)}."
    )
    title = "Does it stay when the picture hardly changes?"
    passed = found.worst <= MOST_CHANGE
    return Check("steady", title, passed, found.worst, MOST_CHANGE, words)


def _shuffled(found: Similarity) -> Check:
    value = found.spearman
    words = (
        f"With the network's weights shuffled the map's rank correlation with itself is {value:.2f}"
        f" (1: the same map). Passed if below {MOST_ALIKE_SHUFFLED}."
    )
    title = "Does it need what the network learned?"
    passed = value < MOST_ALIKE_SHUFFLED
    return Check("shuffled", title, passed, value, MOST_ALIKE_SHUFFLED, words)


def _other(found: OtherClasses) -> Check:
    value, count = found.spearman, len(found.others)
    which = "another class" if count == 1 else f"{count} other classes"
    words = (
        f"Its rank correlation with the map for {which} is {value:.2f} (1: the same map). Passed "
        f"if below {MOST_ALIKE_OTHER}."
    )
    title = "Is it about this class?"
    passed = value < MOST_ALIKE_OTHER
    return Check("other class", title, passed, value, MOST_ALIKE_OTHER, words)


def _energy(found: Mapping[str, Localisation]) -> Check:
    value, centre, area = found["map"].energy, found["centre"].energy, found["map"].area
    words = (
        f"{percent(value)} of the map lies on the lesion, which fills {percent(area)} of the "
        f"picture; of a blob in the middle {percent(centre)}. Passed if more than that."
    )
    title = "Does it lie on the lesion?"
    return Check("energy", title, value > centre, value, centre, words)
