"""The Export page's form: what is exported, about how long that takes, and the job that does it."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, every_checkpoint, jobs, state
from pages.ui.frame import escaped

if TYPE_CHECKING:
    from kdcore.base.progress import ShareProgress
    from kdcore.data import ImageDataset
    from kdcore.deploy.export_plan import ExportPlan
    from kdcore.deploy.export_store import Kept
    from kdcore.models import Card

LINK = ("model", "format", "precision", "fold", "ondata", "tested_on")
_STARTED = "export-key"
_ALL = "all"
_COUNTS = ["100", "300", "1000", _ALL]


def show_form() -> Card | None:
    """Draw the choice of what is exported, and the progress of what was started.

    Returns the card of the chosen checkpoint, None where there is none.
    """
    models = every_checkpoint.found()
    if not models:
        st.info(
            "There is no checkpoint to export. [Train one](train), or import one on the "
            "[Runs page](runs).",
            icon=":material/model_training:",
        )
        return None
    students = [name for name, (_, card) in models.items() if card.role == "student"]
    name = state.choice(
        st.selectbox, "model", "Checkpoint", list(models), students[0] if students else None,
        format_func=every_checkpoint.titles(models).get,
    )  # fmt: skip
    folder, card = models[name]
    if not _poll():
        data = _data_for(card)
        _offer(folder, card, *_choose_kind(data), *_choose_data(data, card))
    return card


def _choose_kind(data: ImageDataset | None) -> tuple[list[str], list[str], bool]:
    """Draw formats, precisions and preprocessing, and return what was chosen."""
    from kdcore.deploy.export_plan import FORM_TITLES, PRECISION_TITLES, PRECISIONS

    left, right = st.columns(2)
    with left:
        forms = state.choices(
            "format", "Formats", list(FORM_TITLES), ["onnx"], format_func=FORM_TITLES.get,
            help="ONNX runs nearly everywhere, without PyTorch. TorchScript and torch.export are "
            "PyTorch's own; the former is the older one, and no longer developed.",
        )  # fmt: skip
        folded = state.switch(
            "fold", "Take pixels, and normalise them inside", False,
            help="The file then takes the bytes of a picture of the network's input size.",
        )  # fmt: skip
    with right:
        if "onnx" not in forms:
            st.caption("TorchScript and torch.export are written in float32.")
            return forms, ["float"], folded
        offered = [name for name in PRECISIONS if name != "int8" or data is not None]
        precisions = state.choices(
            "precision", "Precision of ONNX", offered, ["float"],
            format_func=lambda name: PRECISION_TITLES[PRECISIONS[name]],
            help="FP16 halves the file, and saves no time on most processors. INT8 is a quarter, "
            "and mostly faster; it can cost accuracy, which is measured here.",
        )  # fmt: skip
    return forms, precisions, folded


def _data_for(card: Card) -> ImageDataset | None:
    """Return the data set of a checkpoint's classes; where there is none, say so and why."""
    from kdcore.base import KdError

    why = "no data set is configured. Name a folder on the [Data page](data)."
    try:
        data = cache.data_set(card.classes)
    except KdError as error:
        data, why = None, escaped(f"the data set can't be used: {error}")
    if data is None:
        st.info(
            "INT8 is not offered: it takes its ranges from pictures of the training part, and "
            f"{why} Other exports are checked on drawn samples, not measured.",
            icon=":material/folder_off:",
        )
    return data


def _choose_data(data: ImageDataset | None, card: Card) -> tuple[ImageDataset | None, str]:
    """Draw whether and on how many pictures is measured; return the data set used, and that."""
    if data is None:
        return None, _ALL
    used = state.switch(
        "ondata", f"Check and measure on {data.info.name}", True,
        help="Checked on training images, measured on test images of lesions that the network "
        "was not trained on. INT8 needs it.",
    )  # fmt: skip
    if not used:
        return None, _ALL
    return data, state.choice(
        st.select_slider, "tested_on", "Test images to measure on", _COUNTS, default=_ALL
    )


def _offer(
    folder: Path, card: Card, forms: list[str], precisions: list[str], folded: bool,
    data: ImageDataset | None, count: str,
) -> None:  # fmt: skip
    """Draw the button that starts the export, with the time that it will take."""
    from kdcore.base import KdError
    from kdcore.deploy.export_plan import ExportPlan, command, estimate

    images = None if count == _ALL else int(count)
    try:
        plan = ExportPlan(
            folder, tuple(forms), tuple(precisions), folded, data.root if data else None, images
        )
    except KdError as error:
        st.info(f"{error.problem} {error.hint}", icon=":material/checklist:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Export and check", icon=":material/output:", type="primary", key="w:export",
            on_click=_start, args=(plan,),
        )  # fmt: skip
        st.caption(
            f"{estimate(plan, _measured_on(data, card, images))} Done on the processor; no CUDA "
            "device is needed."
        )
    with st.expander("The same on the command line", key="w:export-command"):
        line = shlex.join(["python", *command(plan, Path("exported"))])
        st.code(line, language="bash", wrap_lines=True)


def _measured_on(data: ImageDataset | None, card: Card, images: int | None) -> int:
    """Return on about how many pictures an export is measured."""
    if data is None:
        return 0
    count = len(cache.parts_of(data, card.recipe.get("split", ""))["test"])
    return min(count, images or count)


def _start(plan: ExportPlan) -> None:
    key = f"export:{uuid.uuid4()}"  # an earlier run's files may have been deleted since
    state.put(_STARTED, key)
    jobs.start(key, _work(plan))


def _work(plan: ExportPlan) -> Callable[[ShareProgress], tuple[Kept, ...]]:
    """Return the export for a job's thread; nothing in it touches Streamlit."""

    def run(report: ShareProgress) -> tuple[Kept, ...]:
        from kdcore.deploy.export_apart import export_apart

        return export_apart(plan, lambda told: report(told["fraction"], told["doing"]))

    return run


def _poll() -> bool:
    """Draw the progress or the end of the export that was started; return if it is at work."""
    key = state.get(_STARTED)
    if key is None:
        return False
    made, working = jobs.outcome(key)
    names = ", ".join(kept.artefact.file for kept in made or () if kept.path.exists())
    if names:  # until the next export is started, or these are deleted
        st.success(f"Exported and checked: {escaped(names)}.", icon=":material/check:")
    return working
