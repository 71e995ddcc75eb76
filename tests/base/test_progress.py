from __future__ import annotations

import pytest

from kdcore.base import Cancelled
from kdcore.base.progress import part_of, stop_if


def test_parts_fill_the_whole_in_order() -> None:
    seen: list[tuple[int, int]] = []
    shares = (60, 15, 25)
    for step, share in enumerate(shares):
        report = part_of(lambda *told: seen.append(told), sum(shares[:step]), share, sum(shares))
        assert report is not None
        for done in range(8):
            report(done, 7)
    done = [told for told, _ in seen]
    assert {total for _, total in seen} == {100} and done == sorted(done)
    assert (done[0], done[7], done[15], done[-1]) == (0, 60, 75, 100)


def test_a_step_of_nothing_and_no_progress() -> None:
    seen: list[tuple[int, int]] = []
    report = part_of(lambda *told: seen.append(told), 10, 5, 20)
    assert report is not None
    report(0, 0)
    assert seen == [(10, 20)] and part_of(None, 0, 1, 2) is None


def test_only_a_yes_stops() -> None:
    stop_if(None, "The test")
    stop_if(lambda: False, "The test")
    with pytest.raises(Cancelled, match="The test was cancelled"):
        stop_if(lambda: True, "The test")
