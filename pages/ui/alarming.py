"""Acting on the probability of one class: an alarm at a threshold, and what acting is worth."""

from __future__ import annotations

import streamlit as st

from pages.ui import state
from pages.ui.figures import show_figure
from pages.ui.points import Points
from pages.ui.tables import file_stem, show_table

LINK = ("positive", "rule", "act", "upto")


def show_alarm(points: Points) -> None:
    """Draw an alarm for one class: what it does in words, its rates, and the table."""
    from kdcore.charts.operating import alarm_chart
    from kdcore.evaluate import choose_alarm
    from kdcore.report.cells import joined
    from kdcore.report.operating import alarm_rows
    from kdcore.report.operating_text import RULES, alarm_rule, alarm_text, missed_target_text

    st.markdown(
        "The alarm is raised where the probability of one class reaches a threshold, whatever the "
        "first choice is. A rule sets the threshold on validation; it is then kept for test."
    )
    left, right = st.columns(2)
    with left:
        positive = _choose_positive(points)
    with right:
        rule = state.choice(
            st.selectbox,
            "rule",
            "Threshold by",
            list(RULES),
            default="90",
            format_func=RULES.get,
            help="The highest threshold that finds this share on validation; or the one with the "
            "highest F1, or the highest sensitivity + specificity (Youden), there.",
        )
    found = points.chosen_on_val(choose_alarm, positive=positive, **alarm_rule(rule))
    if alarm := points.of_focus(found):
        st.markdown(f"**{points.focus.title}:** {alarm_text(alarm)}")
    missed = {name: text for name, alarm in found.items() if (text := missed_target_text(alarm))}
    if own := missed.pop(points.focus.title, ""):
        st.warning(own, icon=":material/target:")
    if missed:
        st.caption(f"Less on test than was asked for, too: {', '.join(missed)}.")
    if not found:
        return
    note, name = points.note(found), file_stem("alarm", positive, rule)
    show_figure(
        alarm_chart(found, points.colours),
        name,
        f"{note} The threshold is taken as given: what another validation part would have chosen "
        "is not in the intervals. PPV and NPV hold for as many cases as the test part has.",
    )
    with st.expander("Table", icon=":material/table:"):
        show_table(joined({n: alarm_rows([a]) for n, a in found.items()}, "model"), name, note=note)


def show_benefit(points: Points) -> None:
    """Draw the decision curve, what it says at a threshold, and the table."""
    from kdcore.charts.operating import benefit_chart
    from kdcore.evaluate import decision_curve
    from kdcore.report.cells import joined
    from kdcore.report.operating import net_benefit_rows
    from kdcore.report.operating_text import benefit_text

    st.markdown(
        "Is acting on the model (a biopsy, say) better than acting on every image, or on none? "
        "Net benefit counts cases found, less false alarms at the exchange that a threshold "
        "stands for. The highest line is the best way to act; only near to thresholds that "
        "someone would use does it matter."
    )
    left, middle, right = st.columns(3)
    with left:
        positive = _choose_positive(points)
    with middle:
        act = state.slide(
            "act", "Act from this probability on", 0.01, 0.99, 0.2, 0.01, format="percent"
        )
    with right:
        upto = state.slide("upto", "Show thresholds up to", 0.1, 0.99, 0.6, 0.01, format="percent")
    found = points.on_test(decision_curve, positive=positive)
    if not found:
        return
    if curve := points.of_focus(found):
        st.markdown(f"**{points.focus.title}:** {benefit_text(curve, act)}")
    note, name = points.note(found), file_stem("decision-curve", positive)
    show_figure(
        benefit_chart(found, points.colours, upto, act),
        name,
        f"{note} Bands hold for one threshold at a time. The dashed line is the threshold of "
        "the sentence.",
    )
    with st.expander("Table", icon=":material/table:"):
        rows = {n: net_benefit_rows(c) for n, c in found.items()}
        show_table(joined(rows, "model"), name, note=note)


def _choose_positive(points: Points) -> str:
    from kdcore.data.info import MELANOMA
    from kdcore.report.operating_text import spoken

    return state.choice(
        st.selectbox,
        "positive",
        "Class to find",
        list(points.classes),
        default=MELANOMA,
        format_func=spoken,
    )
