"""Shares of work, time gone by, and rows."""

from __future__ import annotations

import math
import time
from itertools import chain

import pytest

from kdcore.base.counting import in_rows, share, since


def test_shares_of_equal_steps_grow_evenly_from_none_to_all() -> None:
    shares = [share(done, 4, step, 3) for step in range(3) for done in range(5)]
    flat = list(dict.fromkeys(round(12 * s, 9) for s in shares))
    assert flat == list(range(13))  # the end of a step is the start of the next


@pytest.mark.parametrize("wrong", [(-1, 4), (5, 4), (0, 0), (1, 4, 3, 3), (1, 4, -1, 3)])
def test_shares_of_impossible_work_are_refused(wrong: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        share(*wrong)


def test_time_goes_by() -> None:
    start = time.monotonic()
    assert 0 <= since(start) <= time.monotonic() - start
    assert since(-math.inf) == math.inf


@pytest.mark.parametrize(("count", "width"), [(0, 3), (1, 3), (3, 3), (7, 3), (7, 1)])
def test_rows_keep_every_item_in_order(count: int, width: int) -> None:
    rows = in_rows(range(count), width)
    assert list(chain(*rows)) == list(range(count))
    assert all(len(row) == width for row in rows[:-1])
    assert all(0 < len(row) <= width for row in rows)


def test_rows_of_no_width_are_refused() -> None:
    with pytest.raises(ValueError):
        in_rows([1], 0)
