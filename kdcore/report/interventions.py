"""Tables of the tests of causal masks: every stage and area, for people and as files.

Files lie as those of a study of heatmaps: records in a folder of their own, tables beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kdcore.base import write_text
from kdcore.base.words import duration, percent
from kdcore.evaluate.interventions import InterventionStudy, StageEffect
from kdcore.predict.intervention_scores import InterventionScores
from kdcore.report.cells import (
    Rows,
    csv_text,
    interval_text,
    markdown_table,
    percent_text,
    signed_text,
    spread,
)
from kdcore.report.notes import note

NAME = "interventions"


def intervention_rows(studies: Sequence[InterventionStudy]) -> Rows:
    """Return one row for each network, stage and area; measures are `Interval`s, see `spread`."""
    head: list[object] = ["model", "teacher", "stage", "teacher stage", "area", "images", "lesions"]
    for whose in ("own", "transferred"):
        head += [f"{whose} {name}" for name in ("drop", "random drop", "effect", "beats all")]
    body: Rows = [
        [study.model, study.teacher, e.stage, e.teacher_stage, e.fraction, study.n, study.n_groups]
        + [getattr(m, k) for m in (e.own, e.transferred) for k in vars(m)]
        + [e.transfer_ratio]
        for study in studies
        for e in study.effects
    ]
    return [[*head, "transfer ratio"], *body]


def interventions_markdown(studies: Sequence[InterventionStudy], seconds: float) -> str:
    """Return a table for each network, what it is of, and the `seconds` that it took."""
    parts = [
        "# Causal masks, tested by removing them",
        "Effect: how far the probability of the teacher's first choice falls when the mask is "
        "blurred away, less the mean fall for random regions of equal area. Transfer: the "
        "teacher's mask removed from the student's input; its ratio is the effect of the "
        "teacher's masks over that of the student's own, n/a where theirs is not clear of 0. "
        f"The last run took {duration(seconds)}, without what was kept of earlier ones.",
    ]
    for study in studies:
        parts += [f"## {study.model}", _about(study), _table(study)]
    return "\n\n".join(parts)


def write_interventions(
    folder: Path,
    records: Sequence[InterventionScores],
    studies: Sequence[InterventionStudy],
    seconds: float,
) -> None:
    """Write the records into `folder`/interventions, and a CSV and a Markdown table beside them.

    Parameters
    ----------
    folder : made where it is not there; other parts' files in it stay
    records, studies : of the same networks on one part
    seconds : the time that it took
    """
    for record in records:
        record.save(folder / NAME / f"{record.split}-{record.model}.npz")
    stem = f"{NAME}-{studies[0].split}"
    texts = {
        f"{stem}.csv": csv_text(spread(intervention_rows(studies))),
        f"{stem}.md": interventions_markdown(studies, seconds),
    }
    for name, text in texts.items():
        write_text(folder / name, text)


def read_interventions(folder: Path) -> dict[tuple[str, str], list[InterventionScores]]:
    """Return the records in `folder`/interventions by part and teacher, the teacher's own first.

    Raises
    ------
    DataError
        If a record can't be read.
    """
    found: dict[tuple[str, str], list[InterventionScores]] = {}
    for path in sorted((folder / NAME).glob("*.npz")):
        record = InterventionScores.load(path)
        found.setdefault((record.split, record.teacher), []).append(record)
    return {
        key: sorted(records, key=lambda r: (r.model != r.teacher, r.model))
        for key, records in found.items()
    }


def _about(study: InterventionStudy) -> str:
    return (
        f"{note(study)} Teacher: {study.teacher}. Probability of its first choice, untouched: "
        f"{interval_text(study.probability)}. A random region beats {study.regions} others on "
        f"{percent(study.by_chance)} of images."
    )


def _table(study: InterventionStudy) -> str:
    head = ["stage", "area", "effect", "beats all random regions"]
    itself = study.model == study.teacher
    if not itself:
        head += ["effect of the teacher's mask", "beats all random regions", "transfer ratio"]
    return markdown_table([head, *(_line(effect, itself) for effect in study.effects)])


def _line(found: StageEffect, itself: bool) -> list[str]:
    line = [found.stage, f"{percent(found.fraction)}"]
    for masks in (found.own,) if itself else (found.own, found.transferred):
        line += [signed_text(masks.effect), percent_text(masks.beats_all)]
    return line if itself else [*line, interval_text(found.transfer_ratio, 2)]
