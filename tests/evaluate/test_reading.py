"""A reader study's analysis against SciPy, statsmodels and closed forms, and where it says less."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from kdcore.evaluate.reading import analyse_reading

NAN = np.nan


def ratings(rng: np.random.Generator, readers: int, cases: int, gain: float = 0.0) -> np.ndarray:
    """Ratings 1 to 5 with effects of case, reader and role."""
    case = rng.normal(0, 0.8, (1, cases, 1))
    reader = rng.normal(0, 0.4, (readers, 1, 1))
    values = 3 + case + reader + np.array([0, gain]) + rng.normal(0, 0.7, (readers, cases, 2))
    return np.clip(np.rint(values), 1, 5)


def analyse(values: np.ndarray, preferences: np.ndarray | None = None, n_boot: int = 200):
    chosen = np.full(values.shape[:2], NAN) if preferences is None else preferences
    return analyse_reading({"focus": values}, chosen, n_boot=n_boot)


def test_means_and_test_against_scipy(rng: np.random.Generator) -> None:
    values = ratings(rng, 3, 25, gain=0.6)
    found = analyse(values).questions["focus"]
    teacher, student = values[..., 0], values[..., 1]
    assert found.teacher.value == pytest.approx(teacher.mean())
    assert found.student.value == pytest.approx(student.mean())
    assert found.difference.value == pytest.approx((student - teacher).mean())
    by_case = np.round((student - teacher).mean(0), 12)
    expected = stats.wilcoxon(by_case[by_case != 0], method="auto")
    assert found.p == pytest.approx(expected.pvalue)
    assert found.p_holm == found.p, "one question alone is not corrected"
    assert (found.cases, found.ratings) == (25, 150)
    assert not found.too_few
    assert found.difference.low < found.difference.value < found.difference.high


def test_one_reader_gives_the_interval_of_the_cases(rng: np.random.Generator) -> None:
    values = ratings(rng, 1, 60, gain=0.5)
    found = analyse(values, n_boot=3000).questions["focus"].difference
    difference = values[0, :, 1] - values[0, :, 0]
    half = 1.96 * difference.std() / np.sqrt(60)
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)


def test_the_difference_is_that_of_a_mixed_model(rng: np.random.Generator) -> None:
    values = ratings(rng, 4, 40, gain=0.5)
    reader, case, role = np.indices(values.shape).reshape(3, -1)
    table = pd.DataFrame({"y": values.ravel(), "reader": reader, "case": case, "role": role})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = smf.mixedlm("y ~ role + C(reader)", table, groups="case").fit()
    found = analyse(values, n_boot=1000).questions["focus"].difference
    assert found.value == pytest.approx(model.params["role"], abs=1e-6), "a balanced design"
    width = 2 * 1.96 * model.bse["role"]
    assert found.high - found.low == pytest.approx(width, rel=0.35)


def test_missing_ratings_are_left_out(rng: np.random.Generator) -> None:
    values = ratings(rng, 3, 12)
    values[0, :4] = NAN
    values[1, 5, 0] = NAN  # a map alone counts for its mean, not for the difference
    values[:, 11] = NAN
    result = analyse(values)
    found = result.questions["focus"]
    assert (found.cases, result.n_cases, result.n_readers) == (11, 11, 3)
    assert found.student.value == pytest.approx(np.nanmean(values[..., 1]))
    both = values[..., 1] - values[..., 0]
    assert found.difference.value == pytest.approx(np.nanmean(both))
    assert found.ratings == int((~np.isnan(values)).sum())


def test_swapping_the_roles_turns_the_sign(rng: np.random.Generator) -> None:
    values, chosen = ratings(rng, 2, 15, 0.4), rng.integers(-1, 2, (2, 15)).astype(float)
    one, other = analyse(values, chosen), analyse(values[..., ::-1], -chosen)
    a, b = one.questions["focus"], other.questions["focus"]
    assert (a.teacher, a.student, a.p) == (b.student, b.teacher, b.p)
    assert (a.difference.value, a.difference.low) == pytest.approx(
        (-b.difference.value, -b.difference.high)
    )
    assert a.alpha == b.alpha
    assert one.preference.p == other.preference.p
    assert one.preference.share.value == pytest.approx(1 - other.preference.share.value)


def test_questions_share_holms_correction(rng: np.random.Generator) -> None:
    three = {name: ratings(rng, 2, 20, gain) for name, gain in (("a", 1), ("b", 0.3), ("c", 0))}
    result = analyse_reading(three, np.full((2, 20), NAN), n_boot=50)
    raw = {name: found.p for name, found in result.questions.items()}
    smallest = min(raw, key=raw.__getitem__)
    assert result.questions[smallest].p_holm == pytest.approx(min(1, 3 * raw[smallest]))
    assert all(f.p_holm >= f.p for f in result.questions.values())


def test_preferences_against_statsmodels_and_the_binomial() -> None:
    chosen = np.array([[1, 1, -1, 0, 1, 1, 0], [1, -1, -1, 0, 1, 0, NAN]], dtype=float)
    found = analyse(np.full((2, 7, 2), 3.0), chosen).preference
    assert (found.teacher, found.neither, found.student) == (3, 4, 6)
    # Cases: student, even, teacher, even, student, student, even.
    assert (found.cases_teacher, found.cases_even, found.cases_student) == (1, 3, 3)
    assert found.p == pytest.approx(2 * (1 + 4) / 2**4)
    low, high = proportion_confint(3, 4, method="wilson")
    assert (found.share.low, found.share.high) == pytest.approx((low, high))
    assert found.p_floor == 2 / 2**4 and found.too_few


def test_little_to_say_of_little(rng: np.random.Generator) -> None:
    nothing = analyse(np.full((0, 4, 2), NAN), np.full((0, 4), NAN))
    assert (nothing.n_readers, nothing.n_cases) == (0, 0)
    found = nothing.questions["focus"]
    assert np.isnan([found.teacher.value, found.difference.value, found.alpha.value]).all()
    assert np.isnan(found.p) and found.too_few
    assert np.isnan(nothing.preference.p) and np.isnan(nothing.preference.share.value)
    one = analyse(np.array([[[2.0, 4.0]]]), np.array([[1.0]]))
    assert one.questions["focus"].difference.value == 2
    assert np.isnan(one.questions["focus"].difference.low)
    assert one.questions["focus"].p == 1 and one.questions["focus"].too_few
    equal = analyse(np.full((2, 20, 2), 3.0), np.zeros((2, 20)))
    assert equal.questions["focus"].p == 1 and equal.preference.p == 1
    assert np.isnan(equal.questions["focus"].alpha.value)


def test_what_is_no_answer_raises() -> None:
    good = np.full((2, 3, 2), 3.0)
    with pytest.raises(ValueError, match=r"questions\['focus'\]"):
        analyse(good, np.zeros((3, 3)))
    with pytest.raises(ValueError, match="at least one"):
        analyse_reading({}, np.zeros((2, 3)))
    with pytest.raises(ValueError, match="preferences"):
        analyse(good, np.full((2, 3), 2.0))
    with pytest.raises(ValueError, match="ratings"):
        analyse(good + 0.5)
