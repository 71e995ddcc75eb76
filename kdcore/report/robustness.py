"""Tables of a robustness grid: by corruption and severity, and severities averaged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kdcore.base.words import capitalised, duration
from kdcore.data.corruptions import CLEAN, CORRUPTIONS
from kdcore.evaluate.robustness import (
    MEASURES,
    Cell,
    MapCell,
    Robustness,
    corruption_of,
    overall_corruptions,
)
from kdcore.report.cells import Rows, interval_text, markdown_table, percent_text

MEASURE_TITLES = {
    "balanced_error": "balanced error",
    "nll": "NLL (nats)",
    "ece": "ECE (15 equal-width bins)",
    "agreement": "same answer as the teacher",
    "flips": "answers changed",
    "to_clean": "balanced error, less that on clean",
    "to_teacher": "balanced error, less the teacher's",
    "relative_to_clean": "balanced error over that on clean",
    "relative_to_teacher": "balanced error over the teacher's",
}
_COLUMNS = (*MEASURES, "to_clean", "to_teacher", "relative_to_clean", "relative_to_teacher")


def measure_heading(measure: str) -> str:
    """Return the title of one of `MEASURE_TITLES` as a heading, "ECE" and "NLL" as they are."""
    title = MEASURE_TITLES[measure]
    return capitalised(title)


def corruption_title(stack: str) -> str:
    """Return a corruption for people: "JPEG", "Hair 3", "Hair 3, then JPEG 2", "all", "clean"."""
    if stack in (CLEAN, "all"):
        return stack
    return ", then ".join(_step_title(step) for step in stack.split("+"))


def _step_title(step: str) -> str:
    name = corruption_of(step)
    return f"{CORRUPTIONS.get(name).title} {step.removeprefix(name).lstrip('-')}".strip()


def cell_rows(cells: Iterable[Cell]) -> Rows:
    """Return one row for each cell: model, corruption, severity, each measure with its ends."""
    head: list[object] = ["model", "corruption", "severity"]
    for name in _COLUMNS:
        head += [name, f"{name}_low", f"{name}_high"]
    body: Rows = []
    for cell in cells:
        name = corruption_of(cell.corruption)
        row: list[object] = [cell.model, name, cell.corruption.removeprefix(name).lstrip("-")]
        for column in _COLUMNS:
            value = getattr(cell, column)
            row += [value.value, value.low, value.high]
        body.append(row)
    return [head, *body]


def map_rows(cells: Iterable[MapCell]) -> Rows:
    """Return one row for each cell of maps: model, corruption, mean correlation, pictures."""
    body: Rows = []
    for cell in cells:
        r = cell.correlation
        body.append([cell.model, cell.corruption, r.value, r.low, r.high, cell.n])
    return [["model", "corruption", "correlation", "low", "high", "pictures"], *body]


def mean_table(
    found: Robustness,
    measure: str = "balanced_error",
    digits: int = 3,
    titles: Mapping[str, str] | None = None,
) -> Rows:
    """Return one row for each corruption, severities averaged, one column for each model.

    Parameters
    ----------
    found : the grid
    measure : one of `MEASURE_TITLES`; cells are texts, "0.412 [0.380, 0.441]"
    digits : after the point
    titles : names of the models to show, to what stands above their columns; default all names
    """
    known = {m: m for m in found.models} if titles is None else titles
    models = {m: known[m] for m in found.models if m in known}
    by_place = {(c.corruption, c.model): getattr(c, measure) for c in found.means}
    corruptions = dict.fromkeys(cell.corruption for cell in found.means)
    body: Rows = [
        [corruption_title(name), *(interval_text(by_place[name, m], digits) for m in models)]
        for name in corruptions
    ]
    return [["corruption", *models.values()], *body]


def markdown_summary(found: Robustness, seconds: float, titles: Sequence[str] = ()) -> str:
    """Return the tables of averaged severities, what they are of, and the time they took."""
    note = (
        f"{found.split} split, n = {found.n:,} images of {found.n_groups:,} lesions. Intervals: "
        f"{found.interval_method}. Logits are divided by each model's own temperature. Teacher: "
        f"{found.teacher or 'none'}. {summed_text(found)} The last run took "
        f"{duration(seconds)}, without what was kept of earlier ones."
    )
    parts = ["# Robustness", note]
    for measure in titles or ("balanced_error", "ece", "agreement", "to_teacher"):
        table = mean_table(found, measure)
        parts += [
            f"## {MEASURE_TITLES[measure]}",
            markdown_table([list(map(str, r)) for r in table]),
        ]
    return "\n\n".join(parts)


def summary_sentence(found: Robustness, model: str, title: str) -> str:
    """Return what corruption costs a model on average, in a sentence."""
    means = {c.corruption: c for c in found.means if c.model == model}
    clean = f"**{title}**: balanced error {means[CLEAN].balanced_error.value:.3f} on clean pictures"
    if "all" not in means:
        return f"{clean}; no corruption was measured."
    spoilt, n = means["all"], len(overall_corruptions(corruptions_of(found)))
    return (
        f"{clean}, {interval_text(spoilt.balanced_error)} on average over {_count(n)} and all "
        f"severities; {percent_text(spoilt.flips)} of its answers change."
    )


def summed_text(found: Robustness) -> str:
    """Return what "all" averages over, one sentence."""
    names = corruptions_of(found)
    inside = overall_corruptions(names)
    left = [title for name, title in names.items() if name not in inside]
    told = f"“All” is the mean over {_count(len(inside))}, each counted alike"
    return f"{told}, without {'; '.join(left)}." if left else f"{told}."


def _count(corruptions: int) -> str:
    return f"{corruptions} corruption{'' if corruptions == 1 else 's'}"


def map_note(found: Robustness) -> str:
    """Return what the figures of maps are: method, split, pictures, and how intervals are made."""
    sizes = sorted({cell.n for cell in found.maps})
    n = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
    return (
        f"{found.split.capitalize()} part, n = {n} pictures. Pearson's r of a picture's "
        f"{found.map_method} map with its clean self, for the answer to the clean picture; 1 is "
        "the same map. Intervals: 95 % percentile bootstrap of "
        f"{found.n_boot:,} resamples of the pictures' lesions (seed {found.seed})."
    )


def corruptions_of(found: Robustness) -> dict[str, str]:
    """Return the corruptions of a grid, clean pictures aside: names to titles."""
    names = dict.fromkeys(cell.corruption for cell in found.means)
    return {n: corruption_title(n) for n in names if n not in (CLEAN, "all")}
