"""Other ways to decide than the first choice: weights, leaving images to a human, sets."""

from __future__ import annotations

import streamlit as st

from pages.ui import state
from pages.ui.figures import show_figure
from pages.ui.points import Points
from pages.ui.tables import file_stem, show_table

LINK = ("leave", "level", "method")
_METHODS = {"lac": "On average over images", "class-conditional": "In every class"}


def show_rejection(points: Points) -> None:
    """Draw the error among the surest images, what leaving the others does, and the table."""
    from kdcore.charts.operating import risk_chart
    from kdcore.evaluate import choose_rejection, risk_coverage
    from kdcore.report.operating import rejection_text, risk_coverage_rows
    from kdcore.report.operating_text import risk_text

    st.markdown(
        "A model may leave the images that it is least sure of to a human. A line that falls "
        "steeply to the left means that its doubt is worth heeding; a flat one, that it is not."
    )
    leave = state.slide("leave", "Share left to a human", 0.01, 0.9, 0.2, 0.01, format="percent")
    found = points.on_test(risk_coverage)
    if not found:
        return
    if curve := points.of_focus(found):
        st.markdown(f"**{points.focus.title}:** {risk_text(curve, leave)}")
    note = points.note(found)
    show_figure(
        risk_chart(found, points.colours),
        "risk-coverage",
        f"{note} The lines have no intervals; those of their areas are in the table.",
    )
    with st.expander("Table", icon=":material/table:"):
        show_table(
            risk_coverage_rows(found),
            "risk-coverage",
            note=f"{note} AURC: mean error over all shares, lower is better. Excess: the same "
            "less that of a ranking with all errors last.",
        )
    st.markdown("**A fixed confidence threshold τ, chosen on validation for macro-F1**")
    rejected = points.chosen_on_val(choose_rejection)
    if rejection := points.of_focus(rejected):
        st.markdown(f"**{points.focus.title}:** {rejection_text(rejection)}")


def show_weights(points: Points) -> None:
    """Draw what weights by class do to each score, in words for each model, and the tables."""
    from kdcore.charts.operating import weights_chart
    from kdcore.evaluate import choose_class_weights
    from kdcore.report.cells import joined
    from kdcore.report.operating import paired_rows, weight_rows
    from kdcore.report.operating_text import weights_text

    st.markdown(
        "Multiplying each class's probability by a weight before the highest is taken can help "
        "rare classes. The weights are one power of how often classes occur, chosen on "
        "validation for macro-F1. Right of the dashed line the weights help on test."
    )
    found = points.chosen_on_val(choose_class_weights, tempered=False)
    if not found:
        return
    if weights := points.of_focus(found):
        st.markdown(f"**{points.focus.title}:** {weights_text(weights)}")
    note = f"{points.note(found)} Differences are paired: both ways on the same resamples."
    scores = {name: w.scores for name, w in found.items()}
    show_figure(weights_chart(scores, points.colours), "class-weights", note)
    with st.expander("Tables", icon=":material/table:"):
        show_table(
            joined({n: paired_rows(s, "weighted") for n, s in scores.items()}, "model"),
            "class-weights",
            note=note,
        )
        show_table(
            joined({n: weight_rows(w) for n, w in found.items()}, "model"),
            "class-weights-by-class",
            note="What each class's probability is multiplied by.",
        )


def show_sets(points: Points) -> None:
    """Draw how often sets of answers hold the right one, how large they are, and the tables."""
    from kdcore.charts.operating import coverage_chart
    from kdcore.evaluate.conformal import LEVELS, conformal_sets
    from kdcore.report.cells import joined
    from kdcore.report.operating import conformal_class_rows, conformal_rows
    from kdcore.report.operating_text import sets_text

    st.markdown(
        "Instead of one answer a model gives a set, as large as it takes to hold the right "
        "diagnosis as often as was asked for. A sure model gives small sets. The promise is for "
        "lesions like those of validation (split conformal prediction)."
    )
    levels = {f"{level:.0%}".rstrip("%"): level for level in LEVELS}
    left, right = st.columns(2)
    with left:
        level = state.choice(
            st.segmented_control,
            "level",
            "The right answer is to be in the set in",
            list(levels),
            default="90",
            format_func=lambda key: f"{key} % of cases",
        )
    with right:
        method = state.choice(
            st.segmented_control, "method", "Promised", list(_METHODS), format_func=_METHODS.get
        )
    found = points.chosen_on_val(conformal_sets, level=levels[level], method=method)
    if not found:
        return
    if result := points.of_focus(found):
        st.markdown(f"**{points.focus.title}:** {sets_text(result)}")
    note, name = points.note(found), file_stem("sets", method, level)
    show_figure(
        coverage_chart(found, points.colours),
        name,
        f"{note} The dashed line is what was asked for.",
    )
    with st.expander("Tables", icon=":material/table:"):
        show_table(
            joined({n: conformal_rows([r]) for n, r in found.items()}, "model"), name, note=note
        )
        rows = {n: conformal_class_rows([r]) for n, r in found.items()}
        show_table(joined(rows, "model"), f"{name}-by-class", note=note)
