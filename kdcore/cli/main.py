"""Arguments, dispatch and exit codes: 0 done, 1 a problem with an input, 2 usage, 130 cancelled."""

from __future__ import annotations

import argparse
import importlib
import io
import keyword
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from kdcore import __version__
from kdcore.base import Cancelled, KdError, error_text
from kdcore.base.words import capitalised
from kdcore.cli.interrupts import CANCELLED, EXIT_CODE, ends_at_once

COMMANDS = {
    "data": "show what a data folder holds and how it is split",
    "train": "train a recipe, or resume it, and write a checkpoint",
    "sweep": "train methods over seeds, and compare them by paired tests",
    "ensemble": "join checkpoints into one that answers their mean",
    "card": "write what a checkpoint is for, how it was made and where it fails",
    "export": "write a checkpoint as ONNX, TorchScript or torch.export, checked",
    "predict": "save a checkpoint's predictions on a data folder",
    "import": "save predictions that another program wrote as CSV",
    "evaluate": "measure predictions, with lesion-clustered 95 %% intervals",
    "robustness": "measure checkpoints on corrupted pictures, resumable",
    "interventions": "test causal masks by removing them from the input, resumable",
    "bench": "time checkpoints on this machine, several engines in turns",
    "efficiency": "measure size, time and quality of checkpoints in every form",
    "report": "write tables, figures and one document, from saved predictions",
    "explain": "explain pictures by a teacher and a student",
    "explanations": "compare where models look over a part of the split, resumable",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    _replace_what_cannot_be_shown()
    try:
        with ends_at_once():
            options = _parsed(list(sys.argv[1:] if arguments is None else arguments))
            command = _module(options.command)
            from kdcore.cli.outputs import check_json  # with torch, which arguments don't need
        check_json(options)
        command.run(options)
    except (Cancelled, KeyboardInterrupt):
        print(CANCELLED, file=sys.stderr)
        return EXIT_CODE
    except KdError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"Error: {error_text(error)}", file=sys.stderr)
        return 1
    return 0


def _replace_what_cannot_be_shown() -> None:
    """Let a terminal of another encoding, such as cp1252, show a name's code instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _parsed(given: Sequence[str]) -> argparse.Namespace:
    """Return the options; only the command that is run is loaded, with what it needs."""
    parser = argparse.ArgumentParser(prog="python -m kdcore", description="DistilScope's core.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        sentence = f"{capitalised(text)}.".replace("%%", "%")
        command = commands.add_parser(name, help=text, description=sentence)
        command.add_argument("--json", metavar="FILE", help="write the result here for machines")
        if name in given[:1]:
            _module(name).add_arguments(command)
    options, unknown = parser.parse_known_args(given)
    if unknown:  # told with the usage of the command instead of that of all
        commands.choices[options.command].error(f"unrecognized arguments: {' '.join(unknown)}")
    return options


def _module(command: str) -> ModuleType:
    """Return a command's module; one that is called like a keyword has an underscore."""
    suffix = "_" if keyword.iskeyword(command) else ""
    return importlib.import_module(f"kdcore.cli.{command}{suffix}")
