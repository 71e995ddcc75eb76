"""Any text as ASCII that every TeX sets with its own fonts, accents and signs as commands."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u ",
    "\u0307": ".", "\u0308": '"', "\u030a": "r ", "\u030b": "H ", "\u030c": "v ", "\u0323": "d ",
    "\u0327": "c ", "\u0331": "b ",
}  # fmt: skip
_LETTERS = {
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}",
    "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}", "ȷ": r"\j{}", "đ": "d", "Đ": "D",
    "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "ŋ": "ng",
    "Ŋ": "Ng", "ĸ": "k", "ŀ": "l", "Ŀ": "L", "ŉ": "'n", "ſ": "s",
}  # fmt: skip
_GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda",
    "mu", "nu", "xi", "o", "pi", "rho", "varsigma", "sigma", "tau", "upsilon", "varphi", "chi",
    "psi", "omega",
)  # fmt: skip
_CAPITALS = {
    "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma",
    "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_MATHS = {
    "\u00ac": r"\neg", "\u00b7": r"\cdot", "⋅": r"\cdot",
    "÷": r"\div", "→": r"\to", "←": r"\leftarrow", "↔": r"\leftrightarrow", "≈": r"\approx",
    "≠": r"\neq", "√": r"\surd", "∈": r"\in", "∂": r"\partial", "∑": r"\sum", "∏": r"\prod",
    "•": r"\bullet", "«": r"\ll", "»": r"\gg", "°": r"^\circ", "′": "'",
    "µ": r"\mu", "ϵ": r"\epsilon", "†": r"\dagger", "∅": r"\emptyset",
    "½": r"\frac{1}{2}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}",
}  # fmt: skip
_SIGNS = {
    "\u00a0": "~", "\u2009": r"\,", "\u202f": r"\,", "\u2010": "-", "\u2011": "-", "–": "--",
    "—": "---", "“": "``", "”": "''", "„": ",,", "‘": "`", "’": "'", "‚": ",", "…": r"\ldots{}",
    "€": "EUR", "£": r"\pounds{}", "§": r"\S{}", "©": r"\copyright{}", "™": r"$^{\mathrm{TM}}$",
    "®": r"$^{\mathrm{R}}$", "¡": "!`", "¿": "?`",
}  # fmt: skip
_ESCAPED = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$",
    "±": r"$\pm$", "×": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$", "∞": r"$\infty$",
    "‖": r"$\Vert$", "|": "$|$", "<": "$<$", ">": "$>$",
}  # fmt: skip
_LIGATURES = re.compile(r"(?<=-)-|(?<=[?!])`|(?<=')'|(?<=`)`|(?<=,),")


def escape_latex(text: str) -> str:
    """Return `text` with what LaTeX reads as a command escaped, and signs as LaTeX has them."""
    return "".join(f"${sign}$" if (sign := _greek(c)) else _ESCAPED.get(c, c) for c in text)


def tex_text(text: str) -> str:
    """Return `text` as ASCII for TeX's own fonts: what it shows is what `text` says.

    Line breaks and tabs become spaces. A mark that those fonts lack is left off its letter, and
    of a letter that they lack a question mark is left.
    """
    plain = " ".join(re.split(r"[\t\n\r\f\v]", unicodedata.normalize("NFC", text)))
    whole = _LIGATURES.sub(lambda found: f"\u2060{found[0]}", plain)
    return "".join(map(_character, whole))


def latex_row(cells: Sequence[str]) -> str:
    """Return a row of a LaTeX table, its cells as `tex_text` has them."""
    return " & ".join(map(tex_text, cells)) + r" \\"


def _character(c: str) -> str:
    if c == "\u2060":
        return "{}"
    if (escaped := escape_latex(c)) != c or " " <= c <= "~":
        return escaped
    if found := _LETTERS.get(c) or _SIGNS.get(c):
        return found
    if sign := _MATHS.get(c) or _raised(c):
        return f"${sign}$"
    letter, *marks = list(unicodedata.normalize("NFD", c))
    if not marks or letter == c:
        return "?"
    made = _character(letter)
    for mark in marks:
        if (accent := _ACCENTS.get(mark)) and made != "?":
            dotless = {"i": r"\i", "j": r"\j"}.get(made, made) if accent not in "c d b " else made
            made = rf"\{accent}{{{dotless}}}"
    return made


def _greek(c: str) -> str:
    """Return the command of a Greek letter, "" for others; omicron has none."""
    place = ord(c) - ord("α")
    if 0 <= place < len(_GREEK):
        return _GREEK[place] if c == "ο" else f"\\{_GREEK[place]}"
    return f"\\{_CAPITALS[c]}" if c in _CAPITALS else ""


def _raised(c: str) -> str:
    """Return a raised or lowered digit or sign."""
    kind, _, code = unicodedata.decomposition(c).partition(" ")
    if kind not in ("<super>", "<sub>") or not code:
        return ""
    sign = chr(int(code.split()[0], 16)).replace("−", "-")
    return (f"^{sign}" if kind == "<super>" else f"_{sign}") if sign.isascii() else ""
