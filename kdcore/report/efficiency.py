"""Efficiency records as tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kdcore.base.words import size_text
from kdcore.deploy.efficiency import RULE, Efficiency, ModelCost, Variant
from kdcore.evaluate import Evaluation, Interval
from kdcore.report.cells import Rows, interval_text, markdown_table, number
from kdcore.report.latency import engine_title, median_of, threads_text, timed

Evaluations = Mapping[tuple[str, str], Evaluation]  # by the names of model and engine
_SCORES = ("macro_f1", "balanced_accuracy", "accuracy", "ece")
_MODEL_HEAD = (
    *("model", "accuracy", "macro-F1", "ECE", "CPU ms p50, eager", "recommended"),
    *("its ms p50", "its speed-up", "params MB", "MACs, G"),
)
_ARTEFACT_HEAD = (
    *("model", "artefact", "recommended", "size, MB", "p50 ms", "speed-up", "peak memory, MB"),
    *("macro-F1", "balanced accuracy", "accuracy", "ECE", "same answers"),
    *("macro-F1 lost on validation", "max |Δ logit|"),
)


def model_rows(found: Efficiency, evaluations: Evaluations | None = None) -> Rows:
    """Return one row for each model: scores on test, times, parameters, MACs.

    Scores are intervals where `evaluations` has the network's.
    """
    body: Rows = []
    for m in found.models:
        names = ("accuracy", "macro_f1", "ece")
        scores = [score_of(m, m.variants[0], name, evaluations) for name in names]
        best = m.recommended.engine
        body.append(
            [m.title, *scores, _p50(found, m, "eager"), engine_title(best),
             _p50(found, m, best), found.speed_up(m, best), m.parameters_mb, m.macs / 1e9]
        )  # fmt: skip
    return [[*_MODEL_HEAD], *body]


def artefact_rows(found: Efficiency, evaluations: Evaluations | None = None) -> Rows:
    """Return one row for each form of each model; scores are as `model_rows` has them."""
    body: Rows = []
    for m in found.models:
        for v in m.variants:
            test, val = v.quality.get("test"), v.quality.get("val")
            network = m.variants[0].quality.get("val")
            lost = network.macro_f1 - val.macro_f1 if network and val else None
            body.append(
                [
                    m.title,
                    engine_title(v.engine),
                    "yes" if v.recommended else "",
                    v.size / 1e6,
                    _p50(found, m, v.engine),
                    found.speed_up(m, v.engine),
                    v.memory.own if v.memory else None,
                    *(score_of(m, v, name, evaluations) for name in _SCORES),
                    test.agreement if test else None,
                    lost,
                    v.check.max_delta if v.check else None,
                ]
            )
    return [[*_ARTEFACT_HEAD], *body]


def score_of(
    model: ModelCost, variant: Variant, name: str, evaluations: Evaluations | None = None
) -> Interval | float | None:
    """Return a score of a form on test, None where there is none.

    Parameters
    ----------
    model, variant : of the record
    name : of the record's scores: "macro_f1", "balanced_accuracy", "accuracy" or "ece"
    evaluations : by the names of model and engine; a form without one has its plain number
    """
    found = (evaluations or {}).get((model.name, variant.engine))
    if found is not None:
        return found.metrics[name]
    quality = variant.quality.get("test")
    return float(getattr(quality, name)) if quality else None


def restricted(found: Efficiency, titles: Mapping[str, str]) -> Efficiency:
    """Return the record of some models alone, under other titles.

    `titles` gives them by the SHA-256 of the models' weights; at least one is in the record.
    """
    models = tuple(replace(m, title=titles[m.weights]) for m in found.models if m.weights in titles)
    timings = tuple(
        replace(t, contender=replace(t.contender, title=titles[t.contender.weights]))
        for t in found.benchmark.timings
        if t.contender.weights in titles
    )
    return replace(found, models=models, benchmark=replace(found.benchmark, timings=timings))


def recommendation(found: Efficiency, model: ModelCost) -> str:
    """Return which form of a model is recommended, how fast it is and what it loses, in words."""
    best, n = model.recommended, found.speed_up(model, model.recommended.engine)
    timing = found.timing(model, best.engine)
    time = f"{timing.summary.p50:.2f} ms" if timing else "n/a"
    text = f"**{model.title}**: {engine_title(best.engine)}, {time}"
    if best.engine == "eager":
        return f"{text}; no export of it is faster without losing more than allowed."
    text += f", {n:.1f} times as fast as eager, {size_text(best.size)}"
    own, network = best.quality.get("test"), model.variants[0].quality.get("test")
    if own and network:
        delta = own.macro_f1 - network.macro_f1
        text += (
            f"; macro-F1 on test {own.macro_f1:.3f}, the network's {network.macro_f1:.3f} "
            f"({'no' if not round(delta, 3) else f'{delta:+.3f}'.replace('-', '−')} change)"
        )
    return f"{text}."


def table_note(found: Efficiency) -> str:
    """Return what the tables are of: machine, conditions, and what quality was measured."""
    first = found.benchmark.timings[0].contender
    sizes = sorted(
        {v.quality["test"].n for m in found.models for v in m.variants if "test" in v.quality}
    )
    n = f", n = {sizes[0]:,}" if len(sizes) == 1 else ""
    quality = (
        f"Quality: test part of {found.data}{n}, probabilities at the card's temperature; INT8 is "
        f"calibrated on {found.calibration} pictures of the training part."
        if found.data
        else "Quality is left out: there were no pictures."
    )
    return (
        f"Time of one picture through the network, {threads_text(first.threads)}: "
        f"{timed(found.benchmark)} MB is 10^6 bytes; parameters at "
        f"float32; the eager network's file may be in half precision. {quality}"
    )


def markdown_summary(found: Efficiency) -> str:
    """Return the recommendations, both tables, and what they are of."""
    parts = ["# Efficiency", "\n".join(f"- {recommendation(found, m)}" for m in found.models)]
    for title, rows in (("Models", model_rows(found)), ("Artefacts", artefact_rows(found))):
        parts += [f"## {title}", markdown_table(shown(rows)).rstrip()]
    parts += [table_note(found), RULE, *found.left_out]
    return "\n\n".join(parts) + "\n"


def shown(rows: Rows) -> list[list[str]]:
    """Return rows as texts for people: few digits, "" for what is missing."""
    head, *body = rows
    return [[str(name) for name in head], *([_cell(value) for value in row] for row in body)]


def _cell(value: object) -> str:
    if isinstance(value, Interval):
        return interval_text(value, _digits(value.value))
    if isinstance(value, float):
        return number(value, _digits(value)) if not 0 < abs(value) < 5e-4 else f"{value:.1g}"
    return "" if value is None else str(value)


def _digits(value: float) -> int:
    """Return decimals that leave three figures or so."""
    return 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3


def _p50(found: Efficiency, model: ModelCost, engine: str) -> Interval | None:
    timing = found.timing(model, engine)
    return median_of(timing) if timing else None
