"""Charts of a sweep: what each method reached over seeds, and what it brought."""

from __future__ import annotations

from typing import Any

import altair as alt

from kdcore.base.words import capitalised
from kdcore.charts.dots import interval_dots
from kdcore.charts.style import NEUTRAL, STUDENT
from kdcore.evaluate import Significance
from kdcore.report.sweep_scores import method_title


def mean_dots(found: Significance, title: str) -> alt.LayerChart:
    """Return each method's mean over seeds, with one standard deviation to both sides.

    Parameters
    ----------
    found : the methods of a sweep on one score
    title : what the score is called
    """
    rows: list[dict[str, Any]] = []
    for method in found.methods:
        mean, sd = method.mean.value, method.sd
        ends = {"value": mean, "low": mean - sd, "high": mean + sd}
        told = ", ".join(f"{value:.3f}" for value in method.values)
        rows.append(_row(method.method, "mean ± sd", f"seeds: {told}", ends))
    better = "higher" if found.higher_is_better else "lower"
    axis = f"{capitalised(title)}, mean ± sd over seeds\n({better} is better)"
    return interval_dots(rows, axis, {"mean ± sd": NEUTRAL})


def gain_dots(found: Significance, title: str) -> alt.LayerChart:
    """Return each method less the first reference, with its interval and a line at 0.

    Parameters
    ----------
    found : as `mean_dots` takes it, with a reference
    title : what the score is called

    Raises
    ------
    ValueError
        If the methods were compared with none.
    """
    if not found.references:
        raise ValueError("found: expected methods that were compared with a reference")
    reference = found.references[0]
    series = f"Δ to {method_title(reference)}"
    rows = [
        _row(c.method, series, f"p = {c.p_holm:.3f} (t, Holm)", c.difference.as_dict())
        for c in found.comparisons
        if c.reference == reference
    ]
    better = "right" if found.higher_is_better else "left"
    axis = f"{capitalised(title)}, {series}\n({better} of 0 is better)"
    return interval_dots(rows, axis, {series: STUDENT}, reference=0)


def _row(method: str, series: str, note: str, ends: dict[str, Any]) -> dict[str, Any]:
    return {"label": method_title(method), "series": series, "note": note} | ends
