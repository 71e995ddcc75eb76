"""Charts of a reader study: mean ratings of both roles, and their differences."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt

from kdcore.charts.dots import interval_dots
from kdcore.charts.style import STUDENT, TEACHER
from kdcore.evaluate.reading import ReadingResult


def rating_dots(
    result: ReadingResult, titles: Mapping[str, str], scale: tuple[float, float] = (1, 5)
) -> alt.LayerChart:
    """Return the mean rating of both roles for each question; `titles` names the questions."""
    rows = [
        {"label": titles[name], "series": role, **found.as_dict()}
        for name, question in result.questions.items()
        for role, found in (("Teacher", question.teacher), ("Student", question.student))
    ]
    low, high = scale
    title = f"Mean rating, {low:g} (not at all) to {high:g} (fully)"
    return interval_dots(rows, title, {"Teacher": TEACHER, "Student": STUDENT}, domain=scale)


def difference_dots(result: ReadingResult, titles: Mapping[str, str]) -> alt.LayerChart:
    """Return student − teacher for each question, with a line at 0."""
    rows = [
        {"label": titles[name], "series": "student − teacher", **found.difference.as_dict()}
        for name, found in result.questions.items()
    ]
    return interval_dots(
        rows, "Student − teacher (points)", {"student − teacher": STUDENT}, reference=0
    )
