"""Charts of a reader study: both roles in their colours, differences around 0."""

from __future__ import annotations

import numpy as np

from kdcore.charts.reading import difference_dots, rating_dots
from kdcore.charts.style import STUDENT, TEACHER
from kdcore.evaluate.reading import analyse_reading


def test_ratings_and_differences_are_drawn() -> None:
    values = np.array([[[2.0, 4], [3, 5], [2, 3]]])
    result = analyse_reading({"focus": values, "use": values}, np.zeros((1, 3)), n_boot=20)
    titles = {"focus": "Focus", "use": "Usefulness"}
    spec = rating_dots(result, titles).to_dict()
    (rows,) = spec["datasets"].values()
    assert [(r["label"], r["series"], r["value"]) for r in rows][:2] == [
        ("Focus", "Teacher", values[0, :, 0].mean()),
        ("Focus", "Student", 4.0),
    ]
    scale = spec["layer"][0]["encoding"]["color"]["scale"]
    assert scale == {"domain": ["Teacher", "Student"], "range": [TEACHER, STUDENT]}
    assert spec["layer"][0]["encoding"]["x"]["scale"]["domain"] == [1, 5]
    differences = difference_dots(result, titles).to_dict()
    found = [r for rows in differences["datasets"].values() for r in rows if "label" in r]
    assert [r["value"] for r in found] == [5 / 3, 5 / 3]
