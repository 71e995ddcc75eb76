"""Drawn sample lesions: dermoscopy-like pictures made of formulas, for a demo with no data set.

Nobody's skin is shown: each picture is a smooth skin, a lesion with the structures that textbooks
name for its class (Kittler et al. 2016, J Am Acad Dermatol 74:1093) and what a dermatoscope
adds (hair, ruler, dark corners). Only mean colours per class were measured, on HAM10000 with its
lesion masks. They are for showing the app, not for measuring a model.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from kdcore.base import DataError, numpy_generator
from kdcore.data.canvas import Canvas, Colour, Field, Line, sigmoid
from kdcore.data.info import HAM10000


@dataclass(frozen=True)
class DrawnSample:
    """One entry of the gallery: `draw_lesion(dx, seed)` makes the picture.

    `name` is unique and fit for a link; `title` is for people and says that it is drawn.
    """

    name: str
    dx: str
    seed: int
    title: str


@dataclass(frozen=True)
class _Look:
    """What the classes differ in before their structures: colours and outline.

    `pigment` is how much the lesion absorbs of red, green and blue; `radius` is a range in half
    heights of the picture, `soft` the width of the border relative to the radius, `ragged` how
    irregular the outline is, `rough` how uneven the skin around it.
    """

    skin: Colour
    pigment: Colour
    radius: tuple[float, float]
    soft: float
    ragged: float
    rough: float = 1.0


# Skin: means over 100 HAM10000 pictures a class, outside the lesion masks, made a little lighter
# because uneven light and blotches are laid over it. Pigments and shapes were tuned by eye.
_LOOKS = {
    "akiec": _Look((208, 164, 168), (0.30, 0.95, 0.85), (0.45, 0.70), 0.16, 0.26),
    "bcc": _Look((206, 172, 178), (0.30, 0.95, 0.75), (0.38, 0.58), 0.13, 0.22),
    "bkl": _Look((194, 157, 166), (0.50, 0.82, 1.05), (0.40, 0.68), 0.06, 0.18),
    "df": _Look((208, 168, 176), (0.30, 0.95, 0.80), (0.40, 0.60), 0.20, 0.10),
    "mel": _Look((196, 166, 178), (0.50, 0.95, 1.00), (0.45, 0.70), 0.08, 0.22),
    "nv": _Look((216, 162, 170), (0.38, 0.95, 1.00), (0.30, 0.55), 0.10, 0.12),
    "vasc": _Look((212, 168, 176), (0.40, 1.10, 0.60), (0.24, 0.42), 0.06, 0.08, 0.5),
}


@dataclass(frozen=True)
class _Lesion:
    """Where the lesion is.

    `depth` is 1 in its middle, 0 at the border and negative outside; `mask` is its opacity;
    `around` are polar angles; `pen` the class's look with this picture's colours.
    """

    depth: Field
    mask: Field
    around: Field
    pen: _Look
    centre: tuple[float, float]
    radius: float


def _jitter(colour: Colour, rng: np.random.Generator, light: float, hue: float) -> Colour:
    r, g, b = np.asarray(colour) + rng.normal(0, light) + rng.normal(0, hue, 3)
    return float(r), float(g), float(b)


def _outline(c: Canvas, look: _Look) -> _Lesion:
    """Return a lesion outline: a few Fourier terms around an ellipse, then noise."""
    rng = c.rng
    radius = rng.uniform(*look.radius)
    centre = (float(rng.normal(0, 0.05)), float(rng.normal(0, 0.04)))
    turn, stretch = rng.uniform(0, math.pi), rng.uniform(1.0, 1.18)
    dx, dy = c.x - centre[0], c.y - centre[1]
    u = (dx * math.cos(turn) + dy * math.sin(turn)) / stretch
    v = (dy * math.cos(turn) - dx * math.sin(turn)) * stretch
    around = np.arctan2(v, u)
    edge = np.ones_like(u)
    for k in range(2, 8):
        wave = look.ragged * rng.normal(0, 0.9) / k
        edge += wave * np.cos(k * around + rng.uniform(0, 2 * math.pi))
    depth = edge - np.hypot(u, v) / radius
    depth += look.ragged * (0.30 * c.noise(0.22) + 0.22 * c.noise(0.09))
    mask = sigmoid(depth / look.soft)
    return _Lesion(depth, mask, around, look, centre, radius)


def _skin(c: Canvas, colour: Colour, rough: float) -> None:
    """Fill with skin: uneven light, blotches of blood and melanin, a fine relief."""
    c.rgb[:] = colour
    tilt, fall = c.rng.uniform(0, 2 * math.pi), c.rng.uniform(2, 9)
    c.shade((c.x * math.cos(tilt) + c.y * math.sin(tilt)) * fall, (1, 1, 1))
    c.shade(-(c.x**2 + c.y**2) * c.rng.uniform(6, 14), (1, 1.1, 1.1))
    c.shade(rough * c.noise(0.7), (4, 5, 6))
    c.shade(rough * c.noise(0.22), (2, 5, 4))  # blood takes green
    c.shade(rough * c.noise(0.25), (3, 4, 6))  # melanin takes blue
    c.shade(rough * c.noise(0.05), (2.6, 3.2, 3.2))
    c.shade(rough * c.noise(0.018), (3.0, 3.2, 3.2))


def _network(c: Canvas, scale: float) -> Field:
    """Return a mesh of lines, 1 on a line and 0 in a hole, with holes about `scale` wide."""
    ridges = np.minimum(np.abs(c.noise(scale)), np.abs(c.noise(scale)))
    return np.exp(-((ridges / 0.22) ** 2)).astype(np.float32)


def _draw_nv(c: Canvas, at: _Lesion) -> None:
    """Draw a nevus: even brown, darker in the middle, a regular network that fades outwards."""
    c.absorb(0.62 * at.mask * (1 + 0.16 * c.noise(0.12)), at.pen.pigment)
    c.absorb(0.45 * sigmoid((at.depth - 0.5 + 0.1 * c.noise(0.15)) / 0.14), at.pen.pigment)
    c.absorb(0.20 * at.mask * _network(c, 0.07), at.pen.pigment)
    c.absorb(0.35 * c.scatter(at.mask, 18, 0.008, 0.018), at.pen.pigment)


def _draw_mel(c: Canvas, at: _Lesion) -> None:
    """Draw a melanoma: asymmetric, many colours, black blotch, blue-white veil, globules."""
    c.absorb(0.5 * at.mask * (1 + 0.25 * c.noise(0.1)), at.pen.pigment)
    side = np.cos(at.around - c.rng.uniform(0, 2 * math.pi)) * np.clip(1 - at.depth, 0, 1)
    patches = sigmoid((c.noise(0.25) + 1.2 * side) / 0.5) * at.mask
    c.absorb(0.65 * patches * (1 + 0.25 * c.noise(0.06)), at.pen.pigment)
    c.absorb(0.20 * at.mask * _network(c, 0.08), at.pen.pigment)
    blotch = sigmoid((c.noise(0.2) + 1.6 * side - 0.9) / 0.35) * at.mask
    c.absorb(0.9 * blotch * (1 + 0.2 * c.noise(0.05)), (0.9, 0.9, 0.75))
    veil = sigmoid((c.noise(0.3) - 1.0 * side - 0.6) / 0.4) * sigmoid((at.depth - 0.2) / 0.1)
    c.blend(0.55 * veil, (140, 116, 138))
    c.absorb(0.5 * sigmoid((c.noise(0.2) - 1.0) / 0.3) * at.mask, (0.05, 0.6, 0.4))
    rim = np.exp(-(((at.depth - 0.05) / 0.10) ** 2)) * sigmoid(side / 0.2)
    c.absorb(0.7 * c.scatter(rim, 28, 0.010, 0.024), at.pen.pigment)


def _draw_bkl(c: Canvas, at: _Lesion) -> None:
    """Draw a seborrheic keratosis: stuck on, ridges, milia-like cysts, comedo-like openings."""
    c.absorb(0.55 * at.mask * (1 + 0.15 * c.noise(0.07)), at.pen.pigment)
    c.absorb(0.40 * at.mask * sigmoid(c.noise(0.22) / 0.4), at.pen.pigment)
    ridges = sigmoid((np.abs(c.noise(0.08)) - 0.4) / 0.2)
    c.absorb(0.25 * at.mask * (1 - ridges), at.pen.pigment)
    c.absorb(0.25 * np.exp(-(((at.depth - 0.07) / 0.06) ** 2)), at.pen.pigment)
    inside = sigmoid((at.depth - 0.15) / 0.04)
    c.absorb(0.7 * c.scatter(inside, int(c.rng.integers(14, 34)), 0.010, 0.03), (0.8, 1, 1))
    c.blend(0.55 * c.scatter(inside, int(c.rng.integers(8, 22)), 0.010, 0.026), (216, 184, 164))


def _branch(
    c: Canvas, start: tuple[float, float], turn: float, length: float
) -> list[tuple[Line, float]]:
    """Return a vessel that winds, thins out and forks."""
    found: list[tuple[Line, float]] = []
    stems = [(start, turn, length)]
    while stems:
        (x, y), angle, left = stems.pop()
        line: Line = [(x, y)]
        for _ in range(10):
            angle += float(c.rng.normal(0, 0.22))
            x, y = x + math.cos(angle) * left / 10, y + math.sin(angle) * left / 10
            line.append((x, y))
        found.append((line, 0.006 + 0.022 * left))
        if left > 0.14:
            fork = float(c.rng.uniform(0.35, 0.8))
            stems += [((x, y), angle + fork, left * 0.66), ((x, y), angle - fork, left * 0.6)]
    return found


def _draw_bcc(c: Canvas, at: _Lesion) -> None:
    """Draw a basal cell carcinoma: shiny pink, blue-grey nests, arborising vessels, erosions."""
    c.absorb(0.24 * at.mask * (1 + 0.4 * c.noise(0.1)), (0.15, 0.95, 0.6))
    c.blend(0.35 * at.mask * sigmoid((c.noise(0.18) - 0.6) / 0.4), (226, 188, 194))
    vessels: list[tuple[Line, float]] = []
    for x, y in c.places(at.mask, 5):
        turn = math.atan2(at.centre[1] - y, at.centre[0] - x) + float(c.rng.normal(0, 0.5))
        vessels += _branch(c, (x, y), turn, 0.32)
    c.absorb(0.55 * c.lines(vessels, 1.6), (0.25, 1, 0.8))
    where = sigmoid((c.noise(0.35) + 0.3) / 0.3) * at.mask
    nests = c.scatter(where, int(c.rng.integers(9, 16)), 0.03, 0.085, 5.0)
    c.absorb(0.75 * nests * (1 + 0.3 * c.noise(0.05)), (0.9, 1, 0.7))
    c.absorb(0.55 * c.scatter(where, 30, 0.010, 0.022), (0.8, 1, 0.8))
    c.absorb(0.6 * c.scatter(at.mask, 2, 0.03, 0.06, 4.0), (0.35, 1, 1))


def _draw_akiec(c: Canvas, at: _Lesion) -> None:
    """Draw an actinic keratosis: red, scaly, strawberry pattern on sun-damaged skin."""
    c.absorb(0.28 * sigmoid((c.noise(0.22) - 0.8) / 0.4), (0.3, 0.7, 1))  # sun spots
    c.absorb(0.24 * at.mask * (1 + 0.35 * c.noise(0.12)), (0.20, 0.95, 0.75))
    c.absorb(0.22 * at.mask * sigmoid((c.noise(0.2) - 0.3) / 0.4), (0.35, 1, 1))
    c.absorb(0.10 * at.mask * _network(c, 0.06), (0.3, 1, 0.9))
    c.blend(0.35 * c.scatter(at.mask, 90, 0.010, 0.022, 1.5), (230, 192, 180))  # follicles
    scale = sigmoid((c.noise(0.08) - 1.3) / 0.2) * at.mask
    c.blend(0.65 * scale, (234, 212, 198))
    c.absorb(0.40 * at.mask * sigmoid((c.noise(0.14) - 1.3) / 0.3), (0.6, 1, 1.1))


def _draw_df(c: Canvas, at: _Lesion) -> None:
    """Draw a dermatofibroma: a white scar in the middle, a faint network around it."""
    c.absorb(0.36 * at.mask * (1 + 0.22 * c.noise(0.14)), (0.30, 0.95, 0.80))
    ring = at.mask * (1 - sigmoid((at.depth - 0.5) / 0.1))
    c.absorb(0.18 * ring * _network(c, 0.08), (0.5, 1, 1))
    scar = sigmoid((at.depth - 0.58 + 0.06 * c.noise(0.12)) / 0.08)
    c.blend(0.60 * scar, (226, 176, 188))
    c.blend(0.35 * scar * _network(c, 0.10), (242, 216, 220))


def _cells(c: Canvas, at: _Lesion, count: int) -> tuple[Field, Field]:
    """Return Voronoi cells over the lesion: a random number per cell, distance to its wall."""
    points = np.array(c.places((at.depth > 0).astype(np.float32), count), np.float32)
    warp = 0.02 * c.noise(0.1)
    far = np.hypot(c.x[..., None] + warp[..., None] - points[:, 0], c.y[..., None] - points[:, 1])
    near = np.partition(far, 1, axis=-1)
    value = c.rng.random(count).astype(np.float32)[far.argmin(-1)]
    return value, near[..., 1] - near[..., 0]


def _draw_vasc(c: Canvas, at: _Lesion) -> None:
    """Draw an angioma: round red, purple and black lagoons between pale walls."""
    c.absorb(0.12 * sigmoid((at.depth + 0.3) / 0.15), (0.2, 1, 0.6))
    blue = c.rng.uniform()
    blood = (0.40 + 0.3 * blue, 1.5, 0.80 - 0.2 * blue)
    c.absorb(0.45 * at.mask * (1 + 0.2 * c.noise(0.08)), blood)
    value, wall = _cells(c, at, int(c.rng.integers(10, 22)))
    lagoon = sigmoid((wall - 0.022) / 0.016) * at.mask
    c.absorb(lagoon * (0.35 + 1.2 * value**2 + 0.12 * c.noise(0.05)), blood)
    haze = sigmoid((c.noise(0.2) - 0.9) / 0.3) * at.mask
    c.blend(0.35 * haze, (196, 170, 206))


_DRAW: dict[str, Callable[[Canvas, _Lesion], None]] = {
    "akiec": _draw_akiec,
    "bcc": _draw_bcc,
    "bkl": _draw_bkl,
    "df": _draw_df,
    "mel": _draw_mel,
    "nv": _draw_nv,
    "vasc": _draw_vasc,
}


def _hair(c: Canvas, count: int) -> None:
    """Lay dark hairs over the picture: long arcs that share a direction."""
    main = c.rng.uniform(0, math.pi)
    hairs: list[tuple[Line, float]] = []
    for _ in range(count):
        x, y = c.rng.uniform(-1.3, 1.3), c.rng.uniform(-1, 1)
        angle, bend = main + c.rng.normal(0, 0.45), c.rng.normal(0, 0.07)
        step = c.rng.uniform(0.03, 0.09)
        line: Line = []
        for _ in range(18):
            line.append((x, y))
            angle += bend
            x, y = x + math.cos(angle) * step, y + math.sin(angle) * step
        hairs.append((line, float(c.rng.uniform(0.007, 0.013))))
    c.blend(0.75 * c.lines(hairs, 0.5), (58, 42, 44))


def _ruler(c: Canvas) -> None:
    """Lay the ticks of a dermatoscope's scale into a corner."""
    side = 1 if c.rng.random() < 0.5 else -1
    ticks: list[tuple[Line, float]] = []
    for i in range(9):
        x, y = side * (c.width / c.height - 0.06 - 0.085 * i), 0.94
        long = 0.09 if i % 5 == 0 else 0.05
        ticks.append(([(x, y), (x, y - long)], 0.009))
    c.blend(0.8 * c.lines(ticks, 0.4), (40, 34, 38))


def _dark_corners(c: Canvas) -> None:
    """Darken what lies outside the dermatoscope's round field of view."""
    radius = c.rng.uniform(1.18, 1.36)
    outside = sigmoid((np.hypot(c.x, c.y) - radius) / 0.02)
    c.blend(0.5 * sigmoid((np.hypot(c.x, c.y) - radius) / 0.12), (70, 48, 54))
    c.blend(outside, (16, 11, 13))


def draw_lesion(dx: str, seed: int, size: tuple[int, int] = (600, 450)) -> Image.Image:
    """Draw a dermoscopy-like picture of a lesion of class `dx`.

    Parameters
    ----------
    dx : str
        One of HAM10000's classes ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc").
    seed : int
        Non-negative; the same class, seed and size give the same picture.
    size : (int, int)
        Width and height in pixels, each at least 32.

    Returns
    -------
    PIL.Image.Image
        Mode RGB.

    Raises
    ------
    DataError
        If the class is unknown.
    ValueError
        If the size is too small.
    """
    if dx not in _DRAW:
        raise DataError(
            f"There is no drawing of the class {dx!r}.", f"Choose one of: {', '.join(_DRAW)}."
        )
    if min(size) < 32:
        raise ValueError(f"size: expected at least 32 pixels a side, got {size}")
    c = Canvas(size, numpy_generator(HAM10000.classes.index(dx), seed))
    look = _LOOKS[dx]
    _skin(c, _jitter(look.skin, c.rng, 7, 4), look.rough)
    _DRAW[dx](c, _outline(c, look))
    _accessories(c)
    return _photograph(c)


def _accessories(c: Canvas) -> None:
    hair, ruler, corners = c.rng.random(3)
    if hair < 0.35:
        _hair(c, int(c.rng.integers(3, 12)))
    if ruler < 0.25:
        _ruler(c)
    if corners < 0.3:
        _dark_corners(c)


def _photograph(c: Canvas) -> Image.Image:
    """Return what a camera makes of it: a little blur, a little noise, 8 bits."""
    grain = 1.5 * c.rng.standard_normal(c.rgb.shape)
    image = Image.fromarray(np.clip(c.rgb, 0, 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(1.7 * c.height / 450))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


# Chosen among the first seeds because a classifier names them: they demonstrate the app and say
# nothing about accuracy. To re-choose: draw other seeds and keep those the released teacher names.
_SAMPLES = (
    ("akiec", 9),
    ("akiec", 2),
    ("bcc", 8),
    ("bkl", 1),
    ("df", 12),
    ("mel", 15),
    ("mel", 7),
    ("nv", 13),
    ("nv", 5),
    ("vasc", 19),
    ("vasc", 6),
)


def drawn_samples() -> tuple[DrawnSample, ...]:
    """Return the gallery of drawn samples, at least one for each class, in class order."""
    names = dict(zip(HAM10000.classes, HAM10000.long_names))
    return tuple(
        DrawnSample(f"{dx}-{seed}", dx, seed, f"Drawn {names[dx]} (sample {seed})")
        for dx, seed in _SAMPLES
    )
