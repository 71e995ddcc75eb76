"""Colours and sizes that every chart shares.

Blue and vermilion after Okabe & Ito's palette stay apart for colour-blind readers; the blue is
lightened so that both can be read as text on the light and on the dark page.
"""

from __future__ import annotations

import altair as alt

TEACHER = "#1A80C4"
STUDENT = "#D55E00"
NEUTRAL = "#8A8A8A"
ROLES = ("Teacher", "Student")


def role_colour(legend: bool = True) -> alt.Color:
    """Return the colour channel for a column `model` of "Teacher" and "Student"."""
    scale = alt.Scale(domain=list(ROLES), range=[TEACHER, STUDENT])
    shown = alt.Legend(orient="top", title=None) if legend else None
    return alt.Color("model:N", scale=scale, legend=shown)
