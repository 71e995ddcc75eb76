"""What a reader is asked of each heatmap, and the pseudonyms that readers go by."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kdcore.base import StudyError

QUESTIONS: Mapping[str, tuple[str, str]] = {
    "plausibility": ("Plausibility", "Does it mark what you would look at for this diagnosis?"),
    "focus": ("Focus", "Does it keep to what matters, and not spill over?"),
    "usefulness": ("Usefulness", "Would it help you to judge the network's answer?"),
}
LOWEST, HIGHEST = 1, 5
SIDES = ("A", "B")
NEITHER = "none"
PREFERENCES: Mapping[str, str] = {"A": "A", "B": "B", NEITHER: "No difference"}
LONGEST_COMMENT = 1000  # characters
LONGEST_TITLE = 80
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,19}")


def check_code(code: str) -> str:
    """Return a reader's code in capitals, so that it is one reader however it is typed.

    Raises
    ------
    StudyError
        If it is not 3 to 20 letters (a to z), digits, hyphens and underscores.
    """
    tidy = code.strip().upper()
    if not _CODE.fullmatch(tidy):
        raise StudyError(
            f"{code.strip()[:40]!r} can't be a reader code.",
            "Use 3 to 20 letters (a to z), digits, - and _, and begin with a letter or digit.",
        )
    return tidy


def check_title(title: str) -> str:
    """Return a study's title without spaces around it.

    Raises
    ------
    StudyError
        If it is empty, longer than 80 characters or has signs that can't be printed.
    """
    tidy = title.strip()
    if not 1 <= len(tidy) <= LONGEST_TITLE or not tidy.isprintable():
        raise StudyError(
            f"{tidy[:40]!r} can't be a study's title.",
            f"Use 1 to {LONGEST_TITLE} characters on one line.",
        )
    return tidy
