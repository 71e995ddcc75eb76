"""A study of heatmaps in words: two plain sentences a result, and what the numbers are of."""

from __future__ import annotations

from kdcore.base.words import duration, percent
from kdcore.evaluate.explanations import Explanations
from kdcore.evaluate.map_means import ALL, MIN_LESIONS, PartMean
from kdcore.evaluate.transfer import MARGIN, MEASURE, NO, PARTLY, YES, Transfer
from kdcore.predict.map_scores import AGREEMENT
from kdcore.report.cells import Rows, interval_text, markdown_table, number, signed_text, text_rows
from kdcore.report.explanations import (
    BOUNDS,
    CHECKS,
    FAITHFULNESS,
    LOCALISATION,
    MAP_LOWER_IS_BETTER,
    METRICS,
    agreement_table,
    floor_rows,
    mean_table,
    transfer_rows,
)
from kdcore.report.notes import note
from kdcore.report.pair_words import p_text

_LEADING = ("pearson", "lesion_energy", "deletion", "road")  # one of each kind; the files have all
_ANSWERS = {YES: "Yes", PARTLY: "In general, not image by image", NO: "No"}


def transfer_text(found: Explanations, answer: Transfer) -> str:
    """Return whether distillation carried explanations over to a student, in few sentences."""
    student, baseline = found.titles[answer.student], found.titles[answer.baseline]
    verb = "correlate" if answer.measure == MEASURE else f"agree in {METRICS[answer.measure]}"
    first = (
        f"{_ANSWERS.get(answer.verdict, 'These images can’t say')}: the maps of {student} "
        f"{verb} with the teacher's by {interval_text(answer.student_mean.mean)} on average, "
        f"those of {baseline}, the same network trained without a teacher, by "
        f"{interval_text(answer.baseline_mean.mean)}: {_difference(answer.gain)}."
    )
    beyond = answer.same_answers
    if beyond is None:
        return f"{first} There is no image where both give the teacher's answer."
    meaning = "which leaves both a gain and none possible"
    if answer.gained:
        meaning = "so the student looks where the teacher looks by more than its answers explain"
    elif answer.verdict == NO and beyond.mean.high < 0:
        meaning = "so the student looks less where the teacher looks than without a teacher"
    elif answer.verdict == NO:
        meaning = f"so no gain of {MARGIN} or more is left beyond what the answers explain"
    elif beyond.lesions < MIN_LESIONS:
        meaning = f"of {beyond.lesions} lesions, too few to tell"
    return (
        f"{first} On the {beyond.n:,} images where both give the teacher's answer it is "
        f"{_difference(beyond)}, {meaning}.{_particular(answer)} One training run of each network: "
        "other seeds may differ."
    )


def _particular(answer: Transfer) -> str:
    """Return whether a gain is about the image, a sentence with a space before it; else ""."""
    if answer.particular is None or not answer.gained:
        return ""
    own = _difference(answer.particular)
    meaning = {
        YES: "that is about the image itself",
        PARTLY: f"less than {MARGIN}, so it looks where its teacher usually looks, not image by "
        "image",
    }.get(answer.verdict, "whether that is about the image itself can't be told")
    return (
        " Beyond what it gains beside the teacher's map of another image of the same answer, "
        f"{own} is left: {meaning}."
    )


def floor_text(found: Explanations, model: str) -> str:
    """Return what a student's agreement is worth beside maps that can't know, two sentences."""
    means = _means(found, model)
    parts = []
    other = _lift(found, model, "mismatched", "pearson")
    if other:
        floor = number(means["pearson_mismatched"].mean.value)
        parts.append(
            f"With the teacher's map of another image of the same answer the maps of "
            f"{found.titles[model]} correlate by {floor}; the right image adds "
            f"{_difference(other)}."
        )
    centre = _lift(found, model, "centre", "pearson")
    if centre:
        told = {
            1: "A plain blob in the middle of the image is less like the teacher's maps than they "
            "are",
            -1: "A plain blob in the middle of the image is more like the teacher's maps than they "
            "are",
            0: "They are not shown to be more like the teacher's than a plain blob in the middle "
            "of the image is",
        }[_sign(centre)]
        blob = number(means["pearson_centre"].mean.value)
        parts.append(f"{told}: it correlates by {blob}, they by {_difference(centre)} more.")
    return " ".join(parts)


def localisation_text(found: Explanations, model: str) -> str:
    """Return whether a model's maps lie on the lesion, in two sentences; "" without masks."""
    return _beside_centre(
        found,
        model,
        "lesion_energy",
        "Of the maps of {title}, {mean} of the relevance lies on the lesion; of a plain blob in "
        "the middle of the image {centre} does, of pixels in random order {chance}.",
        "finds the lesion",
    )


def faithfulness_text(found: Explanations, model: str) -> str:
    """Return whether the answer hangs on what a model's maps mark, in two sentences; "" if untold.

    Deletion alone is told: it asks of the marked pixels what a map claims of them.
    """
    return _beside_centre(
        found,
        model,
        "deletion",
        "With the pixels deleted in the order of the maps of {title}, the probability of the "
        "class is {mean} on average over the way; in the order of a plain blob in the middle of "
        "the image it is {centre}, in random order {uniform}: lower is better.",
        "marks what the answer hangs on",
    )


def road_text(found: Explanations, model: str) -> str:
    """Return what filling pixels in shows of a model's maps, in two sentences; "" if untold."""
    return _beside_centre(
        found,
        model,
        "road",
        "With the pixels filled in from their neighbours (ROAD) in the order of the maps of "
        "{title}, the probability of the class is {mean} on average over the way; in the order of "
        "a plain blob in the middle of the image it is {centre}, in random order {uniform}: lower "
        "is better.",
        "marks what the answer hangs on",
    )


def checks_text(found: Explanations, model: str) -> str:
    """Return whether a model's maps need what it learned, in two sentences; "" if untold.

    More say how often empty maps, which count as 0, are behind these numbers, where any are.
    """
    means = _means(found, model)
    if "shuffled" not in means or not means["shuffled"].n:
        return ""
    told = {name: interval_text(row.mean) for name, row in means.items()}
    classes = told.get("other_class", "")  # "" for a method that shows no class
    first = (
        f"The maps of {found.titles[model]} have a rank correlation of {told['shuffled']} with "
        "those of the same network with shuffled weights, "
        f"{f'of {classes} with those for other classes, ' if classes else ''}of "
        f"{told['shuffled_random']} with random blobs and of {told['shuffled_edges']} with the "
        f"edges in the picture; noise that no eye sees changes them by up to {told['sensitivity']} "
        f"of their norm, the edges by {told['sensitivity_edges']} (n = {means['shuffled'].n:,})."
    )
    sides = [f"{METRICS[m]} is {_side(means[m], BOUNDS[m])}" for m in BOUNDS if m in means]
    second = f"Beside the bounds for a single map, {'; '.join(sides)}."
    share = means["shuffled_empty"].mean.value
    if share:
        second += (
            f" But {percent(share)} of the shuffled network's maps are empty, which counts as 0: "
            "there the check is passed whatever the map shows."
        )
    share = means["other_class_empty"].mean.value if classes else 0.0
    if share:
        second += (
            f" For {percent(share)} of the images every map for another class is empty, and counts "
            "as 0, too; single ones are for more."
        )
    return f"{first} {second}"


def other_teachers(found: Explanations) -> list[str]:
    """Return a sentence for each student that another teacher taught."""
    return [
        f"{found.titles[model]} was taught by {names}, not by {found.teacher}."
        for model, names in found.taught_by.items()
        if names and found.teacher not in names.split(", ")
    ]


def markdown_study(found: Explanations, seconds: float) -> str:
    """Return the sentences and the main tables; `seconds` is the time of the last run."""
    parts = [
        f"# Where models look: {found.method}",
        note(found),
        f"Teacher: {found.titles.get(found.teacher, found.teacher)}; every map is asked about its "
        f"first choice. The last run took {duration(seconds)}, without what was kept "
        "of earlier ones.",
        *other_teachers(found),
        "## Does the student look where the teacher looks?",
        *(transfer_text(found, answer) for answer in found.transfers),
        _table(transfer_rows(found)),
        "## Agreement with the teacher's maps",
        *(floor_text(found, model) for model in found.lifts if model != found.teacher),
        _table(agreement_table(found)),
    ]
    for title, metrics, text in (
        ("On the lesion", LOCALISATION, localisation_text),
        ("Faithful to the answer", FAITHFULNESS, _faithful),
        ("Does the map need the network, and the class?", CHECKS, checks_text),
    ):
        told = [sentence for model in found.means if (sentence := text(found, model))]
        parts += [f"## {title}", *told, _table(mean_table(found, metrics))] if told else []
    parts += ["## Agreement by class", _table(mean_table(found, AGREEMENT, "class"))]
    parts += ["## Agreement by who is right", _table(mean_table(found, AGREEMENT, "quadrant"))]
    parts += ["## Beside each floor", _table(floor_rows(found, _LEADING))]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _faithful(found: Explanations, model: str) -> str:
    told = (faithfulness_text(found, model), road_text(found, model))
    return " ".join(text for text in told if text)


def _side(row: PartMean, bound: float) -> str:
    """Return on which side of a check's bound a mean lies, where its interval tells."""
    if row.lesions < MIN_LESIONS or row.mean.low <= bound <= row.mean.high:
        return f"not shown to differ from {bound}"
    return f"{'below' if row.mean.value < bound else 'above'} {bound}"


def _beside_centre(found: Explanations, model: str, metric: str, sentence: str, claim: str) -> str:
    """Return `sentence` with a metric and its floors, and who wins against the centre."""
    means, lift = _means(found, model), _lift(found, model, "centre", metric)
    if lift is None:
        return ""
    own = means[metric]
    floors = {
        floor: number(means[f"{metric}_{floor}"].mean.value)
        for floor in found.lifts[model]
        if f"{metric}_{floor}" in means
    }
    first = sentence.format(title=found.titles[model], mean=interval_text(own.mean), **floors)
    better = _sign(lift) * (-1 if metric in MAP_LOWER_IS_BETTER else 1)
    told = {
        1: f"The map {claim} better than the middle of the image does",
        -1: f"The middle of the image {claim} better than the map does",
        0: f"It is not shown that the map {claim} better than the middle of the image does",
    }[better]
    return f"{first} {told}: {_difference(lift)}, n = {lift.n:,}."


def _means(found: Explanations, model: str) -> dict[str, PartMean]:
    return {row.metric: row for row in found.means[model] if row.scope == ALL}


def _lift(found: Explanations, model: str, floor: str, metric: str) -> PartMean | None:
    rows = found.lifts[model].get(floor, ())
    return next((row for row in rows if row.metric == metric and row.n), None)


def _sign(lift: PartMean) -> int:
    """Return 1 or -1 where the interval leaves out 0, else 0; too few lesions show nothing."""
    if lift.lesions < MIN_LESIONS:
        return 0
    return int(lift.mean.low > 0) - int(lift.mean.high < 0)


def _difference(row: PartMean) -> str:
    told = signed_text(row.mean)
    return told if row.p != row.p else f"{told} (p {p_text(row.p, row.p_floor)})"


def _table(rows: Rows) -> str:
    return markdown_table(text_rows(rows))
