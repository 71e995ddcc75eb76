"""Numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percent(share: float, digits: int = 0) -> str:
    """Return a share of 1 as "64 %", or "n/a" where it is not defined."""
    return "n/a" if math.isnan(share) else f"{100 * share:.{digits}f} %"


def listed(names: Sequence[str]) -> str:
    """Return "A", "A and B" or "A, B and C"; "" of none."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
