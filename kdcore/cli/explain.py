"""`python -m kdcore explain IMAGE …`: what the app's Explain page makes, as files."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from kdcore.base import ImageError, SettingError, write_bytes, write_text
from kdcore.base.words import percent
from kdcore.cli.common import checkpoint_folder, say_progress, write_json
from kdcore.data import HAM10000, LoadedImage, info_of_classes, read_image
from kdcore.data.tree import Tree
from kdcore.evaluate import seen_by, seen_text
from kdcore.explain import METHODS, everything_else, explain_pair, export_files
from kdcore.explain.everything import explain_everything
from kdcore.explain.explain_pair import Explanation, PairExplanation
from kdcore.models import Checkpoint, load_checkpoint
from kdcore.predict import ood, predict_image
from kdcore.predict.probabilities import softmax
from kdcore.report.cells import csv_text

TABLE = "answers.csv"
COLUMNS = (
    "picture", "folder",
    "teacher", "teacher's probability", "teacher warns", "teacher was trained on it",
    "student", "student's probability", "student warns", "student was trained on it",
    "correlation of the maps",
)  # fmt: skip
_TOLD = 5  # pictures that the last sentence names
Result = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "images", metavar="IMAGE", nargs="+", type=Path,
        help="a picture, or several, or folders of them: these are each explained into a folder in "
        "--out, beside a table of all answers",
    )  # fmt: skip
    parser.add_argument("--teacher", metavar="CHECKPOINT", required=True)
    parser.add_argument("--student", metavar="CHECKPOINT", required=True)
    parser.add_argument("--out", metavar="DIR", type=Path, required=True)
    parser.add_argument(
        "--method",
        choices=["everything", *METHODS.names()],
        default="everything",
        help="one method alone, or all that the app shows, Score-CAM on the panel (default)",
    )
    parser.add_argument("--stage", type=int, default=-1, help="from 0, or negative from the end")
    parser.add_argument("--target", metavar="CLASS", help="default: the teacher's first choice")
    parser.add_argument("--q", type=float, default=0.2, help="share of the causal masks, 0 to 1")
    parser.add_argument("--opacity", type=float, default=0.5, help="of the panel's maps, 0 to 1")


def run(options: argparse.Namespace) -> None:
    """Explain pictures by both networks and write panels, maps and manifests."""
    if not 0 <= options.opacity <= 1:
        raise SettingError(f"--opacity is {options.opacity}.", "Give a number from 0 to 1.")
    if not 0 < options.q <= 1:
        raise SettingError(f"--q is {options.q}.", "Give a number above 0, at most 1.")
    teacher = load_checkpoint(checkpoint_folder(options.teacher))
    student = load_checkpoint(checkpoint_folder(options.student), teacher.card.classes)
    explain = partial(_one, options, teacher, student)
    if len(options.images) == 1 and not options.images[0].is_dir():
        write_json(options, explain(options.images[0], options.out))
    else:
        _several(options, explain)


def _several(options: argparse.Namespace, explain: Callable[[Path, Path], Result]) -> None:
    """Explain each picture into a folder of its own; one that can't be read stops no other."""
    pictures = _pictures(options.images, options.out)
    done: dict[str, Result] = {}
    failed: dict[str, str] = {}
    try:
        for number, (name, path) in enumerate(pictures.items(), 1):
            print(f"{number} of {len(pictures)}: {path}")
            try:
                done[name] = explain(path, options.out / name)
            except ImageError as error:
                failed[str(path)] = str(error)
                print(f"Left out: {error}", file=sys.stderr)
    finally:  # of a cancelled run, too, what was finished is in the table
        if done:
            text = csv_text([COLUMNS, *(_row(*item) for item in done.items())])
            write_text(options.out / TABLE, text)
            print(f"{TABLE} of {len(done)} pictures in {options.out}")
        write_json(options, {"pictures": done, "left_out": failed})
    if failed:
        few = ", ".join(list(failed)[:_TOLD]) + (" and others" if len(failed) > _TOLD else "")
        raise ImageError(
            f"{len(failed)} of {len(pictures)} pictures were left out: {few}.",
            "Mend or remove them, and run this again for them.",
        )


def _pictures(given: Sequence[Path], out: Path) -> dict[str, Path]:
    """Return each picture once, by the name of its folder in `out`.

    That is the picture's own name without its kind. Where two would be called alike, or a file is
    called so, it has its kind, and then a number. Those of one folder are in order of name.
    """
    paths: list[Path] = []
    for path in given:
        if path.is_dir():
            found = [path / name for name in Tree(path).names()[1]]
            if not found:
                raise ImageError(
                    f"There is no picture directly in {str(path)!r}.",
                    "Name the folders that hold them; those inside of it are not searched.",
                )
            paths += found
        else:
            paths.append(path)
    named: dict[str, Path] = {}
    taken = {TABLE}
    for path in {p.resolve(): p for p in paths}.values():
        numbered = (f"{path.name}-{number}" for number in itertools.count(2))
        names = itertools.chain((path.stem, path.name), numbered)
        free = (n for n in names if n.casefold() not in taken and not (out / n).is_file())
        name = next(free)
        taken.add(name.casefold())  # some file systems don't tell a.png from A.png
        named[name] = path
    return named


def _row(name: str, result: Result) -> list[object]:
    row: list[object] = [result["picture"], name]
    for role, probabilities in result["probabilities"].items():
        answer = max(probabilities, key=probabilities.__getitem__)
        seen = result["out_of_distribution"][role]
        warned = "" if seen is None else int(seen["outside"])
        trained = int(role in result["trained_on"])
        row += [answer, probabilities[answer], warned, trained]
    return [*row, result["correlation"]]


def _one(
    options: argparse.Namespace, teacher: Checkpoint, student: Checkpoint, path: Path, out: Path
) -> Result:
    """Explain the picture at `path`, write the files to `out` and return what they say."""
    loaded = read_image(path)
    for note in loaded.notes:
        print(note)
    pair, rest = _explain(options, teacher, student, loaded, path.name)
    seen = seen_by(path.name, {"teacher": teacher.card, "student": student.card})
    if seen:
        print(f"Warning: {seen_text(path.name, seen)}", file=sys.stderr)
    rest["extra"] = rest.get("extra", {}) | {"trained_on": seen}
    files = export_files(pair, options.opacity, **rest)
    for name, content in files.items():
        write_bytes(out / name, content)
    probabilities, outside = {}, {}
    for role, checkpoint in (("teacher", teacher), ("student", student)):
        outside[role] = _outside(role, checkpoint, loaded)
        explained: Explanation = getattr(pair, role)
        values = softmax(explained.logits, checkpoint.card.temperature).tolist()
        probabilities[role] = dict(zip(checkpoint.card.classes, values, strict=True))
        best = max(values)
        name = checkpoint.card.classes[values.index(best)]
        print(
            f"{role}: {name}, {percent(best)} (calibrated, T = {checkpoint.card.temperature:.2f})"
        )
        if explained.empty:
            print(f"{role}: {explained.why_empty}")
    print(f"{len(files)} files in {out}")
    return {
        "picture": str(path),
        "manifest": pair.manifest | rest["extra"],
        "probabilities": probabilities,
        "files": sorted(files),
        "correlation": pair.correlation,
        "out_of_distribution": outside,
        "trained_on": seen,
    }


def _explain(
    options: argparse.Namespace,
    teacher: Checkpoint,
    student: Checkpoint,
    loaded: LoadedImage,
    title: str,
) -> tuple[PairExplanation, dict[str, Any]]:
    """Return what the panel shows, and the rest as arguments of `export_files`."""
    counts = [len(c.model.stage_names) for c in (teacher, student)]
    stage = _stage(options.stage, *counts)
    target = _target(options.target, teacher.card.classes)
    if options.method != "everything":
        pair = explain_pair(
            teacher,
            student,
            loaded.rgb,
            method=options.method,
            stage=stage,
            target=target,
            progress=say_progress,
            image_sha256=loaded.sha256,
        )
        return pair, {}
    if target is None:
        target = int(predict_image(teacher, loaded.rgb).logits.argmax())
    result = explain_everything(
        teacher,
        student,
        loaded.rgb,
        _from_the_end(stage, counts),
        target,
        q=options.q,
        image_sha256=loaded.sha256,
        progress=lambda fraction, doing: say_progress(round(100 * fraction), 100),
    )
    picture: dict[str, str | None] = {"title": title, "kind": "file"}
    return result.score_cam, everything_else(result, picture)


def _outside(role: str, checkpoint: Checkpoint, loaded: LoadedImage) -> dict[str, Any] | None:
    """Return the density's verdict on the picture, and say so if it raises the alarm."""
    if not checkpoint.card.ood:
        return None
    result = ood.score(checkpoint, predict_image(checkpoint, loaded.rgb).stages)
    if result.outside:
        print(
            f"Warning: to the {role} this does not look like {_seen(checkpoint)}; its answer means "
            "little. "
            f"({percent(result.false_alarm_rate)} of real pictures get this warning, too.)",
            file=sys.stderr,
        )
    return asdict(result)


def _seen(checkpoint: Checkpoint) -> str:
    """Return what kind of pictures a network knows, in words."""
    info = info_of_classes(checkpoint.card.classes)
    return "dermoscopy" if info is HAM10000 else "what it was trained on"


def _from_the_end(stage: int, counts: list[int]) -> int:
    if stage >= 0 and len(set(counts)) > 1:
        raise SettingError(
            f"--stage {stage} counts from the first, and the two networks differ in depth.",
            "Count from the last: -1, -2 and so on.",
        )
    return stage - counts[0] if stage >= 0 else stage


def _stage(stage: int, *counts: int) -> int:
    for count in counts:
        if not -count <= stage < count:
            raise SettingError(
                f"--stage {stage} is not one of the {count} stages.",
                f"Give 0 to {min(counts) - 1}, or -1 for the last.",
            )
    return stage


def _target(name: str | None, classes: tuple[str, ...]) -> int | None:
    if name is None:
        return None
    if name not in classes:
        raise SettingError(f"There is no class {name!r}.", f"Choose one of {', '.join(classes)}.")
    return classes.index(name)
