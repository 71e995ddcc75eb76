"""Images of a study of heatmaps: truth, both models' answers, how alike their maps are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kdcore.predict.map_scores import MapScores
from kdcore.report.cells import Rows, number
from kdcore.report.explanations import METRICS


def map_case_rows(record: MapScores, rows: NDArray[np.int64], measure: str) -> Rows:
    """Return one row for each image: id, lesion, truth, both answers, and the agreement.

    Parameters
    ----------
    record : of a student
    rows : (M,) indices of its images
    measure : one of `AGREEMENT`
    """
    head: list[object] = ["image", "lesion", "true class", "teacher", "student", METRICS[measure]]
    body: Rows = [
        [
            str(record.sample_ids[row]),
            str(record.group_ids[row]),
            *_answers(record, row),
            round(float(record.columns[measure][row]), 4),
        ]
        for row in rows.tolist()
    ]
    return [head, *body]


def map_case_lines(record: MapScores, rows: NDArray[np.int64], measure: str) -> dict[str, str]:
    """Return a line for each image by its id: agreement, truth, and what both said.

    Parameters are those of `map_case_rows`.
    """
    lines = {}
    for row in rows.tolist():
        truth, teacher, student = _answers(record, row)
        agreement = number(float(record.columns[measure][row]), 2)
        lines[str(record.sample_ids[row])] = (
            f"{agreement}; True: {truth}; Teacher: {teacher}; Student: {student}"
        )
    return lines


def _answers(record: MapScores, row: int) -> Sequence[str]:
    """Return the names of the true class, the teacher's answer and the student's."""
    return [record.classes[of[row]] for of in (record.labels, record.target, record.answer)]
