"""A PDF read back: the boxes of its words, and a figure of one stroke to set in one."""

from __future__ import annotations

import io
from collections.abc import Mapping
from itertools import combinations

import pdfplumber

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><path d="M0 0 9 9"/></svg>'
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 40 20]/Contents 4 0 R>>endobj
4 0 obj<</Length 14>>stream
0 0 m 9 9 l S
endstream endobj
trailer<</Root 1 0 R>>
"""
FIGURE: Mapping[str, bytes] = {"svg": SVG, "pdf": PDF}


def pages(data: bytes) -> list[list[dict]]:
    """The words of each page with their boxes and fonts; asserts that all lie on it."""
    found = []
    with pdfplumber.open(io.BytesIO(data)) as pdf:
        for page in pdf.pages:
            words = page.extract_words(use_text_flow=True, extra_attrs=["fontname"])
            for word in words:
                inside = word["x0"] >= 0 and word["x1"] <= page.width
                inside &= word["top"] >= 0 and word["bottom"] <= page.height
                assert inside, f"page {page.page_number}: {word['text']} is outside"
            found.append(words)
    return found


def overlaps(words: list[dict]) -> list[tuple[str, str]]:
    """Pairs of words of one page that lie over each other by more than a point.

    Words of figures have letters of their own, and are left out.
    """
    set_here = [word for word in words if "Libertinus" in word["fontname"]]
    return [
        (a["text"], b["text"])
        for a, b in combinations(set_here, 2)
        if min(a["x1"], b["x1"]) - max(a["x0"], b["x0"]) > 1
        and min(a["bottom"], b["bottom"]) - max(a["top"], b["top"]) > 3
    ]
