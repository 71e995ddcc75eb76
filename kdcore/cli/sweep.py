"""`python -m kdcore sweep SWEEP.toml`: train what is missing of a sweep and compare its methods."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import torch

from kdcore import __version__
from kdcore.base import KdError, SettingError, checkpoints_folder, expanded, state_folder
from kdcore.cli.backends import BACKENDS, started
from kdcore.cli.common import add_data_arguments, open_data, whole_number, write_json
from kdcore.cli.members import Place, is_finished, train_members
from kdcore.cli.sweep_release import read_releases, release_seed
from kdcore.cli.sweep_results import Result, gather, mean_seconds, sweep_tables, write_tables
from kdcore.distill import check_device
from kdcore.distill.sweep import Member, Sweep
from kdcore.report.significance import SweepTable, significance_text

_SAID = 3  # failures that are told in full


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("sweep", metavar="SWEEP", type=Path, help="a .toml file")
    parser.add_argument("--runs", metavar="DIR", type=Path, help="run folders (default: by name)")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="write CSV, LaTeX and Markdown here"
    )
    parser.add_argument("--only", metavar="METHOD", nargs="+", help="no other methods")
    parser.add_argument(
        "--seeds", metavar="SEED", nargs="+", type=whole_number, help="no other seeds"
    )
    parser.add_argument("--report", action="store_true", help="train nothing: what is there")
    parser.add_argument("--jobs", type=_count, default=1, help="members at a time (default: 1)")
    parser.add_argument(
        "--backend",
        choices=BACKENDS,
        default="loky",
        help="of joblib: processes; threads of one process, which share random numbers, so that "
        "a seed no longer gives one result; or a Ray cluster (RAY_ADDRESS) that sees the folders",
    )
    parser.add_argument(
        "--threads", type=_count, help="that torch uses for a member (default: cores / jobs)"
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument(
        "--release",
        metavar=("METHOD", "NAME", "TITLE"),
        nargs=3,
        action="append",
        default=[],
        help="write the seed in the middle by validation macro-F1 as a new checkpoint NAME; METHOD "
        "is student/method where there are several students",
    )
    add_data_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Train, measure, print and write; that a member failed is raised at the end."""
    sweep = Sweep.read(options.sweep)
    releases = read_releases(sweep, options.release)
    waves = _chosen(sweep, options)
    root = expanded(options.runs or state_folder() / "sweeps" / sweep.name, "--runs").resolve()
    failed = {} if options.report else _train(sweep, waves, root, options)
    results, absent = gather([m for wave in waves for m in wave], root)
    failed |= {name: problem for name, problem in absent.items() if problem and name not in failed}
    missing = [name for name in absent if name not in failed]
    tables = sweep_tables(sweep, results)
    if results:
        _say(tables, results)
    if missing:
        print(f"Not finished, so in no table: {', '.join(missing)}.")
    if options.out and results:
        write_tables(options.out, sweep, tables, results)
    write_json(options, _as_dict(sweep, tables, results, failed, missing))
    if failed:
        raise KdError(
            f"{len(failed)} of {len(results) + len(absent)} members failed: {_told(failed)}",
            "What is finished is kept.",
        )
    if not results:
        raise SettingError(f"No run in {str(root)!r} is finished.", "Train without --report.")
    for asked in releases:
        card = release_seed(sweep, results, root, options, asked)
        print(f"{card.name}: {card.provenance}")


def _count(text: str) -> int:
    value = whole_number(text)
    if not value:
        raise argparse.ArgumentTypeError("expected at least 1, got 0")
    return value


def _chosen(sweep: Sweep, options: argparse.Namespace) -> list[list[Member]]:
    """Return the sweep's waves, less what --only and --seeds leave out."""
    for named, known, option in (
        (options.only, tuple(sweep.methods), "--only"),
        (options.seeds, sweep.seeds, "--seeds"),
    ):
        strange = [str(n) for n in named or () if n not in known]
        if strange:
            raise SettingError(
                f"{option} names {', '.join(strange)}, which the sweep has not.",
                f"It has {', '.join(map(str, known))}.",
            )
    methods, seeds = options.only or sweep.methods, options.seeds or sweep.seeds
    waves = [[m for m in w if m.method in methods and m.seed in seeds] for w in sweep.waves()]
    return [wave for wave in waves if wave]


def _train(
    sweep: Sweep, waves: Sequence[Sequence[Member]], root: Path, options: argparse.Namespace
) -> dict[str, str]:
    """Train what is not finished, wave by wave; returns what went wrong, by member's name."""
    if options.backend != "ray":  # whose machines have devices of their own
        check_device(options.device)
    kinds = {member.recipe.dataset for wave in waves for member in wave}
    data = {k: Path(open_data(options, kind=k).root).resolve() for k in kinds}
    sources = {member.name: member for member in sweep.members()}
    failed: dict[str, str] = {}
    with started(options.backend, options.jobs, options.threads, options.device) as backend:
        place = Place(
            root, data, checkpoints_folder().resolve(), options.device, backend.threads,
            options.skip_missing,
        )  # fmt: skip
        for wave in waves:
            found = {m: _obstacle(m, sources.get(m.after), root) for m in wave}
            failed |= {m.name: problem for m, problem in found.items() if problem}
            todo = [m for m, problem in found.items() if problem is None]
            said = f"{len(todo)} of {len(wave)} members to train"
            print(f"{said}, {options.jobs} at a time.", file=sys.stderr, flush=True)
            failed |= train_members(todo, place, backend)
    return failed


def _obstacle(member: Member, source: Member | None, root: Path) -> str | None:
    """Return None if `member` is to be trained, else "" if it is finished, or what is wrong."""
    try:
        if is_finished(member, root):
            return ""
        if source and not is_finished(source, root):
            return f"It starts from {source.name}, which is not finished."
    except KdError as error:
        return str(error)
    return None


def _say(tables: Sequence[SweepTable], results: Sequence[Result]) -> None:
    print(significance_text(tables))
    seconds = ", ".join(f"{label} {value:.1f}" for label, value in mean_seconds(results).items())
    base = " (the runs that some start from not counted)" * any(r.member.after for r in results)
    print(f"\nMean seconds of training{base}: {seconds}.")


def _as_dict(
    sweep: Sweep,
    tables: Sequence[SweepTable],
    results: Sequence[Result],
    failed: dict[str, str],
    missing: Sequence[str],
) -> dict[str, Any]:
    """Return everything for `--json`."""
    return {
        "sweep": sweep.name,
        "title": sweep.title,
        "seeds": list(sweep.seeds),
        "references": list(sweep.references),
        "members": [result.as_dict() for result in results],
        "failed": failed,
        "missing": list(missing),
        "tables": [table.as_dict() for table in tables],
        "mean_seconds": mean_seconds(results),
        "base": dict(sweep.base),
        "recipe_differences": sweep.differences(),
        "versions": {
            "kdcore": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
    }


def _told(failed: dict[str, str]) -> str:
    """Return what went wrong, the first few in full."""
    told = [f"{name}: {problem}" for name, problem in list(failed.items())[:_SAID]]
    more = len(failed) - len(told)
    return " ".join(told) + (f" And {more} more: see their status.json." if more > 0 else "")
