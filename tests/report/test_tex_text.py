"""Text for TeX: ASCII, nothing lost that its fonts have, and typeset to what was said."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from kdcore.report.tex_text import tex_text
from tests.report import tex
from tests.report.pdf import pages

# Each printable character up to Latin Extended-A, Greek, and the signs that texts here hold.
EVERY = [
    chr(code)
    for span in (range(0x20, 0x7F), range(0xA0, 0x180), range(0x391, 0x3CA))
    for code in span
    if unicodedata.category(chr(code)) not in ("Cn", "Cc", "Cf")
] + list("–—‘’‚“”„•…′€™←→↔−≈≠≤≥∞√∈∅‖₀₁₂⁻⁴½\u2011\u2009\u202f")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50 % of α_1 & τ", r"50 \% of $\alpha$\_1 \& $\tau$"),
        ("é ł ß ñ ï ş ő", r"\'{e} \l{} \ss{} \~{n} \"{\i} \c {s} \H {o}"),
        (unicodedata.normalize("NFD", "é"), r"\'{e}"),
        ("złośliwą", r"z\l{}o\'{s}liwa"),
        ("--out ---x", "-{}-out -{}-{}-x"),
        ("a–b—c", "a--b---c"),
        ("?` !` '' ``", "?{}` !{}` '{}' `{}`"),
        ("one\ntwo\tthree", "one two three"),
        ("„so“ «da» it’s", ",,so`` $\\ll$da$\\gg$ it's"),
        ("10⁻⁴ m² x₁ φ Ω", r"10$^-$$^4$ m$^2$ x$_1$ $\varphi$ $\Omega$"),
        ("漢 😀", "? ?"),
        (r"\input{x} ~ ^ $", r"\textbackslash{}input\{x\} \textasciitilde{} \textasciicircum{} \$"),
    ],
)
def test_commands(text: str, expected: str) -> None:
    assert tex_text(text) == expected


def test_ascii_with_closed_groups() -> None:
    for c in EVERY:
        made = tex_text(c)
        assert made.isascii() and made.isprintable() and made != "", c
        bare = made.replace(r"\{", "").replace(r"\}", "")
        assert bare.count("{") == bare.count("}") and bare.count("$") % 2 == (c == "$"), c


def test_every_character_is_typeset(tmp_path: Path) -> None:
    if why := tex.missing():
        pytest.skip(why)
    lines = "\n\n".join(f"x{tex_text(c)}y" for c in EVERY)
    head = r"\documentclass{article}\begin{document}"
    (tmp_path / "all.tex").write_text(f"{head}\n{lines}\n\\end{{document}}")
    assert tex.typeset(tmp_path / "all.tex") == []
    said = " ".join(w["text"] for p in pages((tmp_path / "all.pdf").read_bytes()) for w in p)
    for c in "Azα≤∞−":
        assert f"x{c}y" in said.replace(" ", ""), c
