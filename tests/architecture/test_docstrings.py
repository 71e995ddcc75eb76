"""Public docstrings are complete: there, a sentence, every parameter and the shape of arrays."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.sources import Function, modules, parse, public

FILES = modules("kdcore")
ARRAYS = re.compile(r"\b(Tensor|NDArray|ndarray)\b")
SHAPE = re.compile(r"\([^()]*(,|\b[A-Z]\b)[^()]*\)|scalar|same shape|[Aa]s `|0-d|state dict")
INHERITED = {"forward", "forward_stages", "head"}  # their shapes stand in `Classifier`
MANY = 4  # from this many parameters on, each is named in the docstring
SAME_AS = re.compile(r"\b[Aa]s `\w+`|[Ll]ike `\w+`")  # or another function's docstring is


def described(path: Path) -> list[tuple[str, Function | ast.ClassDef, str]]:
    return [(name, node, ast.get_docstring(node) or "") for name, node in public(parse(path))]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_public_thing_says_what_it_is(path: Path) -> None:
    first_lines = {"the module": (ast.get_docstring(parse(path)) or "").split("\n\n")[0]}
    first_lines |= {name: text.split("\n\n")[0] for name, _, text in described(path)}
    bad = [name for name, text in first_lines.items() if not text.rstrip().endswith((".", ":"))]
    assert bad == [], f"{path}: no docstring that opens with a sentence: {bad}"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_functions_with_many_parameters_describe_each(path: Path) -> None:
    bad = {
        name: missing
        for name, node, text in described(path)
        if isinstance(node, Function)
        and not SAME_AS.search(text)
        and len(parameters := _parameters(node)) >= MANY
        and (missing := [p for p in parameters if not re.search(rf"\b{p}\b", text)])
    }
    assert bad == {}, f"{path}: parameters that the docstring does not name: {bad}"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_returned_arrays_have_a_shape(path: Path) -> None:
    bad = [
        name
        for name, node, text in described(path)
        if isinstance(node, Function)
        and node.returns is not None
        and name.rpartition(".")[2] not in INHERITED
        and ARRAYS.search(ast.unparse(node.returns))
        and not SHAPE.search(text)
    ]
    assert bad == [], f"{path}: the docstring does not give the shape of what is returned: {bad}"


def _parameters(node: Function) -> list[str]:
    arguments = node.args
    named = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in named if name not in ("self", "cls") and not name.startswith("_")]
