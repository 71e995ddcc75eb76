"""Setting up a reader study: models, method, cases; explanations are computed once, as a job."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import cache, controls, images, jobs, state
from pages.ui.controls import Pair
from pages.ui.frame import guard

if TYPE_CHECKING:
    from PIL.Image import Image

    from kdcore.base.progress import ShareProgress
    from kdcore.study import NewCase, Study

_JOB = "reading-job"
_SOURCES = {"drawn": "Drawn samples", "data": "Test images", "upload": "Uploads"}
_SIDE = 448  # pixels of the picture that readers see, one size for both networks
_MOST = 200


@dataclass(frozen=True)
class Offer:
    """Pictures to choose cases from: ids, classes and lesions, and how to open one."""

    ids: tuple[str, ...]
    classes: tuple[str, ...]
    groups: tuple[str, ...]
    open: Callable[[str], Image]


def take_finished() -> bool:
    """Choose the study that has just been set up, or draw how far that is; true if at work.

    To be called before the picker of a study is drawn.
    """
    study, working = jobs.outcome(state.get(_JOB, ""))
    if study is not None:
        state.put(_JOB, "")
        state.choose("study", study.id)
        st.success(
            "The study is stored. Send readers the address of this page.", icon=":material/check:"
        )
    return working


def show() -> None:
    """Draw the form of a new study."""
    st.subheader("Set up a new study")
    st.markdown(
        "Both networks explain each case once; the maps are stored, so that every reader sees the "
        "same. **Readers see the title, so it should name no network.**"
    )
    title = st.text_input("Title", key="w:title", max_chars=80, placeholder="Pilot, six lesions")
    pair = controls.choose_pair()
    method = _choose_method(pair)
    offer = _choose_source(pair)
    if offer is None or not offer.ids:
        return
    count, seed = _choose_cases(offer)
    if st.button("Set up the study", type="primary", key="w:setup", icon=":material/add:"):
        with guard():
            _start(title, pair, method, offer, count, seed)
            st.rerun()


def _choose_method(pair: Pair) -> str:
    from kdcore.explain import METHODS, methods_for

    return state.choice(
        st.selectbox,
        "reading_method",
        "Method",
        [method.name for method in methods_for(pair.teacher.model, pair.student.model)],
        default="grad-cam",
        format_func=lambda name: METHODS.get(name).title,
        help="Both networks explain the teacher's first choice, at their last stage. Score-CAM "
        "takes seconds to minutes for each picture.",
    )


def _choose_source(pair: Pair) -> Offer | None:
    source = state.choice(
        st.segmented_control,
        "reading_source",
        "Cases from",
        list(_SOURCES),
        default="drawn",
        format_func=_SOURCES.get,
        help="Drawn samples are made by a program: good for trying this out, not for results.",
    )
    with guard():
        if source == "drawn":
            return _drawn()
        return _data(pair) if source == "data" else _uploads(pair)
    return None


def _drawn() -> Offer:
    from kdcore.data import draw_lesion, drawn_samples

    samples = {s.name: s for s in drawn_samples()}

    def draw(name: str) -> Image:
        return draw_lesion(samples[name].dx, samples[name].seed)

    return Offer(tuple(samples), tuple(s.dx for s in samples.values()), tuple(samples), draw)


def _data(pair: Pair) -> Offer | None:
    data = cache.data_set(pair.teacher.card.classes)
    if data is None:
        st.info(
            "No data set is configured. Name its folder on the Data page.",
            icon=":material/folder_off:",
        )
        return None
    samples = images.unseen(cache.parts_of(data)["test"], pair)
    st.caption(
        f"{len(samples):,} pictures of the test part that neither network learnt from. Classes "
        "are taken in turn, one picture of each lesion."
    )
    return Offer(
        tuple(s.image_id for s in samples),
        tuple(s.dx for s in samples),
        tuple(s.lesion_id for s in samples),
        lambda image_id: data.picture(image_id).rgb,
    )


def _uploads(pair: Pair) -> Offer | None:
    """Draw the uploader; file names are dropped, as they may hold a patient's."""
    from kdcore.data import read_image
    from kdcore.evaluate import seen_by

    cards = {role: checkpoint.card for role, checkpoint in pair.items()}
    files = st.file_uploader(
        "Photos of lesions",
        type=["jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp", "gif"],
        accept_multiple_files=True,
        key="w:reading-uploads",
    )
    st.caption(
        ":material/info: The centre squares are **stored on this machine** with the study until "
        "it is deleted, without file names and metadata. Upload no picture that shows who it is."
    )
    read, seen = {}, 0
    for number, file in enumerate(files, start=1):
        if seen_by(file.name, cards):
            seen += 1
            continue
        with guard():
            read[f"upload-{number:03d}"] = read_image(file.getvalue(), name=f"Photo {number}").rgb
    if seen:
        st.caption(
            f":material/visibility: {seen} of {len(files)} photos are left out: by their names, a "
            "network was trained on them."
        )
    names = tuple(read)
    return Offer(names, tuple("" for _ in names), names, read.__getitem__)


def _choose_cases(offer: Offer) -> tuple[int, int]:
    """Draw how many cases and which seed, and return them."""
    most = min(len(set(offer.groups)), _MOST)
    left, right = st.columns(2)
    if not 1 <= st.session_state.get("w:cases", 1) <= most:
        del st.session_state["w:cases"]
    count = left.number_input("Cases", 1, most, min(most, 20), key="w:cases")
    seed = right.number_input(
        "Seed",
        0,
        999_999,
        0,
        key="w:seed",
        help="Chooses the cases, and with the reader's code the order and who is A.",
    )
    return int(count), int(seed)


def _start(title: str, pair: Pair, method: str, offer: Offer, count: int, seed: int) -> None:
    """Check what was asked for and start the job; raises `KdError`."""
    from kdcore.study import check_title, choose_cases

    title, about = check_title(title), _about(pair, method, offer)
    chosen = choose_cases(offer.classes, offer.groups, count, seed)
    state.put(_JOB, secrets.token_hex(8))

    def run(report: ShareProgress) -> Study:
        from kdcore.study import create_study

        cases = _explained(pair, method, offer, chosen, report)
        return create_study(title, seed, cases, about)

    jobs.start(state.get(_JOB), run)


def _about(pair: Pair, method: str, offer: Offer) -> dict[str, Any]:
    from kdcore.explain import METHODS

    about: dict[str, Any] = {
        "method": {
            "name": method,
            "title": METHODS.get(method).title,
            "convention": METHODS.get(method).convention,
        },
        "pictures": state.get("reading_source"),
        "offered": len(offer.ids),
    }
    for role, checkpoint in pair.items():
        card = checkpoint.card
        about[role.lower()] = {
            "name": card.name,
            "title": card.title,
            "architecture": card.architecture,
            "weights_sha256": checkpoint.hash,
        }
    return about


def _explained(
    pair: Pair, method: str, offer: Offer, chosen: tuple[int, ...], report: ShareProgress
) -> Iterator[NewCase]:
    """Yield the cases one by one, explained; runs in the job's thread and touches no Streamlit."""
    from kdcore.base.counting import share
    from kdcore.data import Preprocess, names_of_classes
    from kdcore.explain import explain_pair
    from kdcore.study import NewCase

    card = pair.teacher.card
    names = names_of_classes(card.classes)
    square = Preprocess(_SIDE, card.mean, card.std)
    for number, index in enumerate(chosen):
        doing = f"Explaining case {number + 1} of {len(chosen)}"

        def part(done: int, total: int, at: int = number, doing: str = doing) -> None:
            report(share(done, total, at, len(chosen)), doing)

        part(0, 1)
        rgb = offer.open(offer.ids[index])
        found = explain_pair(pair.teacher, pair.student, rgb, method, progress=part)
        target = card.classes[found.target]
        yield NewCase(
            image_id=offer.ids[index],
            dx=offer.classes[index],
            group=offer.groups[index],
            target=names[target],
            picture=square.crop(rgb),
            heatmaps={"teacher": found.teacher_map, "student": found.student_map},
            manifest=found.manifest,
        )
