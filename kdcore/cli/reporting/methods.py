"""The report's section on methods: data, split, recipes, intervals, software, commands."""

from __future__ import annotations

import platform
import shlex
from importlib import metadata

from kdcore import __version__
from kdcore.base import sha256_file
from kdcore.cli.reporting.models import ReportModels, Subject, joined_paths, short_path
from kdcore.distill.recipe_file import RECIPES
from kdcore.report.cells import Rows
from kdcore.report.checkpoints import data_name
from kdcore.report.document import Block, Code, Section, Table, Text
from kdcore.report.notes import note

_SOFTWARE = (
    *("numpy", "scipy", "scikit-learn", "torch", "torchvision", "timm", "safetensors", "pandas"),
    *("altair", "vl-convert-python", "typst"),
)
_IN_THE_TITLE = ("name", "title", "role")


def methods_section(models: ReportModels, command: str) -> Section:
    """Return how everything was made; `command` is the one that wrote this report."""
    found = models.evaluations[models.teacher.title]
    blocks: list[Block] = [
        Text(f"Data: {_data(models)}"),
        Text(
            f"{note(found)} Differences between two models are paired: the same lesions are drawn "
            "for both. Scores are computed from the predictions that lie beside the checkpoints; "
            "robustness, efficiency, training and gains over seeds come from the records that each "
            "figure and table names. No picture is read and no network is run."
        ),
        *_trained(models),
        *_recipes(models),
        Table("software", "Software", _software(), "Of this report.", "the installed packages"),
        Table(
            "sources", "The files that this report was made from", _sources(models),
            "SHA-256, its first 16 digits; of the weights as the predictions name them.",
            models.both_sources,
        ),
        Text("This report again:"),
        Code(command),
    ]  # fmt: skip
    if commands := _commands(models):
        blocks += [
            Text(
                "The checkpoints, their predictions and scores again, from the data set (DIR) and "
                "the recipes:"
            ),
            Code("\n".join(commands)),
        ]
    return Section("methods", "Methods", tuple(blocks))


def _data(models: ReportModels) -> str:
    first = models.teacher
    named = data_name(first.test.classes)
    splits = {
        f"{s.model.card.recipe['split']} (seed {s.model.card.recipe.get('split_seed', 0)})"
        for s in models.subjects
        if s.model.card and s.model.card.recipe.get("split")
    }
    told = f" Split: {', '.join(sorted(splits))}." if splits else ""
    if first.val:
        lesions = len(set(first.val.group_ids.tolist()))
        told += f" Validation part, n = {len(first.val):,} images of {lesions:,} lesions."
    return f"{named}, classes {', '.join(first.test.classes)}.{told}"


def _trained(models: ReportModels) -> list[Block]:
    """Return what each card says of where the weights come from and may be used for."""
    return [
        Text(f"**{s.title}**: {s.model.card.provenance} Licence: {s.model.card.licence}.")
        for s in models.subjects
        if s.model.card and s.model.card.provenance and s.model.card.licence
    ]


def _recipes(models: ReportModels) -> list[Block]:
    """Return one row for each field of any recipe, one column for each model."""
    recipes = {s.title: s.model.card.recipe for s in models.subjects if s.model.card}
    fields = [
        name
        for name in dict.fromkeys(key for recipe in recipes.values() for key in recipe)
        if name not in _IN_THE_TITLE
    ]
    if not fields:
        return []
    body: Rows = [
        [name, *(_plain(recipe.get(name)) for recipe in recipes.values())] for name in fields
    ]
    cards = joined_paths(s.folder / "card.json" for s in models.subjects if s.model.card)
    return [
        Table(
            "recipes", "Training settings", [["setting", *recipes], *body],
            "Loss: α · cross-entropy + (1 − α) · T² · KL(teacher ‖ student) + β · attention "
            "transfer; temperature is T. What a recipe does not name is empty.",
            cards,
        )
    ]  # fmt: skip


def _plain(value: object) -> str | None:
    if isinstance(value, list | tuple):
        return ", ".join(str(list(v)) if isinstance(v, list | tuple) else str(v) for v in value)
    return None if value is None else str(value)


def _software() -> Rows:
    body: Rows = [["DistilScope", __version__], ["Python", platform.python_version()]]
    for name in _SOFTWARE:
        try:
            body.append([name, metadata.version(name)])
        except metadata.PackageNotFoundError:
            continue
    return [["software", "version"], *body]


def _sources(models: ReportModels) -> Rows:
    body: Rows = []
    for s in models.subjects:
        for part in ([] if s.val is None else ["val"]) + [models.part]:
            path = s.model.files[part]
            body.append([short_path(path), sha256_file(path)[:16], s.test.checkpoint_hash[:16]])
    return [["file", "SHA-256", "weights"], *body]


def _commands(models: ReportModels) -> list[str]:
    """Return training, predicting and measuring of each model that has a recipe, teachers first."""
    lines: list[str] = []
    for s in models.subjects:
        if not (s.model.card and s.model.card.recipe):
            continue
        folder = f"checkpoints/{shlex.quote(s.model.name)}"
        lines += _train(s)
        for part in ("val", models.part) if s.val else (models.part,):
            file = f"{folder}/predictions-{part}.npz"
            lines.append(
                f"python -m kdcore predict --checkpoint {folder} --data DIR --split {part} "
                f"--out {file}"
            )
        lines.append(
            f"python -m kdcore evaluate --checkpoint {folder} --predictions "
            f"{folder}/predictions-{models.part}.npz --resamples {models.resamples}"
        )
    return lines


def _train(subject: Subject) -> list[str]:
    """Return the command that trains a model whose recipe is shipped; none for another."""
    name = subject.model.name
    if not (RECIPES / f"{name}.toml").is_file():
        return []
    quoted = shlex.quote(name)
    target = f"--out checkpoints/{quoted} --replace"
    return [f"python -m kdcore train recipes/{quoted}.toml --data DIR {target}"]
