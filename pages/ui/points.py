"""Models with what operating points are made of: validation to choose on, test to report on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from pages.ui import measured
from pages.ui.frame import guard

if TYPE_CHECKING:
    from kdcore.predict.shelf import Measured

T = TypeVar("T")


@dataclass(frozen=True)
class Points:
    """The models of the page with readable test predictions, and the one that sentences are on."""

    models: tuple[Measured, ...]
    focus: Measured
    colours: dict[str, str]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the models, in their order."""
        return measured.load(self.focus).classes

    def on_test(self, find: Callable[..., T], **options: object) -> dict[str, T]:
        """Return what `find` of `kdcore.evaluate` finds on test, by title.

        It is given each model's own temperature.
        """
        return each(self.models, lambda m: _cached(m, find, ("test",), options))

    def chosen_on_val(
        self, find: Callable[..., T], tempered: bool = True, **options: object
    ) -> dict[str, T]:
        """Return what `find` finds from validation and test, by title; says who lacks one.

        It is given each model's own temperature if `tempered`.
        """
        able = [m for m in self.models if "val" in m.files]
        for model in self.models:
            if model not in able:
                st.info(
                    f"{model.title} has no saved predictions on the validation part, which this "
                    "is chosen on. Make them with `python -m kdcore predict`.",
                    icon=":material/rule:",
                )
        return each(able, lambda m: _cached(m, find, ("val", "test"), options, tempered))

    def of_focus(self, found: dict[str, T]) -> T | None:
        """Return what was found of the model in focus, or None."""
        return found.get(self.focus.title)

    def note(self, found: dict[str, T]) -> str:
        """Return what a figure of these models is of, and how its intervals were made."""
        from kdcore.report.operating_text import parts_note

        parts = {m.title: measured.load(m) for m in self.models if m.title in found}
        return parts_note(parts, measured.RESAMPLES)


def like(models: Sequence[Measured], focus: Measured) -> tuple[Measured, ...]:
    """Return the models of the same classes as the one in focus; says who is of others."""
    classes = {m.title: measured.load(m).classes for m in models}
    for name in (n for n, own in classes.items() if own != classes[focus.title]):
        st.caption(f"{name} is left out here: it tells other classes apart than {focus.title}.")
    return tuple(m for m in models if classes[m.title] == classes[focus.title])


def each(models: Sequence[Measured], find: Callable[[Measured], T]) -> dict[str, T]:
    """Return what `find` returns of each model, by title; who fails is said, and left out."""
    found = {}
    for model in models:
        with guard():
            found[model.title] = find(model)
    return found


def readable(models: Sequence[Measured]) -> list[Measured]:
    """Return the models whose test predictions can be read; says which can't, ends without any."""
    loaded = each(models, measured.load)
    if not loaded:
        st.stop()
    return [m for m in models if m.title in loaded]


def _cached(
    model: Measured,
    find: Callable[..., T],
    parts: tuple[str, ...],
    options: dict[str, object],
    tempered: bool = True,
) -> T:
    if tempered:
        options = {**options, "temperature": measured.temperature(model)}
    loaded = [measured.load(model, part) for part in parts]
    name = f"{find.__module__}.{find.__qualname__}"
    return _run(find, loaded, name, measured.key([model], *parts), options)


@st.cache_resource(max_entries=96, show_spinner="Measuring…")
def _run(
    _find: Callable[..., Any], _parts: list[Any], name: str, content: str, options: dict[str, Any]
) -> Any:
    return _find(*_parts, n_boot=measured.RESAMPLES, **options)
