"""A package's `__init__` names what is imported from it, and others import that from it alone."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.sources import modules, parse

ROOMS = ("kdcore", "pages", "benchmarks", "recipes", "tests")


@cache
def imported(path: Path) -> set[tuple[str, str]]:
    """Return (module, name) of each `from module import name`, inside functions too."""
    froms = (n for n in ast.walk(parse(path)) if isinstance(n, ast.ImportFrom) and n.module)
    return {(str(node.module), alias.name) for node in froms for alias in node.names}


@pytest.mark.parametrize(
    "facade", [p for p in modules("kdcore") if p.name == "__init__.py"], ids=str
)
def test_a_name_is_imported_from_the_facade_and_not_past_it(facade: Path) -> None:
    room = ".".join(facade.parent.parts)
    exported = {name: module for module, name in imported(facade) if module != room}
    outside = [path for path in modules(*ROOMS) if not path.is_relative_to(facade.parent)]
    used = [(module, name, path) for path in outside for module, name in imported(path)]
    assert set(exported) - {name for module, name, _ in used if module == room} == set()
    past = {path: name for module, name, path in used if exported.get(name) == module}
    assert past == {}, f"import these from {room}"
