"""The rooms of the house: who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import REPO, functions, imports, modules, parse

FREE_OF_NUMBERS = {"numpy", "scipy", "torch"}


def test_rooms_import_only_the_rooms_below_them() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    done = subprocess.run(
        [*command, "--no-cache"], cwd=REPO, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_pages_and_the_entry_import_streamlit() -> None:
    known = {*modules("pages"), Path("streamlit_app.py")}
    everything = [p.relative_to(REPO) for p in REPO.glob("*.py")] + modules("kdcore", "benchmarks")
    assert [p for p in everything if "streamlit" in imports(p) and p not in known] == []


def test_no_page_script_can_be_run_alone_by_a_deep_link() -> None:
    # Streamlit serves scripts directly in pages/ without the app's frame; folders hide them.
    assert [p.name for p in (REPO / "pages").glob("*.py") if p.stem != "__init__"] == []


def test_entry_is_navigation_and_nothing_else() -> None:
    entry = Path("streamlit_app.py")
    if not (REPO / entry).is_file():
        pytest.fail("streamlit_app.py is missing")
    assert imports(entry) <= {"__future__", "pages", "pathlib", "streamlit"}
    assert len((REPO / entry).read_text().splitlines()) <= 80


@pytest.mark.parametrize("path", modules("pages"), ids=str)
def test_pages_import_no_numbers(path: Path) -> None:
    assert imports(path) & FREE_OF_NUMBERS == set()


@pytest.mark.parametrize("path", modules("pages"), ids=str)
def test_pages_do_no_arithmetic(path: Path) -> None:
    lines = [node.lineno for node in ast.walk(parse(path)) if _is_arithmetic(node)]
    assert lines == [], f"{path}: arithmetic in lines {lines}; compute it in kdcore"


@pytest.mark.parametrize(
    ("code", "found"),
    [("a + b", 1), ("a / b", 1), ("a - 2", 1), ("1 - a", 1), ("a += b", 1), ("a * 1", 1),
     ("a + 1", 0), ("a -= 1", 0), ("a + 'b'", 0), ("a += f'{b}'", 0), ("a / 'b' / c", 0),
     ("a | b", 0), ("[*a, *b]", 0)],
)  # fmt: skip
def test_arithmetic_is_found_and_counting_is_not(code: str, found: int) -> None:
    assert sum(map(_is_arithmetic, ast.walk(ast.parse(code)))) == found


def _is_arithmetic(node: ast.AST) -> bool:
    """Joining text with +, paths with / and counting by one aren't; `int | None` isn't either."""
    operators = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)
    if not isinstance(node, ast.BinOp | ast.AugAssign) or not isinstance(node.op, operators):
        return False
    left, right = (
        (node.target, node.value) if isinstance(node, ast.AugAssign) else (node.left, node.right)
    )
    if isinstance(node.op, ast.Add | ast.Sub) and isinstance(right, ast.Constant):
        return right.value != 1 and not _is_text(right)
    return not (isinstance(node.op, ast.Add | ast.Div) and (_is_text(left) or _is_text(right)))


def _is_text(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) or _is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


@pytest.mark.parametrize("path", modules("kdcore", "pages", "benchmarks"), ids=str)
def test_files_and_functions_are_short(path: Path) -> None:
    assert len((REPO / path).read_text(encoding="utf-8").splitlines()) <= 400
    lengths = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions(parse(path))}
    assert {name: n for name, n in lengths.items() if n > 60} == {}
