"""Two models in sentences: what is kept, whether they differ, and whether mistakes are copied."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from kdcore.evaluate import Interval, PairComparison
from kdcore.report.cells import interval_text, number, signed

ALPHA = 0.05


@dataclass(frozen=True)
class Fact:
    """One figure of a pair: a label, the figure as text, its interval as text, what it means."""

    label: str
    value: str
    interval: str
    meaning: str


def pair_facts(found: PairComparison) -> tuple[Fact, ...]:
    """Return the five figures that say first how much of the teacher the student has kept."""
    delta = found.metrics["macro_f1"].delta

    def gap(kept: float) -> str:  # what is lacking of all, s / t − 1 = (s − t) / t
        return percent(kept - 1, sign=True)

    same, kappa = found.agreement.share, found.agreement.kappa
    return (
        Fact(
            "Macro F1 kept",
            percent(found.retention.value),
            _range(found.retention, percent),
            "The student's macro F1 divided by the teacher's; 100 % is as good as the teacher.",
        ),
        Fact(
            "Δ macro F1",
            signed(delta.value),
            _range(delta, signed),
            "The student's macro F1 less the teacher's; the same lesions drawn for both.",
        ),
        Fact(
            "Relative gap",
            gap(found.retention.value),
            _range(found.retention, gap),
            "That difference divided by the teacher's macro F1.",
        ),
        Fact(
            "Same answer",
            percent(same.value),
            _range(same, percent),
            "The share of images that both models put into the same class, right or wrong.",
        ),
        Fact(
            "Cohen's kappa",
            number(kappa.value, 2),
            _range(kappa, lambda v: number(v, 2)),
            "Agreement beyond chance: 0 is what two models with these habits reach by chance, 1 is "
            "the same answer always.",
        ),
    )


def difference_sentence(found: PairComparison) -> str:
    """Return whether the macro F1 of two models differs, and how sure that is."""
    delta = found.metrics["macro_f1"].delta
    if math.isnan(delta.low):
        return "The macro F1 of the two can't be compared with an interval on these images."
    told = interval_text(Interval(*(abs(v) for v in (delta.value, *_sorted_ends(delta)))))
    if delta.low > 0:
        return f"The student has the higher macro F1, by {told}."
    if delta.high < 0:
        return f"The student has the lower macro F1, by {told}."
    return (
        f"No difference in macro F1 is shown: {signed(delta.value)} "
        f"[{signed(delta.low)}, {signed(delta.high)}] includes 0."
    )


def gain_sentence(found: PairComparison, student: str) -> str:
    """Return what a teacher gained the student, whose `found` "teacher" is its own baseline."""
    delta = found.metrics["macro_f1"].delta
    told = f"{signed(delta.value)} [{signed(delta.low)}, {signed(delta.high)}]"
    if math.isnan(delta.low):
        return f"What its teacher gained {student} can't be told with an interval on these images."
    if delta.low > 0:
        return f"{student} gained macro F1 from its teacher: {told} to the same without one."
    if delta.high < 0:
        return f"{student} lost macro F1 by its teacher: {told} to the same without one."
    return f"{student} has not shown a gain from its teacher: {told} to the same without one."


def mcnemar_sentence(found: PairComparison) -> str:
    """Return McNemar's test in one sentence."""
    test = found.agreement.mcnemar
    counts = (
        f"{test.b:,} images only the teacher has right, {test.c:,} only the student: McNemar's "
        f"exact test gives p {p_text(test.p)}"
    )
    if test.p >= ALPHA:
        return f"{counts}, so these images show no difference in accuracy."
    better = "teacher" if test.b > test.c else "student"
    return f"{counts}; the {better} is right more often. It takes images for independent."


def mistakes_sentence(found: PairComparison) -> str:
    """Return how often the student is wrong in the same way as the teacher."""
    count = {q.name: q.count for q in found.agreement.quadrants}
    same = count["same_mistake"]
    both = same + count["other_mistake"]
    if not both:
        return "There is no image where both are wrong."
    if both == 1:
        kept = "gives the teacher's wrong answer" if same else "is wrong in another way"
        return f"In the one image where both are wrong, the student {kept}."
    return (
        f"In {same:,} of the {both:,} images where both are wrong ({percent(same / both)}), the "
        "student gives the teacher's wrong answer."
    )


def percent(value: float, sign: bool = False) -> str:
    """Return a share as "93.1 %", with a true minus; with `sign`, "+" where it is positive."""
    if math.isnan(value):
        return "n/a"
    return _marked(value, f"{abs(value):.1%}", sign).replace("%", " %")


def p_text(p: float, floor: float = 0.0) -> str:
    """Return "= 0.013", "< 0.001", or "≤ 0.002" where p is at the `floor` that it can't leave."""
    if p < 0.001:
        return "< 0.001"
    return f"{'≤' if p <= floor else '='} {p:.3f}"


def _marked(value: float, text: str, sign: bool) -> str:
    if not text.strip("0.%"):
        return text
    return f"−{text}" if value < 0 else f"+{text}" if sign else text


def _sorted_ends(interval: Interval) -> tuple[float, float]:
    """Return the ends in the order of their sizes, for a sentence that says the sign in words."""
    low, high = sorted((interval.low, interval.high), key=abs)
    return low, high


def _range(interval: Interval, text: Callable[[float], str]) -> str:
    return "" if math.isnan(interval.low) else f"{text(interval.low)} to {text(interval.high)}"
