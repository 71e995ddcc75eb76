"""Names, shares and times in a sentence."""

from __future__ import annotations

import pytest

from kdcore.base.words import capitalised, duration, listed, size_text


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_names_are_listed(names: list[str], text: str) -> None:
    assert listed(names) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (89.4, "89 s"), (90, "2 min"), (3569, "59 min"), (3571, "1 h 0 min"),
     (12_000, "3 h 20 min"), (86_370, "1 d 0 h"), (183_600, "2 d 3 h")],
)  # fmt: skip
def test_times_are_told_in_two_units_at_most(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_sizes_are_in_millions_of_bytes() -> None:
    assert [size_text(n) for n in (0, 840_000, 1_234_567_890)] == ["0.0 MB", "0.8 MB", "1,234.6 MB"]


def test_the_first_letter_alone_grows() -> None:
    assert [capitalised(text) for text in ("", "a", "nLL (nats)")] == ["", "A", "NLL (nats)"]
