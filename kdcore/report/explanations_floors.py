"""What heatmaps are worth beside maps that can't know, for any metric: who is ahead, in words."""

from __future__ import annotations

from collections.abc import Iterable

from kdcore.base.words import listed, percent
from kdcore.evaluate.explanations import Explanations
from kdcore.evaluate.map_means import ALL, MIN_LESIONS, PartMean
from kdcore.predict.map_scores import AGREEMENT, FLOORS
from kdcore.report.explanations import BOUNDS, MAP_LOWER_IS_BETTER

_BLIND = frozenset(
    {"centre", "edges", "random", "uniform", "chance"}
)  # none of them saw the network
_PLACES = {1: "ahead of", 0: "not shown to differ from", -1: "behind"}
_LIKENESS = {
    1: "less like {} than like",
    0: "not shown to be less or more like {} than like",
    -1: "more like {} than like",
}
_OTHER = {"shuffled": "the shuffled network's maps", "other_class": "the maps for other classes"}


def floor_verdicts(found: Explanations, models: Iterable[str], metric: str) -> list[str]:
    """Return which floors models' maps are ahead of by a metric, as Markdown.

    What holds of several models is said once. An interval of the difference that holds 0, or
    fewer than `MIN_LESIONS`, does not show a difference. Models without the metric are left out.
    """
    alike: dict[str, list[str]] = {}
    for model in models:
        if told := _verdict(found, model, metric):
            alike.setdefault(told, []).append(found.titles[model])
    return [f"**{'; '.join(titles)}**: {told}" for told, titles in alike.items()]


def _verdict(found: Explanations, model: str, metric: str) -> str:
    by_place: dict[int, list[str]] = {place: [] for place in _PLACES}
    for floor, rows in found.lifts[model].items():
        for row in (r for r in rows if r.metric == metric and r.n):
            by_place[_place(row)].append(floor)
    words = _PLACES
    if metric in _OTHER:
        words = {place: word.format(_OTHER[metric]) for place, word in _LIKENESS.items()}
    told = [
        f"{word} {listed([FLOORS[floor] for floor in by_place[place]])}"
        for place, word in words.items()
        if by_place[place]
    ]
    if not told:
        return ""
    more = _caution(metric, by_place[0] + by_place[-1]) + _empty(found, model, metric)
    return f"{'; '.join(told)}. {more}".strip()


def _empty(found: Explanations, model: str, metric: str) -> str:
    """Return how many of the maps that a map is compared with have no order, "" if none."""
    means = {row.metric: row.mean.value for row in found.means[model] if row.scope == ALL}
    share = means.get(f"{metric}_empty", 0.0)
    return (
        f"{percent(share)} of those are empty, which counts as 0 and passes the check unearned."
        if share
        else ""
    )


def _caution(metric: str, unbeaten: list[str]) -> str:
    """Return what it means that these floors are not beaten, "" where it means nothing.

    A check that is passed doesn't show that a map is right, whatever it is compared with.
    """
    if metric in BOUNDS:
        return ""
    if not _BLIND.isdisjoint(unbeaten):
        claim = "the two look at the same" if metric in AGREEMENT else "the map is right"
        return (
            "Since a map that never saw the network is not beaten, this number does not show that "
            f"{claim}."
        )
    if unbeaten:
        return "Since maps of other images are not beaten, this agreement is not about the image."
    return ""


def _place(row: PartMean) -> int:
    """Return 1 where the map is better than the floor, -1 where it is worse, else 0."""
    if row.lesions < MIN_LESIONS:
        return 0
    sign = int(row.mean.low > 0) - int(row.mean.high < 0)
    return -sign if row.metric in MAP_LOWER_IS_BETTER else sign
