"""Things to do once a server process, before its first session."""

from __future__ import annotations

import importlib
import os
import threading


def prepare() -> None:
    """Make cold deep links work and start the slow imports while the browser still loads."""
    from streamlit.runtime.pages_manager import PagesManager

    # `st.navigation` sets the same, but only once a first session has run it.
    PagesManager.uses_pages_directory = False
    # Read when torch is imported: threads that wait should sleep. Spinning ones, the default,
    # starve a browser on the same cores, and it them, to a twentieth of the speed.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    threading.Thread(target=_warm, name="warm-imports", daemon=True).start()


def _warm() -> None:
    for name in ("pandas", "altair", "torch", "torchvision", "kdcore.models", "kdcore.explain"):
        importlib.import_module(name)
    from kdcore.charts import warm_up

    warm_up()
