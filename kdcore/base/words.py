"""Numbers as people read them."""

from __future__ import annotations

import math


def percent(share: float, digits: int = 0) -> str:
    """Return a share of 1 as "64 %", or "n/a" where it is not defined."""
    return "n/a" if math.isnan(share) else f"{100 * share:.{digits}f} %"
