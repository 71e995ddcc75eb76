"""Reading the project's own sources as syntax trees, without importing them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(*rooms: str) -> list[Path]:
    """Return the Python files of `rooms`, relative to the repository."""
    found = (path for room in rooms for path in sorted((REPO / room).rglob("*.py")))
    return [path.relative_to(REPO) for path in found]


@cache
def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a file, named relative to the repository."""
    return ast.parse((REPO / path).read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> set[str]:
    """Return the top-level packages that a file imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function and method, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def public(tree: ast.Module) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Yield the public classes, functions and methods of a module with their dotted names."""
    for node in tree.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        yield node.name, node
        for member in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(member, Function) and not member.name.startswith("_"):
                yield f"{node.name}.{member.name}", member
