"""Things to do once a server process, before its first session."""

from __future__ import annotations

import gc
import importlib
import os
import threading

# What the See pages need, then what the Build pages need besides.
_IMPORTS = (
    (
        "pandas", "altair", "torch", "torchvision", "kdcore.data", "kdcore.models",
        "kdcore.losses.temperature", "kdcore.predict", "kdcore.explain",
        "kdcore.charts.probability",
    ),
    ("kdcore.distill", "kdcore.evaluate", "kdcore.report.models", "kdcore.deploy.make"),
)  # fmt: skip
_ready = tuple(threading.Event() for _ in _IMPORTS)
_POLL_S = 0.2
_WARMING = "warm-imports"


def prepare() -> None:
    """Make cold deep links work and start the slow imports while the browser still loads."""
    from streamlit.runtime.pages_manager import PagesManager

    # `st.navigation` sets the same, but only once a first session has run it.
    PagesManager.uses_pages_directory = False
    # Read when torch is imported: threads that wait should sleep. Spinning ones, the default,
    # starve a browser on the same cores, and it them, to a twentieth of the speed.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    threading.Thread(target=_warm, name=_WARMING, daemon=True).start()


def await_imports(everything: bool = False) -> None:
    """Wait for the slow imports, with `everything` for those of the Build pages, too.

    Two threads that import scipy at once find it half made, and it stays broken for as long as
    the server lives. So one thread imports, and the sessions wait for it, as long as it lives.
    """
    ready = _ready[everything]
    while not ready.is_set() and any(t.name == _WARMING for t in threading.enumerate()):
        ready.wait(_POLL_S)


def _warm() -> None:
    for names, ready, then in zip(_IMPORTS, _ready, (_warm_charts, _leave_imports_alone)):
        for name in names:
            importlib.import_module(name)
        ready.set()
        then()


def _leave_imports_alone() -> None:
    """Take what the imports have made out of the garbage collector's rounds.

    Streamlit collects after every run of a script, a poll's too: half a million objects, none of
    them garbage, take a third of a second of a core each time, and no other thread computes.
    """
    gc.collect()
    gc.freeze()


def _warm_charts() -> None:
    from kdcore.charts.probability import warm_up

    warm_up()
