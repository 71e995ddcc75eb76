"""The Trade-off page's parts: which times, which models, the question, the chart, the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import state
from pages.ui.figures import show_figure
from pages.ui.frame import bold, escaped, show_error
from pages.ui.tables import show_table
from pages.ui.tradeoff_read import corrupted, models_of, record, scores_of

if TYPE_CHECKING:
    from kdcore.deploy.efficiency import Efficiency
    from kdcore.deploy.latency_record import Benchmark, Timing
    from kdcore.report.tradeoff import Point
    from kdcore.report.tradeoff_words import Answer

LINK = ("times", "setting", "weighed", "forms", "quality", "cost", "bubble", "ms", "mb")
_SHIPPED = "shipped"
_MOST = 1_000_000.0
_OTHER_INT8 = (
    "Size, memory and quality are those of the shipped record where it has the model; the Latency "
    "page times an INT8 file of its own, calibrated on drawn lesions."
)


@dataclass(frozen=True)
class Source:
    """Where times are from: a benchmark, and the record of costs and quality, if there is one."""

    name: str
    benchmark: Benchmark
    efficiency: Efficiency | None


@dataclass(frozen=True)
class View:
    """What is weighed: the points, and what they are of."""

    source: Source
    points: list[Point]
    quality: str
    cost: str
    bubble: str
    setting: str


def choose_source() -> Source | None:
    """Draw the choice of whose times are shown, and return it; None where there are none."""
    from kdcore.deploy.latency_store import list_benchmarks
    from kdcore.report.latency import benchmark_title

    found = record()
    kept, problems = list_benchmarks()
    for problem in problems:
        show_error(problem)
    titles = {k.name: benchmark_title(k.benchmark, k.imported) for k in kept}
    benchmarks = {k.name: k.benchmark for k in kept}
    if found is not None:
        shipped = f"Shipped · {benchmark_title(found.benchmark)}"
        titles = {_SHIPPED: shipped} | titles
        benchmarks[_SHIPPED] = found.benchmark
    if not titles:
        st.info(
            "No times are there yet: measure them on the [Latency page](latency), or with "
            "`python -m kdcore efficiency`.",
            icon=":material/timer:",
        )
        return None
    name = state.choice(
        st.selectbox, "times", "Times measured", list(titles), format_func=titles.get,
        help="With the project, or on this machine by the Latency page.",
    )  # fmt: skip
    return Source(name, benchmarks[name], found)


def choose_view(source: Source) -> View | None:
    """Draw the choice of models, forms and measures; return what follows, None for nothing."""
    from kdcore.report.tradeoff import COSTS, QUALITIES, SHORT, make_points, single_pictures

    by_setting = single_pictures(source.benchmark)
    if not by_setting:
        st.info("This benchmark has timed no single pictures; choose another, or time some.")
        return None
    setting = next(iter(by_setting))
    if len(by_setting) > 1:
        setting = state.choice(st.selectbox, "setting", "Threads of a call", list(by_setting))
    timings = by_setting[setting]
    models = models_of(source.efficiency, timings)
    quality, cost, bubble = _choose_measures(QUALITIES, COSTS)
    titles = {t.contender.model: t.contender.title for t in timings}
    with st.expander("Which models and forms", key="w:weighed-what"):
        names = state.choices(
            "weighed", "Models", list(titles), _default(timings), format_func=titles.get
        )
        known = list(dict.fromkeys(t.contender.engine for t in timings))
        forms = state.choices("forms", "Forms", known, known, format_func=SHORT.get)
    chosen = [t for t in timings if t.contender.model in names and t.contender.engine in forms]
    unknown = {t.contender.title for t in chosen if t.contender.weights not in models}
    for title in sorted(unknown):
        st.caption(
            f":material/help: {escaped(title)} is no checkpoint here: only its time is known."
        )
    scores = scores_of(source.efficiency)
    points = make_points(chosen, models, quality, scores, corrupted())
    if not points:
        st.info("Choose at least one model and one form.", icon=":material/checklist:")
        return None
    return View(source, points, quality, cost, bubble, setting)


def _choose_measures(qualities: Mapping[str, str], costs: Mapping[str, str]) -> tuple[str, ...]:
    places = st.columns(3)
    told = (
        ("quality", "Quality (upwards)", qualities, "macro_f1"),
        ("cost", "Cost (to the right)", costs, "latency"),
        ("bubble", "Size of the bubbles", costs, "size"),
    )
    found = []
    for place, (name, label, options, default) in zip(places, told):
        with place:
            found.append(
                state.choice(
                    st.selectbox, name, label, list(options), default, format_func=options.get
                )
            )
    return tuple(found)


def _default(timings: list[Timing]) -> list[str]:
    """Return the first teacher and every student; all where there is neither."""
    roles = {t.contender.model: t.contender.role for t in timings}
    teachers = [name for name, role in roles.items() if role == "teacher"][:1]
    students = [name for name, role in roles.items() if role == "student"]
    return [*teachers, *students] or list(roles)


def show_question(view: View) -> Answer:
    """Draw the two limits and say what is best within them; return the answer."""
    from kdcore.report.tradeoff_words import answer

    st.subheader("What is best under these limits?")
    left, right = st.columns(2)
    limits = {}
    for place, name, link, label, default in (
        (left, "latency", "ms", "Most time of a picture, ms", 5.0),
        (right, "size", "mb", "Most size of the file, MB", 10.0),
    ):
        with place:
            limits[name] = state.slide(
                link, label, 0.01, _MOST, default, 1.0, widget=st.number_input, format="%g"
            )
    found = answer(view.points, view.quality, limits)
    text = "\n\n".join([bold(found.text), *map(escaped, found.more)])
    if found.best is None:
        st.warning(text, icon=":material/block:")
    else:
        st.success(text, icon=":material/check:")
    return found


def show_chart(view: View, found: Answer) -> None:
    """Draw the points, the front, the limit and what is best."""
    from kdcore.charts.tradeoff import tradeoff_chart
    from kdcore.report.tradeoff import drawable

    st.subheader("Quality against cost")
    st.markdown(
        "Up and to the left is better. What lies on the grey steps is beaten by nothing in both; "
        "what is ringed is the answer above. Lines through a bubble are 95 % intervals."
    )
    shown = drawable(view.points, view.cost)
    if not shown:
        st.info("Of these models this is not known: choose another quality or cost.")
        return
    limit = {"latency": state.get("ms"), "size": state.get("mb")}.get(view.cost)
    chart = tradeoff_chart(
        view.points, view.quality, view.cost, view.bubble,
        **({"limit": limit} if limit else {}), best=found.best,
    )  # fmt: skip
    show_figure(chart, f"tradeoff-{view.quality}-{view.cost}".replace("_", "-"), _note(view))


def show_table_of(view: View) -> None:
    """Draw the table of all numbers."""
    from kdcore.report.efficiency import shown
    from kdcore.report.tradeoff import point_rows

    st.subheader("All numbers")
    rows = point_rows(view.points, view.quality)
    show_table(rows, "tradeoff", note=_note(view), shown=shown(rows), told=False)


def show_recommended(source: Source) -> None:
    """Say which form of each model is recommended, of the shipped record."""
    from kdcore.deploy.efficiency import RULE
    from kdcore.report.efficiency import recommendation

    if source.name != _SHIPPED or source.efficiency is None:
        return
    with st.expander("Which form of each model is recommended", key="w:recommended"):
        for model in source.efficiency.models:
            st.markdown(f"- {bold(recommendation(source.efficiency, model))}")
        st.caption(RULE)
        for text in source.efficiency.left_out:
            st.caption(escaped(text))


def _note(view: View) -> str:
    from kdcore.report.tradeoff import tradeoff_note

    told = tradeoff_note(view.points, view.source.benchmark, view.setting, view.quality)
    if view.source.name == _SHIPPED:
        return told
    return f"{told} {_OTHER_INT8}"
