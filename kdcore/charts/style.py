"""Colours and sizes that every chart shares.

The two colours are blue and vermilion of Okabe & Ito's palette: they stay apart for colour-blind
readers, in grey print, and on the light and the dark page.
"""

from __future__ import annotations

import altair as alt

TEACHER = "#0072B2"
STUDENT = "#D55E00"
NEUTRAL = "#8A8A8A"
ROLES = ("Teacher", "Student")


def role_colour(legend: bool = True) -> alt.Color:
    """Return the colour channel for a column `model` of "Teacher" and "Student"."""
    scale = alt.Scale(domain=list(ROLES), range=[TEACHER, STUDENT])
    shown = alt.Legend(orient="top", title=None) if legend else None
    return alt.Color("model:N", scale=scale, legend=shown)
