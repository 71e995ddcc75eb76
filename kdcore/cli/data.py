"""`python -m kdcore data`: what a data folder holds and how it is split."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from kdcore.cli.common import add_data_arguments, open_data, whole_number, write_json
from kdcore.data import SPLITS, Ham10000, ImageDataset

PARTS = ("train", "val", "test")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--split-by", choices=SPLITS.names(), help="default: the data set's own")
    parser.add_argument("--split-seed", type=whole_number, default=0)


def run(options: argparse.Namespace) -> None:
    """Print counts by class and part."""
    data = open_data(options)
    split = options.split_by or data.info.splits[0]
    parts = data.parts(split, options.split_seed)
    counts = Counter((s.dx, str(p)) for s, p in zip(data.samples, parts, strict=True))
    print(f"{data.info.name}: {_size(data)}")
    print(f"split: {split}, seed {options.split_seed}\n")
    width = max(8, *(len(dx) + 2 for dx in data.info.classes))
    print(f"{'class':{width}}" + "".join(f"{p:>8}" for p in PARTS))
    for dx in data.info.classes:
        print(f"{dx:{width}}" + "".join(f"{counts[dx, p]:>8,}" for p in PARTS))
    result = {"dataset": data.info.key, "images": len(data.samples)} | _lesions(data)
    write_json(
        options,
        result
        | {"split": split, "seed": options.split_seed}
        | {"counts": {dx: {p: counts[dx, p] for p in PARTS} for dx in data.info.classes}},
    )


def _size(data: ImageDataset) -> str:
    found = _lesions(data)
    more = " of {lesions:,} lesions, {masks:,} with a mask".format(**found) if found else ""
    return f"{len(data.samples):,} images{more}"


def _lesions(data: ImageDataset) -> dict[str, Any]:
    """Return what only HAM10000 has."""
    if not isinstance(data, Ham10000):
        return {}
    return {"lesions": len({s.lesion_id for s in data.samples}), "masks": data.masks}
