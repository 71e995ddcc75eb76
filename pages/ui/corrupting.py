"""The Corrupt page's parts: which corruptions, what they do to the picture, answers and maps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import state
from pages.ui.controls import Pair
from pages.ui.figures import show_figure
from pages.ui.images import Chosen
from pages.ui.tables import file_stem

if TYPE_CHECKING:
    from PIL.Image import Image

    from kdcore.charts.corruption import Probs
    from kdcore.data.corruptions import Stack, Step
    from kdcore.explain.under_corruption import MapPair
    from kdcore.models import Checkpoint
    from kdcore.predict.corrupted import SeveritySweep

LINK = ("stack", "varied", "maps")
_MOST = 4  # steps
_START = "gaussian_noise-3"
_MAPS = {"": "No maps", "grad-cam": "Grad-CAM", "attention": "Attention"}


@dataclass(frozen=True)
class Spoilt:
    """A picture before and after a stack of corruptions, and both models' probabilities.

    `clean` and `spoilt` are squares of at most 224 px; `before` and `after` map "Teacher" and
    "Student" to (C,) probabilities at each model's own temperature.
    """

    clean: Image
    spoilt: Image
    before: Probs
    after: Probs
    stack: Stack
    seed: int
    title: str
    key: str
    classes: tuple[str, ...]


def choose_stack() -> Stack:
    """Draw the steps with their severities, and return the stack."""
    from kdcore.base import KdError
    from kdcore.data.corruptions import parse_stack, stack_name

    try:
        stack = parse_stack(state.get("stack", _START))
    except KdError:  # a link of another version, or typed by hand
        stack = parse_stack(_START)
    steps = [_choose_step(place, step) for place, step in enumerate(stack)]
    with st.container(horizontal=True):
        if len(steps) < _MOST and st.button(
            "Add another", icon=":material/add:", key="w:add", help="Applied after the ones above."
        ):
            steps.append(_spare(steps))
        if len(steps) > 1 and st.button("Remove the last", icon=":material/remove:", key="w:less"):
            steps.pop()
    name = stack_name(tuple(steps))
    if len(steps) != len(stack):
        state.put("stack", name)
        st.rerun()
    state.put("stack", name)
    return tuple(steps)


def _choose_step(place: int, step: Step) -> Step:
    """Draw one step's two pickers; the widgets hold what is chosen, the stack is made of them."""
    from kdcore.data.corruptions import CORRUPTIONS, Step

    names = CORRUPTIONS.names()
    left, right = st.columns([3, 2])
    with left:
        state.put(f"step{place}", step.name)
        name = state.choice(
            st.selectbox,
            f"step{place}",
            "Corruption" if place == 0 else "Then",
            names,
            format_func=_title,
        )
    severities = CORRUPTIONS.get(name).severities
    with right:
        kept = min(step.severity, severities[-1])
        state.put(f"severity{place}", kept)
        severity = state.choice(
            st.select_slider, f"severity{place}", "Severity", list(severities), default=kept
        )
    st.caption(CORRUPTIONS.get(name).describe(severity))
    return Step(name, severity)


def _spare(steps: list[Step]) -> Step:
    """Return a step for a corruption that is not there yet."""
    from kdcore.data.corruptions import CORRUPTIONS, Step

    used = {step.name for step in steps}
    return Step(next(n for n in ("hair", "jpeg", *CORRUPTIONS.names()) if n not in used), 3)


def _title(name: str) -> str:
    from kdcore.data.corruptions import CORRUPTIONS

    found = CORRUPTIONS.get(name)
    return f"{found.title} · {found.group}"


def spoil(pair: Pair, chosen: Chosen, stack: Stack) -> Spoilt:
    """Return the picture before and after, with what both networks say of it."""
    from kdcore.data.corruptions import stack_name

    return _spoil(
        pair, chosen, stack, stack_name(stack), chosen.sha256, pair.teacher.hash, pair.student.hash
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _spoil(
    _pair: Pair, _chosen: Chosen, _stack: Stack, name: str, image: str, teacher: str, student: str
) -> Spoilt:
    from kdcore.data.corruptions import corrupt, image_seed, reference_square
    from kdcore.predict.corrupted import predict_pictures

    clean = reference_square(_chosen.rgb)
    seed = image_seed(image)
    spoilt = corrupt(clean, _stack, seed)
    found = predict_pictures(dict(_pair.items()), [clean, spoilt])
    before, after = ({m: probs[place] for m, probs in found.items()} for place in (0, 1))
    key, shared = f"{image}:{name}:{teacher}:{student}", _pair.teacher.card.classes
    return Spoilt(clean, spoilt, before, after, _stack, seed, _chosen.title, key, shared)


def show_pictures(spoilt: Spoilt) -> None:
    """Draw the picture before and after, and what each network's answer becomes."""
    from kdcore.charts.overlay import enlarge
    from kdcore.data.corruptions import stack_name

    left, right = st.columns(2)
    for column, picture, word in (
        (left, spoilt.clean, "As it is"),
        (right, spoilt.spoilt, "Spoilt"),
    ):
        column.image(
            enlarge(picture),
            caption=f"{word}: {spoilt.title}",
            output_format="PNG",
            width="stretch",
            alt=f"{word}: {spoilt.title}",
        )
    right.download_button(
        "Spoilt picture",
        lambda: _png(spoilt.spoilt),
        file_name=f"spoilt-{file_stem(stack_name(spoilt.stack))}.png",
        mime="image/png",
        on_click="ignore",
        icon=":material/download:",
    )


def _png(picture: Image) -> bytes:
    import io

    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def show_answers(spoilt: Spoilt) -> None:
    """Draw both models' probabilities before and after, and say who changed its mind."""
    from kdcore.base.words import probability_text
    from kdcore.charts.corruption import shift_chart

    st.subheader("What they say")
    for column, model in zip(st.columns(2), spoilt.before):
        before, after = spoilt.before[model], spoilt.after[model]
        was, now = (spoilt.classes[int(p.argmax())] for p in (before, after))
        sure = [probability_text(float(p.max())) for p in (before, after)]
        column.metric(
            f"{model}, calibrated",
            f"{now} {sure[1]}",
            delta=f"{'was' if was != now else 'still'} {was}, {sure[0]} clean",
            delta_color="inverse" if was != now else "off",
            delta_arrow="off",
            border=True,
        )
    show_figure(
        shift_chart(spoilt.before, spoilt.after, spoilt.classes),
        "spoilt-probabilities",
        "Ring: the picture as it is. Dot: spoilt. One picture; probabilities at each model's own "
        "temperature.",
    )


def show_sweep(pair: Pair, spoilt: Spoilt) -> None:
    """Draw how the answers go as one step's severity rises, the others staying."""
    from kdcore.charts.corruption import severity_chart
    from kdcore.data.corruptions import CORRUPTIONS

    st.subheader("As it gets worse")
    titles = {f"{i}": CORRUPTIONS.get(s.name).title for i, s in enumerate(spoilt.stack, 1)}
    varied = "1"
    if len(titles) > 1:
        varied = state.choice(
            st.segmented_control, "varied", "Vary", list(titles), format_func=titles.get
        )
    varying = sweep(pair, spoilt, list(titles).index(varied))
    for model in varying.probs:
        st.markdown(f"**{model}** {_end(varying, model, titles[varied].lower())}.")
    show_figure(
        severity_chart(varying.rows()),
        "severity",
        f"Severity 0 is without {titles[varied].lower()}; other corruptions stay. One picture; "
        "probabilities at each model's own temperature.",
    )


def _end(sweep: SeveritySweep, model: str, title: str) -> str:
    place = sweep.changes_at(model)
    if place is None:
        return f"keeps its answer up to severity {sweep.severities[-1]} of *{title}*"
    if place == 0:
        return f"has changed its mind without *{title}* already"
    return f"changes its mind at severity {place} of *{title}*"


def sweep(pair: Pair, spoilt: Spoilt, place: int = 0) -> SeveritySweep:
    """Return what both networks say as the severity of one step of the stack rises."""
    return _sweep(pair, spoilt, spoilt.key, place)


@st.cache_resource(max_entries=32, show_spinner=False)
def _sweep(_pair: Pair, _spoilt: Spoilt, key: str, place: int) -> SeveritySweep:
    from kdcore.predict.corrupted import sweep_severity

    return sweep_severity(dict(_pair.items()), _spoilt.clean, _spoilt.stack, place, _spoilt.seed)


def show_maps(pair: Pair, spoilt: Spoilt) -> None:
    """Draw, if asked for, both models' maps before and after, and how alike they are."""
    st.subheader("Where they look")
    method = state.choice(
        st.segmented_control,
        "maps",
        "Maps before and after",
        list(_MAPS),
        default="",
        format_func=_MAPS.get,
        help="For each model's own answer to the picture as it is. Score-CAM takes seconds: it is "
        "on the page Explain a lesion.",
    )
    if not method:
        return
    for role, checkpoint in pair.items():
        found = _maps(checkpoint, spoilt, spoilt.key, checkpoint.hash, method)
        _show_two(role, found, _MAPS[method], spoilt.classes)


@st.cache_resource(max_entries=32, show_spinner="Looking…")
def _maps(_checkpoint: Checkpoint, _spoilt: Spoilt, key: str, weights: str, method: str) -> MapPair:
    from kdcore.explain.under_corruption import maps_of

    return maps_of(_checkpoint, _spoilt.clean, _spoilt.spoilt, method)


def _show_two(role: str, found: MapPair, title: str, classes: tuple[str, ...]) -> None:
    from kdcore.charts.overlay import enlarge
    from kdcore.explain import overlay

    target = classes[found.before.target]
    for column, explained, word in zip(
        st.columns(2), (found.before, found.after), ("as it is", "spoilt")
    ):
        column.image(
            overlay(enlarge(explained.crop), explained.heatmap, 0.5),
            caption=f"{role}, {word}: {title} for {target}",
            output_format="PNG",
            width="stretch",
            alt=f"{title} map of the {role.lower()} for {target}, {word}",
        )
    if math.isnan(found.correlation):
        st.caption(f"{role}: the two maps can't be compared, as one is empty: it shows no place.")
    else:
        st.caption(f"{role}: the two maps correlate by r = {found.correlation:.2f}.")
