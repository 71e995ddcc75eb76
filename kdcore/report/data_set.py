"""Tables of a data set: its classes, its parts, what leaks between them and what is known.

Each is a list of rows, the first of them its head, for a page's table and for `csv_text`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from kdcore.data import DatasetInfo, Sample
from kdcore.data.coverage import COLUMNS, Coverage
from kdcore.data.leaks import LeakReport, SharedGroup
from kdcore.data.splits import PARTS
from kdcore.report.cells import Rows


def class_rows(info: DatasetInfo, parts: Mapping[str, Sequence[Sample]]) -> Rows:
    """Return one row for each class: its name, the long one if it has one, images in each part."""
    counts = {part: Counter(s.dx for s in samples) for part, samples in parts.items()}
    long = info.long_names != tuple(dx.replace("_", " ") for dx in info.classes)
    body: Rows = [
        [dx, *([name] if long else []), *(counts[part][dx] for part in parts)]
        for dx, name in zip(info.classes, info.long_names, strict=True)
    ]
    return [["class", *(["name"] if long else []), *parts], *body]


def part_rows(parts: Mapping[str, Sequence[Sample]]) -> Rows:
    """Return one row for each part: images, their share of all, lesions where there are any."""
    total = max(1, sum(map(len, parts.values())))
    grouped = any(s.lesion_id != s.image_id for samples in parts.values() for s in samples)
    head = ["part", "images", "share", *(["lesions"] if grouped else [])]
    body: Rows = []
    for part, samples in parts.items():
        lesions = [len({s.lesion_id for s in samples})] if grouped else []
        body.append([part, len(samples), round(len(samples) / total, 4), *lesions])
    return [[*head], *body]


def coverage_rows(found: Coverage) -> Rows:
    """Return one row for all and one for each class: images, share of known values by column."""
    body: Rows = [
        [row.name, row.images, *(round(share, 4) for share in row.shares)]
        for row in (found.overall, *found.classes)
    ]
    return [["class", "images", *COLUMNS], *body]


def shared_rows(shared: Sequence[SharedGroup]) -> Rows:
    """Return one row for each lesion in two parts: its images in each of them."""
    return [["lesion", *PARTS], *([group.lesion_id, *group.counts] for group in shared)]


def leak_rows(report: LeakReport) -> Rows:
    """Return one row for each pair of near-duplicates in different parts."""
    head = ["first", "second", "first part", "second part", "first class", "second class"]
    body: Rows = []
    for pair in report.pairs:
        ids = [pair.first.image_id, pair.second.image_id, *pair.parts]
        same = "yes" if pair.same_lesion else "no"
        how = [same, round(pair.correlation, 3), pair.bits, pair.view]
        body.append([*ids, pair.first.dx, pair.second.dx, *how])
    return [[*head, "same group", "correlation", "bits that differ", "second lies"], *body]
