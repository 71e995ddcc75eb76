"""The Explain page's second half: what to explain, the job that does it, and how far it is."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, controls, jobs
from pages.ui.controls import Pair
from pages.ui.firstlook import Look
from pages.ui.images import Chosen

if TYPE_CHECKING:
    from kdcore.base.progress import ShareProgress
    from kdcore.explain.everything import Everything
    from kdcore.explain.explain_pair import PairExplanation

LINK = ("target", "stage", "method", "opacity", "outline")


@dataclass(frozen=True)
class Request:
    """What to explain; `key` names it by content, so that sliders never compute anew."""

    target: str
    index: int
    stage: int
    key: str


def choose(pair: Pair, chosen: Chosen, look: Look) -> Request:
    """Draw the target and stage pickers and return the request."""
    left, right = st.columns(2)
    with left:
        target = controls.choose_target(look.classes, look.first["Teacher"], look.names)
    with right:
        stage = controls.choose_stage(pair)
    index = look.classes.index(target)
    named = f"{pair.teacher.hash}:{pair.student.hash}:{chosen.sha256}:{index}:{stage}"
    return Request(target, index, stage, hashlib.sha256(named.encode()).hexdigest())


def obtain(pair: Pair, chosen: Chosen, request: Request) -> Everything | None:
    """Return the request's best result so far, and draw the way to it.

    That is a button, progress, what went wrong; of an approximate result what it is, too.
    """
    result, working = jobs.outcome(request.key)
    if result is None:
        if not working:
            _offer(pair, chosen, request)
    elif not result.score_cam.exact:
        _approximate(pair, chosen, request, result, working)
    else:
        st.caption(
            ":material/check: **The Score-CAM maps are exact:** every mask is scored. "
            f"{_fast(result)}"
        )
    return result


def _offer(pair: Pair, chosen: Chosen, request: Request) -> None:
    from kdcore.base.words import duration

    seconds = cache.estimate(pair, chosen.rgb, request.stage)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Explain", type="primary", icon=":material/play_arrow:", key="w:explain"):
            jobs.start_steps(request.key, _steps(pair, chosen, request))
            st.rerun()
        st.caption(
            f"What speaks for {request.target}: Score-CAM, Grad-CAM, attention and causal mask of "
            "both. Approximate maps come first and get better while you look; exact ones after "
            f"about {duration(max(seconds, 1))} on this machine."
        )


def _approximate(
    pair: Pair, chosen: Chosen, request: Request, result: Everything, working: bool
) -> None:
    """Say what stands between these maps and the exact ones; a stopped job can go on."""
    how = (
        "Score-CAM scores a class behind a mask for each channel of the network. So far "
        f"{_mask_words(result.score_cam)}; what the others would say is predicted from these."
    )
    if result.fast != (1.0, 1.0):
        how += f" {_fast(result)}"
    if working:
        st.caption(f":material/hourglass_top: **The Score-CAM maps are approximate.** {how}")
        return
    st.warning(f"**Stopped: the Score-CAM maps are approximate.** {how}", icon=":material/pause:")
    if st.button(
        "Continue to the exact maps",
        icon=":material/resume:",
        key="w:continue",
        disabled=jobs.busy(),
        help="Computes them again from the start; these maps stay until there are better ones.",
    ):
        jobs.start_steps(request.key, _steps(pair, chosen, request, result.scored))
        st.rerun()


def _fast(result: Everything) -> str:
    """Say how the maps correlate with those that came first; an empty one does with none."""
    found = dict(zip(("teacher", "student"), result.fast))
    told = [f"{r:.3f} ({role})" for role, r in found.items() if not math.isnan(r)]
    if not told:
        return "With the fast maps that came first they can't be compared: some are empty."
    words = f"Their correlation with the fast maps that came first is {' and '.join(told)}."
    left_out = [role for role, r in found.items() if math.isnan(r)]
    return " ".join([words, *(f"The {r}'s can't be compared: a map is empty." for r in left_out)])


def _mask_words(explained: PairExplanation) -> str:
    counts = {"teacher": explained.teacher.masks, "student": explained.student.masks}
    parts = [f"{c.scored:,} of {c.of:,} masks of the {role}" for role, c in counts.items() if c]
    return f"{' and '.join(parts)} are scored"


def _steps(
    pair: Pair, chosen: Chosen, request: Request, known: int = 0
) -> Callable[[ShareProgress], Iterator[Everything]]:
    """Return the computation for a job's thread; nothing in it touches Streamlit.

    Maps of fewer masks than the `known` ones are not shown again.
    """

    def run(report: ShareProgress) -> Iterator[Everything]:
        from kdcore.explain.everything import everything_in_steps

        for result in everything_in_steps(
            pair.teacher,
            pair.student,
            chosen.rgb,
            stage=request.stage,
            target=request.index,
            image_sha256=chosen.sha256,
            progress=report,
        ):
            if result.scored >= known:
                yield result

    return run
