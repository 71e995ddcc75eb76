"""The Calibration page's first parts: whose probabilities, which bins, and reliability diagrams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import measured, state
from pages.ui.figures import show_figure
from pages.ui.frame import guard, show_error
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.evaluate import Calibrator, Diagram
    from kdcore.evaluate.calibration import Floats
    from kdcore.predict import Predictions
    from kdcore.predict.shelf import Measured

LINK = ("left", "right", "bins", "binning", "calibration", "measure", "class")
_BINS = ("5", "10", "15", "20")
_AS_TABLES = "15"  # so that the diagrams name the same ECE as the tables of all pages
_BINNING = {"width": "equal width", "mass": "equally many images"}
_FEW = 100  # images


@dataclass(frozen=True)
class Subject:
    """A model with what it said of the test part, and what calibrates it.

    `val` is None where it has no validation predictions; `calibrators` is then the identity
    alone. `baseline` is the model without a teacher that a student is held against. `key` names
    the content of its predictions.
    """

    model: Measured
    val: Predictions | None
    test: Predictions
    calibrators: dict[str, Calibrator]
    baseline: str
    key: str

    @property
    def title(self) -> str:
        """The model's title."""
        return str(self.model.title)

    def used(self, calibration: str) -> str:
        """Return the calibration that is wished for if the model has it, else "as trained"."""
        return calibration if calibration in self.calibrators else "as trained"

    def probs(self, calibration: str) -> Floats:
        """Return its calibrated probabilities of the test part, (N, C)."""
        return self.calibrators[self.used(calibration)].apply(self.test.logits)


@dataclass(frozen=True)
class View:
    """What is looked at: one or two subjects, bins, and which calibration."""

    focus: list[Subject]
    bins: int
    equal_mass: bool
    calibration: str
    colours: dict[str, str]


def prepare(models: list[Measured]) -> list[Subject]:
    """Return the chosen models, and the baselines that their students are held against.

    A model whose test predictions can't be used is left out, and why is said; the page ends where
    none is left.
    """
    students = [m for m in models if m.role == "student"]
    against = {m.name: measured.baseline_for(m) for m in students}
    added = list(against.values()) if students else [measured.baseline_for(None)]
    everyone = {m.name: m for m in (*models, *added) if m}
    subjects = []
    for name, model in everyone.items():
        baseline = against.get(name)
        with guard():
            subjects.append(_subject(model, baseline.name if baseline else ""))
    if not subjects:
        st.stop()
    chosen = {m.name for m in models}
    extra = [s.title for s in subjects if s.model.name not in chosen]
    if extra:
        st.caption(
            f":material/add: {', '.join(extra)} is always here, too: a student without a teacher, "
            "which temperature scaling alone can calibrate."
        )
    _warn(subjects)
    return subjects


def _warn(subjects: list[Subject]) -> None:
    few = min(len(s.test) for s in subjects)
    if few < _FEW:
        st.warning(f"Only {few} images: bins hold few of them, and intervals are wide.")
    if len({frozenset(s.test.sample_ids.tolist()) for s in subjects}) > 1:
        st.warning("These models were measured on different images, so they do not compare.")


def _subject(model: Measured, baseline: str) -> Subject:
    """Return a model with its calibrators; raises `KdError` without usable test predictions."""
    from kdcore.base import KdError
    from kdcore.evaluate import calibrators_for

    test, val, key = measured.load(model), None, measured.key([model], "test")
    calibrators_for(None, test)  # refuses a part without images
    if "val" not in model.files:
        st.caption(
            f":material/info: {model.title} has no validation predictions to fit a calibrator on: "
            "it is shown as trained only."
        )
    else:
        try:
            val = measured.load(model, "val")
            key = measured.key([model], "val", "test")
            return Subject(model, val, test, _calibrators(val, test, key), baseline, key)
        except KdError as error:
            show_error(error)
            st.caption(f"{model.title} is shown as trained only.")
            val, key = None, measured.key([model], "test")
    return Subject(model, val, test, _calibrators(val, test, key), baseline, key)


@st.cache_resource(max_entries=24, show_spinner="Fitting the calibrators…")
def _calibrators(
    _val: Predictions | None, _test: Predictions, content: str
) -> dict[str, Calibrator]:
    from kdcore.evaluate import calibrators_for

    return {calibrator.name: calibrator for calibrator in calibrators_for(_val, _test)}


def choose_view(subjects: list[Subject]) -> View:
    """Draw the controls of the diagrams."""
    from kdcore.evaluate import CALIBRATORS

    by_name = {s.model.name: s for s in subjects}
    models = [s.model for s in subjects]
    first, second, third = st.columns(3)
    with first:
        left = measured.choose_model("In the diagram", "left", models)
    others = [name for name in by_name if name != left.name]
    with second:
        right = state.choice(
            st.selectbox,
            "right",
            "Beside it",
            [*others, "none"],
            format_func=lambda n: by_name[n].title if n in by_name else "Nothing",
        )
    with third:
        calibration = state.choice(
            st.selectbox,
            "calibration",
            "Probabilities",
            list(CALIBRATORS),
            format_func=lambda n: CALIBRATORS[n].capitalize(),
            help="Fitted on validation images, measured on test images. Temperature scaling "
            "divides the logits by one number and keeps every answer; vector scaling has a number "
            "and a shift for each class; isotonic regression bends each class's probabilities.",
        )
    with st.container(horizontal=True):
        bins = state.choice(st.segmented_control, "bins", "Bins", _BINS, default=_AS_TABLES)
        binning = state.choice(
            st.segmented_control,
            "binning",
            "Bins of",
            list(_BINNING),
            format_func=_BINNING.get,
            help="Equal width is the usual diagram; equally many images make all dots as sure.",
        )
    focus = [by_name[name] for name in (left.name, right) if name in by_name]
    return View(focus, int(bins), binning == "mass", calibration, measured.colours(models))


def show_diagrams(view: View) -> None:
    """Draw the reliability diagrams of the answers."""
    st.subheader("What it says and how often it is right")
    st.markdown(
        "Each dot is a group of images about which the model was about as sure. On the dashed "
        "line, words and facts agree; **above it the model is better than it says, below it "
        "worse**. The broad line is the gap, the thin one the 95 % interval, the bars below count "
        "the images."
    )
    _show_pair(view, "")


def show_one_class(view: View) -> None:
    """Draw the diagrams of one class against the rest."""
    st.subheader("One class: when it says 30 % melanoma, is it so in 30 of 100?")
    st.markdown(
        "A decision about one disease rests on the probability of that class, whether or not it is "
        "the highest. Here a dot says how many of such images are of the class."
    )
    classes = view.focus[0].test.classes
    names = _class_names(classes)
    target = state.choice(
        st.selectbox, "class", "Class", list(classes), default="mel", format_func=names.get
    )
    _show_pair(view, target)


def _class_names(classes: tuple[str, ...]) -> dict[str, str]:
    from kdcore.data import names_of_classes

    found = names_of_classes(classes).items()
    return {short: short if short == name else f"{short} · {name}" for short, name in found}


def _show_pair(view: View, target: str) -> None:
    for column, subject in zip(st.columns(2), view.focus):
        with column, guard():
            _show_diagram(view, subject, target)


def _show_diagram(view: View, subject: Subject, target: str) -> None:
    from kdcore.charts.reliability import reliability_chart
    from kdcore.evaluate import CALIBRATORS
    from kdcore.report.calibration import diagram_text, reliability_rows

    name = subject.used(view.calibration)
    found = _diagram(subject, subject.key, name, target, view.bins, view.equal_mass)
    st.markdown(f"**{subject.title}**, {CALIBRATORS[name]}")
    st.markdown(diagram_text(found))
    binning = _BINNING["mass" if view.equal_mass else "width"]
    of = f" for {target} against the rest" if target else ""
    told = (
        f"{subject.title}, {CALIBRATORS[name]}{of}: ECE {found.bins.ece:.3f} (mean gap over "
        f"images) in {view.bins} bins of {binning}. {measured.note(found)} They are too narrow in "
        "bins of few images."
    )
    file = file_stem("reliability", subject.title, name, target)
    show_figure(reliability_chart(found, view.colours[subject.title]), file, told)
    with st.expander("Table", icon=":material/table:"):
        show_table(reliability_rows(found), file, note=told, told=False)


@st.cache_resource(max_entries=64, show_spinner=False)
def _diagram(
    _subject: Subject, content: str, name: str, target: str, bins: int, equal_mass: bool
) -> Diagram:
    from kdcore.evaluate import reliability_diagram

    probs = _subject.probs(name)
    return reliability_diagram(
        _subject.test, probs, target, bins, equal_mass, n_boot=measured.RESAMPLES
    )


def note(subject: Subject) -> str:
    """Return what a figure of the subject is of, as `measured.note` says it."""
    return measured.note(_diagram(subject, subject.key, "as trained", "", 1, False))
