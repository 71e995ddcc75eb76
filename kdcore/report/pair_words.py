"""Two models in sentences: what is kept, what differs, and whether mistakes are the same.

The sentences name the two in bold, as `PairComparison.named` does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from kdcore.base.words import listed, percent
from kdcore.evaluate import LOWER_IS_BETTER, Interval, PairComparison
from kdcore.models import Card
from kdcore.report.cells import number, signed, signed_text
from kdcore.report.checkpoints import taught_names
from kdcore.report.models import SCORES
from kdcore.report.pair import HEADLINE

ALPHA = 0.05


@dataclass(frozen=True)
class Fact:
    """One figure of a pair: a label, the figure as text, its interval as text, what it means."""

    label: str
    value: str
    interval: str
    meaning: str


def pair_facts(found: PairComparison) -> tuple[Fact, ...]:
    """Return the five figures that say first how much of the first the second has kept."""
    one, other = _bold(found)
    delta = found.metrics["macro_f1"].delta

    def gap(kept: float) -> str:  # what is lacking of all, s / t − 1 = (s − t) / t
        return signed_percent(kept - 1)

    same, kappa = found.agreement.share, found.agreement.kappa
    return (
        Fact(
            "Macro-F1 kept",
            percent(found.retention.value, 1),
            _range(found.retention, partial(percent, digits=1)),
            f"The macro-F1 of {other} divided by that of {one}; 100 % is as good.",
        ),
        Fact(
            "Δ macro-F1",
            signed(delta.value),
            _range(delta, signed),
            f"The macro-F1 of {other} less that of {one}; the same lesions drawn for both.",
        ),
        Fact(
            "Relative gap",
            gap(found.retention.value),
            _range(found.retention, gap),
            f"That difference divided by the macro-F1 of {one}.",
        ),
        Fact(
            "Same answer",
            percent(same.value, 1),
            _range(same, partial(percent, digits=1)),
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


def headline_sentence(found: PairComparison) -> str:
    """Return the second less the first in each score of `HEADLINE`, and what of it is shown.

    Of the ECE only the difference is told: its interval is at times too narrow to judge by.
    """
    one, other = _bold(found)
    deltas = {name: found.metrics[name].delta for name in HEADLINE}
    told = ", ".join(f"{SCORES[name]} {signed_text(delta)}" for name, delta in deltas.items())
    places: dict[int, list[str]] = {1: [], -1: [], 0: []}
    for name, delta in deltas.items():
        if name == "ece":
            continue
        places[_better(name, delta)].append(SCORES[name])
    shown = [
        f"{word} in {listed(places[place])}"
        for place, word in {1: "better", -1: "worse"}.items()
        if places[place]
    ]
    text = f"{other} less {one}: {told}."
    if shown:
        text += f" {other} is {listed(shown)}, where the interval leaves out 0."
    return f"{text} {not_shown(places[0])}".strip()


def not_shown(scores: Sequence[str]) -> str:
    """Return that no difference in `scores` is shown, which does not say that there is none."""
    return f"A difference in {listed(scores)} is not shown." if scores else ""


def taught_sentence(found: PairComparison, one: Card | None, other: Card | None) -> str:
    """Return that the first taught the second where the second's card says so, else ""."""
    if one is None or other is None or one.name not in taught_names(other):
        return ""
    teacher, student = _bold(found)
    return f"{teacher} taught {student}."


def mcnemar_sentence(found: PairComparison) -> str:
    """Return McNemar's test in one sentence."""
    test, (one, other) = found.agreement.mcnemar, _bold(found)
    counts = (
        f"{test.b:,} images only {one} has right, {test.c:,} only {other}: McNemar's exact test, "
        f"taking images for independent, gives p {p_text(test.p)}"
    )
    if test.p >= ALPHA:
        return f"{counts}, which does not show a difference in accuracy."
    return f"{counts}; {one if test.b > test.c else other} is right more often."


def mistakes_sentence(found: PairComparison) -> str:
    """Return how often the two are wrong in the same way."""
    count = {q.name: q.count for q in found.agreement.quadrants}
    same = count["same_mistake"]
    both = same + count["other_mistake"]
    if not both:
        return "There is no image where both are wrong."
    if both == 1:
        kind = "the same wrong answer" if same else "different answers"
        return f"In the one image where both are wrong, they give {kind}."
    one, other = _bold(found)
    return (
        f"In {same:,} of the {both:,} images where both are wrong ({percent(same / both, 1)}), "
        f"{other} gives the same wrong answer as {one}."
    )


def signed_percent(share: float) -> str:
    """Return a relative change as "+3.1 %" or "−3.1 %"; "0.0 %" where it rounds to that."""
    return "n/a" if math.isnan(share) else f"{signed(100 * share, 1)} %"


def p_text(p: float, floor: float = 0.0) -> str:
    """Return "= 0.013", "< 0.001", or "≤ 0.002" where p is at the `floor` that it can't leave."""
    if p < 0.001:
        return "< 0.001"
    return f"{'≤' if p <= floor else '='} {p:.3f}"


def _bold(found: PairComparison) -> tuple[str, str]:
    return f"**{found.teacher}**", f"**{found.student}**"


def _better(name: str, delta: Interval) -> int:
    """Return 1 where a score's interval shows it to be better, -1 where worse, else 0."""
    sign = int(delta.low > 0) - int(delta.high < 0)
    return -sign if name in LOWER_IS_BETTER else sign


def _range(interval: Interval, text: Callable[[float], str]) -> str:
    return "" if math.isnan(interval.low) else f"{text(interval.low)} to {text(interval.high)}"
