"""ROAD and the checks of sensitivity as columns, beside what knows nothing of the network.

They are apart from `map_tests` because they cost seconds an image. ROAD removes pixels in the
order of the kept map, as insertion and deletion do. The other checks compare maps that the method
makes anew on the network's input, so that what a kept map has lost is not taken for a change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from kdcore.data import ImageDataset, Sample
from kdcore.data.corruptions import image_seed
from kdcore.explain.baseline_maps import BASELINE_MAPS, baseline_maps, edge_map
from kdcore.explain.check_pair import SLOW_OTHERS, SLOW_REPEATS
from kdcore.explain.floors import Columns
from kdcore.explain.map_question import MapQuestion
from kdcore.explain.map_tests import SUFFIXES, as_columns
from kdcore.explain.maps import Heatmap
from kdcore.explain.road import road
from kdcore.explain.sensitivity import REPEATS, other_classes, randomisation, sensitivity
from kdcore.explain.similarity import similarity
from kdcore.explain.trust import OTHERS
from kdcore.models import Checkpoint
from kdcore.predict import preprocess_of

_UNLIKE = ("centre", "edges", "random")  # a uniform map has no order to be alike in
_ALIKE = ("shuffled", "other_class")
_NAMES = (
    *(f"road{suffix}" for suffix in SUFFIXES),
    *("sensitivity", "sensitivity_edges", *_ALIKE),
    *(f"{metric}_{floor}" for metric in _ALIKE for floor in _UNLIKE),
)


def check_columns(
    checkpoint: Checkpoint,
    data: ImageDataset,
    samples: Sequence[Sample],
    maps: Heatmap,
    targets: Sequence[int],
    method: str,
    *,
    seed: int = 0,
) -> Columns:
    """Return what filling in each map's pixels does, and what moves the map and what does not.

    Parameters
    ----------
    checkpoint, data, samples, maps, targets : those of `faithfulness_columns`
    method : that made the maps, a name in `METHODS`; a slow one is run on fewer noisy pictures
        and for fewer other classes, as by `check_pair`
    seed : of everything drawn, for each image its own draw

    Returns
    -------
    (N,) float32 by name: `road` (`Road.score`) and the same with `_centre`, `_edges`, `_random`,
    `_uniform`; `sensitivity` (`Sensitivity.worst`), and with `_edges` that of the edge map;
    `shuffled` and `other_class`, Spearman's correlation of the map with that of the shuffled
    network and with those of other classes, and with `_centre`, `_edges`, `_random` the map's
    correlation with these. `other_class` is NaN for a method that shows no class
    """
    prepare, rows = preprocess_of(checkpoint), []
    for sample, kept, target in zip(samples, maps, targets, strict=True):
        image, own = prepare(data.picture(sample.image_id).rgb)[None], image_seed(sample.image_id)
        others = baseline_maps(image, prepare.std, own + seed)
        tested = [kept, *(others[name] for name in BASELINE_MAPS)]
        removed = road(checkpoint.model, image, target, tested, seed=seed)
        row = {f"road{end}": found.score for end, found in zip(SUFFIXES, removed, strict=True)}
        question = MapQuestion(checkpoint.model, image, target, method)
        row |= _changes(question, prepare.std, others, own + seed)
        rows.append(row)
    return as_columns(rows, _NAMES)


def _changes(
    question: MapQuestion,
    std: tuple[float, float, float],
    others: Mapping[str, Heatmap],
    seed: int,
) -> dict[str, float]:
    """Return one image's numbers of noise, shuffled parameters and other classes."""
    repeats, classes = (SLOW_REPEATS, SLOW_OTHERS) if question.slow else (REPEATS, OTHERS)
    heatmap = question.answer()
    noisy = partial(sensitivity, std=std, repeats=repeats, seed=seed)
    edges = replace(question, method=lambda _, noised, __: edge_map(noised, std))
    row = {
        "sensitivity": noisy(question, heatmap=heatmap).worst,
        "sensitivity_edges": noisy(edges).worst,
        "shuffled": randomisation(question, heatmap=heatmap, seed=seed).spearman,
    }
    if question.by_class:
        asked = other_classes(question, heatmap=heatmap, count=classes, seed=seed)
        row["other_class"] = asked.spearman
    for floor in _UNLIKE:
        alike = similarity(heatmap, others[floor]).spearman
        row |= {f"{metric}_{floor}": alike for metric in _ALIKE if metric in row}
    return row
