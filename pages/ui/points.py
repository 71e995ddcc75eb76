"""Models with what operating points are made of: validation to choose on, test to report on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui import measured
from pages.ui.frame import guard

_WITHOUT_TEMPERATURE = ("choose_class_weights",)  # its weights take one in


@dataclass(frozen=True)
class Points:
    """The models of the page with readable test predictions, and the one that sentences are on."""

    models: tuple[Any, ...]
    focus: Any
    colours: dict[str, str]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the models, in their order."""
        return measured.load(self.focus).classes

    def on_test(self, function: str, **options: Any) -> dict[str, Any]:
        """Return what a function of `kdcore.evaluate` finds on test, by title."""
        return each(self.models, lambda m: _cached(m, function, ("test",), options))

    def chosen_on_val(self, function: str, **options: Any) -> dict[str, Any]:
        """Return what a function finds from validation and test, by title; says who lacks one."""
        able = [m for m in self.models if "val" in m.files]
        for model in self.models:
            if model not in able:
                st.info(
                    f"{model.title} has no saved predictions on the validation part, which this "
                    "is chosen on. Make them with `python -m kdcore predict`.",
                    icon=":material/rule:",
                )
        return each(able, lambda m: _cached(m, function, ("val", "test"), options))

    def of_focus(self, found: dict[str, Any]) -> Any:
        """Return what was found of the model in focus, or None."""
        return found.get(self.focus.title)

    def note(self, found: dict[str, Any]) -> str:
        """Return what a figure of these models is of, and how its intervals were made."""
        from kdcore.report.operating_text import parts_note

        parts = {m.title: measured.load(m) for m in self.models if m.title in found}
        return parts_note(parts, measured.RESAMPLES)


def like(models: Sequence[Any], focus: Any) -> tuple[Any, ...]:
    """Return the models of the same classes as the one in focus; says who is of others."""
    classes = {m.title: measured.load(m).classes for m in models}
    for name in (n for n, own in classes.items() if own != classes[focus.title]):
        st.caption(f"{name} is left out here: it tells other classes apart than {focus.title}.")
    return tuple(m for m in models if classes[m.title] == classes[focus.title])


def each(models: Sequence[Any], find: Callable[[Any], Any]) -> dict[str, Any]:
    """Return what `find` returns of each model, by title; who fails is said, and left out."""
    found = {}
    for model in models:
        with guard():
            found[model.title] = find(model)
    return found


def readable(models: Sequence[Any]) -> list[Any]:
    """Return the models whose test predictions can be read; says which can't, ends without any."""
    loaded = each(models, measured.load)
    if not loaded:
        st.stop()
    return [m for m in models if m.title in loaded]


def _cached(model: Any, function: str, parts: tuple[str, ...], options: dict[str, Any]) -> Any:
    loaded = [measured.load(model, part) for part in parts]
    if function not in _WITHOUT_TEMPERATURE:
        options = options | {"temperature": measured.temperature(model)}
    return _run(loaded, measured.key([model], *parts), function, options)


@st.cache_resource(max_entries=96, show_spinner="Measuring…")
def _run(_parts: list[Any], content: str, function: str, options: dict[str, Any]) -> Any:
    from kdcore import evaluate

    return getattr(evaluate, function)(*_parts, n_boot=measured.RESAMPLES, **options)
