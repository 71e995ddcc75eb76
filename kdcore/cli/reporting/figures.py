"""A chart as a figure of the report, drawn once as SVG and once as PDF."""

from __future__ import annotations

import altair as alt

from kdcore.charts.figure import figure_bytes
from kdcore.report.document import Figure


def figure(name: str, title: str, chart: alt.TopLevelMixin, note: str, source: str) -> Figure:
    """Return `chart` as a figure.

    Parameters
    ----------
    name : stem of its files
    title : one line
    chart : what is drawn
    note : what it is of, drawn below it, so that the file alone says it
    source : the files that it was made from
    """
    svg, pdf = (figure_bytes(chart, kind, note) for kind in ("svg", "pdf"))
    return Figure(name, title, source, svg, pdf)
