"""Exported files on the page: how they were checked, what they lose, downloads, and the example."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import state
from pages.ui.confirm import ask
from pages.ui.frame import escaped, show_error
from pages.ui.tables import show_table

if TYPE_CHECKING:
    from kdcore.deploy.artefact import Artefact
    from kdcore.deploy.export_store import Kept
    from kdcore.models import Card


def show_made(card: Card) -> None:
    """Draw what is kept of a checkpoint: table, losses in words, downloads and the example."""
    from kdcore.base import ExportError
    from kdcore.deploy.export_store import list_exports
    from kdcore.report.exports import by_kind

    st.subheader("Exported files of this checkpoint")
    by_file = {kept.artefact.file: kept for kept in list_exports()[0] if _is_of(kept, card)}
    made = [by_file[a.file] for a in by_kind(kept.artefact for kept in by_file.values())]
    whole = []
    for kept in made:
        damaged = _damage_of(kept)
        if damaged:
            show_error(ExportError(damaged, "Delete it below, and export the checkpoint again."))
        else:
            whole.append(kept)
    if whole:
        _show_checks([kept.artefact for kept in whole])
    elif not made:
        st.info("Nothing is exported of it yet.", icon=":material/output:")
    for kept in made:
        _entry(kept, kept in whole)
    if whole:
        _show_example(whole)


def show_others(card: Card | None) -> None:
    """Draw what is kept of other checkpoints, what can't be read, and the bounds of the store."""
    from kdcore.deploy.export_store import BOUNDS, list_exports

    found, problems = list_exports()
    for problem in problems:
        show_error(problem)
    others = [kept for kept in found if card is None or not _is_of(kept, card)]
    if others:
        with st.expander(f"Files of other checkpoints: {len(others)}", key="w:export-others"):
            for kept in others:
                _entry(kept, not _damage_of(kept), named=True)
    st.caption(BOUNDS)


def _is_of(kept: Kept, card: Card) -> bool:
    return kept.artefact.checkpoint_hash == card.weights_sha256


def _show_checks(artefacts: list[Artefact]) -> None:
    """Draw how files were checked, and where they were measured what they lose."""
    from kdcore.report import exports

    st.markdown(
        "Each file was compared with the PyTorch network before it was kept. The more of its "
        "answers are the same, the more of the network is in the file."
    )
    note = escaped(exports.check_note(artefacts))
    show_table(exports.check_rows(artefacts), "exported-check", note=note)
    scores = exports.score_rows(artefacts)
    if not scores:
        return
    st.markdown("What a smaller precision costs, on images that the network was not trained on:")
    note = escaped(exports.quality_note(artefacts))
    show_table(scores, "exported-scores", note=note)
    for artefact in artefacts:
        lost, kept = exports.loss_sentence(artefact), exports.kept_sentence(artefact)
        if lost:
            st.warning(escaped(lost), icon=":material/trending_down:")
        elif kept:
            st.markdown(f"- {escaped(kept)}")


def _entry(kept: Kept, whole: bool, named: bool = False) -> None:
    """Draw one file with its downloads, where it is whole, and the way to delete it."""
    from kdcore.deploy.artefact import record_of
    from kdcore.deploy.export_store import delete_export
    from kdcore.report.exports import artefact_title

    title = escaped(artefact_title(kept.artefact))
    of = f"{escaped(kept.artefact.checkpoint)}: " if named else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{of}**{title}**")
        if whole:
            _download(kept, "Zip", kept.zip, "File, card, labels, preprocessing, record, example")
            _download(kept, "File", kept.path, "The network alone")
            _download(kept, "Record", record_of(kept.path), "How it was made, checked and measured")
        ask(
            f"delete-export-{kept.name}",
            "Delete",
            f"Delete {escaped(kept.path.name)}, its record and its zip? It can be exported again.",
            "Yes, delete it",
            ":material/delete:",
            delete_export,
            kept,
        )


def _download(kept: Kept, label: str, path: Path, about: str) -> None:
    st.download_button(
        label,
        _reader(path),
        file_name=path.name,
        on_click="ignore",
        icon=":material/download:",
        key=f"w:{label.lower()}-{kept.name}",
        help=f"{about}: {path.name}",
    )


def _reader(path: Path) -> Callable[[], bytes]:
    return lambda: path.read_bytes()


def _show_example(whole: list[Kept]) -> None:
    """Draw the program of one of the zips, and what it printed when it was packed."""
    from kdcore.deploy.export_store import read_member
    from kdcore.deploy.package import SAID
    from kdcore.report.exports import artefact_title

    st.subheader("How to use it")
    st.markdown(
        "Each zip holds this program, and a drawn sample to try it on. It was run, from the "
        "bytes of the zip, before that was kept."
    )
    by_name = {kept.name: kept for kept in whole}
    name = state.choice(
        st.selectbox, "example", "Example of", list(by_name),
        format_func=lambda n: artefact_title(by_name[n].artefact),
    )  # fmt: skip
    st.code(read_member(by_name[name], "example.py"), language="python", wrap_lines=True)
    st.caption("What it printed for the drawn sample: classes by probability.")
    st.code(read_member(by_name[name], SAID), language=None)


def _damage_of(kept: Kept) -> str:
    changed = tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in kept.paths)
    return _damage(kept, str(kept.path), changed)


@st.cache_data(max_entries=128, show_spinner=False)
def _damage(_kept: Kept, path: str, changed: tuple[int, ...]) -> str:
    from kdcore.deploy.export_store import damage

    return damage(_kept)
