"""How a table is fitted onto a page: its letters' size, the page's turn, its columns' widths.

The widths are shared out as in CSS 2.1, section 17.5.2.2 (automatic table layout): each column
gets what its longest word needs, and of the rest in proportion to what its longest cell lacks. It
deviates in what it does where that is too wide: the letters get smaller, the page is turned, and
last the columns are split over several tables that repeat the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

INSET = 3.0  # pt, on each side of a cell
_SLACK = 0.5  # pt, as a typesetter rounds
_COMFORT = 0.5  # of its longest cell; a narrower column is a tower of words


@dataclass(frozen=True)
class Page:
    """What a table is fitted to.

    Attributes
    ----------
    portrait, landscape : pt that a table may be wide, upright and turned
    tried : size in pt, whether the page is turned, whether columns are to be comfortable
    split : the same two of a table whose columns are split over several, the last resort
    word : em that no word may be as wide as: two of them fit beside each other when split
    """

    portrait: float
    landscape: float
    tried: tuple[tuple[float, bool, bool], ...]
    split: tuple[float, bool]
    word: float

    def room(self, turned: bool) -> float:
        """Return the width of a table on the page, or on the turned page, in pt."""
        return self.landscape if turned else self.portrait


A4 = Page(  # a little less than between the margins
    493.0, 740.0,
    (
        (8.5, False, True), (7.5, False, True), (8.5, True, True), (7.5, True, True),
        (7.5, False, False), (7.5, True, False), (6.5, True, False),
    ),
    (7.5, True), 40.0,
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """Some columns of a table, by index, and their widths in pt with insets."""

    columns: tuple[int, ...]
    widths: tuple[float, ...]


@dataclass(frozen=True)
class Fit:
    """A table on a page: the letters' size in pt, if the page is turned, one part or several."""

    size: float
    turned: bool
    parts: tuple[Part, ...]


def fit_table(
    least: Sequence[float], longest: Sequence[float], page: Page = A4, lead: int = 1
) -> Fit:
    """Return how a table fits a page.

    Parameters
    ----------
    least : of each column, the width of its longest word, in em; below `page.word`
    longest : of each column, the width of its longest cell on one line, in em
    page : to fit it to
    lead : columns that each part repeats, where they leave room for another; else the first

    Raises
    ------
    ValueError
        If the two differ in length, are empty, or a word is too long for the page.
    """
    if not least or len(least) != len(longest):
        raise ValueError(f"least: expected a width a column, got {len(least)} of {len(longest)}")
    if max(least) >= page.word:
        raise ValueError(f"least: expected words below {page.word:g} em, got {max(least):.1f}")
    longest = [max(pair) for pair in zip(least, longest)]
    for size, turned, comfortable in page.tried:
        room = page.room(turned)
        wanted = [max(a, _COMFORT * b) for a, b in zip(least, longest)] if comfortable else least
        if sum(_needed(w, size) for w in wanted) <= room:
            every = tuple(range(len(least)))
            return Fit(size, turned, (_part(every, least, longest, size, room),))
    size, turned = page.split
    room = page.room(turned)
    groups = _groups([_needed(w, size) for w in least], room, lead)
    return Fit(size, turned, tuple(_part(g, least, longest, size, room) for g in groups))


def _needed(em: float, size: float) -> float:
    """Return the width in pt of a column whose content is `em` wide."""
    return em * size + 2 * INSET + _SLACK


def _groups(widths: Sequence[float], room: float, lead: int) -> list[tuple[int, ...]]:
    """Return columns in groups that fit the room, each with the leading columns before it."""
    groups: list[list[int]] = [[]]
    if sum(widths[:lead]) + max(widths[lead:], default=0.0) > room:
        lead = 1
    left = room - sum(widths[:lead])
    for column, width in enumerate(widths[lead:], start=lead):
        if width > left and groups[-1]:
            groups.append([])
            left = room - sum(widths[:lead])
        groups[-1].append(column)
        left -= width
    return [(*range(lead), *group) for group in groups]


def _part(
    columns: tuple[int, ...],
    least: Sequence[float],
    longest: Sequence[float],
    size: float,
    room: float,
) -> Part:
    """Return the columns with what each needs, and its share of what is left of the room."""
    low = [_needed(least[c], size) for c in columns]
    lack = [_needed(longest[c], size) - w for c, w in zip(columns, low)]
    share = min(1.0, (room - sum(low)) / total) if (total := sum(lack)) > 0 else 0.0
    return Part(columns, tuple(w + share * more for w, more in zip(low, lack)))
