"""What the Measure pages share: which models, their saved predictions, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui import state
from pages.ui.frame import show_error

LINK = ("models",)
RESAMPLES = 1000


def choose_models(least: int = 1, part: str = "test") -> list[Any]:
    """Draw the picker and return the chosen `Measured`; ends the page where there are too few.

    Offered are the models with predictions on `part`. The default is the strongest teacher, the
    strongest student, and the strongest baseline of that student's network.
    """
    shelf = {m.name: m for m in _shelf() if part in m.files}
    if len(shelf) < least:
        st.info(
            f"This page needs saved predictions of {least} models, and there are {len(shelf)}. "
            "Train one, or make them with `python -m kdcore predict`.",
            icon=":material/model_training:",
        )
        st.stop()
    chosen = state.choices(
        "models",
        "Models",
        list(shelf),
        default=_default(shelf),
        format_func=lambda name: shelf[name].title,
        help="Shipped, of your runs, or imported on the Compare page. The first is compared with.",
    )
    if len(chosen) < least:
        st.info(f"Choose at least {least} models.", icon=":material/checklist:")
        st.stop()
    return [shelf[name] for name in chosen]


def baseline_for(student: Any | None, part: str = "test") -> Any | None:
    """Return the strongest baseline with predictions on `part`, of the student's network if any."""
    from kdcore.predict.shelf import baseline_of, list_measured

    return baseline_of(student, [m for m in list_measured()[0] if part in m.files])


def choose_model(label: str, name: str, models: Sequence[Any], index: int = 0) -> Any:
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


def load(model: Any, part: str = "test") -> Any:
    """Return a model's predictions on a part; raises `KdError`."""
    path = model.files.get(part)
    return _load(str(path), path.stat().st_mtime_ns) if path else model.load(part)


def temperature(model: Any, calibrated: bool = True) -> float:
    """Return what a model's logits are divided by: its own temperature, or 1."""
    return model.temperature if calibrated else 1.0


def foreign() -> list[Any]:
    """Return the models whose predictions were imported."""
    from kdcore.predict.shelf import FOREIGN, list_measured

    return [model for model in list_measured()[0] if model.role == FOREIGN]


def colours(models: Sequence[Any]) -> dict[str, str]:
    """Return each model's colour by its title."""
    from kdcore.charts.style import model_colours

    return model_colours({m.title: m.role for m in models})


def evaluation(model: Any, part: str = "test", calibrated: bool = True) -> Any:
    """Return a model's evaluation with intervals; raises `KdError`."""
    return evaluate(load(model, part), _key(model, part), temperature(model, calibrated))


def key(models: Sequence[Any], *parts: str) -> str:
    """Return what names the content of the models' predictions, for caches."""
    return ";".join(_key(model, part) for model in models for part in parts)


def note(found: Any) -> str:
    """Return what a figure is of: part, images and lesions, and how its intervals were made.

    `found` is any result that has `n`, `n_groups`, `interval_method` and `split`.
    """
    from kdcore.report.notes import note as told

    return told(found)


def counted(found: Any) -> str:
    """Return what a figure without intervals is of: part, images and lesions of a result."""
    from kdcore.report.notes import counted as told

    return told(found)


def _shelf() -> list[Any]:
    from kdcore.predict.shelf import list_measured

    found, problems = list_measured()
    for problem in problems:
        show_error(problem)
    return found


def _default(shelf: dict[str, Any]) -> list[str]:
    """Return the first of each role; the baseline of the student's own network if there is one."""
    from kdcore.predict.shelf import baseline_of

    firsts: dict[str, Any] = {}
    for model in shelf.values():
        firsts.setdefault(model.role, model)
    found = [firsts[role] for role in ("teacher", "student") if role in firsts]
    baseline = baseline_of(found[-1] if found else None, shelf.values())
    return [m.name for m in (*found, *([baseline] if baseline else []))] or list(shelf)[:2]


def _key(model: Any, part: str) -> str:
    path: Path = model.files[part]
    return f"{path}:{path.stat().st_mtime_ns}"


@st.cache_resource(max_entries=24, show_spinner=False)
def _load(path: str, changed: int) -> Any:
    from kdcore.predict.predictions import Predictions

    return Predictions.load(Path(path))


@st.cache_resource(max_entries=48, show_spinner="Measuring…")
def evaluate(_predictions: Any, content: str, temperature: float) -> Any:
    """Return the evaluation of predictions; `content` names what they hold, for the cache."""
    from kdcore.evaluate import evaluate_predictions

    return evaluate_predictions(_predictions, temperature, RESAMPLES)
