"""Numbers, sizes, times and names as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percent(share: float, digits: int = 0) -> str:
    """Return a share of 1 as "64 %", or "n/a" where it is not defined."""
    return "n/a" if math.isnan(share) else f"{100 * share:.{digits}f} %"


def probability_text(value: float) -> str:
    """Return a probability as people read it: "<1 %", "42 %", ">99 %"."""
    if value < 0.005:
        return "<1 %"
    return ">99 %" if value > 0.995 else f"{value:.0%}".replace("%", " %")


def size_text(size: int) -> str:
    """Return a number of bytes as "0.8 MB", of 10^6 bytes."""
    return f"{size / 1e6:,.1f} MB"


def capitalised(text: str) -> str:
    """Return `text` with its first letter large, the others as they are: "NLL", "Brier"."""
    return text[:1].upper() + text[1:]


def listed(names: Sequence[str]) -> str:
    """Return "A", "A and B" or "A, B and C"; "" of none."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def duration(seconds: float) -> str:
    """Return seconds as people say them: "40 s", "12 min", "3 h 20 min", "2 d 3 h"."""
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"
