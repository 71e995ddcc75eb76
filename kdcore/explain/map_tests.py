"""Faithfulness and localisation as columns, beside those of maps that never saw the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kdcore.data import ImageDataset, Sample
from kdcore.data.corruptions import image_seed
from kdcore.data.lesion_masks import lesion_mask
from kdcore.explain.baseline_maps import BASELINE_MAPS, baseline_maps
from kdcore.explain.faithfulness import Faithfulness, faithfulness
from kdcore.explain.floors import Columns
from kdcore.explain.localisation import Localisation, localisation
from kdcore.explain.maps import Heatmap
from kdcore.models import Checkpoint
from kdcore.predict import preprocess_of

_FAITHFULNESS = {"insertion": "insertion_auc", "deletion": "deletion_auc"}
_FAITHFULNESS |= {name: name for name in ("drop", "gain")}
# Each beside what pixels in random order are expected to reach.
_LOCALISATION = {
    "lesion_pointing": ("pointing", "expected_pointing"),
    "lesion_energy": ("energy", "area"),
    "lesion_rank": ("rank_accuracy", "area"),
    "lesion_iou": ("iou", "expected_iou"),
}
SUFFIXES = ("", *(f"_{name}" for name in BASELINE_MAPS))


def faithfulness_columns(
    checkpoint: Checkpoint,
    data: ImageDataset,
    samples: Sequence[Sample],
    maps: Heatmap,
    targets: Sequence[int],
    *,
    seed: int = 0,
) -> Columns:
    """Return what the order of each map's pixels does to the target's probability.

    Parameters
    ----------
    checkpoint : whose maps; its model is unchanged afterwards
    data, samples : where the pictures are, and which N of them
    maps : (N, S, S) in [0, 1], S the checkpoint's input size
    targets : N class indices
    seed : of the random maps, and of the order of equal pixels

    Returns
    -------
    (N,) float32 by name: `insertion`, `deletion`, `drop` and `gain` as `Faithfulness` has them,
    and the same with `_centre`, `_edges`, `_random`, `_uniform`
    """
    model, prepare, rows = checkpoint.model, preprocess_of(checkpoint), []
    for sample, heatmap, target in zip(samples, maps, targets, strict=True):
        image, own = prepare(data.picture(sample.image_id).rgb)[None], image_seed(sample.image_id)
        others = baseline_maps(image, prepare.std, own + seed)
        tested = [heatmap, *(others[name] for name in BASELINE_MAPS)]
        found = faithfulness(model, image, target, tested, seed=seed)
        rows.append(_faithfulness_row(found))
    return as_columns(rows, [metric + suffix for suffix in SUFFIXES for metric in _FAITHFULNESS])


def localisation_columns(
    teacher: Checkpoint,
    data: ImageDataset,
    samples: Sequence[Sample],
    maps: Mapping[str, Heatmap],
    seed: int = 0,
) -> dict[str, Columns]:
    """Return whether the maps of several models lie on the lesion.

    Parameters
    ----------
    teacher : its input is the grid that all are measured on
    data, samples : where pictures and masks are, and which N of them
    maps : (N, S, S) in [0, 1] by any name, S the teacher's input size
    seed : of the random maps, and of the order of equal pixels

    Returns
    -------
    For each name (N,) float32 by name: `lesion_pointing`, `lesion_energy`, `lesion_rank`,
    `lesion_iou` as `Localisation` has them; the same with `_centre`, `_edges`, `_random`,
    `_uniform`; and with `_chance` what is expected of pixels in random order. NaN where the image
    has no mask, or none of the lesion is in its centre square
    """
    prepare = preprocess_of(teacher)
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in maps}
    for index, sample in enumerate(samples):
        lesion = lesion_mask(data, sample.image_id, prepare)
        if lesion is None or not lesion.any():
            for name in maps:
                rows[name].append({})
            continue
        image, own = prepare(data.picture(sample.image_id).rgb)[None], image_seed(sample.image_id)
        others = baseline_maps(image, prepare.std, own + seed)
        tested = [*(m[index] for m in maps.values()), *(others[name] for name in BASELINE_MAPS)]
        found = localisation(tested, lesion, seed=seed)
        for place, name in enumerate(maps):
            rows[name].append(_localisation_row(found[place], found[len(maps) :]))
    names = [metric + suffix for metric in _LOCALISATION for suffix in (*SUFFIXES, "_chance")]
    return {name: as_columns(table, names) for name, table in rows.items()}


def _faithfulness_row(found: Sequence[Faithfulness]) -> dict[str, float]:
    """Return one image's numbers; `found` has the model's map first, then `BASELINE_MAPS`."""
    return {
        metric + suffix: float(getattr(result, attribute))
        for suffix, result in zip(SUFFIXES, found, strict=True)
        for metric, attribute in _FAITHFULNESS.items()
    }


def _localisation_row(own: Localisation, others: Sequence[Localisation]) -> dict[str, float]:
    row = {}
    for metric, (attribute, expected) in _LOCALISATION.items():
        for suffix, result in zip(SUFFIXES, [own, *others], strict=True):
            row[metric + suffix] = float(getattr(result, attribute))
        row[f"{metric}_chance"] = float(getattr(own, expected))
    return row


def as_columns(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> Columns:
    """Return rows, numbers by name, as the columns `names` (N,); NaN where a row lacks one."""
    return {n: np.array([row.get(n, np.nan) for row in rows], dtype=np.float32) for n in names}
