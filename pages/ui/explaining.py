"""The Explain page's second half: what to explain, the job that does it, and its views."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui import cache, controls, jobs
from pages.ui.controls import Pair
from pages.ui.firstlook import Look
from pages.ui.images import Chosen

LINK = ("target", "stage", "method", "opacity")


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


def obtain(pair: Pair, chosen: Chosen, look: Look, request: Request) -> Any | None:
    """Return the request's result, or draw the way to it: button, progress, what went wrong."""
    result, working = jobs.outcome(request.key)
    if result is None and not working:
        _offer(pair, chosen, look, request)
    return result


def _offer(pair: Pair, chosen: Chosen, look: Look, request: Request) -> None:
    seconds = cache.estimate(pair, chosen.rgb, request.stage)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Explain", type="primary", icon=":material/play_arrow:", key="w:explain"):
            jobs.start(request.key, _work(pair, chosen, request))
            st.rerun()
        st.caption(
            f"What speaks for {request.target}: Score-CAM, Grad-CAM, attention and causal mask of "
            f"both. About {_duration(seconds)} on this machine. Charts above stay usable meanwhile."
        )


def _duration(seconds: float) -> str:
    if seconds < 10:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"


def _work(pair: Pair, chosen: Chosen, request: Request) -> Callable[..., Any]:
    """Return the computation for a job's thread; nothing in it touches Streamlit."""

    def run(report: jobs.Progress) -> Any:
        from kdcore.explain.everything import explain_everything

        return explain_everything(
            pair.teacher,
            pair.student,
            chosen.rgb,
            stage=request.stage,
            target=request.index,
            image_sha256=chosen.sha256,
            progress=report,
        )

    return run
