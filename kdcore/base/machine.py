"""What a measured time depends on besides the code: the machine, its versions, and its load.

Facts come from Linux's `/proc` and `/sys`; what a system doesn't tell is None. No host name is
read: a result names the kind of machine, not the machine.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PROC = Path("/proc")
_SYS = Path("/sys")


def machine(packages: Iterable[str]) -> dict[str, object]:
    """Return what figures depend on: processor, cores, memory, load, priority, versions.

    `packages` are named with their versions, None for one that is not installed.
    """
    return {
        "processor": processor(),
        "cores": cores(),
        "memory_gb": memory_gb(),
        "power": power(),
        "load_average_1min_before": load_average(),
        "nice": os.nice(0),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS", "not set"),
        "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY", "not set"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in packages},
    }


def processor(proc: Path = _PROC) -> str:
    """Return the processor's name as it gives it, or its architecture."""
    text = _read(proc / "cpuinfo") or ""
    names = [line.partition(":")[2] for line in text.splitlines() if line.startswith("model name")]
    return names[0].strip() if names else platform.processor() or platform.machine()


def cores() -> int:
    """Return how many logical cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_gb(proc: Path = _PROC) -> float | None:
    """Return the memory of the machine in GB (10^9 bytes)."""
    for line in (_read(proc / "meminfo") or "").splitlines():
        if line.startswith("MemTotal:"):
            return round(int(line.split()[1]) * 1024 / 1e9, 1)
    return None


def power(sys: Path = _SYS) -> str | None:
    """Return the governor of the processor's frequency, and if it runs from a battery."""
    governor = _read(sys / "devices/system/cpu/cpu0/cpufreq/scaling_governor")
    battery = any(_read(path) == "0" for path in sys.glob("class/power_supply/A*/online"))
    told = [f"governor {governor}"] if governor else []
    return ", ".join(told + (["on battery"] if battery else [])) or None


def load_average() -> float | None:
    """Return the mean number of processes that ran or waited to in the last minute."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def others_seconds(proc: Path = _PROC) -> float | None:
    """Return processor seconds that others have used on this process's cores so far.

    Two readings some time apart tell how busy others kept the machine between them: the busy time
    of these cores (user, nice, system, interrupts and what a host took) less the time of this
    process. None where the system doesn't tell.
    """
    text = _read(proc / "stat")
    if text is None or not hasattr(os, "sched_getaffinity"):
        return None
    mine = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    ticks = 0
    for name, *fields in (line.split() for line in text.splitlines() if line.startswith("cpu")):
        if name in mine:
            user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
            ticks += user + nice + system + irq + softirq + steal
    own = os.times()
    return ticks / os.sysconf("SC_CLK_TCK") - own.user - own.system


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
