"""A TeX on this machine, where there is one that works: half an installation is none."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

_LEAST = r"\documentclass{article}\begin{document}x\end{document}"


@cache
def missing() -> str:
    """Return why nothing can be typeset here; empty where something can."""
    if not shutil.which("pdflatex"):
        return "no pdflatex"
    with TemporaryDirectory() as folder:
        (Path(folder) / "least.tex").write_text(_LEAST)
        try:
            typeset(Path(folder) / "least.tex")
        except AssertionError:
            return "a pdflatex that can't typeset the shortest document"
    return ""


def typeset(source: Path) -> list[float]:
    """Typeset `source` in its folder, and return by how many pt lines and pages are too large."""
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", source.name]
    done = subprocess.run(
        command, cwd=source.parent, capture_output=True, text=True, errors="replace", timeout=120
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert source.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    found = re.findall(r"Overfull \\[hv]box \(([\d.]+)pt too", done.stdout)
    return [float(points) for points in found]
