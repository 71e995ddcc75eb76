"""Compare, over training seeds, whose maps agree with the teacher's and lie on the lesion.

    python -m kdcore sweep recipes/sweeps/ham10000-students.toml
    python -m kdcore explanations CHECKPOINT ... --teacher TEACHER --out DIR
    python benchmarks/map_seeds.py DIR --csv FILE

The checkpoints are the sweep's runs, each promoted on the page *Runs and checkpoints* and named
"...-METHOD-sSEED" as its run is. Each seed gives one number, the mean over all images; methods are
compared with the baseline by a paired t-test over seeds, so that it speaks of other seeds.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))  # so that `python benchmarks/map_seeds.py` finds its own project

from kdcore.base import write_atomically
from kdcore.evaluate import compare_methods
from kdcore.predict.map_scores import CLEAN, MapScores
from kdcore.report import csv_text
from kdcore.report.explanations_files import read_studies

MEASURES = ("pearson", "spearman", "iou", "lesion_pointing", "lesion_energy", "lesion_iou")
HEAD = ("maps", "student", "measure", "method", "seeds", "mean", "sd", "baseline")
DIFFERENCE = ("difference", "low", "high", "p (t)", "seeds won")
_NAME = re.compile(r"(?P<sweep>.+?)-(?P<method>baseline|kd.*)-s(?P<seed>\d+)")


def main() -> None:
    """Compare, print, and write the CSV."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="DIR", type=Path)
    parser.add_argument("--csv", metavar="FILE", type=Path, required=True)
    options = parser.parse_args()
    rows: list[list[object]] = [[*HEAD, *DIFFERENCE]]
    for (method, _, _), records in read_studies(options.folder).items():
        students: dict[str, list[MapScores]] = defaultdict(list)
        for record in records:
            if record.checkpoint != record.teacher:
                students[record.meta["architecture"]].append(record)
        for student, own in students.items():
            for measure in MEASURES:
                rows += [[method, student, measure, *row] for row in compared(own, measure)]
    text = csv_text(rows)
    write_atomically(options.csv, lambda path: path.write_text(text, encoding="utf-8"))
    print(text, end="")


def compared(records: list[MapScores], measure: str) -> list[list[object]]:
    """Return a row of each method: its mean over seeds, and how far it is from the baseline."""
    values: dict[str, dict[int, float]] = defaultdict(dict)
    for record in records:
        name = _NAME.fullmatch(record.checkpoint)
        if name is None:
            sys.exit(f"{record.checkpoint} is not named as a sweep's runs are.")
        clean = record.columns[measure][record.corruptions == CLEAN]
        values[name["method"]][int(name["seed"])] = float(np.nanmean(clean))
    found = compare_methods(values, ("baseline",))
    rows: list[list[object]] = []
    for method in found.methods:
        row: list[object] = [method.method, len(method.seeds), method.mean.value, method.sd]
        other = found.comparison(method.method, "baseline")
        if other is not None:
            gap = other.difference
            row += ["baseline", gap.value, gap.low, gap.high, other.p_t, other.wins]
        rows.append(row + [""] * (len(HEAD) + len(DIFFERENCE) - 3 - len(row)))
    return rows


if __name__ == "__main__":
    main()
