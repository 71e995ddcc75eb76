"""The report's section on robustness, from a table that `kdcore robustness` wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kdcore.charts.robustness import corruption_chart
from kdcore.cli.reporting.figures import figure
from kdcore.cli.reporting.models import ReportModels
from kdcore.evaluate.robustness import Robustness
from kdcore.report.document import Block, Section, Table, Text
from kdcore.report.notes import not_measured, note
from kdcore.report.robustness import (
    cell_rows,
    corruption_title,
    mean_table,
    measure_heading,
    summary_sentence,
    summed_text,
)
from kdcore.report.robustness_files import NAME, read_robustness

_MEASURES = ("balanced_error", "nll", "ece", "agreement", "to_teacher")
_DRAWN = ("balanced_error", "to_teacher")
_DOTS = 56  # of a figure that a page has room for


def robustness_section(models: ReportModels, folder: Path) -> Section | None:
    """Return the section; None where `folder` has no table with a model of the report.

    Raises
    ------
    DataError
        If the table is broken.
    """
    found = read_robustness(folder)
    titles = {s.model.name: s.title for s in models.subjects}
    if found is None or not (shared := [m for m in found.models if m in titles]):
        return None
    stale = found.stale({s.model.name: s.test.checkpoint_hash for s in models.subjects})
    absent = [title for name, title in titles.items() if name not in shared]
    missing = not_measured(absent, [titles[name] for name in stale])
    blocks: list[Block] = [Text(missing)] if missing else []
    titles = {name: title for name, title in titles.items() if name not in stale}
    if not (shared := [name for name in shared if name not in stale]):
        return Section("robustness", "Robustness", tuple(blocks))
    source = f"{folder.resolve().name}/{NAME}.json"  # a clone may be called anything
    against = titles.get(found.teacher, found.teacher) or "none"
    told = f"{note(found)} Severities are averaged. {summed_text(found)} Teacher: {against}."
    blocks += [Text(summary_sentence(found, m, titles[m])) for m in shared]
    for measure in _MEASURES:
        rows = mean_table(found, measure, titles=titles)
        title = f"{measure_heading(measure)} by corruption"
        blocks.append(Table(f"robustness-{measure.replace('_', '-')}", title, rows, told, source))
    colours = {title: models.colours[title] for name, title in titles.items() if name in shared}
    for measure in _DRAWN:
        name = f"robustness-{measure.replace('_', '-')}"
        title = f"{measure_heading(measure)} by corruption"
        for place, some in enumerate(_portions(found, len(shared)), start=1):
            chart = corruption_chart(some, measure, colours, titles)
            blocks.append(figure(f"{name}-{place}", f"{title}, {place}", chart, told, source))
    blocks.append(_by_severity(found, titles, source))
    return Section("robustness", "Robustness", tuple(blocks))


def _portions(found: Robustness, models: int) -> list[Robustness]:
    """Return the table's corruptions in portions that a figure of a page can hold."""
    names = list(dict.fromkeys(cell.corruption for cell in found.means))
    most = max(1, _DOTS // models)
    return [
        replace(found, means=tuple(c for c in found.means if c.corruption in names[k : k + most]))
        for k in range(0, len(names), most)
    ]


def _by_severity(found: Robustness, titles: dict[str, str], source: str) -> Table:
    """Return every cell of the grid: in the CSV all measures, shown three of them."""
    cells = [cell for cell in found.cells if cell.model in titles]
    body: list[list[object]] = [
        [titles[c.model], corruption_title(c.corruption), c.balanced_error, c.ece, c.flips]
        for c in cells
    ]
    head: list[object] = ["model", "corruption and severity", "balanced error", "ECE"]
    return Table(
        "robustness-by-severity",
        "Each corruption at each severity",
        [[*head, "answers changed"], *body],
        f"{note(found)} The CSV has every measure.",
        source,
        cell_rows(cells),
    )
