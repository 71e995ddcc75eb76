"""`python -m kdcore bench CHECKPOINT...`: how long models take, in turns, on this machine."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

from kdcore.base import write_text
from kdcore.base.machine import cores
from kdcore.cli.common import checkpoint_folder, positive_number, say_live, whole_number
from kdcore.deploy.latency import PRECISION, Live, label
from kdcore.deploy.latency_engines import ENGINES
from kdcore.deploy.latency_plan import Plan, run_plan
from kdcore.deploy.latency_record import Benchmark, to_json
from kdcore.deploy.latency_store import keep_benchmark
from kdcore.report.cells import columns
from kdcore.report.latency import METHOD, PERCENTILES, compact_rows, speed_up_sentence, speed_ups


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "checkpoints", nargs="+", metavar="CHECKPOINT", help="folders, or names in checkpoints/"
    )
    parser.add_argument(
        "--engines", nargs="+", choices=list(ENGINES), default=["eager", "onnxruntime"],
        help="default: eager onnxruntime",
    )  # fmt: skip
    parser.add_argument(
        "--batch", nargs="+", type=whole_number, default=[1], metavar="N",
        help="images of one call (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--threads", nargs="+", type=whole_number, default=sorted({1, cores()}), metavar="N",
        help="of one call (default: 1 and all cores)",
    )  # fmt: skip
    parser.add_argument("--device", nargs="+", default=["cpu"], metavar="D", help="cpu, cuda")
    parser.add_argument(
        "--seconds", type=positive_number, default=12.0, metavar="S",
        help="for the timing, after exports and warm-up (default: 12)",
    )  # fmt: skip
    parser.add_argument(
        "--precision", type=positive_number, default=PRECISION, metavar="P",
        help="end early once each 95 %% interval is within this share of its median, both ways "
        f"(default: {PRECISION:g})",
    )  # fmt: skip
    parser.add_argument("--end-to-end", action="store_true", help="time JPEG to probabilities, too")
    parser.add_argument("--keep", action="store_true", help="keep it for the app's Latency page")
    parser.add_argument(
        "--live", action="store_true", help="print progress as JSON lines, for other programs"
    )


def run(options: argparse.Namespace) -> None:
    """Time the models in turns, print the table, and write or keep the record."""
    plan = Plan(
        checkpoints=tuple(checkpoint_folder(name) for name in dict.fromkeys(options.checkpoints)),
        engines=tuple(dict.fromkeys(options.engines)),
        batches=tuple(sorted(set(options.batch))),
        threads=tuple(sorted(set(options.threads))),
        devices=tuple(dict.fromkeys(options.device)),
        seconds=options.seconds,
        precision=options.precision,
        end_to_end=options.end_to_end,
    )
    found = run_plan(plan, _tell_programs if options.live else say_live)
    kept = keep_benchmark(found) if options.keep else None
    if options.json:
        write_text(Path(options.json), to_json(found))
    if options.live:
        print(json.dumps({"kept": kept.name if kept else ""}), flush=True)
    else:
        _print(found)
        if kept:
            print(f"Kept: {kept.path}")


def _tell_programs(live: Live) -> None:
    known = [
        {
            "what": label(contender),
            "calls": summary.calls,
            "p50": round(summary.p50, 3),
            "spread": round(summary.spread, 4) if math.isfinite(summary.spread) else None,
        }
        for contender, summary in live.known
    ]
    line = {"fraction": round(live.fraction, 4), "doing": live.doing, "known": known}
    print(json.dumps(line, ensure_ascii=False), flush=True)


def _print(found: Benchmark) -> None:
    if sys.stderr.isatty():
        print(file=sys.stderr)
    head, *body = compact_rows(found)
    print("\n".join(columns([[str(cell) for cell in row] for row in (head, *body)])))
    for ratio in speed_ups(found):
        print(speed_up_sentence(ratio).replace("**", ""))
    for sentence in (*found.left_out, found.conditions.sentence(), METHOD, PERCENTILES):
        print(sentence)
