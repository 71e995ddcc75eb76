"""Orders: the same at every return, balanced, unlike between readers; cases balanced by class."""

from __future__ import annotations

from collections import Counter

import pytest

from kdcore.base import StudyError
from kdcore.study import check_code, check_title, choose_cases, draw_sights


@pytest.mark.parametrize("cases", [1, 2, 5, 6, 41])
def test_an_order_is_deterministic_and_balanced(cases: int) -> None:
    for seed in range(20):
        found = draw_sights("ab12", seed, "R1", cases)
        assert found == draw_sights("ab12", seed, "R1", cases)
        assert [s.place for s in found] == list(range(cases))
        assert sorted(s.case for s in found) == list(range(cases))
        firsts = Counter(s.first for s in found)
        assert abs(firsts["teacher"] - firsts["student"]) == cases % 2
        assert all({s.role("A"), s.role("B")} == {"teacher", "student"} for s in found)
        assert all(s.role("A") == s.first for s in found)


def test_readers_studies_and_seeds_have_orders_of_their_own() -> None:
    orders = {
        draw_sights(study, seed, code, 12)
        for study in ("a", "b")
        for seed in (0, 1)
        for code in ("R1", "R2")
    }
    assert len(orders) == 8


def test_sides_are_fair_for_every_case_and_place() -> None:
    n, cases = 400, 5
    drawn = [draw_sights("study", 3, f"R{k}", cases) for k in range(n)]
    by_case, by_place, where = Counter(), Counter(), Counter()
    for sights in drawn:
        for s in sights:
            by_case[s.case] += s.first == "teacher"
            by_place[s.place] += s.first == "teacher"
            where[s.case, s.place] += 1
    spread = 4 * (n / 4) ** 0.5  # four standard deviations of a fair coin
    for counts in (by_case, by_place):
        assert all(abs(counts[k] - n / 2) < spread for k in range(cases))
    assert all(abs(c - n / cases) < 4 * (n * 0.2 * 0.8) ** 0.5 for c in where.values())
    with pytest.raises(ValueError, match="side"):
        drawn[0][0].role("C")


def test_cases_are_balanced_and_of_different_lesions() -> None:
    classes = ["nv"] * 50 + ["mel"] * 10 + ["df"] * 2
    groups = [f"l{k // 2}" for k in range(62)]
    for seed in range(10):
        chosen = choose_cases(classes, groups, 9, seed)
        assert chosen == choose_cases(classes, groups, 9, seed)
        assert len({groups[i] for i in chosen}) == 9
        counts = Counter(classes[i] for i in chosen)
        assert counts == {"nv": 4, "mel": 4, "df": 1}  # one lesion of df
    assert len({choose_cases(classes, groups, 9, seed) for seed in range(10)}) == 10
    assert len(choose_cases(classes, groups, 31, 0)) == 31


@pytest.mark.parametrize("count", [0, -1, 3])
def test_more_cases_than_lesions_are_refused(count: int) -> None:
    with pytest.raises(StudyError, match="1 to 2 cases"):
        choose_cases(["nv", "mel", "mel"], ["a", "b", "b"], count, 0)
    with pytest.raises(StudyError, match="other pictures"):
        choose_cases([], [], 1, 0)


@pytest.mark.parametrize("code", ["", "ab", "a" * 21, "Dr. Who", "jürgen", "-ab", "a/b", "a\nb"])
def test_bad_codes_are_refused(code: str) -> None:
    with pytest.raises(StudyError, match="3 to 20 letters"):
        check_code(code)


def test_codes_and_titles_are_tidied() -> None:
    assert check_code(" r-01_b ") == check_code("R-01_B") == "R-01_B"
    assert check_title("  Pilot: 6 lesions ") == "Pilot: 6 lesions"
    for bad in ("", "  ", "a" * 81, "a\nb", "a\0b"):
        with pytest.raises(StudyError, match="1 to 80"):
            check_title(bad)
