"""`python -m kdcore data`: what a data folder holds and how it is split."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from kdcore.cli.common import (
    add_data_arguments,
    open_data,
    say_progress,
    whole_number,
    write_json,
)
from kdcore.data import SPLITS, Ham10000, ImageDataset
from kdcore.data.leaks import check_leaks
from kdcore.data.splits import PARTS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--split-by", choices=SPLITS.names(), help="default: the data set's own")
    parser.add_argument("--split-seed", type=whole_number, default=0)
    parser.add_argument(
        "--leaks", action="store_true", help="look for lesions and copies of pictures in two parts"
    )


def run(options: argparse.Namespace) -> None:
    """Print counts by class and part."""
    data = open_data(options)
    split = options.split_by or data.info.splits[0]
    parts = data.parts(split, options.split_seed)
    counts = Counter((s.dx, str(p)) for s, p in zip(data.samples, parts, strict=True))
    print(f"{data.info.name}: {_size(data)}")
    print(f"split: {split}, seed {options.split_seed}\n")
    if data.info.caution:
        print(f"Caution: {data.info.caution}\n")
    width = max(8, *(len(dx) + 2 for dx in data.info.classes))
    print(f"{'class':{width}}" + "".join(f"{p:>8}" for p in PARTS))
    for dx in data.info.classes:
        print(f"{dx:{width}}" + "".join(f"{counts[dx, p]:>8,}" for p in PARTS))
    result = {"dataset": data.info.key, "images": len(data.samples)} | _lesions(data)
    result |= {"split": split, "seed": options.split_seed, "caution": data.info.caution}
    result["counts"] = {dx: {p: counts[dx, p] for p in PARTS} for dx in data.info.classes}
    if options.leaks:
        result["leaks"] = _leaks(data, parts.tolist())
    write_json(options, result)


def _leaks(data: ImageDataset, parts: list[str]) -> dict[str, Any]:
    """Print what leaks between the parts, at most ten pairs of pictures, and return all."""
    report = check_leaks(data, parts, say_progress)
    pairs = [
        {
            "first": pair.first.image_id,
            "second": pair.second.image_id,
            "parts": pair.parts,
            "same_group": pair.same_lesion,
            "correlation": pair.correlation,
        }
        for pair in report.pairs
    ]
    print(
        f"\nIn more than one part: {len(report.shared):,} groups; {len(pairs):,} pairs of "
        f"near-duplicates, {len(report.unexpected):,} of them between different groups."
    )
    for pair in report.pairs[:10]:
        where = " and ".join(pair.parts)
        print(f"{pair.first.image_id}  {pair.second.image_id}  {where}  {pair.correlation:.2f}")
    return {"shared_groups": len(report.shared), "pairs": pairs, "complete": report.complete}


def _size(data: ImageDataset) -> str:
    found = _lesions(data)
    more = " of {lesions:,} lesions, {masks:,} with a mask".format(**found) if found else ""
    return f"{len(data.samples):,} images{more}"


def _lesions(data: ImageDataset) -> dict[str, Any]:
    """Return what only HAM10000 has."""
    if not isinstance(data, Ham10000):
        return {}
    return {"lesions": len({s.lesion_id for s in data.samples}), "masks": data.masks}
