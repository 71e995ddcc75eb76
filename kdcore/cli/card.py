"""`python -m kdcore card`: what a checkpoint is for, how it was made and where it fails."""

from __future__ import annotations

import argparse

from kdcore.cli.common import checkpoint_folder, write_json
from kdcore.report.model_card import write_model_card


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "checkpoints", metavar="CHECKPOINT", nargs="+", help="folders, or names in checkpoints/"
    )


def run(options: argparse.Namespace) -> None:
    """Write README.md into each folder, from card.json and the predictions there."""
    written = [write_model_card(checkpoint_folder(name)) for name in options.checkpoints]
    print("\n".join(map(str, written)))
    write_json(options, {"written": list(map(str, written))})
