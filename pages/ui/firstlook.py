"""What can be said of a picture at once: inputs, probabilities, agreement, confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, controls, state
from pages.ui.controls import Pair
from pages.ui.images import Chosen

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from kdcore.explain.check_pair import Lesion
    from kdcore.models import Checkpoint
    from kdcore.predict.predict import ImagePrediction

_FIRST_T = 1.0
_FITS = 6  # letters of a class beside a percentage; more would be cut
_OUTLINED = 224  # pixels: on fewer the line would hide the picture


@dataclass(frozen=True)
class Look:
    """Both models' predictions of one picture and their first choices."""

    predictions: dict[str, ImagePrediction]
    first: dict[str, str]
    classes: tuple[str, ...]
    names: dict[str, str]


def show(pair: Pair, chosen: Chosen) -> Look:
    """Run both networks on the picture and draw what follows without explaining anything yet."""
    look = predict_pair(pair, chosen)
    _familiar(pair, look)
    _verdict(pair, look)
    _charts(look, chosen)
    told = {short: controls.class_label(short, look.names, "**{}** {}") for short in look.names}
    st.caption(" · ".join(label for short, label in told.items() if label != short))
    return look


@st.fragment
def _charts(look: Look, chosen: Chosen) -> None:
    """Draw slider and charts; a move of the slider reruns these alone."""
    temperature = controls.choose_temperature()
    left, right = st.columns(2)
    _bars(left, look, chosen, _FIRST_T)
    _bars(right, look, chosen, temperature)
    state.refresh_link()


def show_inputs(
    place: DeltaGenerator, pair: Pair, chosen: Chosen, lesion: Lesion | None = None
) -> None:
    """Draw what each network is really given, at its own size: the centre square, resized.

    With the mask of a `lesion` its outline is drawn on it, which needs a larger picture.
    """
    from kdcore.charts.overlay import enlarge, outline

    row = place.container(horizontal=True)
    for role, checkpoint in pair.items():
        size = checkpoint.card.input_size
        crop = cache.crop(checkpoint, chosen)
        row.image(
            crop if lesion is None else outline(enlarge(crop, _OUTLINED), lesion),
            caption=f"{role} is given the centre square, {size} × {size} px",
            output_format="PNG",
            width=min(size, 160) if lesion is None else 160,
            alt=f"The picture as the {role.lower()} gets it",
        )


def _familiar(pair: Pair, look: Look) -> None:
    """Warn when the picture is unlike those learnt from; cards without a score say nothing."""
    from kdcore.base.words import percent
    from kdcore.data import HAM10000
    from kdcore.predict import ood

    results = {
        role: ood.score(checkpoint, look.predictions[role].stages)
        for role, checkpoint in pair.items()
        if checkpoint.card.ood
    }
    if not results:
        return
    skin = look.classes == HAM10000.classes
    kind = "a dermoscopic picture" if skin else "a picture like the training pictures"
    doubters = [role.lower() for role, result in results.items() if result.outside]
    rate = max(result.false_alarm_rate for result in results.values())
    if doubters:
        st.warning(
            f"**This may not be {kind}:** its colours and textures are unlike those that the "
            f"{' and the '.join(doubters)} learnt from, and what they say of it means little. "
            f"{percent(rate)} of real ones get this warning, too.",
            icon=":material/warning:",
        )
    else:
        st.caption(
            f":material/check: Colours and textures fit {kind}. (The warning for others "
            f"comes up for {percent(rate)} of real ones, too.)"
        )


def predict_pair(pair: Pair, chosen: Chosen) -> Look:
    """Return both networks' predictions of the picture, cached by content."""
    from kdcore.data import names_of_classes

    predictions = {
        role: cache.predict(checkpoint, chosen.rgb, chosen.sha256)
        for role, checkpoint in pair.items()
    }
    classes = pair.teacher.card.classes
    first = {role: classes[int(p.logits.argmax())] for role, p in predictions.items()}
    return Look(predictions, first, classes, names_of_classes(classes))


def _verdict(pair: Pair, look: Look) -> None:
    from kdcore.base.words import probability_text
    from kdcore.predict.probabilities import softmax

    teacher, student = (
        controls.class_label(look.first[role], look.names, "{} ({})") for role, _ in pair.items()
    )
    if teacher == student:
        st.info(
            f"**Both say {teacher}.** They can be wrong together.",
            icon=":material/join_inner:",
        )
    else:
        st.warning(
            f"**They disagree.** The teacher says {teacher}, the student {student}.",
            icon=":material/call_split:",
        )
    for column, (role, checkpoint) in zip(st.columns(2), pair.items()):
        logits = look.predictions[role].logits[None]
        probs = softmax(logits, checkpoint.card.temperature)[0]
        first, sure = look.first[role], probability_text(float(probs.max()))
        fits = len(first) <= _FITS
        column.metric(
            f"{role}, calibrated" if fits else f"{role}: {first}",
            f"{first} {sure}" if fits else sure,
            help=(
                "Softmax at the temperature that fits the validation images best "
                f"(T = {checkpoint.card.temperature:.2f}), so that among pictures given 80 %, "
                "about 80 % are right."
            ),
            border=True,
        )
        _track_record(column, checkpoint, look.first[role])


def _track_record(column: DeltaGenerator, checkpoint: Checkpoint, dx: str) -> None:
    """Say how good the network is at the class that it names, by its test images."""
    from kdcore.base.words import percent
    from kdcore.evaluate import Interval
    from kdcore.report.cells import percent_text

    per_class = (checkpoint.card.metrics.get("test") or {}).get("per_class", ())
    row = next((r for r in per_class if r["class"] == dx and r["recall"]["low"] is not None), None)
    if row is None:
        return
    precision = row["precision"]["value"]
    found = percent_text(Interval.from_dict(row["recall"]))
    right = f"; right in {percent(precision)} of its {dx} answers" if precision is not None else ""
    column.caption(
        f"At T = {checkpoint.card.temperature:.2f}. Of {row['support']} test images of {dx} it "
        f"finds {found}{right}."
    )


def _bars(column: DeltaGenerator, look: Look, chosen: Chosen, temperature: float) -> None:
    from kdcore.charts.probability import probability_view
    from kdcore.predict.probabilities import softmax

    probs = {
        role: softmax(prediction.logits[None], temperature)[0]
        for role, prediction in look.predictions.items()
    }
    specification, rows = probability_view(
        probs, look.classes, tuple(look.names.values()), f"T = {temperature:g}", chosen.dx
    )
    column.vega_lite_chart(
        rows, specification, width="stretch", alt=f"Probabilities at T = {temperature:g}"
    )
