"""The Latency page's form: what to time, about how long that takes, and the job that does it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import every_checkpoint, jobs, latency_kept, state

if TYPE_CHECKING:
    from kdcore.base.progress import ShareProgress
    from kdcore.deploy.latency_plan import Plan
    from kdcore.models import Card

_STARTED, _LIVE, _DONE = "latency-key", "latency-live", "latency-done"
_BATCHES = (1, 8, 32)
_SECONDS = (6, 12, 30, 60, 120)


def show_form() -> None:
    """Draw the choice of what is timed, the button, and the progress of what was started."""
    from kdcore.deploy.latency_engines import ENGINES
    from kdcore.deploy.latency_plan import devices, thread_counts

    models = every_checkpoint.found()
    if not models:
        st.info(
            "There is no checkpoint to time. [Train one](train), or import one on the "
            "[Runs page](runs).",
            icon=":material/model_training:",
        )
        return
    if _poll():
        return
    names = state.choices(
        "timed",
        "Models to time",
        list(models),
        _default(models),
        format_func=every_checkpoint.titles(models).get,
    )
    left, right = st.columns(2)
    with left:
        engines = state.choices(
            "engines", "Engines", list(ENGINES), ["eager", "onnxruntime"], format_func=ENGINES.get,
            help="What runs the network. All but eager are exported first, once for each model.",
        )  # fmt: skip
    with right:
        counts = [str(count) for count in thread_counts()]
        threads = state.choices(
            "threads", "Threads of a call", counts, [counts[0], counts[-1]][: len(counts)],
            help=f"This machine has {counts[-1]}. More threads help large batches most.",
        )  # fmt: skip
    chosen: Sequence[str] = devices()
    if len(chosen) > 1:
        chosen = state.choices("devices", "Devices", list(chosen), ["cpu"])
    with st.expander("More choices", key="w:latency-more"):
        batches = state.choices(
            "batches", "Pictures of a call", [str(n) for n in _BATCHES], ["1"],
            help="One is what a clinic waits for; more are what a server is given.",
        )  # fmt: skip
        seconds = state.choice(
            st.select_slider, "seconds", "Seconds of timing", list(_SECONDS), default=12
        )
        whole = state.switch("whole", "Time JPEG to probabilities, too", False)
    st.caption(_about_devices())
    _offer([models[n][0] for n in names], engines, batches, threads, chosen, seconds, whole)


def _about_devices() -> str:
    from kdcore.deploy.latency_plan import devices

    if len(devices()) > 1:
        return "Work on the CUDA device is timed by its own events."
    return "No CUDA device is here, so everything is timed on the processor."


def _offer(
    folders: list[Path], engines: list[str], batches: list[str], threads: list[str],
    devices: Sequence[str], seconds: float, whole: bool,
) -> None:  # fmt: skip
    """Draw the button that starts the benchmark, with the time that it will take."""
    from kdcore.base import KdError
    from kdcore.deploy.latency_plan import Plan, estimate

    try:
        plan = Plan(
            tuple(folders), tuple(engines), tuple(map(int, batches)), tuple(map(int, threads)),
            tuple(devices), float(seconds), end_to_end=whole,
        )  # fmt: skip
    except KdError as error:
        st.info(f"{error.problem} {error.hint}", icon=":material/checklist:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Time them", icon=":material/timer:", type="primary", key="w:time",
            on_click=_start, args=(plan,),
        )  # fmt: skip
        st.caption(f"{estimate(plan)} Nothing else should compute meanwhile.")


def _start(plan: Plan) -> None:
    key = (
        f"latency:{uuid.uuid4()}"  # the result of an earlier run of the same plan is not this one's
    )
    live: dict[str, Any] = {}
    state.put(_STARTED, key)
    state.put(_LIVE, live)
    state.put(_DONE, None)
    jobs.start(key, _work(plan, live))


def _work(plan: Plan, live: dict[str, Any]) -> Callable[..., str]:
    """Return the benchmark for a job's thread; nothing in it touches Streamlit."""

    def run(report: ShareProgress) -> str:
        from kdcore.deploy.latency_apart import bench_apart

        def told(latest: dict[str, Any]) -> None:
            live.update(latest)
            report(latest["fraction"], latest["doing"])

        return bench_apart(plan, told)

    return run


def _poll() -> bool:
    """Draw the progress or the end of the benchmark that was started; return if it is at work."""
    key = state.get(_STARTED)
    if key is None:
        return False
    name, working = jobs.outcome(key, _show_live)
    if name is not None and state.get(_DONE) != name:
        state.put(_DONE, name)
        state.put(latency_kept.NEW, (name, state.peek("bench")))
    return working


def _show_live() -> None:
    """Draw the medians known so far; a job's poll calls it."""
    known = (state.get(_LIVE) or {}).get("known", ())
    if known:
        st.dataframe(
            [
                {"timing": row["what"], "median so far, ms": row["p50"], "calls": row["calls"],
                 "interval ±": row["spread"]}
                for row in known
            ],
            hide_index=True,
            width="stretch",
            column_config={"interval ±": st.column_config.NumberColumn(format="percent")},
        )  # fmt: skip


def _default(models: dict[str, tuple[Path, Card]]) -> list[str]:
    """Return the strongest student's teacher and the strongest two that this teacher taught.

    Models are compared with the first teacher alone, so one with another has no sentence.
    """
    from kdcore.report.checkpoints import taught_names

    students = [n for n, (_, card) in models.items() if card.role == "student"]
    named = [t for n in students[:2] for t in taught_names(models[n][1]) if t in models][:1]
    own = [n for n in students if set(named) & set(taught_names(models[n][1]))]
    teachers = [n for n, (_, card) in models.items() if card.role == "teacher"]
    return [*(named or teachers[:1]), *(own or students)[:2]] or list(models)[:3]
