"""Charts of latency benchmarks: medians, distributions, threads, and the steps of a whole call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from kdcore.charts.dots import interval_dots
from kdcore.charts.lines import labelled_lines
from kdcore.charts.style import NEUTRAL, ROWS, SERIES, model_colours
from kdcore.deploy.latency_record import Benchmark, Timing
from kdcore.report.latency import Ratio, engine_title, median_of, setting_lines, threads_text

_STEPS = ("decode", "preprocess", "network", "softmax")
_POINTS = 200  # of a distribution's line


def latency_colours(timings: Sequence[Timing]) -> dict[str, str]:
    """Return each model's colour by its title."""
    return model_colours({t.contender.title: t.contender.role for t in timings})


def median_dots(benchmark: Benchmark) -> alt.LayerChart:
    """Return the median of each model in each setting, with its interval."""
    rows = []
    for timing in benchmark.timings:
        median, c = median_of(timing), timing.contender
        rows.append(
            {
                "label": setting_lines(c),
                "series": c.title,
                "value": median.value,
                "low": median.low,
                "high": median.high,
                "note": f"{timing.summary.calls} calls",
            }
        )
    return interval_dots(rows, "Median time of a call, ms", latency_colours(benchmark.timings))


def distribution_chart(timings: Sequence[Timing], colours: Mapping[str, str]) -> alt.Chart:
    """Return what share of calls was answered within a time, one line for each model.

    Parameters
    ----------
    timings : of one setting, one for each model
    colours : by the models' titles
    """
    rows = [
        {"ms": ms, "share": share, "series": timing.contender.title}
        for timing in timings
        for ms, share in _cumulative(timing.samples)
    ]
    names = [n for n in colours if n in {row["series"] for row in rows}]
    scale = alt.Scale(domain=names, range=[colours[name] for name in names])
    legend = alt.Legend(orient="top", title=None, labelLimit=260, columns=1)
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X(
                "ms:Q",
                title="Time of a call, ms (logarithmic)",
                scale=alt.Scale(type="log", nice=False),
                axis=alt.Axis(tickCount=6, format="~g"),
            ),
            y=alt.Y("share:Q", title="Share of calls", axis=alt.Axis(format=".0%", tickCount=5)),
            color=alt.Color("series:N", scale=scale, legend=legend),
            tooltip=[
                alt.Tooltip("series:N", title="Model"),
                alt.Tooltip("ms:Q", title="ms", format=".3~g"),
                alt.Tooltip("share:Q", title="Share answered", format=".1%"),
            ],
        )
        .properties(height=220, autosize=ROWS)
    )


def _cumulative(samples: Sequence[float]) -> list[tuple[float, float]]:
    """Return at most `_POINTS` (time, share of samples up to it), first and last among them."""
    ordered = np.sort(np.asarray(samples))
    places = np.unique(np.linspace(0, len(ordered) - 1, _POINTS).round().astype(int))
    return [(float(ordered[k]), float((k + 1) / len(ordered))) for k in places]


def thread_lines(timings: Sequence[Timing], colours: Mapping[str, str]) -> alt.LayerChart:
    """Return the median of each model over the number of threads.

    Parameters
    ----------
    timings : of one engine, batch and way
    colours : by the models' titles
    """
    rows = []
    for timing in timings:
        median = median_of(timing)
        ends = {"value": median.value, "low": median.low, "high": median.high}
        rows.append({"x": timing.contender.threads, "series": timing.contender.title, **ends})
    names = [n for n in colours if n in {row["series"] for row in rows}]
    return labelled_lines(
        rows, "Median time of a call, ms", names, zero=True, x_title="Threads", colours=colours
    )


def part_bars(timings: Sequence[Timing]) -> alt.Chart:
    """Return the mean time of each step from a JPEG to probabilities, one bar for each timing."""
    rows = [
        {
            "what": f"{t.contender.title}\n{_short(t)}",
            "step": step,
            "ms": ms,
            "share": ms / sum(t.parts.values()),
            "order": _STEPS.index(step),
        }
        for t in timings
        for step, ms in t.parts.items()
        if step in _STEPS
    ]
    table = pd.DataFrame(rows)
    labels = list(dict.fromkeys(table["what"]))
    lines = alt.Axis(labelLimit=220, labelExpr="split(datum.label, '\\n')")
    palette = [SERIES[0], SERIES[2], SERIES[4], NEUTRAL]
    return (
        alt.Chart(table)
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("ms:Q", title="Mean time of a picture, ms", stack="zero"),
            y=alt.Y("what:N", title=None, sort=labels, axis=lines),
            color=alt.Color(
                "step:N",
                scale=alt.Scale(domain=list(_STEPS), range=palette),
                legend=alt.Legend(orient="top", title=None, columns=2),
            ),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("what:N", title=" "),
                alt.Tooltip("step:N", title="Step"),
                alt.Tooltip("ms:Q", title="Mean ms", format=".2f"),
                alt.Tooltip("share:Q", title="Share", format=".0%"),
            ],
        )
        .properties(height=max(60, 42 * len(labels)), autosize=ROWS)
    )


def _short(timing: Timing) -> str:
    return f"{engine_title(timing.contender.engine)}, {threads_text(timing.contender.threads)}"


def ratio_dots(ratios: Sequence[Ratio], title: str) -> alt.LayerChart:
    """Return how many times as fast, one row for each pair; 1 is no difference.

    `title` is the axis's: what is faster than what.
    """
    colours = latency_colours([ratio.other for ratio in ratios])
    rows = [
        {
            "label": setting_lines(ratio.other.contender),
            "series": ratio.other.contender.title,
            "value": ratio.times.value,
            "low": ratio.times.low,
            "high": ratio.times.high,
            "note": None,
        }
        for ratio in ratios
    ]
    return interval_dots(rows, title, colours, reference=1.0)
