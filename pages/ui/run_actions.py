"""What can be done with one run: files of it, resume, promote, delete."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, state, training, watch
from pages.ui.confirm import ask
from pages.ui.frame import escaped, guard
from pages.ui.tables import file_stem

if TYPE_CHECKING:
    from kdcore.data import ImageDataset
    from kdcore.distill import Run

_DONE = "run-done"  # what the last action did, said after the rerun


def say_done() -> None:
    """Say what the last action did, once."""
    if state.get(_DONE):
        st.success(state.get(_DONE), icon=":material/check:")
        state.put(_DONE, None)


def choose_one(picked: list[Run]) -> Run:
    """Draw the picker of the run to act on, where several are picked, and return the run."""
    by_name = {run.name: run for run in picked}
    if len(picked) == 1:
        return picked[0]
    name = state.choice(st.selectbox, "which", "What to do with", list(by_name))
    return by_name[name]


def show_files(run: Run) -> None:
    """Draw the downloads of a run, the end of its log, and how to open TensorBoard."""
    from kdcore.base import runs_folder
    from kdcore.distill import log_tail
    from kdcore.distill.recipe_file import recipe_toml
    from kdcore.report.cells import csv_text
    from kdcore.report.runs import history_rows

    with st.container(horizontal=True):
        if run.history:
            _download("History (CSV)", lambda: csv_text(history_rows(run)), run.name, "csv")
        if recipe := run.recipe:
            _download("Recipe (TOML)", lambda: recipe_toml(recipe), run.name, "toml")
    with st.expander("What its process printed"):
        st.code(log_tail(run.folder) or "Nothing yet.", language=None, wrap_lines=True)
    with st.expander("TensorBoard"):
        st.markdown("Every run writes event files. To see them all, on this machine:")
        root = shlex.quote(str(runs_folder()))
        st.code(f"tensorboard --logdir {root}", language="bash", wrap_lines=True)


def _download(label: str, make: Callable[[], str], name: str, suffix: str) -> None:
    st.download_button(
        label,
        make,
        file_name=f"{file_stem(name) or 'run'}.{suffix}",
        on_click="ignore",
        icon=":material/download:",
        key=f"w:get-{suffix}",
    )


def show_actions(run: Run) -> None:
    """Draw resume, promote and delete, as far as the run's state allows them."""
    if run.status.live:
        st.page_link(
            "pages/build/train.py",
            label="Under way: pause or cancel it on the Train page",
            icon=":material/model_training:",
        )
        return
    with guard(), st.container(horizontal=True):
        watch.explain_link(run)
        _resume(run)
        _promote(run)
        _delete(run)


def _resume(run: Run) -> None:
    from kdcore.distill import resume_run

    if run.recipe is None or run.status.state not in ("cancelled", "failed", "interrupted"):
        return
    with guard():
        data = cache.data_set()
        why = _why_not(run, data)
        device = training.choose_device() if not why else "cpu"
        pressed = st.button(
            "Resume",
            key="w:resume",
            icon=":material/resume:",
            disabled=bool(why),
            help=why or "It goes on after its last finished epoch, with its own recipe.",
        )
        if pressed and data is not None:
            resume_run(run.folder, Path(data.root), device)
            _finish(f"{run.name} goes on after epoch {len(run.history)}.")


def _why_not(run: Run, data: ImageDataset | None) -> str:
    if data is None:
        return "No data set is configured: name its folder on the Data page."
    if run.recipe and run.recipe.dataset != data.info.key:
        return f"It is for {run.recipe.dataset}, and the data folder holds {data.info.name}."
    return ""


def _promote(run: Run) -> None:
    from kdcore.base import checkpoints_folder
    from kdcore.models import copy_checkpoint, find_copy

    if not run.has_checkpoint:
        return
    with guard():  # an error here leaves the other buttons where they are
        if name := find_copy(run.folder.checkpoint, checkpoints_folder()):
            st.caption(f":material/workspace_premium: Promoted as **{escaped(name)}**.")
            return
        if st.button(
            "Promote",
            key="w:promote",
            icon=":material/workspace_premium:",
            help=f"Copy its checkpoint into {checkpoints_folder()}: it outlives the run and can "
            "teach.",
        ):
            target = copy_checkpoint(run.folder.checkpoint, checkpoints_folder(), run.name)
            _finish(f"{run.name} is now in {target}.")


def _delete(run: Run) -> None:
    from kdcore.base import folder_bytes
    from kdcore.base.words import size_text

    what = "recipe, history, log, weights" + (" and checkpoint" if run.has_checkpoint else "")
    size = size_text(folder_bytes(run.folder.path))
    ask(
        f"delete-{run.name}",
        "Delete",
        f"Delete this run: {what}, {size} in `{run.folder.path}`? This can't be undone. A "
        "promoted copy stays.",
        f"Yes, delete {size}",
        ":material/delete:",
        _delete_now,
        run,
    )


def _delete_now(run: Run) -> None:
    from kdcore.distill import delete_run

    if run.folder.path.exists():
        delete_run(run.folder)
    state.put(_DONE, f"{run.name} is deleted.")


def _finish(said: str) -> None:
    state.put(_DONE, said)
    st.rerun()
