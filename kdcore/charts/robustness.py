"""Charts of a robustness grid: corruptions beside each other, and one as it gets worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt

from kdcore.charts.dots import interval_dots
from kdcore.charts.lines import labelled_lines
from kdcore.data.corruptions import CLEAN
from kdcore.evaluate.robustness import Robustness, corruption_of
from kdcore.report.robustness import corruption_title, measure_heading


def corruption_chart(
    found: Robustness, measure: str, colours: Mapping[str, str], titles: Mapping[str, str]
) -> alt.LayerChart:
    """Return a measure for each corruption, severities averaged, one dot for each model.

    Parameters
    ----------
    found : the grid's table
    measure : a key of `MEASURE_TITLES`
    colours : by the model's title
    titles : of the models by name
    """
    cells = sorted(found.means, key=lambda c: c.corruption not in (CLEAN, "all"))
    rows = []
    for cell in cells:
        if cell.model in titles:
            value = getattr(cell, measure)
            ends = {"value": value.value, "low": value.low, "high": value.high}
            label = corruption_title(cell.corruption)
            rows.append({"label": label, "series": titles[cell.model], "note": None, **ends})
    difference = measure.startswith("to_")
    return interval_dots(rows, measure_heading(measure), colours, 0.0 if difference else None)


def severity_lines(
    found: Robustness,
    corruption: str,
    measure: str,
    colours: Mapping[str, str],
    titles: Mapping[str, str],
) -> alt.LayerChart:
    """Return a measure of each model over the severities of one corruption; 0 is clean.

    Parameters
    ----------
    found, measure, colours, titles : those of `corruption_chart`
    corruption : a name without severity
    """
    rows = []
    for cell in found.cells:
        if cell.corruption == CLEAN or corruption_of(cell.corruption) == corruption:
            if cell.model not in titles:
                continue
            value = getattr(cell, measure)
            severity = cell.corruption.removeprefix(corruption).lstrip("-")
            place = 0 if cell.corruption == CLEAN else int(severity)
            ends = {"value": value.value, "low": value.low, "high": value.high}
            rows.append({"x": place, "series": titles[cell.model], **ends})
    return labelled_lines(
        rows,
        measure_heading(measure),
        order=[title for title in colours if title in {row["series"] for row in rows}],
        x_title="Severity",
        colours=colours,
    )


def map_chart(
    found: Robustness, colours: Mapping[str, str], titles: Mapping[str, str]
) -> alt.LayerChart:
    """Return how alike maps of corrupted and clean pictures are, severities averaged."""
    rows: Sequence[Mapping[str, object]] = [
        {
            "label": corruption_title(cell.corruption),
            "series": titles[cell.model],
            "value": cell.correlation.value,
            "low": cell.correlation.low,
            "high": cell.correlation.high,
            "note": f"{cell.n} pictures",
        }
        for cell in found.maps
        if cell.model in titles and corruption_of(cell.corruption) == cell.corruption
    ]
    return interval_dots(rows, "Correlation of the map with its clean self", colours)
