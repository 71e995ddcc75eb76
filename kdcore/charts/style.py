"""Colours and sizes that every chart shares.

Blue and vermilion after Okabe & Ito's palette stay apart for colour-blind readers; the blue is
lightened so that both can be read as text on the light and on the dark page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

TEACHER = "#1A80C4"
STUDENT = "#D55E00"
NEUTRAL = "#8A8A8A"
ROLES = ("Teacher", "Student")
# For what is neither: each has a contrast of 3.7 or more to the light and to the dark page.
SERIES = ("#0E8F6E", "#A05FB4", "#A87808", "#C8507F", "#5C7FA3", "#6E7F1F")
# For charts whose height counts rows: it is the plot's own, with axes and legend outside of it.
ROWS = alt.AutoSizeParams(type="fit-x", contains="padding")


# "50 %", as in sentences, on every axis and in every tooltip.
_CONFIG: Any = {
    "locale": {
        "number": {
            "decimal": ".",
            "thousands": ",",
            "grouping": [3],
            "currency": ["", ""],
            "percent": "\xa0%",
        }
    },
}


@alt.theme.register("distilscope", enable=True)
def _theme() -> alt.theme.ThemeConfig:
    return {"config": _CONFIG}


def model_colours(roles: Mapping[str, str]) -> dict[str, str]:
    """Return a colour for each model by name: the first teacher blue, the first student vermilion.

    `roles` has "teacher", "student", "baseline" or another word for each name; models beyond the
    first of those two roles are given the other colours in turn.
    """
    reserved = {"teacher": TEACHER, "student": STUDENT}
    colours: dict[str, str] = {}
    others = 0
    for name, role in roles.items():
        if role in reserved:
            colours[name] = reserved.pop(role)
        else:
            colours[name] = SERIES[others % len(SERIES)]
            others += 1
    return colours


def role_colour(legend: bool = True) -> alt.Color:
    """Return the colour channel for a column `model` of "Teacher" and "Student"."""
    scale = alt.Scale(domain=list(ROLES), range=[TEACHER, STUDENT])
    shown = alt.Legend(orient="top", title=None) if legend else None
    return alt.Color("model:N", scale=scale, legend=shown)
