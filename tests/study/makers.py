"""Tiny studies: squares of one colour with heatmaps that tell whose they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from kdcore.study import QUESTIONS, SIDES, NewCase, Reader, Study, create_study, prefer, rate

LEVEL = {"teacher": 0.25, "student": 0.75}  # of a role's heatmaps


def new_case(number: int, **fields: object) -> NewCase:
    known: dict[str, object] = {
        "image_id": f"secret-{number}",
        "dx": ("mel", "nv")[number % 2],
        "group": f"lesion-{number}",
        "target": "melanoma",
        "picture": Image.new("RGB", (32, 32), (40 * (number % 6), 90, 60)),
        "heatmaps": {r: np.full((8, 8), v, np.float32) for r, v in LEVEL.items()},
        "manifest": {"teacher": {"weights_sha256": "a" * 64}},
    }
    return NewCase(**(known | fields))  # type: ignore[arg-type]


def make_study(cases: int = 6, root: Path | None = None, title: str = "Pilot") -> Study:
    names = {"teacher": "big-net", "student": "small-net", "method": "grad-cam"}
    about = {what: {"name": name} for what, name in names.items()}
    return create_study(title, 7, (new_case(n) for n in range(cases)), about, root)


def answer_all(study: Study, reader: Reader, student: int = 4, teacher: int = 2) -> None:
    """Rate every map of a role alike, and prefer the student's."""
    values = {"student": student, "teacher": teacher}
    for sight in reader.sights:
        for side in SIDES:
            for question in QUESTIONS:
                rate(study, reader.code, sight.case, side, question, values[sight.role(side)])
        chosen = next(side for side in SIDES if sight.role(side) == "student")
        prefer(study, reader.code, sight.case, chosen)
