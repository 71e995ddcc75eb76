"""Whether two maps can be trusted: checked on request, a verdict in words under each map."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import streamlit as st

from pages.ui import jobs, lesions
from pages.ui.controls import Pair
from pages.ui.figures import show_figure
from pages.ui.images import Chosen
from pages.ui.tables import file_stem

if TYPE_CHECKING:
    from kdcore.base.progress import ShareProgress
    from kdcore.explain.check_pair import PairTrust
    from kdcore.explain.explain_pair import PairExplanation
    from kdcore.explain.judge import Trust

_BADGES: dict[str, tuple[str, str, Literal["green", "orange", "red"]]] = {
    "passes": ("Checks passed", ":material/check_circle:", "green"),
    "mixed": ("Mixed: read with care", ":material/error:", "orange"),
    "fails": ("Fails its checks", ":material/cancel:", "red"),
}
_MEANING = (
    "To pass means that nothing was found against a map. It does not mean that the network is "
    "right, or that what the map shows is what a doctor should look at."
)


def obtain(pair: Pair, chosen: Chosen, explained: PairExplanation, key: str) -> PairTrust | None:
    """Return what the checks found of these maps, or draw the way to it."""
    key = f"{key}:{explained.manifest['method']['name']}:{_masks(explained)}:trust"
    found, working = jobs.outcome(key)
    if found is None and not working:
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button(
                "Check these maps",
                icon=":material/fact_check:",
                key="w:check",
                disabled=jobs.busy(),
                help="Available when no other computation is at work.",
            ):
                jobs.start(key, _work(pair, chosen, explained))
                st.rerun()
            st.caption(
                "Do they say more of the networks than a blob in the middle would? Asks both "
                "networks again, with noise, shuffled weights and other classes, which takes from "
                "seconds to minutes."
            )
    return found


def show_badges(trust: PairTrust) -> None:
    """Draw the verdict on each map under it, in words."""
    columns = st.columns(3)
    for column, (role, found) in zip(columns, _both(trust)):
        label, icon, colour = _BADGES[found.verdict]
        column.badge(f"{role}: {label}", icon=icon, color=colour)
        column.caption(found.summary)
    columns[2].caption(_MEANING)


def show_details(trust: PairTrust, explained: PairExplanation) -> None:
    """Draw each check in a sentence, and the curves that the first two stand on."""
    with st.expander("What the checks found", icon=":material/fact_check:"):
        st.markdown(
            "Each check puts a number of the map beside one that would be no merit: that of maps "
            "which never saw the network, or a bound."
        )
        for column, (role, found) in zip(st.columns(2), _both(trust)):
            with column:
                st.markdown(f"**{role}:** {found.summary}")
                _checks(found)
        for role, found in _both(trust):
            _curves(role, found, explained)


def _checks(found: Trust) -> None:
    from kdcore.report.cells import signed

    for check in found.checks:
        mark = ":material/check: Yes." if check.passed else ":material/close: No."
        st.markdown(f"**{check.title}** {mark} {check.words}")
    lifts = ", ".join(f"{name} {signed(value, 2)}" for name, value in found.lift.items())
    st.caption(f"Better than a blob in the middle by (above 0 is better): {lifts}.")
    for sentence in found.left_out:
        st.caption(f":material/block: {sentence}")


def _curves(role: str, found: Trust, explained: PairExplanation) -> None:
    from kdcore.charts.faithfulness import curve_chart
    from kdcore.charts.style import STUDENT, TEACHER

    colour = {"Teacher": TEACHER, "Student": STUDENT}[role]
    target, method = (explained.manifest[name]["name"] for name in ("target", "method"))
    for column, (which, told) in zip(
        st.columns(2),
        (
            ("insertion", "the picture comes back, the map's strongest pixels first; higher is "
             "better"),
            ("deletion", "pixels are deleted, the map's strongest first; lower is better"),
        ),
    ):  # fmt: skip
        with column:
            st.markdown(f"**{role}, {which}:** {told}.")
            show_figure(
                curve_chart(found.faithfulness, which, colour),
                file_stem(which, role, method, target),
                f"{role}'s probability of {target}, one picture, map by {method}. Numbers are "
                "areas under the curves. Thin lines: orders of pixels that never saw the network. "
                "Random pixels are drawn to compare with, and not asked for: scattered pixels "
                "spoil any picture.",
                told=False,
            )


def _both(trust: PairTrust) -> tuple[tuple[str, Trust], tuple[str, Trust]]:
    return ("Teacher", trust.teacher), ("Student", trust.student)


def _masks(explained: PairExplanation) -> str:
    counts = (explained.teacher.masks, explained.student.masks)
    return "-".join(str(count.scored) for count in counts if count is not None)


def _work(
    pair: Pair, chosen: Chosen, explained: PairExplanation
) -> Callable[[ShareProgress], PairTrust]:
    """Return the checks for a job's thread; nothing in it touches Streamlit."""
    masks = lesions.mask_for(pair.teacher, chosen), lesions.mask_for(pair.student, chosen)

    def run(report: ShareProgress) -> PairTrust:
        from kdcore.explain import check_pair

        return check_pair(pair.teacher, pair.student, chosen.rgb, explained, masks, report)

    return run
