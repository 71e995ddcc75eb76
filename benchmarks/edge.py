"""Time every form of the released students, and say what each loses and which to use.

    python benchmarks/edge.py --json FILE

Eager PyTorch, TorchScript, ONNX Runtime and ONNX Runtime INT8 take turns, one picture at a time,
after each export was checked against its network. INT8 is the file whose macro-F1 is told: it is
calibrated on training pictures of the data set that DISTILSCOPE_DATA names, and left out without
one, as is macro-F1. What `python -m kdcore efficiency` has made is used again; only times are new.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))  # so that `python benchmarks/edge.py` finds its own project

from kdcore.base import data_folder, write_text
from kdcore.cli.efficiency import print_efficiency, result_rows, shipped
from kdcore.cli.running.efficiency import Told, compute_efficiency
from kdcore.data import open_dataset
from kdcore.models.card import ROLES


def main() -> None:
    """Measure, print, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", type=Path, required=True)
    parser.add_argument(
        "--roles", nargs="+", choices=ROLES, default=["student"], help="default: student"
    )
    parser.add_argument("--seconds", type=float, default=120.0, help="of timing (default: 120)")
    parser.add_argument("--threads", type=int, default=1, help="of one call (default: 1)")
    options = parser.parse_args()
    folder = data_folder()
    found, _ = compute_efficiency(
        shipped(options.roles),
        open_dataset(folder) if folder else None,
        options.threads,
        options.seconds,
        Told(lambda text: print(text, flush=True)),
    )
    print_efficiency(found)
    text = json.dumps(result_rows(found), indent=2, ensure_ascii=False) + "\n"
    write_text(options.json, text)


if __name__ == "__main__":
    main()
