"""What the Trade-off page reads: the shipped record, predictions, models of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import measured
from pages.ui.frame import show_error

if TYPE_CHECKING:
    from kdcore.deploy.efficiency import Efficiency, ModelCost
    from kdcore.deploy.latency_record import Timing
    from kdcore.evaluate.robustness import Robustness
    from kdcore.report.tradeoff import Scored, Scores


def folder() -> Path:
    """Return the folder of the shipped results."""
    from kdcore.base import results_folder

    return results_folder()


def record() -> Efficiency | None:
    """Return the shipped efficiency record; None where there is none, and a broken one is told."""
    from kdcore.base import KdError
    from kdcore.report.efficiency_files import NAME

    path = folder() / f"{NAME}.json"
    try:
        return _record(str(folder()), path.stat().st_mtime_ns) if path.is_file() else None
    except KdError as error:
        show_error(error)
        return None


@st.cache_resource(max_entries=2, show_spinner=False)
def _record(where: str, changed: int) -> Efficiency | None:
    from kdcore.report.efficiency_files import read_efficiency

    return read_efficiency(Path(where))


def corrupted() -> Robustness | None:
    """Return the shipped robustness table; None where there is none, and a broken one is told."""
    from kdcore.base import KdError
    from kdcore.report.robustness_files import NAME

    path = folder() / f"{NAME}.json"
    try:
        return _corrupted(str(folder()), path.stat().st_mtime_ns) if path.is_file() else None
    except KdError as error:
        show_error(error)
        return None


@st.cache_resource(max_entries=2, show_spinner=False)
def _corrupted(where: str, changed: int) -> Robustness | None:
    from kdcore.report.robustness_files import read_robustness

    return read_robustness(Path(where))


def models_of(efficiency: Efficiency | None, timings: list[Timing]) -> dict[str, ModelCost]:
    """Return the costs of the timed models by their weights: of the record, else of checkpoints."""
    known = {model.weights: model for model in efficiency.models} if efficiency else {}
    here = measured.by_weights()
    found = {}
    for weights in dict.fromkeys(t.contender.weights for t in timings):
        if weights in known:
            found[weights] = known[weights]
        elif weights in here:
            found[weights] = _local(str(here[weights].path), weights)
    return found


@st.cache_resource(max_entries=16, ttl=60, show_spinner=False)
def _local(path: str, weights: str) -> ModelCost:
    from kdcore.deploy.efficiency_local import local_cost

    return local_cost(Path(path))


def scores_of(efficiency: Efficiency | None) -> Scores:
    """Return what gives the scores of a form of a model on a part; None without predictions.

    Forms that answer as their network does share its scores.
    """
    shelf = measured.by_weights()
    of_record = {model.weights for model in efficiency.models} if efficiency else set()

    def scores(model: ModelCost, engine: str, part: str) -> Scored | None:
        from kdcore.base import KdError
        from kdcore.report.efficiency_files import form_path

        own = shelf.get(model.weights)
        network = own.files.get(part) if own else None
        kept = folder() if model.weights in of_record else None
        path = form_path(kept, model, engine, part, network)
        if path is None:
            return None
        try:
            changed = path.stat().st_mtime_ns if path.is_file() else 0
            return _scored(str(path), changed, model.weights, model.temperature)
        except KdError as error:
            show_error(error)
            return None

    return scores


@st.cache_resource(max_entries=64, show_spinner="Measuring…")
def _scored(path: str, changed: int, weights: str, temperature: float) -> Scored:
    from kdcore.report.efficiency_files import load_form
    from kdcore.report.tradeoff import scored

    return scored(load_form(Path(path), weights), temperature, measured.RESAMPLES)
