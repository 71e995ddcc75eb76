"""`python -m kdcore ensemble --members A B --out DIR`: the mean of checkpoints as one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kdcore.base import CheckpointError
from kdcore.cli.common import (
    add_data_arguments,
    checkpoint_folder,
    open_data,
    say_progress,
    write_json,
)
from kdcore.cli.outputs import refuse_inputs
from kdcore.cli.release import check_target, release_model
from kdcore.models import Card, Checkpoint, Ensemble, load_checkpoint

SHARED = ("classes", "input_size", "mean", "std")
SPLIT = ("split", "split_seed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--members", metavar="CHECKPOINT", nargs="+", required=True,
        help="folders, or names in checkpoints/",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", type=Path, required=True)
    parser.add_argument("--title", help="its name for people")
    parser.add_argument("--replace", action="store_true", help="put it in another one's place")
    add_data_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Measure the mean of the members on validation and test and write the checkpoint."""
    members = [load_checkpoint(checkpoint_folder(name)) for name in options.members]
    refuse_inputs(options.out, [member.path for member in members])
    card = _card(members, options)
    check_target(options.out, card.name, None, options.replace)
    model = Ensemble([m.model for m in members])
    data = open_data(options, card.classes)
    card = release_model(model, card, data, options.out, say_progress, replace=options.replace)
    value = card.metrics["test"]["macro_f1"]["value"]
    print(f"{card.name}: test macro-F1 {value:.3f}, {options.out}")
    write_json(options, {"checkpoint": str(options.out), "metrics": card.metrics})


def _check_members(members: Sequence[Checkpoint]) -> None:
    """Raise CheckpointError for the first condition of an ensemble that is not met."""
    for problem in _problems(members):
        raise CheckpointError(
            problem,
            "An ensemble needs two or more single networks of the same classes, input size, mean, "
            "deviation, split and number of stages. Name other members.",
        )


def _problems(members: Sequence[Checkpoint]) -> Iterator[str]:
    first, *others = members
    if not others:
        yield "One network is no ensemble."
    for place, member in enumerate(members):
        if member.card.members:
            yield f"{member.card.name} is an ensemble itself."
        if member.hash in {m.hash for m in members[:place]}:
            yield f"The weights of {member.card.name} are named twice."
        if not set(SPLIT) <= set(member.card.recipe):
            yield f"The card of {member.card.name} does not say by which split it was trained."
    for other in others:
        for what, value in _shared(first).items():
            if (found := _shared(other)[what]) != value:
                names = f"{first.card.name} and {other.card.name}"
                yield f"{names} differ in {what}: {str(value)[:80]} and {str(found)[:80]}."


def _shared(member: Checkpoint) -> dict[str, Any]:
    """Return what all members have to agree in, by its name in words."""
    card = member.card
    facts = {field.replace("_", " "): getattr(card, field) for field in SHARED}
    facts |= {name.replace("_", " "): card.recipe.get(name) for name in SPLIT}
    return facts | {"number of stages": len(member.model.stage_names)}


def _card(members: list[Checkpoint], options: argparse.Namespace) -> Card:
    _check_members(members)
    cards = [m.card for m in members]
    first = {f: getattr(cards[0], f) for f in SHARED}
    split = {k: cards[0].recipe.get(k) for k in SPLIT}
    used = ", ".join(f"{m.card.name} (weights {m.hash[:12]})" for m in members)
    return Card(
        name=options.out.resolve().name,
        title=options.title or "Ensemble of " + ", ".join(c.title or c.name for c in cards),
        role="teacher",
        architecture="ensemble",
        members=tuple(c.architecture for c in cards),
        recipe=split,
        train_groups=tuple(sorted({g for c in cards for g in c.train_groups})),
        train_images=tuple(sorted({i for c in cards for i in c.train_images})),
        provenance=" ".join([f"Mean of {used}.", *dict.fromkeys(c.provenance for c in cards)]),
        licence="; ".join(dict.fromkeys(c.licence for c in cards)),
        **first,
    )
