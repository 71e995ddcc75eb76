"""Two results side by side, and whether their difference can be told with an interval of its own.

Models with predictions on the same images are compared image by image, methods of one sweep seed
by seed. Of anything else no difference is given: of other images, or of a published figure, it
would mix the networks with what they were measured on.
"""

from __future__ import annotations

from kdcore.evaluate import Interval, Significance
from kdcore.report.cells import Rows, interval_text
from kdcore.report.results import SCORES, Result
from kdcore.report.sweep_scores import SweepScores, sweep_columns

BY_IMAGES, BY_SEEDS = "images", "seeds"


def how_paired(one: Result, other: Result) -> str:
    """Return `BY_IMAGES` or `BY_SEEDS`, or "" where the two have nothing in common to pair by."""
    if one.key == other.key:
        return ""
    if one.measured and other.measured and (one.data, one.part) == (other.data, other.part):
        return BY_IMAGES
    both_means = one.origin == other.origin == "mean"
    if both_means and one.sweep == other.sweep and _method(one)[0] == _method(other)[0]:
        return BY_SEEDS
    return ""


def why_unpaired(one: Result, other: Result) -> str:
    """Return why no difference of the two is given, a sentence."""
    if one.key == other.key:
        return "These are one and the same result."
    if one.is_published or other.is_published:
        return (
            "One of them is published: it was measured on other images, by another protocol, so "
            "a difference would not be one of the networks alone."
        )
    if one.data != other.data or one.part != other.part:
        return "They were measured on different data, so no difference is given."
    return (
        "The two have neither saved predictions on the same images nor seeds of one sweep in "
        "common, so their difference has no interval, and none is given."
    )


def pinned_rows(one: Result, other: Result) -> Rows:
    """Return one row for each fact and score of two results, a column for each of them."""
    pair = (one, other)
    facts: dict[str, list[object]] = {
        "whose": [r.mark for r in pair],
        **{title: [_text(r.score(name)) for r in pair] for name, title in SCORES.items()},
        "intervals over": [r.spread for r in pair],
        "method": [r.method for r in pair],
        "role": [r.role for r in pair],
        "network": [r.network for r in pair],
        "seed": [r.seed for r in pair],
        "data": [f"{r.data}, {r.split}, {r.part}".strip(", ") for r in pair],
        "protocol": [r.protocol for r in pair],
        "images": ["" if r.images is None else f"{r.images:,}" for r in pair],
        "parameters, M": [_decimal(r.parameters) for r in pair],
        "input, px": ["" if r.input_size is None else str(r.input_size) for r in pair],
        "source": [r.source for r in pair],
    }
    body: Rows = [[name, *values] for name, values in facts.items() if any(values)]
    return [["", *pinned_titles(one, other)], *body]


def seed_differences(sweep: SweepScores, one: Result, other: Result) -> dict[str, Significance]:
    """Return two methods of a sweep, means over seeds, compared: the second less the first.

    Parameters
    ----------
    sweep : whose methods they are
    one, other : as `how_paired` says `BY_SEEDS` of

    Returns
    -------
    By the score's title, those of `sweep_columns`.
    """
    first, second = (_method(result) for result in (one, other))
    return {
        title: sweep.between(column, first[0], first[1], second[1])
        for title, column in sweep_columns(one.part).items()
    }


def _method(result: Result) -> tuple[str, str]:
    """Return the student and method that a mean's key names."""
    _, _, student, method, _ = result.key.split(":", 4)
    return student, method


def pinned_titles(one: Result, other: Result) -> tuple[str, str]:
    """Return titles that differ, as they head columns."""
    same = one.title == other.title
    return one.title, f"{other.title} ({other.mark})" if same else other.title


def _text(score: Interval) -> str:
    return "" if score.value != score.value else interval_text(score)


def _decimal(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
