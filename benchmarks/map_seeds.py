"""Compare, over training seeds, whose maps agree with the teacher's and lie on the lesion.

    python -m kdcore sweep SWEEP
    python -m kdcore explanations CHECKPOINT ... --teacher TEACHER --out DIR
    python benchmarks/map_seeds.py SWEEP DIR --csv results/NAME-maps.csv

The checkpoints are the sweep's runs, each promoted on the page *Runs and checkpoints* under the
name of its run. Each seed gives one number, the mean over all images; methods are compared with the
sweep's reference by a paired t-test over seeds, so that it speaks of other seeds. The page
*Explanations* shows files of such names.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))  # so that `python benchmarks/map_seeds.py` finds its own project

from kdcore.base import write_text
from kdcore.data.corruptions import CLEAN
from kdcore.distill.sweep import Member, Sweep
from kdcore.evaluate import compare_methods
from kdcore.predict.map_scores import MapScores
from kdcore.report.cells import csv_text
from kdcore.report.explanations_files import read_studies

MEASURES = ("pearson", "spearman", "iou", "lesion_pointing", "lesion_energy", "lesion_iou")
HEAD = ("maps", "part", "teacher", "student", "measure", "method", "seeds", "mean", "sd")
DIFFERENCE = ("reference", "difference", "low", "high", "p (t)", "seeds won")
Run = tuple[Member, MapScores]


def main() -> None:
    """Compare, print, and write the CSV."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sweep", metavar="SWEEP", type=Path, help="its .toml file")
    parser.add_argument("folder", metavar="DIR", type=Path)
    parser.add_argument("--csv", metavar="FILE", type=Path, required=True)
    options = parser.parse_args()
    sweep = Sweep.read(options.sweep)
    members = {member.name: member for member in sweep.members()}
    rows: list[list[object]] = [[*HEAD, *DIFFERENCE]]
    for study, records in read_studies(options.folder).items():
        runs: dict[str, list[Run]] = defaultdict(list)
        for record in records:
            if record.checkpoint in members:
                member = members[record.checkpoint]
                runs[member.student].append((member, record))
        for student, own in runs.items():
            for measure in (m for m in MEASURES if all(m in r.columns for _, r in own)):
                found = compared(own, measure, sweep.reference)
                rows += [[*study, student, measure, *row] for row in found]
    if len(rows) == 1:
        sys.exit(f"{options.folder} has no maps of the runs of {sweep.name}.")
    text = csv_text(rows)
    write_text(options.csv, text)
    print(text, end="")


def compared(runs: list[Run], measure: str, reference: str) -> list[list[object]]:
    """Return a row of each method: its mean over seeds, and how far it is from the reference."""
    values: dict[str, dict[int, float]] = defaultdict(dict)
    for member, record in runs:
        clean = record.columns[measure][record.corruptions == CLEAN]
        values[member.method][member.seed] = float(np.nanmean(clean))
    found = compare_methods(values, (reference,))
    rows: list[list[object]] = []
    for method in found.methods:
        row: list[object] = [method.method, len(method.seeds), method.mean.value, method.sd]
        other = found.comparison(method.method, reference)
        if other is None:
            row += [""] * len(DIFFERENCE)
        else:
            gap = other.difference
            row += [reference, gap.value, gap.low, gap.high, other.p_t, other.wins]
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
