"""The Runs page's second half: the table of checkpoints, and the import of one."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import state
from pages.ui.confirm import ask
from pages.ui.frame import escaped, guard, show_error
from pages.ui.tables import show_table

if TYPE_CHECKING:
    from kdcore.data import DatasetInfo
    from kdcore.models import Card

_MOST_MB = 400
_DONE = "import-done"
_README = "README.md"


def show_checkpoints() -> None:
    """Draw the table of all checkpoints, shipped and of runs, and what can't be read."""
    from kdcore.base import KdError, checkpoints_folder, runs_folder
    from kdcore.models import card_order, read_card
    from kdcore.report.checkpoints import checkpoint_rows

    kept, own = checkpoints_folder(), runs_folder()
    found = []
    for path in (*sorted(kept.glob("*/card.json")), *sorted(own.glob("*/checkpoint/card.json"))):
        try:
            found.append((path.parent, read_card(path.parent)))
        except KdError as error:
            show_error(error)
    if not found:
        st.caption("There is no checkpoint yet: train one, or import one below.")
        return
    found.sort(key=lambda item: card_order(item[1]))
    show_table(checkpoint_rows(found), "checkpoints")
    st.caption(
        f"Those in `{kept}` are shared, and can teach; those in `{own}` belong to runs. macro-F1 "
        "with 95 % intervals, where it was measured."
    )
    _read(found)
    _delete({path.name: path for path, card in found if card.added and path.parent == kept})


def _read(found: list[tuple[Path, Card]]) -> None:
    """Draw the card for people of one checkpoint, of those that have one."""
    written = {str(path): card for path, card in found if path.joinpath(_README).is_file()}
    if not written:
        return
    again = Counter(card.name for card in written.values())
    with st.expander("Read a model card", icon=":material/description:", key="w:cards"), guard():
        where = state.choice(
            st.selectbox, "card", "Model card of", list(written),
            format_func=lambda path: f"{written[path].name} ({path})"
            if again[written[path].name] > 1
            else written[path].name,
        )  # fmt: skip
        text = Path(where, _README).read_text(encoding="utf-8", errors="replace")
        st.download_button(
            "Markdown", text, f"{written[where].name}.md", "text/markdown",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        st.markdown(_shown(text))


def _shown(text: str) -> str:
    """Return Markdown with smaller headings, and without what only Streamlit reads into it."""
    plain = re.sub(r"!\[", "[", text).replace("$", r"\$").replace(":", r"\:")
    plain = re.sub(r"`[^`\n]*`", lambda code: code[0].replace("\\", ""), plain)
    return re.sub(r"(?m)^#{1,3} ", lambda head: f"###{head[0]}", plain)


def _delete(own: dict[str, Path]) -> None:
    """Draw the way to delete a checkpoint that was imported or promoted, by folders by name."""
    from kdcore.base import folder_bytes
    from kdcore.base.words import size_text

    if not own:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = state.choice(st.selectbox, "own", "Imported or promoted here", list(own))
        size = size_text(folder_bytes(own[name]))
        ask(
            f"delete-checkpoint-{name}",
            "Delete the checkpoint",
            f"Delete **{escaped(name)}**, {size} in `{own[name]}`? This can't be undone. A run "
            "that is still to be taught by it will fail.",
            f"Yes, delete {size}",
            ":material/delete:",
            _delete_now,
            own[name],
        )


def _delete_now(folder: Path) -> None:
    from kdcore.models import delete_checkpoint

    if folder.exists():
        delete_checkpoint(folder)
    state.put(_DONE, f"{folder.name} is deleted.")


def show_import() -> None:
    """Draw the form that imports weights from elsewhere."""
    from kdcore.base import checkpoints_folder
    from kdcore.data import DATASETS
    from kdcore.models import ARCHITECTURES
    from kdcore.models.card import ROLES

    if state.get(_DONE):
        st.success(state.get(_DONE), icon=":material/check:")
        state.put(_DONE, None)
    with st.expander("Import a checkpoint", icon=":material/upload:", key="w:import"):
        st.markdown(
            f"Weights of torchvision, timm or this project, written into `{checkpoints_folder()}`. "
            "Nothing in the file is executed."
        )
        with st.form("import", border=False):
            file = st.file_uploader(
                "Weights",
                type=["safetensors", "pt", "pth"],
                max_upload_size=_MOST_MB,
                help=f"`.safetensors`, or a `.pt` or `.pth` state dict, up to {_MOST_MB} MB.",
            )
            left, right = st.columns(2)
            with left:
                name = st.text_input("Name of the checkpoint", placeholder="my-resnet18")
                network = st.selectbox("Network", ARCHITECTURES.names())
                role = st.selectbox("Role of the checkpoint", ROLES, index=1)
            with right:
                key = st.selectbox(
                    "Classes of", list(DATASETS), format_func=lambda k: DATASETS[k].name
                )
                size = st.number_input("Input side, pixels", value=224)
                mean, std = _normalisation()
            asked = st.form_submit_button("Import", icon=":material/upload:")
    if asked:
        with guard():
            card = _card(name, network, role, DATASETS[key], int(size), mean, std)
            _import(file, card)


def _normalisation() -> tuple[str, str]:
    left, right = st.columns(2)
    about = "Three numbers, of red, green and blue on 0 to 1; empty for the data set's own."
    return (
        left.text_input("Pixel mean", placeholder="0.485, 0.456, 0.406", help=about),
        right.text_input("Pixel deviation", placeholder="0.229, 0.224, 0.225", help=about),
    )


def _card(
    name: str, network: str, role: str, info: DatasetInfo, size: int, mean: str, std: str
) -> Card:
    from kdcore.models import Card

    return Card(
        name=name.strip(),
        title=name.strip(),
        role=role,
        architecture=network,
        classes=info.classes,
        input_size=size,
        mean=_three(mean, "init_mean") or info.mean,
        std=_three(std, "init_std") or info.std,
        licence="not known",
    )


def _three(text: str, name: str) -> tuple[Any, ...]:
    from kdcore.distill import FIELDS
    from kdcore.distill.entries import read_entry

    return read_entry(next(f for f in FIELDS if f.name == name), text)


def _import(file: Any, card: Any) -> None:
    from kdcore.base import SettingError, checkpoints_folder
    from kdcore.models import import_checkpoint

    if file is None:
        raise SettingError("No file was chosen.", "Choose the weights, then import them.")
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder, _file_name(file.name))
        weights.write_bytes(file.getbuffer())
        try:
            import_checkpoint(weights, card, checkpoints_folder())
        except OSError as error:
            raise SettingError(
                f"The checkpoint can't be written: {error.strerror}.",
                f"Free some space, or make {checkpoints_folder()} writable.",
            ) from error
    state.put(_DONE, f"{card.name} is imported and listed. It is not measured here yet.")
    st.rerun()


def _file_name(given: str) -> str:
    """Return an upload's name as a file can have it: it is said in errors and in the card."""
    path = Path(given.replace("\\", "/"))
    stem = "".join(c if c.isalnum() or c in "-_. " else "_" for c in path.stem)[:80]
    return f"{stem or 'weights'}{path.suffix.lower()}"
