"""Devices, processes and precision, through Lightning Fabric; and memory that stays with us."""

from __future__ import annotations

import ctypes
import os
import platform

import torch
from lightning_fabric import Fabric

from kdcore.base import SettingError

_PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}
# glibc's names of what `mallopt` sets: M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD.
_KEEP_MEMORY = ((-1, 2**31 - 1), (-2, 1 << 28), (-3, 1 << 30))


def check_device(device: str) -> None:
    """Raise SettingError unless `device` is "cpu", or a "cuda" device that this machine has."""
    try:
        wanted = torch.device(device)
    except (RuntimeError, TypeError):
        wanted = torch.device("meta")
    if wanted.type not in ("cpu", "cuda"):
        raise SettingError(f"There is no device {device!r} to train on.", "Choose cpu or cuda.")
    if wanted.type == "cuda" and (
        not torch.cuda.is_available() or (wanted.index or 0) >= torch.cuda.device_count()
    ):
        raise SettingError(
            f"The device {device!r} was asked for, and PyTorch finds no such GPU here.",
            "Choose cpu, or install PyTorch with CUDA on a machine that has one.",
        )


def make_fabric(device: str = "cpu", precision: str = "fp32") -> Fabric:
    """Return the launched engine for this process, one of several under `torchrun`.

    Parameters
    ----------
    device : "cpu", "cuda" or "cuda:N"
    precision : "fp32", "bf16", "fp16", or "auto" for bf16 where the device computes in it

    Raises
    ------
    SettingError
        If there is no such device, or it has no half precision of that kind.
    """
    check_device(device)
    if torch.device(device).type == "cuda":
        # Less speed for the same result from the same seed, as far as CUDA can promise it.
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
    name = resolve_precision(device, precision)
    wanted = torch.device(device)
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_WORLD_SIZE", processes))
    fabric = Fabric(
        accelerator=wanted.type,
        devices=[wanted.index] if wanted.index is not None and processes == 1 else local,
        num_nodes=max(1, processes // max(local, 1)),
        strategy="ddp" if processes > 1 else "auto",
        precision=_PRECISIONS[name],  # type: ignore[arg-type]
    )
    fabric.launch()
    return fabric


def is_main_process() -> bool:
    """Tell whether this is the process, of several under `torchrun`, that writes files."""
    return os.environ.get("RANK", "0") == "0"


def resolve_precision(device: str, precision: str) -> str:
    """Return "fp32", "bf16" or "fp16" for a recipe's precision on a device.

    Raises
    ------
    SettingError
        If fp16 is asked for on a CPU, where its small range has no hardware behind it.
    """
    if precision == "auto":
        return "bf16" if _has_bf16(device) else "fp32"
    if precision == "fp16" and torch.device(device).type == "cpu":
        raise SettingError(
            "fp16 was asked for on a CPU.", "Choose fp32, bf16 or auto, or a GPU by --device cuda."
        )
    return precision


def keep_memory() -> None:
    """Tell glibc to keep freed memory: giving it back each step costs a sixth of the time.

    Training allocates and frees the same large blocks at every step; by default glibc returns
    them to the system and faults them in again. Does nothing elsewhere.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        for parameter, value in _KEEP_MEMORY:
            library.mallopt(parameter, value)


def _has_bf16(device: str) -> bool:
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # Without these instructions oneDNN emulates bf16, which is slower than fp32.
    known = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in known)
