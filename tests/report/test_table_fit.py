"""Fitting tables: nothing is wider than the page, no column narrower than its longest word."""

from __future__ import annotations

import numpy as np
import pytest

from kdcore.report.table_fit import A4, INSET, fit_table

SEEDS = range(40)


def draw(seed: int) -> tuple[list[float], list[float]]:
    rng = np.random.default_rng(seed)
    columns = int(rng.integers(1, 40))
    least = rng.uniform(0, rng.choice([3, 12, 39]), columns)
    return least.tolist(), (least * rng.uniform(1, 6, columns)).tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_part_fits_and_holds_its_words(seed: int) -> None:
    least, longest = draw(seed)
    fit = fit_table(least, longest)
    room = A4.room(fit.turned)
    for part in fit.parts:
        assert sum(part.widths) <= room + 1e-9
        for column, width in zip(part.columns, part.widths, strict=True):
            assert width >= least[column] * fit.size + 2 * INSET
            assert width <= longest[column] * fit.size + 2 * INSET + 1


@pytest.mark.parametrize("seed", SEEDS)
def test_every_column_is_there_once_and_the_first_in_each_part(seed: int) -> None:
    least, longest = draw(seed)
    parts = fit_table(least, longest).parts
    assert {part.columns[0] for part in parts} == {0}
    rest = [column for part in parts for column in part.columns[1:]]
    assert rest == list(range(1, len(least)))


@pytest.mark.parametrize("seed", SEEDS)
def test_more_columns_are_repeated_where_they_leave_room(seed: int) -> None:
    least, longest = draw(seed)
    fit = fit_table(least, longest, lead=2)
    for part in fit.parts:
        assert sum(part.widths) <= A4.room(fit.turned) + 1e-9
    assert {c for part in fit.parts for c in part.columns} == set(range(len(least)))
    wide = fit_table([6.0] * 40, [7.0] * 40, lead=2)
    assert len(wide.parts) > 1 and {part.columns[:2] for part in wide.parts} == {(0, 1)}


def test_a_small_table_has_its_natural_widths() -> None:
    fit = fit_table([1.0, 2.0], [3.0, 4.0])
    assert (fit.size, fit.turned) == (8.5, False)
    assert fit.parts[0].widths == pytest.approx([3 * 8.5 + 6.5, 4 * 8.5 + 6.5])


def test_what_is_left_is_shared_by_what_each_lacks() -> None:
    least, longest = [5.0, 5.0, 5.0], [5.0, 25.0, 45.0]
    widths = fit_table(least, longest).parts[0].widths
    assert sum(widths) == pytest.approx(A4.portrait)
    gains = [width - (5 * 8.5 + 6.5) for width in widths]
    assert gains[0] == 0 and gains[2] == pytest.approx(2 * gains[1])


def test_a_wider_table_never_gets_a_smaller_page() -> None:
    grades = []
    for columns in range(1, 30):
        fit = fit_table([6.0] * columns, [7.0] * columns)
        grades.append((len(fit.parts) > 1, fit.turned))
    assert grades == sorted(grades) and grades[0] == (False, False) and grades[-1] == (True, True)


@pytest.mark.parametrize(("least", "longest"), [([], []), ([1.0], []), ([40.0], [40.0])])
def test_what_cannot_be_fitted(least: list[float], longest: list[float]) -> None:
    with pytest.raises(ValueError, match="least"):
        fit_table(least, longest)
