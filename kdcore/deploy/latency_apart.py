"""A latency benchmark in a process of its own: threads, memory and interpreter are not shared.

In the app's process other sessions would take the interpreter's lock in the middle of a call, and
its number of threads would change under them.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from kdcore.base.apart import problem_of, run_apart
from kdcore.deploy.latency_plan import Plan

_WHAT = "The benchmark"


def bench_apart(plan: Plan, report: Callable[[dict[str, Any]], None]) -> str:
    """Carry out a plan with `python -m kdcore bench --keep --live` and return the kept name.

    Parameters
    ----------
    plan : what is compared
    report : called several times a second with the latest "fraction", "doing" and "known" (of
        each contender "what", "calls", "p50" in ms and "spread"); what it raises (`Cancelled`)
        ends the process

    Raises
    ------
    KdError
        With the process's own words, if it failed.
    """
    # An ended process does not clean up: graphs and calibration of INT8 lie in this folder.
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"TMPDIR": folder}
        kept: str = run_apart(command(plan), report, _WHAT, environment).get("kept", "")
    if not kept:
        raise problem_of(_WHAT, ())
    return kept


def command(plan: Plan) -> list[str]:
    """Return the command line that carries out a plan."""
    parts = [sys.executable, "-m", "kdcore", "bench", *map(str, plan.checkpoints)]
    for name, values in (
        ("--engines", plan.engines),
        ("--batch", plan.batches),
        ("--threads", plan.threads),
        ("--device", plan.devices),
    ):
        parts += [name, *map(str, values)]
    parts += ["--seconds", f"{plan.seconds:g}", "--precision", f"{plan.precision:g}"]
    parts += ["--end-to-end"] if plan.end_to_end else []
    return [*parts, "--keep", "--live"]
