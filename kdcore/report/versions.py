"""Whether saved results are of the checkpoints that are there now."""

from __future__ import annotations

from collections.abc import Mapping


def version_text(measured: Mapping[str, str], present: Mapping[str, str]) -> str:
    """Return which checkpoints have other weights than the ones measured, "" where none has.

    Parameters
    ----------
    measured : SHA-256 of the weights that results are of, by the checkpoint's name
    present : the same of the checkpoints that are there; what is not there is not told
    """
    changed = [n for n, weights in measured.items() if present.get(n, weights) != weights]
    if not changed:
        return ""
    have, their = ("has", "its") if len(changed) == 1 else ("have", "their")
    return (
        f"{', '.join(changed)} {have} other weights now than the ones measured here: these "
        f"numbers are of an earlier version. Compute {their} results again with the command that "
        "made them."
    )
