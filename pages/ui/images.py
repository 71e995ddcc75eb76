"""Choosing the picture to explain: an upload, a drawn sample, or an image of the data set."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, state
from pages.ui.controls import Pair
from pages.ui.frame import escaped, guard

if TYPE_CHECKING:
    from PIL.Image import Image

    from kdcore.data import DrawnSample, ImageDataset, Sample

SOURCES = {"upload": "Upload", "drawn": "Drawn sample", "data": "Data set"}
LINK = ("source", "drawn", "image")


@dataclass(frozen=True)
class Chosen:
    """A picture to explain: RGB pixels, their hash, a caption, and the true class if known.

    `image_id` is set of pictures of the configured data set, `name` of an upload whose file is
    named as the ISIC archive names pictures.
    """

    rgb: Image
    sha256: str
    title: str
    dx: str = ""
    notes: tuple[str, ...] = ()
    kind: str = "upload"
    image_id: str = ""
    name: str = ""


def choose(pair: Pair) -> Chosen | None:
    """Draw the picker and return the picture, or None where there is none yet.

    Of a data set, images of lesions that one of the pair was trained on are not offered.
    """
    classes = pair.teacher.card.classes
    source = state.choice(
        st.segmented_control,
        "source",
        "Picture from",
        [name for name in SOURCES if name != "drawn" or _is_skin(classes)],
        default="drawn" if _is_skin(classes) else "data",
        format_func=SOURCES.get,
        help="An upload stays in this browser session's memory and is never written to disk.",
    )
    with guard():
        if source == "data":
            return _data(pair)
        if source == "drawn":
            return _drawn()
        chosen = _upload()
        if chosen is not None and chosen.name:
            _say_seen(chosen.name, pair)
        return chosen
    return None


def _is_skin(classes: tuple[str, ...]) -> bool:
    """Tell whether the drawn samples, which are lesions, are anything to a network."""
    from kdcore.data import HAM10000

    return classes == HAM10000.classes


def show(chosen: Chosen) -> None:
    """Draw the chosen picture with its caption and what was changed when it was read."""
    st.image(cache.preview(chosen), caption=chosen.title, width="stretch", alt=chosen.title)
    for note in chosen.notes:
        st.caption(f":material/info: {note}")


def _upload() -> Chosen | None:
    file = st.file_uploader(
        "A picture",
        type=["jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp", "gif"],
        key="w:upload",
        help="JPEG, PNG, WebP, TIFF, BMP or GIF up to 40 MB; of a lesion, best taken through a "
        "dermatoscope.",
    )
    if file is not None and state.get("upload-id") != file.file_id:
        from kdcore.data import picture_name, read_image

        # Dropped first, so that a bad file does not leave the picture before it on the page.
        state.put("upload-read", None)
        read = read_image(file.getvalue())
        name = picture_name(file.name)
        chosen = Chosen(read.rgb, read.sha256, "Your picture", "", read.notes, name=name)
        state.put("upload-read", chosen)
        state.put("upload-id", file.file_id)  # decoding a large photo takes half a second
    kept = state.get("upload-read")
    if kept is None:
        st.info(
            "Choose a photo to begin, or pick a drawn sample. A link never carries a photo.",
            icon=":material/upload:",
        )
    elif file is None:
        st.caption("Showing the picture that you uploaded before.")
    return kept


def _say_missing(name: str, offered: Container[str], what: str) -> None:
    """Say that what a link asks for is not there; the picker below forgets it."""
    wanted = state.get(name)
    if wanted and wanted not in offered:
        st.caption(
            f":material/link_off: {escaped(wanted)} is no {what} here. Another picture is shown."
        )


def _say_seen(name: str, pair: Pair) -> None:
    """Warn where one of the pair was trained on the picture of that name."""
    from kdcore.evaluate import seen_by, seen_text

    roles = seen_by(name, {role.lower(): checkpoint.card for role, checkpoint in pair.items()})
    if roles:
        st.warning(seen_text(name, roles), icon=":material/visibility:")


def _drawn() -> Chosen:
    samples = drawn_samples()
    _say_missing("drawn", samples, "drawn sample")
    name = state.choice(
        st.selectbox,
        "drawn",
        "Drawn sample",
        list(samples),
        format_func=lambda n: samples[n].title,
        help="Pictures drawn by a program, not photographs: for a demonstration without data.",
    )
    return drawn(name)


@st.cache_resource(max_entries=1, show_spinner=False)
def drawn_samples() -> dict[str, DrawnSample]:
    """Return the drawn samples by their names."""
    from kdcore.data import drawn_samples

    return {sample.name: sample for sample in drawn_samples()}


@st.cache_resource(max_entries=16, show_spinner="Drawing…")
def drawn(name: str) -> Chosen:
    """Return a drawn sample by its name."""
    from kdcore.base import sha256_bytes
    from kdcore.data import draw_lesion

    sample = drawn_samples()[name]
    rgb = draw_lesion(sample.dx, sample.seed)
    title = f"{sample.title} (drawn, not a photograph)"
    return Chosen(rgb, sha256_bytes(rgb.tobytes()), title, sample.dx, kind="drawn")


def _data(pair: Pair) -> Chosen | None:
    data = cache.data_set(pair.teacher.card.classes)
    if data is None:
        st.info("No data set is configured. Name its folder on the Data page.")
        st.page_link("pages/build/data.py", label="Data", icon=":material/database:")
        return None
    everything = cache.parts_of(data)
    parts = {part: unseen(everything[part], pair) for part in ("test", "val")}
    offered = {s.image_id for samples in parts.values() for s in samples}
    _say_missing("image", offered, "image for these networks")
    wanted = state.get("image")
    home = next((p for p in ("val", "test") if any(s.image_id == wanted for s in parts[p])), "test")
    left, right = st.columns(2)
    with left:
        part = state.choice(
            st.selectbox,
            "part",
            "Part of the split",
            ["test", "val"],
            default=home,
            format_func={"test": "Test", "val": "Validation"}.get,
            help="Lesions that either network was trained on are left out: it saw their answers.",
        )
    if left_out := [s for s in everything[part] if s.image_id not in offered]:
        st.caption(
            f"{len(left_out):,} of {len(everything[part]):,} images of this part are left out: "
            "they show lesions that one of these networks was trained on."
        )
    if not parts[part]:
        st.info("There is no image left in this part. Choose the other part, or other networks.")
        return None
    classes = ["all", *dict.fromkeys(sorted(s.dx for s in parts[part]))]
    with right:
        dx = state.choice(st.selectbox, "dx", "True class", classes)
    samples = {s.image_id: s for s in parts[part] if dx in ("all", s.dx)}
    image_id = state.choice(
        st.selectbox,
        "image",
        "Image",
        list(samples),
        format_func=lambda i: f"{i} · {samples[i].dx}",
        help="Type to search by id.",
    )
    return of_data(data, samples[image_id])


def unseen(samples: list[Sample], pair: Pair) -> list[Sample]:
    """Return the samples of lesions that neither network was trained on, by their cards."""
    trained = {known for _, checkpoint in pair.items() for known in checkpoint.card.trained}
    return [s for s in samples if trained.isdisjoint(_traces(s.image_id, s.lesion_id))]


@lru_cache(maxsize=20_000)
def _traces(image_id: str, lesion_id: str) -> set[str]:
    from kdcore.data import trace_hashes

    return trace_hashes(image_id, lesion_id)


def of_data(data: ImageDataset, sample: Sample) -> Chosen:
    """Return a picture of the data set; raises `KdError` where it can't be read."""
    read = data.picture(sample.image_id)
    title = f"{sample.image_id}, true class {sample.dx}"
    return Chosen(read.rgb, read.sha256, title, sample.dx, read.notes, "data", sample.image_id)
