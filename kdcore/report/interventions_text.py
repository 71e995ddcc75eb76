"""What the tests of causal masks say, in sentences: beside random regions, and on the student."""

from __future__ import annotations

from collections.abc import Sequence

from kdcore.base.words import percent
from kdcore.evaluate.interventions import InterventionStudy, MaskEffect, StageEffect
from kdcore.report.cells import number, percent_text, signed_text


def mask_text(study: InterventionStudy, title: str) -> str:
    """Return whether a network's own masks deserve the name, in two sentences.

    Parameters
    ----------
    study : of one network
    title : what it is called
    """
    most = max(study.effects, key=lambda found: found.own.effect.value)
    first = _counted([found.own for found in study.effects], f"the mask of {title}")
    return (
        f"{first} The most is lost at {most.stage} with {percent(most.fraction)} of the cells: "
        f"{signed_text(most.own.effect)} beyond random regions, and more than all "
        f"{study.regions} of them on {percent_text(most.own.beats_all)} of the images, where "
        f"chance gives {100 * study.by_chance:.0f} %."
    )


def mask_transfer_text(study: InterventionStudy, title: str) -> str:
    """Return what the teacher's masks do to a student, in one or two sentences.

    Parameters are those of `mask_text`.
    """
    first = _counted(
        [found.transferred for found in study.effects], f"the teacher's mask from {title}'s input"
    )
    ratios = [r for found in study.effects if (r := found.transfer_ratio.value) == r]
    if not ratios:
        return f"{first} Its own masks have no clear effect to compare that with."
    return f"{first} {_ratio_text(ratios)}"


def stage_label(found: StageEffect) -> str:
    """Return a stage and an area in two lines, for charts."""
    return f"{found.stage}\n{percent(found.fraction)} of the cells"


def _ratio_text(ratios: Sequence[float]) -> str:
    span = " to ".join(dict.fromkeys(number(r, 2) for r in (min(ratios), max(ratios))))
    return (
        f"Where the student's own masks have a clear effect, the teacher's have {span} times that: "
        "at 1 the teacher points at what matters to the student as well as it does itself."
    )


def _counted(masks: Sequence[MaskEffect], removed: str) -> str:
    """Return at how many places masks cost more than random regions, and at how many less."""
    more = sum(mask.effect.low > 0 for mask in masks)
    less = sum(mask.effect.high < 0 for mask in masks)
    beside = f", and less at {less}" if less else ""
    return (
        f"Removing {removed} costs more than removing random regions at {more} of the "
        f"{len(masks)} stages and areas{beside}, interval and all."
    )
