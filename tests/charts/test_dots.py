"""Forest plots on a phone: the legend begins left of the plot and has its room above it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from kdcore.charts.dots import interval_dots
from kdcore.charts.figure import figure_bytes

NAMES = ["MobileNetV2 from ImageNet, 144 px", "MobileNetV2 by KD + AT, 128 px", "third"]
LABELS = ["silences that are right (NPV)", "anterior torso\n120 / 80"]
SVG = "{http://www.w3.org/2000/svg}"


def chart(names: list[str], title: str = "macro-F1"):
    ends = {"value": 0.5, "low": 0.4, "high": 0.6}
    return interval_dots([{"label": x, "series": s, **ends} for x in LABELS for s in names], title)


def placed(svg: bytes) -> dict[str, tuple[float, float]]:
    """Return where each text of a drawing begins: x and y of its anchor."""
    found: dict[str, tuple[float, float]] = {}

    def walk(element: ET.Element, x: float, y: float) -> None:
        moved = re.match(r"translate\(([-\d.]+)[, ]([-\d.]+)\)", element.get("transform", ""))
        if moved:
            x, y = x + float(moved[1]), y + float(moved[2])
        if element.tag == f"{SVG}text":
            found["".join(element.itertext())] = x, y
        for child in element:
            walk(child, x, y)

    walk(ET.fromstring(svg), 0.0, 0.0)
    return found


@pytest.mark.parametrize("note", ["", "Test part, n = 1,349 images."])
@pytest.mark.parametrize("count", [2, 3])
def test_the_legend_is_within_the_drawing_above_the_plot_and_left_of_it(
    count: int, note: str
) -> None:
    texts = placed(figure_bytes(chart(NAMES[:count]), "svg", note))
    row_x, row_y = texts[LABELS[0]]  # right-aligned at the plot's left edge
    for name in NAMES[:count]:
        x, y = texts[name]
        assert 0 < x < row_x
        assert 10 < y < row_y
    assert texts[NAMES[0]][1] < 30  # no empty room above it
    ys = [texts[name][1] for name in NAMES[:count]]
    assert ys == sorted(ys) and min(b - a for a, b in pairwise(ys)) >= 12


def test_a_single_name_needs_no_legend_and_takes_no_room() -> None:
    one, two = (chart(NAMES[:n]).to_dict() for n in (1, 2))
    assert one["padding"]["top"] < two["padding"]["top"]
    assert NAMES[0] not in placed(figure_bytes(chart(NAMES[:1]), "svg"))


def test_a_long_title_has_lines_that_a_phone_shows() -> None:
    title = "Share of the map's sum on the lesion, student less its baseline\n(higher is better)"
    layer = chart(NAMES, title).to_dict()["layer"][0]
    lines = layer["encoding"]["x"]["title"]
    assert " ".join(lines) == title.replace("\n", " ")
    assert len(lines) == 3 and max(map(len, lines)) <= 36
