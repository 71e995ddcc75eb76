"""Who sees what, and in which order: chosen by seed, balanced, the same at every return.

A study's cases are balanced over classes. Each reader sees them in an order of their own, and the
teacher's map as "A" in half of them, in random places (block randomisation; Altman & Bland 1999,
BMJ 319:703): nobody can learn whose map is whose from its letter, and a habit of
answering "A" favours neither.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from kdcore.base import StudyError, numpy_generator, sha256_bytes
from kdcore.study.questions import SIDES

ROLES = ("teacher", "student")


@dataclass(frozen=True)
class Sight:
    """One case as one reader gets it: `place` and `case` from 0, and whose map is "A"."""

    place: int
    case: int
    first: str

    def role(self, side: str) -> str:
        """Return whose map side "A" or "B" is: "teacher" or "student"."""
        if side not in SIDES:
            raise ValueError(f"side: expected one of {', '.join(SIDES)}, got {side!r}")
        return self.first if side == "A" else next(r for r in ROLES if r != self.first)


def draw_sights(study: str, seed: int, code: str, cases: int) -> tuple[Sight, ...]:
    """Return the cases in a reader's order, each with the side of the teacher's map.

    Parameters
    ----------
    study : the study's id
    seed : the study's, a non-negative integer
    code : the reader's
    cases : how many there are; the teacher is "A" in half of them, or one more or less than half
    """
    digest = sha256_bytes(f"{study}/{seed}/{code}".encode())
    generator = numpy_generator(int(digest[:16], 16))
    order = generator.permutation(cases)
    odd_one = int(generator.integers(2))
    firsts = generator.permutation([ROLES[(k + odd_one) % 2] for k in range(cases)])
    return tuple(
        Sight(place, int(case), str(first))
        for place, (case, first) in enumerate(zip(order, firsts, strict=True))
    )


def choose_cases(
    classes: Sequence[str], groups: Sequence[Hashable], count: int, seed: int
) -> tuple[int, ...]:
    """Return which pictures make the cases: classes in turn, one picture of each lesion.

    Parameters
    ----------
    classes : of the N pictures on offer
    groups : their lesions, N of them
    count : how many to choose, at least one
    seed : non-negative integer

    Raises
    ------
    StudyError
        If there are not so many pictures of different lesions.
    """
    generator = numpy_generator(seed)
    one_each: dict[Hashable, int] = {}  # of a lesion, the picture that was drawn first
    for i in generator.permutation(len(classes)):
        one_each.setdefault(groups[i], int(i))
    kept = list(one_each.values())
    if not 1 <= count <= len(kept):
        raise StudyError(
            f"{count} cases were asked for, and there are {len(kept)} pictures of different "
            "lesions.",
            f"Choose 1 to {len(kept)} cases." if kept else "Choose other pictures.",
        )
    names = generator.permutation(sorted({classes[i] for i in kept}))
    queues = [[i for i in kept if classes[i] == name] for name in names]
    rounds = [q[k] for k in range(max(map(len, queues))) for q in queues if k < len(q)]
    return tuple(rounds[:count])
