"""The Compare page's models on the same images, and what it shows of their scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import measured, state
from pages.ui.figures import show_figure
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.evaluate import Detection, Evaluation
    from kdcore.predict import Predictions
    from kdcore.predict.shelf import Measured

LINK = ("part", "calibrated", "common", "score", "class_score")
PARTS = {"test": "Test", "val": "Validation"}


@dataclass(frozen=True)
class Compared:
    """The chosen models on the same images, by title; `contents` names theirs for caches."""

    part: str
    models: dict[str, Measured]
    predictions: dict[str, Predictions]
    temperatures: dict[str, float]
    colours: dict[str, str]
    contents: dict[str, str]

    def evaluations(self) -> dict[str, Evaluation]:
        """Return each model's evaluation by its title."""
        return {
            title: measured.evaluate(p, self.contents[title], self.temperatures[title])
            for title, p in self.predictions.items()
        }

    def detections(self, dx: str) -> dict[str, Detection]:
        """Return how well each model finds a class, by the model's title."""
        return {
            title: _detection(p, dx, self.contents[title], self.temperatures[title])
            for title, p in self.predictions.items()
        }


def choose_part() -> str:
    """Draw the picker of a part, and return "test" or "val"."""
    return state.choice(
        st.segmented_control,
        "part",
        "Part",
        list(PARTS),
        format_func=PARTS.get,
        help="Models were chosen on the validation part, so the test part is the fair one.",
    )


def choose_calibrated() -> bool:
    """Draw the switch of the models' own temperatures."""
    return state.switch(
        "calibrated",
        "Calibrated",
        True,
        help="Divide each model's logits by its own temperature, fitted on the validation part. "
        "It changes how sure a model says it is, never its answer.",
    )


def gather(models: Sequence[Measured], part: str, calibrated: bool) -> Compared:
    """Return the models on the same images; raises `KdError` where those differ.

    Where they differ only in which images they have, a checkbox agrees to the common ones.
    """
    from kdcore.charts.style import model_colours
    from kdcore.evaluate import align_all

    loaded = [measured.load(model, part) for model in models]
    aligned = align_all(loaded, common=True)
    n = len(aligned[0])
    left_out = any(len(p) != n for p in loaded)
    if left_out:
        label = f"Compare on the {n:,} images that all of them have"
        if not state.switch("common", label, False, st.checkbox):
            align_all(loaded)  # raises, with how many each lacks
    common = f"|common to {measured.key(models, part)}" if left_out else ""
    titles = _titles(models)
    return Compared(
        part=part,
        models=dict(zip(titles, models)),
        predictions=dict(zip(titles, aligned)),
        temperatures={t: measured.temperature(m, calibrated) for t, m in zip(titles, models)},
        colours=model_colours({t: m.role for t, m in zip(titles, models)}),
        contents={t: measured.key([m], part) + f"{common}" for t, m in zip(titles, models)},
    )


def show_overall(shown: Compared) -> None:
    """Draw the table of all models' scores, and the one score that is picked as dots."""
    from kdcore.charts.compare import model_dots
    from kdcore.report.models import SCORES, model_rows

    st.subheader("Overall")
    st.markdown(
        "Macro-F1 and balanced accuracy count every class alike; accuracy is mostly that of the "
        "commonest class. NLL, Brier and ECE (calibration error, 15 bins) are better when lower."
    )
    found = shown.evaluations()
    note = measured.note(next(iter(found.values())))
    show_table(model_rows(found), file_stem("models", shown.part), note=note, told=False)
    score = state.choice(
        st.selectbox, "score", "Score", list(SCORES), format_func=SCORES.get, width=260
    )
    chart = model_dots(found, score, shown.colours)
    show_figure(chart, file_stem("models", score, shown.part), note)
    st.caption("Where intervals overlap, look at the difference itself, under *Two at a time*.")


def show_classes(shown: Compared) -> None:
    """Draw one score of each class, of all models."""
    from kdcore.charts.compare import class_dots
    from kdcore.report.models import CLASS_SCORES, class_gloss, model_class_rows

    st.subheader("Class by class")
    st.markdown(
        "A small student often pays with the rare classes. n is the number of images: the fewer, "
        "the wider the interval."
    )
    if gloss := class_gloss(next(iter(shown.predictions.values())).classes):
        st.caption(gloss)
    score = state.choice(
        st.selectbox,
        "class_score",
        "Score of a class",
        list(CLASS_SCORES),
        format_func=CLASS_SCORES.get,
        width=260,
        help="Recall: the share of a class that is found. Precision: the share of the answers "
        "'this class' that are right. F1 weighs both. AUC and AP judge the order of all images "
        "by the class's probability.",
    )
    found = shown.evaluations()
    note = measured.note(next(iter(found.values())))
    name = file_stem("classes", score, shown.part)
    show_figure(class_dots(found, score, shown.colours), name, note)
    show_table(model_class_rows(found, score), name, note=note, told=False)


def show_melanoma(shown: Compared) -> None:
    """Draw how well melanoma is told from all else, where it is one of the classes."""
    from kdcore.data.info import MELANOMA
    from kdcore.report.models import detection_rows

    first = next(iter(shown.predictions.values()))
    if MELANOMA not in first.classes:
        return
    st.subheader("Melanoma against all else")
    found = shown.detections(MELANOMA)
    one = next(iter(found.values()))
    st.markdown(
        f"Of the {one.positives:,} melanomas, how many are found if 80, 90 or 95 % of the "
        f"{one.negatives:,} other images are left alone (sensitivity), and how many others are "
        "left alone if that share of the melanomas is found (specificity)."
    )
    note = measured.note(next(iter(shown.evaluations().values())))
    show_table(detection_rows(found), file_stem("melanoma", shown.part), note=note)


def _titles(models: Sequence[Measured]) -> list[str]:
    """Return the models' titles; where two are equal, their names tell them apart."""
    count = Counter(model.title for model in models)
    return [m.title if count[m.title] == 1 else f"{m.title} ({m.name})" for m in models]


@st.cache_resource(max_entries=48, show_spinner="Measuring…")
def _detection(_predictions: Predictions, dx: str, content: str, temperature: float) -> Detection:
    from kdcore.evaluate import detection

    return detection(_predictions, dx, temperature, measured.RESAMPLES)
