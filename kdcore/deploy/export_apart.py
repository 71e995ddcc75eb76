"""An export in a process of its own, which can be ended in the middle of a trace.

Exporters change torch's state while they work, and take no question whether to stop. What the
process writes, its temporary files too, lies in one folder; it is moved into place when all is
done, and deleted however it ends.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kdcore.base import SettingError
from kdcore.base.apart import run_apart
from kdcore.deploy.export_plan import ExportPlan, live_command
from kdcore.deploy.export_store import STAGING, Kept, exports_folder, keep_exports, remove_stale


def export_apart(plan: ExportPlan, report: Callable[[dict[str, Any]], object]) -> tuple[Kept, ...]:
    """Carry out a plan with `python -m kdcore export --live`, and keep what it made.

    Parameters
    ----------
    plan : what is made
    report : called several times a second with the latest "fraction" and "doing"; what it raises
        (`Cancelled`) ends the process

    Raises
    ------
    KdError
        With the process's own words, if it failed, or what is wrong with the disk. Nothing is
        kept then.
    """
    try:
        exports_folder().mkdir(parents=True, exist_ok=True)
        remove_stale()
        with tempfile.TemporaryDirectory(prefix=STAGING, dir=exports_folder()) as folder:
            out = Path(folder) / "out"
            environment = os.environ | {"TMPDIR": folder}
            run_apart(live_command(plan, out), report, "The export", environment)
            return keep_exports(out)
    except OSError as error:
        raise SettingError(
            f"The exported files can't be kept: {error.strerror or error}.",
            f"Free some space, or make {exports_folder()} writable.",
        ) from error
