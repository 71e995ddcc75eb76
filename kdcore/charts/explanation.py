"""Charts of explanations."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from kdcore.charts.style import NEUTRAL, ROLES, STUDENT, TEACHER


def deletion_chart(drops: Mapping[str, tuple[float, float, float]]) -> alt.LayerChart:
    """Return what taking the causal region away does, against random regions of equal area.

    Parameters
    ----------
    drops : "Teacher" and/or "Student" to (drop for the region, mean drop and standard deviation
        over random regions), each in target probability
    """
    rows = []
    for model, (region, random, spread) in drops.items():
        rows.append({"model": model, "what": "causal region", "drop": region, "spread": 0.0})
        rows.append({"model": model, "what": "random regions", "drop": random, "spread": spread})
    table = pd.DataFrame(rows)
    table["low"], table["high"] = table["drop"] - table["spread"], table["drop"] + table["spread"]
    base = alt.Chart(table).encode(y=alt.Y("what:N", sort=None, title=None))
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        x=alt.X("drop:Q", title="Drop of the target probability", axis=alt.Axis(format="%")),
        yOffset=alt.YOffset("model:N", sort=list(ROLES)),
        color=alt.Color(
            "model:N",
            scale=alt.Scale(domain=list(ROLES), range=[TEACHER, STUDENT]),
            legend=alt.Legend(orient="top", title=None),
        ),
        tooltip=["model:N", "what:N", alt.Tooltip("drop:Q", format=".1%")],
    )
    whiskers = base.mark_rule(color=NEUTRAL, strokeWidth=1.5).encode(
        x="low:Q", x2="high:Q", yOffset=alt.YOffset("model:N", sort=list(ROLES))
    )
    return (bars + whiskers).properties(height=alt.Step(18))
