"""The Calibration page's later parts: before and after, KD against scaling, the Brier score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import measured, state
from pages.ui.calibrating import Subject, View, note
from pages.ui.figures import show_figure
from pages.ui.frame import guard
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.evaluate import CalibrationRow, Interval
    from kdcore.predict import Predictions

_GLOSSARY = """
- **ECE**, expected calibration error: the mean distance of confidence and accuracy over bins. It
  is above 0 by chance alone; the *debiased* one takes that off, and weighs large gaps more.
- **ECE by class**: the same for the probability of each class, averaged. **MCE**: the bin that is
  farthest off, which is often one of few images.
- **NLL**, negative log-likelihood: how surprised the model is by the truth, in nats. **Brier
  score**: squared distance of the probabilities from the truth, 0 to 2. Both also fall when a
  model is more often right, so they are not about calibration alone.
- {intervals}
- Vector scaling and isotonic regression may change answers: look at accuracy and macro-F1, too.
"""


def show_measures(subjects: list[Subject]) -> None:
    """Draw a measure before and after calibration, and the table of all of them."""
    from kdcore.charts.reliability import measure_chart
    from kdcore.evaluate.bootstrap import SHIFTED
    from kdcore.report.calibration import MEASURES, ece_intervals_text, measure_rows, what_it_is

    st.subheader("Before and after")
    st.markdown(
        "Lower is better, but for accuracy and macro-F1. Calibrators are fitted on validation "
        "images and measured on test images. **KD** means taught by a teacher (knowledge "
        "distillation); the dashed line is a student with temperature scaling and no KD."
    )
    measure = state.choice(
        st.selectbox, "measure", "Measure", list(MEASURES), format_func=MEASURES.get
    )
    tables = {s.title: _table(s.val, s.test, s.key) for s in subjects}
    base = next((s for s in subjects if s.model.role == "baseline"), None)
    scaled = {row.name: row for row in tables[base.title]} if base else {}
    reference = getattr(scaled.get("temperature"), measure, None)
    models = [s.model for s in subjects]
    told = (
        f"{note(subjects[0])} That of the ECE is {SHIFTED}, see below. They speak of other test "
        "images, not of other trainings."
    )
    show_figure(
        measure_chart(
            tables,
            measure,
            MEASURES[measure],
            measured.colours(models),
            getattr(reference, "value", reference),
        ),
        f"calibration-{measure}",
        f"Dashed: {base.title}, temperature scaling. {told}" if base else told,
    )
    by_role = {s.title: (s.model.role, tables[s.title]) for s in subjects}
    show_table(
        measure_rows(by_role), "calibration", note=told, shown=measure_rows(by_role, shown=True)
    )
    if base and scaled.get("temperature"):
        st.caption(f"**{what_it_is('baseline', 'temperature')}** is {base.title}.")
    with st.expander("What these measures are"):
        st.markdown(_GLOSSARY.format(intervals=ece_intervals_text()))


@st.cache_resource(max_entries=24, show_spinner="Measuring…")
def _table(
    _val: Predictions | None, _test: Predictions, content: str
) -> tuple[CalibrationRow, ...]:
    from kdcore.evaluate import calibration_table

    return calibration_table(_val, _test, measured.RESAMPLES)


def show_answer(subjects: list[Subject]) -> None:
    """Say whether distillation calibrates better than temperature scaling alone does."""
    st.subheader("Does distillation calibrate better than temperature scaling alone?")
    st.markdown(
        "The ECE is about calibration alone; the NLL also rewards right answers. A difference "
        "below 0 is in favour of distillation (KD). Compare like with like first: both as trained."
    )
    by_name = {s.model.name: s for s in subjects}
    pairs = [(s, by_name[s.baseline]) for s in subjects if s.baseline in by_name]
    if not pairs:
        st.info("Choose a student, and have a baseline of the same network, to see it.")
    for student, baseline in pairs:
        with guard():
            _show_answer(student, baseline)


def _show_answer(student: Subject, baseline: Subject) -> None:
    from kdcore.evaluate.bootstrap import SHIFTED
    from kdcore.report.calibration import AGAINST, answer_text, delta_rows

    if "temperature" not in baseline.calibrators:
        st.info(f"{baseline.title} has no validation predictions to fit a temperature on.")
    deltas = {
        title: _deltas(student, baseline, student.key, baseline.key, own, other)
        for title, own, other in AGAINST
        if own in student.calibrators and other in baseline.calibrators
    }
    n = len(student.test)
    st.markdown(f"**{student.title}** against **{baseline.title}**:")
    st.markdown("\n".join(f"- {answer_text(name, found, n)}" for name, found in deltas.items()))
    one, other = student.model.card, baseline.model.card
    if one and other and one.architecture != other.architecture:
        st.caption("The two are of different networks: no baseline of the student's is at hand.")
    told = delta_rows(deltas, n, shown=True)
    show_table(
        delta_rows(deltas, n),
        file_stem("kd-against-scaling", student.title),
        note="Difference: KD less no KD, below 0 is better. " + note(student) + " The same "
        f"lesions are drawn for both models; that of an ECE difference is {SHIFTED}.",
        shown=told,
        printed=told,
    )


@st.cache_resource(max_entries=24, show_spinner=False)
def _deltas(
    _student: Subject, _baseline: Subject, key: str, other: str, own: str, against: str
) -> dict[str, Interval]:
    from kdcore.evaluate import calibration_deltas

    return calibration_deltas(
        (_baseline.test, _baseline.calibrators[against]),
        (_student.test, _student.calibrators[own]),
        measured.RESAMPLES,
    )


def show_brier(subjects: list[Subject], view: View) -> None:
    """Draw what the Brier score is made of, for the chosen calibration."""
    from kdcore.charts.reliability import brier_chart
    from kdcore.evaluate import CALIBRATORS, brier_parts
    from kdcore.report.calibration import brier_rows

    st.subheader("What the Brier score is made of")
    st.markdown(
        "The full-coloured start of a bar is the **reliability** part, the harm of probabilities "
        "that do not mean what they say, which calibration can mend. How far a bar stays left "
        "of the dashed line, the **uncertainty** of the labels, is mostly **resolution**: what the "
        "model tells apart."
    )
    parts = {
        s.title: brier_parts(s.probs(view.calibration), s.test.labels, view.bins) for s in subjects
    }
    how = ", ".join(CALIBRATORS[n] for n in sorted({s.used(view.calibration) for s in subjects}))
    told = (
        f"Test part, n = {len(subjects[0].test):,} images, probabilities {how}; {view.bins} bins "
        "of equal width for each class, summed over classes. Without intervals."
    )
    show_figure(brier_chart(parts, view.colours), "brier-parts", told)
    show_table(brier_rows(parts), "brier-parts", note=told)
