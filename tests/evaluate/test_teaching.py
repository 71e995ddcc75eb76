"""Cases that teach: each kind by its definition, on constructed and on random answers."""

import numpy as np
import pytest

from kdcore.evaluate.teaching import KINDS, teaching_cases


def probs(answer: int, sure: float, classes: int = 3) -> np.ndarray:
    """Return probabilities (C,) with `sure` on the answer and the rest shared."""
    found = np.full(classes, (1 - sure) / (classes - 1))
    found[answer] = sure
    return found


def test_each_kind_is_found_where_there_is_one() -> None:
    labels = [0, 0, 1, 1, 2, 2]
    teacher = [
        probs(0, 0.9),
        probs(0, 0.7),
        probs(1, 0.8),
        probs(0, 0.9),
        probs(2, 0.95),
        probs(2, 0.4),
    ]
    student = [
        probs(0, 0.8),
        probs(0, 0.6),
        probs(2, 0.8),
        probs(0, 0.8),
        probs(2, 0.9),
        probs(2, 0.9),
    ]
    found = teaching_cases(labels, teacher, student)
    assert found == {"agree": 4, "part": 2, "err": 3, "doubt": 5, "worsen": 1}
    assert tuple(found) == KINDS


def test_of_different_answers_one_where_the_teacher_is_right_comes_before_a_surer_one() -> None:
    labels = [0, 1, 2, 1]
    teacher = [probs(0, 0.9), probs(1, 0.4), probs(0, 0.9), probs(1, 0.9)]
    student = [probs(0, 0.9), probs(0, 0.4), probs(1, 0.9), probs(1, 0.9)]
    assert teaching_cases(labels, teacher, student)["part"] == 1


def test_a_class_with_most_images_comes_last() -> None:
    labels = [0, 0, 0, 1]
    one = [probs(0, 0.9), probs(0, 0.9), probs(0, 0.5), probs(1, 0.6)]
    assert teaching_cases(labels, one, one)["doubt"] == 3


@pytest.mark.parametrize("seed", range(20))
def test_random_answers_fit_their_kind_and_no_row_comes_twice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, 12)
    teacher, student = rng.dirichlet(np.ones(4), (2, 12))
    found = teaching_cases(labels, teacher, student)
    assert len(set(found.values())) == len(found)
    for kind, row in found.items():
        t, s, y = teacher[row].argmax(), student[row].argmax(), labels[row]
        right = {
            "agree": t == s == y,
            "part": t != s,
            "err": t == s != y,
            "doubt": True,
            "worsen": t == s == y,
        }
        assert right[kind], kind


def test_nothing_to_choose_from() -> None:
    assert teaching_cases([], [], []) == {}


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="expected equal lengths, got 1, 1, 0"):
        teaching_cases([0], [probs(0, 0.9)], [])
