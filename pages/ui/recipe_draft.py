"""The recipe that a session is writing: where it starts, what was changed, whether it is valid.

A draft maps each field to what its control holds: the field's value, or for a list the line of
text that stands for it. It is kept under names that no link can set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import state

if TYPE_CHECKING:
    from kdcore.base import KdError
    from kdcore.data import DatasetInfo
    from kdcore.distill import Recipe
    from kdcore.distill.fields import Field

UPLOADED = "uploaded"
SHIPPED = "recipe:"
TEXTS = ("numbers", "three", "sizes", "schedules")  # kinds that are written as a line of text
_VALUES, _OF, _PROPOSED, _FILE = "recipe-values", "recipe-of", "recipe-proposed", "recipe-file"


@dataclass
class Draft:
    """What the form holds, where it started, and what became of it.

    `recipe` is None while there are `problems` that keep the fields from being one.
    """

    values: dict[str, Any]
    preset: dict[str, Any]
    alone: bool
    idle: dict[str, str]
    recipe: Recipe | None = None
    problems: list[KdError] = field(default_factory=list)

    @property
    def changed(self) -> list[str]:
        """Names of the fields that differ from the preset."""
        return [name for name, value in self.values.items() if value != self.preset[name]]


def widget_key(name: str) -> str:
    """Return the key of a field's control."""
    return f"w:f-{name}"


def preset_names() -> dict[str, str]:
    """Return what a recipe can start from: names for links, with labels for people."""
    from kdcore.distill.presets import METHODS

    names = {key: method.title for key, method in METHODS.items()}
    if state.get(_FILE) is not None:
        names[UPLOADED] = f"The file {state.get(_FILE)[0]}"
    return names | {f"{SHIPPED}{name}": f"Recipe {name}" for name in _shipped()}


def preset_meaning(name: str) -> str:
    """Return a sentence or two on a preset."""
    from kdcore.distill.presets import METHODS

    if name in METHODS:
        return METHODS[name].meaning
    recipe = state.get(_FILE)[1] if name == UPLOADED else _shipped()[name.removeprefix(SHIPPED)]
    return f"{recipe.title or recipe.name}: {recipe.architecture} at {recipe.input_size} px."


def use_file(name: str, recipe: Recipe) -> None:
    """Keep an uploaded recipe and let the form start from it."""
    state.put(_FILE, (name, recipe))
    state.put("preset", UPLOADED)
    state.put(_OF, None)  # another file of the same name fills the form anew
    st.session_state.pop("w:preset", None)


def back_to_preset() -> None:
    """Forget the changes; the next `collect` fills the form again."""
    state.put(_OF, None)


def collect(
    preset: str, info: DatasetInfo, teachers: tuple[str, ...], taken: frozenset[str]
) -> Draft:
    """Return the draft with what the controls hold, filled anew where the preset is another.

    `teachers` are names of checkpoints that could teach, the strongest first; `taken` are names
    that a run can't have.
    """
    start = _entries(_preset_values(preset, info, teachers))
    values = state.get(_VALUES)
    if values is None or state.get(_OF) != (preset, info.key):
        values = dict(start)
        state.put(_OF, (preset, info.key))
        state.put(_PROPOSED, values["name"])
        for key in [k for k in st.session_state if str(k).startswith(widget_key(""))]:
            del st.session_state[key]
    for name in values:
        if widget_key(name) in st.session_state:
            values[name] = _held(st.session_state[widget_key(name)])
    values = start | values  # a field that is new since the draft was kept
    _follow_name(preset, values, start, taken)
    state.put(_VALUES, values)
    return _judge(values, start | {"name": values["name"]})


def name_after_start(taken: frozenset[str]) -> None:
    """Count up a name that a person wrote, now that it is taken; only for callbacks."""
    from kdcore.distill.presets import next_name

    values = state.get(_VALUES)
    if values["name"] != state.get(_PROPOSED):  # else the next `collect` proposes another
        values["name"] = next_name(values["name"], taken)
        st.session_state[widget_key("name")] = values["name"]


def _follow_name(
    preset: str, values: dict[str, Any], start: dict[str, Any], taken: frozenset[str]
) -> None:
    """Propose a name of network, method and seed that is free, until a person writes one."""
    from kdcore.distill.presets import METHODS, propose_name

    if values["name"] != state.get(_PROPOSED):
        return
    words = [start["name"]]
    if preset in METHODS:
        words = [values["architecture"], preset]
    seed = f"s{values['seed']}" if values["seed"] != start["seed"] else ""
    values["name"] = propose_name([*words, seed], taken)
    state.put(_PROPOSED, values["name"])
    if widget_key("name") in st.session_state:
        st.session_state[widget_key("name")] = values["name"]


def _judge(values: dict[str, Any], preset: dict[str, Any]) -> Draft:
    """Return the draft with its recipe or its problems.

    A field that does nothing is disabled or not drawn, so the recipe has its default: nobody is
    stopped by a value that can't be changed.
    """
    from kdcore.base import KdError
    from kdcore.distill import Recipe
    from kdcore.distill.presets import is_alone
    from kdcore.distill.readiness import idle_fields

    read, wrong = _read(values)
    alone, idle = is_alone(read), idle_fields(read)
    problems = [error for name, error in wrong.items() if name not in idle]
    draft = Draft(values, preset, alone, idle, problems=problems)
    try:
        recipe = Recipe.from_dict({k: v for k, v in read.items() if k not in idle})
        draft.recipe = None if problems else recipe
    except KdError as error:
        problems.append(error)
    return draft


def _read(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, KdError]]:
    """Return the fields' values, and the errors of the lines that can't be read."""
    from kdcore.base import KdError
    from kdcore.distill import FIELDS
    from kdcore.distill.entries import read_entry

    read, wrong = dict(values), {}
    for item in FIELDS:
        if item.kind in TEXTS:
            read[item.name] = ()
            try:
                read[item.name] = read_entry(item, values[item.name])
            except KdError as error:
                wrong[item.name] = error
    return read, wrong


def _preset_values(preset: str, info: DatasetInfo, teachers: tuple[str, ...]) -> dict[str, Any]:
    from kdcore.distill.presets import METHODS, method_recipe

    if preset in METHODS:
        made = method_recipe(preset, info, teachers)
        return {"name": f"{made['architecture']}-{preset}", **made}
    if preset == UPLOADED:
        return state.get(_FILE)[1].to_dict()
    made = _shipped()[preset.removeprefix(SHIPPED)].to_dict()
    return made | {"title": ""}  # that of the shipped checkpoint, beside which it will be listed


def _entries(made: dict[str, Any]) -> dict[str, Any]:
    """Return every field of a recipe as its control holds it, what is not given by default."""
    from dataclasses import MISSING, fields

    from kdcore.distill import FIELDS, Recipe
    from kdcore.distill.entries import entry_text

    default = {f.name: f.default for f in fields(Recipe) if f.default is not MISSING}
    values = default | made
    kinds = {item.name: item for item in FIELDS}
    return {name: _entry(kinds[name], values[name], entry_text) for name in kinds}


def _entry(item: Field, value: Any, entry_text: Callable[[Field, Any], str]) -> Any:
    if item.kind in TEXTS:
        return entry_text(item, value)
    return float(value) if item.kind == "number" else value


def _held(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Recipe]:
    from kdcore.distill.recipe_file import shipped_recipes

    return shipped_recipes()
