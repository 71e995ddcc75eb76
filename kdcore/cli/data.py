"""`python -m kdcore data`: what a data folder holds and how it is split."""

from __future__ import annotations

import argparse
from collections import Counter

from kdcore.cli.common import add_data_arguments, open_data, whole_number, write_json
from kdcore.data import HAM10000, SPLITS, split_samples


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_data_arguments(parser)
    parser.add_argument("--split-by", choices=SPLITS.names(), default="lesion-grouped")
    parser.add_argument("--split-seed", type=whole_number, default=0)


def run(options: argparse.Namespace) -> None:
    """Print counts by class and part."""
    data = open_data(options)
    parts = split_samples(data.samples, options.split_by, options.split_seed)
    counts = Counter((s.dx, str(p)) for s, p in zip(data.samples, parts, strict=True))
    lesions = len({s.lesion_id for s in data.samples})
    print(f"{len(data.samples):,} images of {lesions:,} lesions, {data.masks:,} with a mask")
    print(f"split: {options.split_by}, seed {options.split_seed}\n")
    print(f"{'class':8}{'train':>8}{'val':>8}{'test':>8}")
    for dx in HAM10000.classes:
        print(f"{dx:8}" + "".join(f"{counts[dx, p]:>8,}" for p in ("train", "val", "test")))
    write_json(
        options,
        {
            "images": len(data.samples),
            "lesions": lesions,
            "masks": data.masks,
            "split": options.split_by,
            "seed": options.split_seed,
            "counts": {
                dx: {p: counts[dx, p] for p in ("train", "val", "test")} for dx in HAM10000.classes
            },
        },
    )
