"""Heavy work in a thread of its own: one at a time in the process, cancellable, polled.

The thread makes no `st.*` call; it writes into a `Job` that the session holds and polls. A job
that nobody has looked at for a while (a closed browser) cancels itself. A job of `start_steps` has
results before it ends, each better than the one before; the last is kept however it ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui.frame import show_error

if TYPE_CHECKING:
    from kdcore.base.progress import ShareProgress

_HEAVY = threading.BoundedSemaphore(1)  # two at once on two cores would both take twice as long
_ABANDONED_S = 300.0
_RESULTS = "job-results"
_KEPT = 12  # a few MB each at most


@dataclass
class Job:
    """One computation: `state` goes waiting, running, then done, failed or cancelled.

    `result` is the best so far; a job without steps has it at the end.
    """

    key: str
    state: str = "waiting"
    fraction: float = 0.0
    doing: str = "Waiting for another computation to end"
    result: Any = None
    error: BaseException | None = None
    started: float = field(default_factory=time.monotonic)
    seen: float = field(default_factory=time.monotonic)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def over(self) -> bool:
        """Whether the job has reached a terminal state."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def stopped(self) -> bool:
        """Whether the work should end: asked to, or abandoned."""
        from kdcore.base.counting import since

        return self.stop.is_set() or since(self.seen) > _ABANDONED_S

    def report(self, fraction: float, doing: str) -> None:
        """Take progress in [0, 1] from the work; raises Cancelled when it should end."""
        from kdcore.base import Cancelled

        if self.stopped:
            raise Cancelled()
        self.fraction, self.doing = min(max(fraction, 0.0), 1.0), doing


def start(key: str, work: Callable[[ShareProgress], Any]) -> Job:
    """Start `work(progress)` in a thread and return its job; the session's old one is stopped."""

    def steps(report: ShareProgress) -> Iterator[Any]:
        yield work(report)

    return start_steps(key, steps)


def start_steps(key: str, steps: Callable[[ShareProgress], Iterator[Any]]) -> Job:
    """Start `steps(progress)`, an iterator of ever better results, as `start` does its work."""
    old = latest()
    if old is not None:
        old.stop.set()
        _keep(old)
    job = Job(key)
    st.session_state["job"] = job
    threading.Thread(target=_run, args=(job, steps), name=f"job-{key[:8]}", daemon=True).start()
    return job


def outcome(key: str, draw: Callable[[], None] | None = None) -> tuple[Any | None, bool]:
    """Return the best result so far of `key`, None where there is none, and if it is at work.

    Draws the job's progress, and what `draw` draws under it, or how it ended without a result. The
    session keeps its last results, those of jobs that another page or picture has been chosen
    since, too.
    """
    job = latest()
    if job is not None:
        _keep(job)
    found = kept(key)
    if job is None or job.key != key:
        return found, False
    if not job.over:
        show_progress(job, draw)
    elif found is None or job.state == "failed":
        show_end(job)
    return found, not job.over


def kept(key: str) -> Any | None:
    """Return the session's best result of `key` so far; draws nothing."""
    return st.session_state.get(_RESULTS, {}).get(key)


def busy() -> bool:
    """Whether the session has a job at work, whose place another one would take."""
    job = latest()
    return job is not None and not job.over


def _keep(job: Job) -> None:
    """Put what a job has found so far among the session's results."""
    results = st.session_state.setdefault(_RESULTS, {})
    if job.result is None or results.get(job.key) is job.result:
        return
    results.pop(job.key, None)  # to the end: what was found last is dropped last
    results[job.key] = job.result
    for old in list(results)[:-_KEPT]:
        del results[old]


def keep_alive() -> None:
    """Note that the session's person is still here, on whichever page."""
    job = latest()
    if job is not None:
        job.seen = time.monotonic()


def latest() -> Job | None:
    """Return the session's last job, whatever has become of it."""
    job = st.session_state.get("job")
    return job if isinstance(job, Job) else None


def _run(job: Job, steps: Callable[[ShareProgress], Iterator[Any]]) -> None:
    from kdcore.base import Cancelled

    try:
        while not _HEAVY.acquire(timeout=0.2):
            if job.stopped:
                raise Cancelled()
        try:
            job.state = "running"
            for result in steps(job.report):
                job.result = result
            job.state = "done"
        finally:
            _HEAVY.release()
    except Cancelled:
        job.state = "cancelled"
    except Exception as error:  # shown by the page; a thread has nobody to raise to
        job.error, job.state = error, "failed"


def show_progress(job: Job, draw: Callable[[], None] | None = None) -> None:
    """Draw the job's progress with a cancel button; rerun the page at each result and the end.

    `draw` is called at every poll, under the progress.
    """
    from kdcore.base.counting import since

    drawn = kept(job.key)

    @st.fragment(run_every=1.0)  # more often takes half a core from the work
    def poll() -> None:
        job.seen = time.monotonic()
        better = job.result is not None and job.result is not drawn
        if job.over or better:
            st.rerun()
        st.progress(job.fraction, text=f"{job.doing} · {since(job.started):.0f} s")
        # A callback, as the rerun above for a better result would swallow the click.
        st.button("Cancel", key="w:cancel", icon=":material/close:", on_click=job.stop.set)
        if job.stop.is_set():
            st.caption("Stopping after the current batch…")
        if draw is not None:
            draw()

    poll()


def show_end(job: Job) -> None:
    """Say how a job that did not succeed ended."""
    from kdcore.base import KdError

    if job.state == "cancelled":
        st.info("Cancelled. Nothing was kept.", icon=":material/cancel:")
    elif isinstance(job.error, KdError):
        show_error(job.error)
    else:
        st.error(f"**The computation failed ({type(job.error).__name__}).** {job.error}")
