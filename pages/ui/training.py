"""The Train page's parts around the form: where to start, files, estimate and start."""

from __future__ import annotations

import hashlib
import json
import math
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, jobs, recipe_draft, state
from pages.ui.frame import escaped, show_error
from pages.ui.recipe_draft import Draft

if TYPE_CHECKING:
    from kdcore.base import KdError
    from kdcore.base.progress import ShareProgress
    from kdcore.data import DatasetInfo, ImageDataset
    from kdcore.distill import Estimate, Recipe, Run

LINK = ("preset",)
_FAILED = "recipe-file-error"
_STARTED, _SAID, _NOT_STARTED = "started-at", "start-said", "start-error"
_TWICE_S = 1.5  # a second press within this time is meant as the same one
_RECIPE_MB = 1


def without_data() -> None:
    """Say that there is no data set to train on, and where to name one."""
    st.info(
        "No data set is configured, and training needs one. Name its folder or file on the Data "
        "page, then come back.",
        icon=":material/folder_off:",
    )
    st.page_link("pages/build/data.py", label="Go to the Data page", icon=":material/database:")


def choose_start(teachers: dict[str, str]) -> str:
    """Draw the picker of a preset with the way to a recipe file, and return its name.

    Without `teachers` it starts from the baseline, which needs none.
    """
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with right, st.popover("Use a recipe file", icon=":material/upload_file:", width="stretch"):
        st.file_uploader(
            "A recipe, TOML or JSON",
            type=["toml", "json"],
            key="w:recipe-upload",
            max_upload_size=_RECIPE_MB,
            on_change=_read_upload,
            help="As this page or a run leaves it. It fills the form; nothing is started.",
        )
    with left:
        names = recipe_draft.preset_names()
        first = "kd" if teachers else "baseline"
        preset = state.choice(
            st.selectbox, "preset", "Start from", list(names), default=first, format_func=names.get
        )
    if state.get(_FAILED):
        show_error(state.get(_FAILED))
    st.caption(recipe_draft.preset_meaning(preset))
    if not teachers:
        st.info(
            "No checkpoint of these classes can teach yet: train a baseline or a teacher first, "
            "and promote it on the Runs page.",
            icon=":material/school:",
        )
    return preset


def _read_upload() -> None:
    from kdcore.base import KdError
    from kdcore.distill.recipe_file import parse_recipe

    state.put(_FAILED, None)
    file = st.session_state.get("w:recipe-upload")
    if file is None:
        return
    try:
        recipe_draft.use_file(file.name, parse_recipe(file.getvalue(), file.name))
    except KdError as error:
        state.put(_FAILED, error)


def teachers_for(info: DatasetInfo) -> dict[str, str]:
    """Return the checkpoints of a data set's classes that can teach, the strongest first.

    Only the folder of checkpoints counts: a run's own result teaches once it is promoted.
    """
    from kdcore.base import KdError, checkpoints_folder
    from kdcore.models import card_order, read_card, strength
    from kdcore.report.checkpoints import score_text

    found = {}
    for path in checkpoints_folder().glob("*/card.json"):
        try:
            card = read_card(path.parent)
        except KdError as error:
            show_error(error)
            continue
        if card.classes == info.classes:
            found[path.parent.name] = card
    ordered = sorted(found.items(), key=lambda item: (-strength(item[1]), card_order(item[1])))
    scores = {name: score_text(card, "val", 2).partition(" ")[0] for name, card in ordered}
    return {
        name: f"{name} · macro-F1 {scores[name]} on validation" if scores[name] else name
        for name in scores
    }


def taken_names() -> frozenset[str]:
    """Return the names of runs and checkpoints, which a new run can't have."""
    from kdcore.base import checkpoints_folder, runs_folder

    folders = (runs_folder(), checkpoints_folder())
    return frozenset(p.name for f in folders if f.is_dir() for p in f.iterdir() if p.is_dir())


def judge(draft: Draft, data: ImageDataset, taken: frozenset[str]) -> bool:
    """Draw what is wrong with the draft, if anything, and return whether it could start."""
    problems = _problems(draft, data, taken)
    for problem in problems:
        show_error(problem)
    return not problems


def _problems(draft: Draft, data: ImageDataset, taken: frozenset[str]) -> list[KdError]:
    from kdcore.base import checkpoints_folder
    from kdcore.distill.readiness import hindrances

    if draft.recipe is None:
        return draft.problems
    images = _training_images(data, draft.recipe)
    found = hindrances(draft.recipe, data.info, images, checkpoints_folder(), taken)
    return [*draft.problems, *found]


def _training_images(data: ImageDataset, recipe: Recipe) -> int:
    if recipe.split not in data.info.splits:
        return 0
    return len(cache.parts_of(data, recipe.split)["train"])


def choose_device() -> str:
    """Return "cpu", or draw the picker where this machine has a GPU."""
    from kdcore.deploy.latency_plan import devices

    if "cuda" not in devices():
        return "cpu"
    return state.choice(st.segmented_control, "device", "Train on", ["cuda", "cpu"])


def show_files(recipe: Recipe, data: ImageDataset) -> None:
    """Draw the recipe as a download and as a command."""
    from kdcore.distill.recipe_file import recipe_toml

    st.download_button(
        "Download the recipe",
        lambda: recipe_toml(recipe),
        file_name=f"{recipe.name}.toml",
        mime="application/toml",
        on_click="ignore",
        icon=":material/download:",
        key="w:recipe-toml",
    )
    st.markdown("The same on the command line, from the folder of this app:")
    name, folder = shlex.quote(f"{recipe.name}.toml"), shlex.quote(str(data.root))
    st.code(f"python -m kdcore train {name} --data {folder}", language="bash", wrap_lines=True)


def show_start(
    recipe: Recipe | None,
    ready: bool,
    data: ImageDataset,
    teachers: dict[str, str],
    device: str,
    live: list[Run],
) -> None:
    """Draw the buttons that start and estimate, and what the estimate says."""
    # By callbacks: a poll of a run under way can't come between them and the click. What they do
    # is read at the click, which can bring a field's new value that no rendering has seen.
    given = (data, tuple(teachers), device)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Start training",
            type="primary",
            icon=":material/play_arrow:",
            key="w:start",
            disabled=not ready,
            on_click=_start,
            args=given,
        )
        st.button(
            "Estimate the time",
            icon=":material/timer:",
            key="w:estimate",
            disabled=not ready,
            on_click=_estimate,
            args=given,
        )
        if not ready:
            st.caption("The recipe is not valid yet: the top of the form says why.")
        elif live:
            st.caption(_waiting_words(live))
    if state.get(_SAID):
        st.success(state.get(_SAID), icon=":material/check:")
        state.put(_SAID, None)
    if state.get(_NOT_STARTED):
        show_error(state.get(_NOT_STARTED))
        state.put(_NOT_STARTED, None)  # of one click: by the next the field may be mended
    if ready and recipe:
        _show_estimate(_estimate_key(recipe, data, device), recipe, live)


def _waiting_words(live: list[Run]) -> str:
    paused = [run.name for run in live if run.status.state == "paused"]
    if paused:
        return (
            f"The run {escaped(paused[0])} is paused and holds the turn: this one will wait until "
            "it is resumed and done, or cancelled."
        )
    return "Another run is at work: this one will wait for its turn."


def _start(data: ImageDataset, teachers: tuple[str, ...], device: str) -> None:
    from kdcore.base import KdError, in_words
    from kdcore.base.counting import since
    from kdcore.distill import list_runs, start_run

    if since(state.get(_STARTED, -math.inf)) < _TWICE_S:
        return
    recipe = _recipe_now(data, teachers)
    if recipe is None:
        return
    waits = any(run.status.live for run in list_runs())
    try:
        with in_words():
            start_run(recipe, Path(data.root), state.peek("device", device))
    except KdError as error:
        state.put(_NOT_STARTED, error)
    else:
        state.put(_STARTED, time.monotonic())
        state.put(_SAID, f"{'Queued' if waits else 'Started'} **{escaped(recipe.name)}**.")
        recipe_draft.name_after_start(taken_names())


def _estimate(data: ImageDataset, teachers: tuple[str, ...], device: str) -> None:
    recipe, device = _recipe_now(data, teachers), state.peek("device", device)
    if recipe is not None:
        jobs.start(_estimate_key(recipe, data, device), _estimating(recipe, data, device))


def _recipe_now(data: ImageDataset, teachers: tuple[str, ...]) -> Recipe | None:
    """Return the recipe as the controls hold it, or None and keep why it can't be used."""
    taken = taken_names()
    draft = recipe_draft.collect(state.peek("preset"), data.info, teachers, taken)
    problems = _problems(draft, data, taken)
    state.put(_NOT_STARTED, problems[0] if problems else None)
    return None if problems else draft.recipe


def _estimate_key(recipe: Recipe, data: ImageDataset, device: str) -> str:
    told = {k: v for k, v in recipe.to_dict().items() if k not in ("name", "title", "seed")}
    text = json.dumps([told, cache.data_key(data), device])
    return hashlib.sha256(f"estimate:{text}".encode()).hexdigest()


def _estimating(
    recipe: Recipe, data: ImageDataset, device: str
) -> Callable[[ShareProgress], Estimate]:
    """Return the computation for a job's thread; nothing in it touches Streamlit."""
    from kdcore.base import checkpoints_folder

    checkpoints = checkpoints_folder()

    def run(report: ShareProgress) -> Estimate:
        from kdcore.base.counting import share
        from kdcore.distill import estimate_run

        report(0.0, "Loading the networks")
        return estimate_run(
            recipe,
            data,
            checkpoints,
            device,
            lambda done, total: report(share(done, total), "Timing a few steps"),
        )

    return run


def _show_estimate(key: str, recipe: Recipe, live: list[Run]) -> None:
    """Draw the estimate of the recipe as it stands, its progress, or how it failed."""
    found, _ = jobs.outcome(key)
    if found is not None:
        st.info(_estimate_words(found, recipe, live), icon=":material/timer:")


def _estimate_words(found: Estimate, recipe: Recipe, live: list[Run]) -> str:
    from kdcore.base.words import duration

    cached = f", {duration(found.cache_s)} to fill the teacher cache" if found.cache_s else ""
    busy = " Measured beside another run, so it may be less." if live else ""
    return (
        f"About {duration(found.epoch_s)} for an epoch{cached}, **{duration(found.total_s)} in "
        f"all** for {recipe.epochs} epochs, on this machine. A few steps were timed at "
        f"{recipe.input_size} px; reading the pictures and measuring at the end come on top.{busy}"
    )
