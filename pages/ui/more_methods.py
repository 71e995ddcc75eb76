"""The method that the Explain page shows: of the job that ran, or another one on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import jobs, state
from pages.ui.controls import Pair
from pages.ui.explaining import Request
from pages.ui.frame import guard
from pages.ui.images import Chosen

if TYPE_CHECKING:
    from kdcore.base.progress import ShareProgress
    from kdcore.explain.everything import Everything
    from kdcore.explain.explain_pair import PairExplanation
    from kdcore.explain.methods import Method

_IN_THE_JOB = ("score-cam", "grad-cam")
_NOT_OFFERED = "score-cam-fast"  # where Score-CAM begins
_ABOUT = {
    "score-cam": "What the class is worth behind each channel's mask",
    "grad-cam": "Channels weighed by the gradient of the class",
    "attention": "Where the network is active, whatever the class",
    "grad-cam-pp": "Grad-CAM that weighs each cell of the gradient",
    "layer-cam": "Each cell weighed by its own gradient: finer on early stages",
    "eigen-cam": "The strongest pattern of the activations, whatever the class",
    "integrated-gradients": "Pixel by pixel: the gradient from a grey picture to this one",
    "occlusion": "How far the class falls when a patch is covered",
    "attention-rollout": "A transformer's attention followed through its blocks",
}


def choose(pair: Pair) -> Method:
    """Draw the picker of the methods that suit both networks and return the `Method`."""
    from kdcore.explain import methods_for

    offered = {
        method.name: method
        for method in methods_for(pair.teacher.model, pair.student.model)
        if method.name != _NOT_OFFERED
    }
    name = state.choice(
        st.selectbox,
        "method",
        "Method",
        list(offered),
        default="score-cam",
        format_func=lambda n: f"{offered[n].title}{'' if n in _IN_THE_JOB else _wait(offered[n])}",
        help="They ask different questions, so that maps of two methods need not agree.",
    )
    st.caption(f"{_ABOUT.get(name, offered[name].title)}.")
    return offered[name]


def explained_by(
    method: Method, pair: Pair, chosen: Chosen, request: Request, result: Everything
) -> PairExplanation | None:
    """Return the pair of maps by `method`, or draw the way to it; what was made once is kept."""
    if method.name in _IN_THE_JOB:
        return {"score-cam": result.score_cam, "grad-cam": result.grad_cam}[method.name]
    key = f"{request.key}:{method.name}"
    if not method.slow:
        with guard():
            return _quick(pair, chosen, request, method.name, key)
        return None
    found, working = jobs.outcome(key)
    if found is None and not working and _asked(method):
        jobs.start(key, _work(pair, chosen, request, method.name))
        st.rerun()
    return found


def _wait(method: Method) -> str:
    return " (takes a while)" if method.slow else ""


def _asked(method: Method) -> bool:
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            f"Compute {method.title}",
            icon=":material/play_arrow:",
            key="w:compute",
            disabled=jobs.busy(),
        )
        st.caption(
            "Another computation is at work; wait for it, or cancel it."
            if jobs.busy()
            else "Many passes through both networks: this can take from seconds to a minute."
        )
    return pressed


@st.cache_resource(max_entries=24, show_spinner="Explaining…")
def _quick(
    _pair: Pair, _chosen: Chosen, _request: Request, method: str, key: str
) -> PairExplanation:
    return _work(_pair, _chosen, _request, method)(lambda fraction, doing: None)


def _work(
    pair: Pair, chosen: Chosen, request: Request, method: str
) -> Callable[[ShareProgress], PairExplanation]:
    """Return the computation, for a job's thread too; nothing in it touches Streamlit."""

    def run(report: ShareProgress) -> PairExplanation:
        from kdcore.base.counting import share
        from kdcore.explain import METHODS, explain_pair

        title = METHODS.get(method).title
        return explain_pair(
            pair.teacher,
            pair.student,
            chosen.rgb,
            method,
            request.stage,
            request.index,
            progress=lambda done, total: report(share(done, total), f"{title} of both networks"),
            image_sha256=chosen.sha256,
        )

    return run
