"""What the Measure pages share: which models, their saved predictions, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import state
from pages.ui.frame import show_error

if TYPE_CHECKING:
    from kdcore.evaluate import Evaluation, PairComparison
    from kdcore.models import Checkpoint
    from kdcore.predict import Predictions
    from kdcore.predict.shelf import Measured
    from kdcore.report.notes import Counted, WithIntervals

LINK = ("models",)
RESAMPLES = 1000


def choose_models(least: int = 1, part: str = "test") -> list[Measured]:
    """Draw the picker and return the chosen `Measured`; ends the page where there are too few.

    Offered are the models with predictions on `part`. The default is the strongest teacher that is
    one network, the strongest student, and the strongest baseline of that student's network.
    """
    found = {m.name: m for m in shelf(part, tell=True)}
    if len(found) < least:
        st.info(
            f"This page needs saved predictions of {least} models, and there are {len(found)}. "
            "Train one, or make them with `python -m kdcore predict`.",
            icon=":material/model_training:",
        )
        st.stop()
    chosen = state.choices(
        "models",
        "Models",
        list(found),
        default=_default(found),
        format_func=lambda name: found[name].title,
        help="Shipped, of your runs, or imported on the Compare page. The first is compared with.",
    )
    if len(chosen) < least:
        st.info(f"Choose at least {least} models.", icon=":material/checklist:")
        st.stop()
    return [found[name] for name in chosen]


def shelf(part: str = "", tell: bool = False) -> list[Measured]:
    """Return the models with predictions, strongest first, only those on `part` if it is given.

    What can't be read is left out, and with `tell` it is said.
    """
    from kdcore.predict.shelf import list_measured

    found, problems = list_measured()
    for problem in problems if tell else ():
        show_error(problem)
    return [model for model in found if not part or part in model.files]


def by_weights() -> dict[str, Measured]:
    """Return the models of checkpoints by the SHA-256 of their weights."""
    return {m.card.weights_sha256: m for m in shelf() if m.card}


def baseline_for(student: Measured | None, part: str = "test") -> Measured | None:
    """Return the strongest baseline with predictions on `part`, of the student's network if any."""
    from kdcore.predict.shelf import baseline_of

    return baseline_of(student, shelf(part))


def choose_model(label: str, name: str, models: Sequence[Measured], index: int = 0) -> Measured:
    """Draw a picker of one of `models` under the link's `name`, by default that at `index`."""
    by_name = {m.name: m for m in models}
    default = list(by_name)[min(index, len(by_name) - 1)]
    chosen = state.choice(
        st.selectbox,
        name,
        label,
        list(by_name),
        default=default,
        format_func=lambda n: by_name[n].title,
    )
    return by_name[chosen]


def load(model: Measured, part: str = "test") -> Predictions:
    """Return a model's predictions on a part; raises `KdError`."""
    return _load(model, part, _key(model, part)) if part in model.files else model.load(part)


def load_of(checkpoint: Checkpoint, part: str = "test") -> Predictions | None:
    """Return the predictions that lie with a checkpoint, None where none are saved.

    Raises `KdError` where they can't be read.
    """
    model = next((m for m in shelf(part) if m.files[part].parent == checkpoint.path), None)
    return load(model, part) if model else None


def temperature(model: Measured, calibrated: bool = True) -> float:
    """Return what a model's logits are divided by: its own temperature, or 1."""
    return model.temperature if calibrated else 1.0


def foreign() -> list[Measured]:
    """Return the models whose predictions were imported."""
    from kdcore.predict.shelf import FOREIGN

    return [model for model in shelf() if model.role == FOREIGN]


def colours(models: Sequence[Measured]) -> dict[str, str]:
    """Return each model's colour by its title."""
    from kdcore.charts.style import model_colours

    return model_colours({m.title: m.role for m in models})


def evaluation(model: Measured, part: str = "test", calibrated: bool = True) -> Evaluation:
    """Return a model's evaluation with intervals; raises `KdError`."""
    return evaluate(load(model, part), _key(model, part), temperature(model, calibrated))


def key(models: Sequence[Measured], *parts: str) -> str:
    """Return what names the content of the models' predictions, for caches."""
    return ";".join(_key(model, part) for model in models for part in parts)


def note(found: WithIntervals) -> str:
    """Return what a figure is of: part, images and lesions, and how its intervals were made.

    `found` is any result that has `n`, `n_groups`, `interval_method` and `split`.
    """
    from kdcore.report.notes import note as told

    return told(found)


def counted(found: Counted) -> str:
    """Return what a figure without intervals is of: part, images and lesions of a result."""
    from kdcore.report.notes import counted as told

    return told(found)


def _default(models: dict[str, Measured]) -> list[str]:
    """Return the first of each role; the baseline of the student's own network if there is one."""
    from kdcore.predict.shelf import baseline_of

    firsts: dict[str, Measured] = {}
    for model in models.values():
        firsts.setdefault(model.role, model)
    found = [firsts[role] for role in ("teacher", "student") if role in firsts]
    baseline = baseline_of(found[-1] if found else None, models.values())
    return [m.name for m in (*found, *([baseline] if baseline else []))] or list(models)[:2]


def _key(model: Measured, part: str) -> str:
    path: Path = model.files[part]
    weights = model.card.weights_sha256 if model.card else ""
    return f"{path}:{path.stat().st_mtime_ns}:{weights}"


@st.cache_resource(max_entries=24, show_spinner=False)
def _load(_model: Measured, part: str, content: str) -> Predictions:
    return _model.load(part)


@st.cache_resource(max_entries=48, show_spinner="Measuring…")
def evaluate(_predictions: Predictions, content: str, temperature: float) -> Evaluation:
    """Return the evaluation of predictions; `content` names what they hold, for the cache."""
    from kdcore.evaluate import evaluate_predictions

    return evaluate_predictions(_predictions, temperature, RESAMPLES)


@st.cache_resource(max_entries=32, show_spinner="Comparing the two…")
def compare(
    _one: Predictions, _other: Predictions, content: str, first: float, second: float
) -> PairComparison:
    """Return the other's predictions compared with the one's, of the same images.

    `content` names what both hold, for the cache; `first` and `second` are their temperatures.
    """
    from kdcore.evaluate import compare_pair

    return compare_pair(_one, _other, first, second, RESAMPLES)
