"""What leaks between the parts of a split: lesions in two parts, and copies of a picture.

Scores on a test part with copies of training pictures say little about new ones (Barz & Denzler
2020, "Do we train on test data?", found them in CIFAR). Copies are looked for by the hash and
confirmed by the texture of `kdcore.data.fingerprint`. The limits were set on 9,013 pictures of
HAM10000: of all 40 million pairs, 112 of one lesion pass them and one of two lesions does, which
shows the same lesion in two colour balances; the next such pair has a correlation of 0.47.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kdcore.base import DataError
from kdcore.base.progress import CancelCheck, Progress, stop_if
from kdcore.data.dataset import ImageDataset
from kdcore.data.fingerprint import SIDE, VIEWS, correlations, hashes, textures, thumbnail
from kdcore.data.sample import Sample
from kdcore.data.splits import PARTS

NEAR_BITS = 10  # of 63
NEAR_CORRELATION = 0.5
TURNED_CORRELATION = 0.65  # six more ways to lie: more tries for chance, for few true copies
MOST_PAIRS = 10_000
_BLOCK = 256  # pictures decoded between two looks at `cancelled`
_COMPARED = 2_000_000  # hashes compared at once
_CONFIRMED = 1000  # pairs of textures compared at once
Rows = NDArray[np.int64]
Match = tuple[float, int, int]  # correlation, bits, view


@dataclass(frozen=True)
class SharedGroup:
    """A lesion in more than one part: its images in each of `PARTS` (train, val, test)."""

    lesion_id: str
    counts: tuple[int, ...]


@dataclass(frozen=True)
class NearDuplicate:
    """Two pictures in different parts that are copies of each other.

    Attributes
    ----------
    first, second : the pictures, that of the earlier part of `PARTS` first
    parts : where they are
    bits : of 63, in how many their hashes differ
    correlation : of their textures, at most 1
    view : how the second lies when it matches the first, one of `VIEWS`
    """

    first: Sample
    second: Sample
    parts: tuple[str, str]
    bits: int
    correlation: float
    view: str

    @property
    def same_lesion(self) -> bool:
        """Whether the table says that they show one lesion."""
        return self.first.lesion_id == self.second.lesion_id


@dataclass(frozen=True)
class LeakReport:
    """What `check_leaks` has found.

    Attributes
    ----------
    images : how many were looked at
    shared : lesions in more than one part
    pairs : near-duplicates in different parts, the most alike first
    complete : False where the search stopped at `MOST_PAIRS`
    """

    images: int
    shared: tuple[SharedGroup, ...]
    pairs: tuple[NearDuplicate, ...]
    complete: bool = True

    @property
    def unexpected(self) -> tuple[NearDuplicate, ...]:
        """The pairs between different lesions, which no grouping by lesion can keep apart."""
        return tuple(pair for pair in self.pairs if not pair.same_lesion)


def shared_groups(samples: Sequence[Sample], parts: Sequence[str]) -> tuple[SharedGroup, ...]:
    """Return the lesions of `samples` that occur in more than one of their N `parts`, by id."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for sample, part in zip(samples, parts, strict=True):
        counts[sample.lesion_id][str(part)] += 1
    return tuple(
        SharedGroup(name, tuple(counts[name][part] for part in PARTS))
        for name in sorted(counts)
        if len(counts[name]) > 1
    )


def check_leaks(
    data: ImageDataset,
    parts: Sequence[str],
    progress: Progress | None = None,
    cancelled: CancelCheck | None = None,
) -> LeakReport:
    """Look for lesions and for copies of pictures in two parts of a split.

    Parameters
    ----------
    data : the pictures; each is decoded once, and only its fingerprint is kept
    parts : the part of each of its N samples, as `data.parts` gives
    progress : called with steps done and steps in all, most of them pictures read
    cancelled : asked every second or so

    Raises
    ------
    DataError
        If there are no samples, or a file can't be read; it is named.
    ImageError
        If a picture can't be decoded; it is named.
    Cancelled
        If `cancelled` returns True.
    """
    samples = data.samples
    if not samples:
        raise DataError("There is no image to look at.", "Choose another data folder.")
    rows = {part: np.flatnonzero(np.asarray(parts) == part) for part in PARTS}
    blocks = list(_blocks(rows))
    total, done = len(samples) + sum(len(some) for _, some in blocks), 0

    def step(more: int) -> None:
        nonlocal done
        done += more
        if progress:
            progress(done, total)
        stop_if(cancelled, "The leak check")

    hashed, detail = _fingerprints(data, step)
    best: dict[tuple[int, int], Match] = {}
    for every, some in blocks:
        for i, j, match in _near(hashed, detail, every, some):
            best[i, j] = max(best.get((i, j), match), match)
        step(len(some))
        if len(best) >= MOST_PAIRS:
            break
    ranked = sorted(best, key=lambda pair: (-best[pair][0], pair))[:MOST_PAIRS]
    return LeakReport(
        images=len(samples),
        shared=shared_groups(samples, parts),
        pairs=tuple(_describe(samples, parts, pair, best[pair]) for pair in ranked),
        complete=len(best) < MOST_PAIRS,
    )


def _describe(
    samples: Sequence[Sample], parts: Sequence[str], pair: tuple[int, int], match: Match
) -> NearDuplicate:
    first, second = pair
    correlation, bits, view = match
    where = str(parts[first]), str(parts[second])
    return NearDuplicate(samples[first], samples[second], where, bits, correlation, VIEWS[view])


def _fingerprints(
    data: ImageDataset, step: Callable[[int], None]
) -> tuple[NDArray[np.uint64], NDArray[np.int8]]:
    """Return the hashes (N, 8) and textures (N, S, S) of all pictures, a block at a time."""
    names = [s.image_id for s in data.samples]
    side = min(SIDE, *data.picture(names[0]).rgb.size)
    hashed, detail = [], []
    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(names), _BLOCK):
            block = names[start : start + _BLOCK]
            small = np.stack(
                list(pool.map(lambda name: thumbnail(data.picture(name).rgb, side), block))
            )
            hashed.append(hashes(small))
            detail.append(textures(small))
            step(len(block))
    return np.concatenate(hashed), np.concatenate(detail)


def _blocks(rows: dict[str, Rows]) -> Iterator[tuple[Rows, Rows]]:
    """Yield all rows of one part with some of a later one, few enough to be compared at once."""
    for earlier, later in combinations(PARTS, 2):
        height = max(1, _COMPARED // max(1, len(rows[earlier])))
        for start in range(0, len(rows[later]) if len(rows[earlier]) else 0, height):
            yield rows[earlier], rows[later][start : start + height]


def _near(
    hashed: NDArray[np.uint64], detail: NDArray[np.int8], every: Rows, some: Rows
) -> Iterator[tuple[int, int, Match]]:
    """Yield the copies between two sets of rows: index, index, correlation, bits and view."""
    for view in range(len(VIEWS)):
        limit = NEAR_CORRELATION if view < 2 else TURNED_CORRELATION
        bits = np.bitwise_count(hashed[some, view][:, None] ^ hashed[every, 0][None])
        row, column = np.nonzero(bits <= NEAR_BITS)
        for start in range(0, len(row), _CONFIRMED):
            r, c = row[start : start + _CONFIRMED], column[start : start + _CONFIRMED]
            values = correlations(detail[some[r]], detail[every[c]], view)
            for k in np.flatnonzero(values >= limit):
                match = float(values[k]), int(bits[r[k], c[k]]), view
                yield int(every[c[k]]), int(some[r[k]]), match
