"""The guided demo's parts: finding five cases, and telling each in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, controls, corrupting, images, measured, state
from pages.ui.controls import Pair
from pages.ui.images import Chosen

if TYPE_CHECKING:
    from PIL.Image import Image
    from streamlit.delta_generator import DeltaGenerator

    from kdcore.charts.corruption import Probs
    from kdcore.data.corruptions import Stack
    from kdcore.evaluate.calibration import Floats
    from kdcore.evaluate.sides import Ints
    from kdcore.models import Checkpoint
    from kdcore.predict import Predictions

LINK = ("case", "blur")
_TITLES = {
    "agree": "Both are right",
    "part": "They part ways",
    "err": "Both are wrong, in the same way",
    "doubt": "Not sure",
    "worsen": "The photo gets worse",
}
_LESSONS = {
    "agree": "Most cases are like this one, and say little about the others. What counts is what "
    "happens when a case is hard.",
    "part": "The student did not keep this answer. Which one to believe can't be seen from "
    "the two answers alone: it takes many cases whose truth is known.",
    "err": "A student can learn its teacher's mistakes, too. Two networks that "
    "agree are not two independent opinions.",
    "doubt": "A useful network says when it does not know. These percentages were adjusted so that "
    "of the pictures given 40 %, about 40 % are right: a low one asks for a second look.",
    "worsen": "Networks learn from good pictures. Before one is used in practice it has to be "
    "tried on the pictures that practice has.",
}
_SEEDS = 8  # drawings of each class to choose from; not the gallery, where networks are right
_SIZE = (300, 225)  # a sixth of the gallery's time
_BLUR = ("none", "slight", "some", "marked", "strong", "extreme")


@dataclass(frozen=True)
class Case:
    """A picture, and each network's probabilities (C,) for it by role."""

    chosen: Chosen
    probs: Probs


def find(pair: Pair) -> dict[str, Case]:
    """Return the cases by kind: pictures of the data set where it is configured, else drawn."""
    from kdcore.base import KdError

    with suppress(KdError):  # the Data page says what is wrong with the data set
        if found := _of_data(pair):
            return found
    return _of_drawings(pair, pair.teacher.hash, pair.student.hash)


def say_who(pair: Pair) -> None:
    """Name the two networks, and who taught the student where that is another."""
    named = (checkpoint.card.title or checkpoint.card.name for _, checkpoint in pair.items())
    st.caption("Teacher: {}. Student: {}.".format(*named))
    controls.show_teachers(pair)


def choose(cases: Mapping[str, Case]) -> str:
    """Draw the steps of the tour and return which one is open."""
    kinds = list(cases)
    numbers = dict(zip(kinds, range(1, 6)))
    return state.choice(
        st.segmented_control,
        "case",
        "Case",
        kinds,
        default=kinds[0],
        format_func=lambda kind: f"{numbers[kind]} · {_TITLES[kind]}",
        label_visibility="collapsed",
    )


def steps(kinds: list[str], kind: str) -> None:
    """Draw the buttons to the case before and after; after the last, what to do next."""
    pairs = list(pairwise(kinds))
    after, before = dict(pairs), {later: sooner for sooner, later in pairs}
    with st.container(horizontal=True):
        for label, way, icon in (("Back", before, "arrow_back"), ("Next", after, "arrow_forward")):
            st.button(
                label,
                key=f"w:{label}",
                icon=f":material/{icon}:",
                type="primary" if way is after else "secondary",
                disabled=kind not in way,
                on_click=state.choose,
                args=("case", way.get(kind, kind)),
            )
    if kind not in after:
        st.markdown(
            "That was the tour. Now [explain a picture of your own](explain?source=upload)."
        )


def show(pair: Pair, case: Case, kind: str) -> None:
    """Draw one case: the picture, both answers, where both looked, and what it teaches."""
    st.subheader(_TITLES[kind])
    if kind == "worsen":
        _worsening(pair, case)
    else:
        left, right = st.columns([2, 3], gap="large")
        _picture(left, case.chosen)
        with right:
            _truth(case.chosen)
            _answers(case.probs, case.chosen.dx)
            _maps(pair, case)
    st.info(_LESSONS[kind], icon=":material/lightbulb:")


def _picture(place: DeltaGenerator, chosen: Chosen) -> None:
    place.image(cache.preview(chosen), caption=chosen.title, width="stretch", alt=chosen.title)


def _truth(chosen: Chosen) -> None:
    name = _names()[chosen.dx]
    if chosen.kind == "drawn":
        st.markdown(f"Drawn to look like **{name}**. A drawing, nobody's skin.")
    else:
        st.markdown(f"In truth **{name}**, by the data set's diagnosis.")


def _answers(probs: Probs, truth: str, before: Probs | None = None) -> None:
    """Draw each network's answer with how sure it is, and whether it is right."""
    from kdcore.base.words import probability_text

    for column, (role, found) in zip(st.columns(2), probs.items()):
        answer = _answer(found)
        verdict = ":green-badge[right]" if answer == truth else ":orange-badge[wrong]"
        changed = before is not None and _answer(before[role]) != answer
        was = f" before the blur: {_names()[_answer(before[role])]}" if before and changed else ""
        with column.container(border=True):
            st.caption(f"{role}, {probability_text(float(found.max()))} sure")
            st.markdown(f"**{_names()[answer]}** {verdict}{was}")


def _answer(probs: Floats) -> str:
    return list(_names())[int(probs.argmax())]


def _names() -> dict[str, str]:
    from kdcore.data import HAM10000

    return dict(zip(HAM10000.classes, HAM10000.long_names))


def _maps(pair: Pair, case: Case) -> None:
    target = int(case.probs["Teacher"].argmax())
    for column, (role, checkpoint) in zip(st.columns(2), pair.items()):
        column.image(
            _overlay(checkpoint, case.chosen, case.chosen.sha256, checkpoint.hash, target),
            caption=f"What the {role.lower()} went by",
            output_format="PNG",
            width="stretch",
            alt=f"Where the {role.lower()} looked",
        )
    name = list(_names().values())[target]
    st.caption(
        f"The brighter, the more the answer *{name}* hangs on what is there (Score-CAM, "
        "approximate). It tells where a network looks, not whether it reasons well."
    )


@st.cache_resource(max_entries=32, show_spinner="Looking…")
def _overlay(
    _checkpoint: Checkpoint, _chosen: Chosen, image: str, weights: str, target: int
) -> Image:
    from kdcore.charts.overlay import enlarge
    from kdcore.explain import fast_score_cam, overlay
    from kdcore.predict import preprocess_of

    tensor = preprocess_of(_checkpoint)(_chosen.rgb)[None]
    heatmap = fast_score_cam(_checkpoint.model, tensor, target)
    return overlay(enlarge(cache.crop(_checkpoint, _chosen)), heatmap, 0.5)


def _worsening(pair: Pair, case: Case) -> None:
    """Draw a slider that blurs the picture, and what becomes of both answers."""
    from kdcore.charts.overlay import enlarge
    from kdcore.data.corruptions import parse_stack

    degree = state.choice(
        st.select_slider,
        "blur",
        "How blurred?",
        list(_BLUR),
        default="marked",
        help="As if the lens were out of focus.",
    )
    names = ("", *(f"defocus_blur-{severity}" for severity in range(1, 6)))
    stacks = {blur: parse_stack(name) for blur, name in zip(_BLUR, names)}
    spoilt = corrupting.spoil(pair, case.chosen, stacks[degree])
    left, right = st.columns([2, 3], gap="large")
    left.image(
        enlarge(spoilt.spoilt),
        caption=f"{case.chosen.title}; blur: {degree}",
        output_format="PNG",
        width="stretch",
        alt=f"The picture, blur: {degree}",
    )
    with right:
        _truth(case.chosen)
        _answers(spoilt.after, case.chosen.dx, spoilt.before)
        _turning(pair, case.chosen, stacks["extreme"])


def _turning(pair: Pair, chosen: Chosen, worst: Stack) -> None:
    """Say at which blur each network changes its mind, up to the `worst`."""
    sweep = corrupting.sweep(pair, corrupting.spoil(pair, chosen, worst))
    for role in sweep.probs:
        place = sweep.changes_at(role)
        st.markdown(
            f"**{role}**: keeps its answer whatever the blur."
            if place is None
            else f"**{role}**: gives another answer from *{_BLUR[place]}* blur on."
        )


@st.cache_resource(max_entries=4, show_spinner="Choosing five cases…")
def _of_drawings(_pair: Pair, teacher: str, student: str) -> dict[str, Case]:
    from kdcore.predict import predict_image
    from kdcore.predict.probabilities import softmax

    drawings = [_draw(dx, seed) for dx in _names() for seed in range(_SEEDS)]
    probs = {
        role: [softmax(predict_image(c, d.rgb).logits, c.card.temperature) for d in drawings]
        for role, c in _pair.items()
    }
    classes = list(_names())
    rows = _chosen([classes.index(d.dx) for d in drawings], probs)
    return {
        kind: Case(drawings[row], {role: found[row] for role, found in probs.items()})
        for kind, row in rows.items()
    }


def _draw(dx: str, seed: int) -> Chosen:
    from kdcore.base import sha256_bytes
    from kdcore.data import draw_lesion

    rgb = draw_lesion(dx, seed, _SIZE)
    return Chosen(rgb, sha256_bytes(rgb.tobytes()), "Drawn, not a photograph", dx, kind="drawn")


def _of_data(pair: Pair) -> dict[str, Case]:
    """Return cases of the test part by saved predictions; none where these or pictures lack."""
    from kdcore.predict.probabilities import softmax

    data = cache.data_set(pair.teacher.card.classes)
    saved = _saved(pair)
    if data is None or saved is None:
        return {}
    unseen = {s.image_id: s for s in images.unseen(cache.parts_of(data)["test"], pair)}
    first = saved["Teacher"]
    rows = [row for row, name in enumerate(first.sample_ids.tolist()) if name in unseen]
    probs = {
        role: list(softmax(saved[role].logits[rows], checkpoint.card.temperature))
        for role, checkpoint in pair.items()
    }
    chosen = _chosen(first.labels[rows], probs)
    return {
        kind: Case(
            images.of_data(data, unseen[str(first.sample_ids[rows[place]])]),
            {role: found[place] for role, found in probs.items()},
        )
        for kind, place in chosen.items()
    }


def _saved(pair: Pair) -> dict[str, Predictions] | None:
    """Return both networks' predictions of the test part, None unless of the same pictures."""
    saved = {role: measured.load_of(checkpoint) for role, checkpoint in pair.items()}
    known = {role: found for role, found in saved.items() if found is not None}
    ids = [found.sample_ids.tolist() for found in known.values()]
    return known if len(ids) == 2 and ids[0] == ids[1] else None


def _chosen(labels: Sequence[int] | Ints, probs: Mapping[str, list[Floats]]) -> dict[str, int]:
    from kdcore.evaluate.teaching import teaching_cases

    return teaching_cases(labels, probs["Teacher"], probs["Student"])
