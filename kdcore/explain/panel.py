"""The figure for a paper: input, teacher, student and their difference, as PNG and SVG."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from html import escape

from PIL import Image, ImageDraw, ImageFont

from kdcore.explain.explain_pair import PairExplanation
from kdcore.explain.overlay import color_bar, difference_image, overlay

TILE, GAP, BAR = 320, 16, 14
_TITLE, _TEXT, _INK, _NOTHING = 20, 14, "#222222", "#eeeeee"
_TOP, _BELOW = 44, 90


@dataclass(frozen=True)
class _Text:
    x: int
    y: int  # top of the line
    words: str
    size: int
    anchor: str  # "l", "m" or "r"


@dataclass(frozen=True)
class _Layout:
    width: int
    height: int
    images: tuple[tuple[int, int, Image.Image], ...]
    texts: tuple[_Text, ...]


def panel_png(pair: PairExplanation, opacity: float = 0.5, colormap: str = "inferno") -> bytes:
    """Return the panel as PNG: four tiles with labels and one colour scale for both models."""
    layout = _layout(pair, opacity, colormap)
    canvas = Image.new("RGB", (layout.width, layout.height), "white")
    draw = ImageDraw.Draw(canvas)
    for x, y, image in layout.images:
        canvas.paste(image, (x, y))
    for text in layout.texts:
        font = ImageFont.load_default(size=text.size)
        draw.text((text.x, text.y), text.words, fill=_INK, font=font, anchor=text.anchor + "a")
    return _png(canvas)


def panel_svg(pair: PairExplanation, opacity: float = 0.5, colormap: str = "inferno") -> str:
    """Return the same panel as SVG: text stays text, pictures are embedded PNGs."""
    layout = _layout(pair, opacity, colormap)
    anchors = {"l": "start", "m": "middle", "r": "end"}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{layout.width}" '
        f'height="{layout.height}" viewBox="0 0 {layout.width} {layout.height}" '
        f'font-family="Helvetica, Arial, sans-serif" fill="{_INK}">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for x, y, image in layout.images:
        data = base64.b64encode(_png(image)).decode()
        parts.append(
            f'<image x="{x}" y="{y}" width="{image.width}" height="{image.height}" '
            f'href="data:image/png;base64,{data}"/>'
        )
    for t in layout.texts:
        parts.append(
            f'<text x="{t.x}" y="{t.y + t.size}" font-size="{t.size}" '
            f'text-anchor="{anchors[t.anchor]}">{escape(t.words)}</text>'
        )
    return "\n".join([*parts, "</svg>\n"])


def _layout(pair: PairExplanation, opacity: float, colormap: str) -> _Layout:
    crop = _square(max(pair.teacher.crop, pair.student.crop, key=lambda i: i.width))
    tiles = (
        ("Input", crop),
        (_label("Teacher", pair.manifest["teacher"]["name"], pair.teacher.empty),
         overlay(crop, pair.teacher_map, opacity, colormap)),
        (_label("Student", pair.manifest["student"]["name"], pair.student.empty),
         overlay(crop, pair.student_map, opacity, colormap)),
        ("Teacher minus student", _difference(pair)),
    )  # fmt: skip
    left = [GAP + i * (TILE + GAP) for i in range(len(tiles))]
    bar_y = _TOP + TILE + 34
    span = 2 * TILE + GAP
    images = [(x, _TOP, image) for x, (_, image) in zip(left, tiles, strict=True)]
    images.append((left[1], bar_y, color_bar(span, BAR, colormap)))
    texts = [_Text(GAP, 12, _heading(pair), _TITLE, "l")]
    texts += [
        _Text(x + TILE // 2, _TOP + TILE + 8, label, _TEXT, "m")
        for x, (label, _) in zip(left, tiles, strict=True)
    ]
    ends = [(left[1], span, ("0", "1"))]
    if pair.empty:
        middle = (left[3] + TILE // 2, _TOP + TILE // 2 - _TEXT)
        texts.append(_Text(*middle, f"None: {pair.empty}", _TEXT, "m"))
    else:
        images.append((left[3], bar_y, color_bar(TILE, BAR, "blue-white-red")))
        ends.append((left[3], TILE, ("-1 (student)", "+1 (teacher)")))
    for x, width, (low, high) in ends:
        texts += [
            _Text(x, bar_y + BAR + 4, low, _TEXT, "l"),
            _Text(x + width, bar_y + BAR + 4, high, _TEXT, "r"),
        ]
    width = left[-1] + TILE + GAP
    return _Layout(width, _TOP + TILE + _BELOW, tuple(images), tuple(texts))


def _heading(pair: PairExplanation) -> str:
    m = pair.manifest
    layers = " / ".join(dict.fromkeys((m["teacher"]["layer"], m["student"]["layer"])))
    target = f", target class: {m['target']['name']}" if m["target"]["used"] else ""
    layer = f", layer: {layers}" if m["method"]["uses_stage"] else ""
    return f"{m['method']['name']}{_masks(pair)}{target}{layer}"


def _masks(pair: PairExplanation) -> str:
    """Return how many masks an approximate pair's two maps stand on; nothing of an exact one."""
    counts = [e.masks for e in (pair.teacher, pair.student) if e.masks is not None]
    if pair.exact or not counts:
        return ""
    return f" (approximate: {' / '.join(f'{c.scored} of {c.of}' for c in counts)} masks scored)"


def _difference(pair: PairExplanation) -> Image.Image:
    """Return the difference as colours; with an empty map there is none, and the tile is even."""
    if pair.empty:
        return Image.new("RGB", (TILE, TILE), _NOTHING)
    return difference_image(pair.difference, (TILE, TILE))


def _label(role: str, name: str, empty: bool) -> str:
    return f"{role} (empty map): {_short(name, 24)}" if empty else f"{role}: {_short(name)}"


def _short(name: str, limit: int = 30) -> str:
    return name if len(name) <= limit else name[: limit - 3] + "..."


def _square(image: Image.Image) -> Image.Image:
    return image.convert("RGB").resize((TILE, TILE), Image.Resampling.BICUBIC)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
