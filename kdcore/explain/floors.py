"""What agreement of two heatmaps is worth: the same measures for maps that can't know.

Floors: the student's map against the teacher's map of another image, of the same answer or of any;
and a blob in the middle against the teacher's map. On centred lesions all of them are high.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kdcore.base import numpy_generator
from kdcore.explain.baseline_maps import centre_map
from kdcore.explain.map_agreement import map_agreement
from kdcore.explain.maps import Heatmap

Columns = dict[str, NDArray[np.float32]]
DRAWS = 5  # other images that each image's floor is the mean of


def agreement_columns(
    teacher: Heatmap, student: Heatmap, target: ArrayLike, group_ids: ArrayLike, seed: int = 0
) -> Columns:
    """Return every measure of N pairs of maps, and its floors, (N,) float32 by name.

    Parameters
    ----------
    teacher, student : (N, H, W) each, in [0, 1]
    target : (N,) the class that both maps are asked about
    group_ids : (N,) the lesions; the other image always shows another lesion
    seed : of which images are put together

    Returns
    -------
    `pearson` and the like, and with `_mismatched`, `_mismatched_any`, `_centre` their floors;
    NaN where a map is constant, or there is no other image
    """
    lesions = np.asarray(group_ids)
    size = (teacher.shape[1], teacher.shape[2])
    blob = np.broadcast_to(centre_map(size), teacher.shape)
    found = {
        "": map_agreement(teacher, student),
        "_mismatched": _mismatched(teacher, student, np.asarray(target), lesions, seed),
        "_mismatched_any": _mismatched(teacher, student, np.zeros(len(lesions)), lesions, seed),
        "_centre": map_agreement(teacher, blob),
    }
    return {
        measure + floor: values.astype(np.float32)
        for floor, by_measure in found.items()
        for measure, values in by_measure.items()
    }


def other_images(kind: ArrayLike, group_ids: ArrayLike, seed: int) -> NDArray[np.int64]:
    """Return for each of N images another one of its kind, (N,) indices; -1 where there is none.

    No image is given to two, and none of the same lesion: lesions are put in random order and
    everybody takes the image half of the way round. Where one lesion has more than half of the
    images of a kind, some of its images have none.

    Parameters
    ----------
    kind : (N,) what has to be the same
    group_ids : (N,) lesion ids
    seed : of the order
    """
    kinds, lesions = np.asarray(kind), np.asarray(group_ids)
    generator = numpy_generator(seed)
    _, lesion = np.unique(lesions, return_inverse=True)
    place = generator.permutation(int(lesion.max()) + 1)[lesion] if len(lesion) else lesion
    others = np.full(len(kinds), -1, dtype=np.int64)
    for value in np.unique(kinds):
        members = np.flatnonzero(kinds == value)
        members = members[np.argsort(place[members], kind="stable")]  # a lesion's side by side
        given = np.roll(members, len(members) // 2)
        others[members] = np.where(lesions[members] == lesions[given], -1, given)
    return others


def _mismatched(
    teacher: Heatmap,
    student: Heatmap,
    kind: NDArray[np.generic],
    lesions: NDArray[np.generic],
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    """Return each measure of the student's maps and others of the teacher, means over `DRAWS`."""
    found: dict[str, list[NDArray[np.float64]]] = {}
    for draw in range(DRAWS):
        others = other_images(kind, lesions, seed * DRAWS + draw)
        for measure, values in map_agreement(teacher[others], student).items():
            found.setdefault(measure, []).append(np.where(others >= 0, values, np.nan))
    return {measure: _mean_of_defined(np.stack(v)) for measure, v in found.items()}


def _mean_of_defined(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the means of values (D, N) over what is not NaN, (N,); NaN where nothing is left."""
    defined = ~np.isnan(values)
    count = defined.sum(0)
    total = np.where(defined, values, 0.0).sum(0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
