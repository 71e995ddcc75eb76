"""The chart of insertion and deletion, and the outline of a mask."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from kdcore.charts.faithfulness import curve_chart
from kdcore.charts.figure import figure_bytes
from kdcore.charts.overlay import outline
from kdcore.explain.faithfulness import Faithfulness

NAMES = ("map", "centre", "edges", "random", "uniform", "random 2")


def curves() -> dict[str, Faithfulness]:
    shares = np.linspace(0, 1, 5)
    return {
        name: Faithfulness(shares, shares ** (i + 1), 1 - shares ** (i + 1), 1.0, 0.5)
        for i, name in enumerate(NAMES)
    }


@pytest.mark.parametrize("which", ["insertion", "deletion"])
def test_every_curve_is_there_and_named_with_its_area(which: str) -> None:
    found = curves()
    spec = curve_chart(found, which, "#123456").to_dict()
    rows, names = (spec["datasets"][layer["data"]["name"]] for layer in spec["layer"])
    assert len(rows) == 5 * 5, "the second random map is not drawn"
    values = [row["probability"] for row in rows if row["curve"] == "this map"]
    assert values == pytest.approx(getattr(found["map"], which).tolist())
    areas = [float(row["text"].rpartition(" ")[2]) for row in names]
    assert areas == sorted(areas, reverse=which == "insertion")
    assert areas[names.index(next(n for n in names if n["curve"] == "this map"))] == pytest.approx(
        getattr(found["map"], f"{which}_auc"), abs=0.005
    )
    assert figure_bytes(curve_chart(found, which, "#123456"), "svg").startswith(b"<svg")


def test_an_outline_follows_the_edge_and_leaves_the_rest() -> None:
    mask = np.zeros((60, 80), bool)
    mask[20:40, 30:60] = True
    picture = Image.new("RGB", (80, 60), (200, 100, 50))
    drawn = np.asarray(outline(picture, mask)).astype(int)
    changed = (drawn != (200, 100, 50)).any(-1)
    rows, columns = np.mgrid[:60, :80]
    outside = np.maximum.reduce([19.5 - rows, rows - 39.5, 29.5 - columns, columns - 59.5])
    assert changed[(np.abs(outside) < 2)].all()
    assert not changed[np.abs(outside) > 6].any()
    assert (drawn[20, 45] == 255).all()
    assert np.array_equal(np.asarray(picture), np.full((60, 80, 3), (200, 100, 50)))


def test_a_mask_of_the_whole_picture_or_nothing_has_no_outline() -> None:
    picture = Image.new("RGB", (30, 30), "red")
    for mask in (np.zeros((30, 30), bool), np.ones((30, 30), bool)):
        assert np.array_equal(np.asarray(outline(picture, mask)), np.asarray(picture))
