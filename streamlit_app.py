"""DistilScope's entry point: `streamlit run streamlit_app.py`.

Streamlit reads this file twice: the server imports it for `app`, and each session runs it as
`__main__` for the navigation. The import is what makes a cold deep link work: before the first
session names its pages, Streamlit takes a `pages/` folder for its older kind of multipage app,
does not find the link's page in it, and says "Page not found" over the right page.
"""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

ICON = str(Path(__file__).parent / "assets" / "icon.png")  # wherever the server was started


def _page(path: str, file: str, title: str, icon: str, default: bool = False) -> StreamlitPage:
    return st.Page(
        f"pages/{file}.py",
        title=title,
        icon=f":material/{icon}:",
        url_path=path,
        default=default,
    )


if __name__ == "__main__":
    st.set_page_config(page_title="DistilScope", page_icon=ICON, layout="wide")
    st.navigation(
        {
            "": [
                _page("start", "see/start", "Start", "home", default=True),
                _page("demo", "see/demo", "Guided demo", "tour"),
            ],
            "See": [
                _page("explain", "see/explain", "Explain a lesion", "search_insights"),
                _page("temperature", "see/temperature", "Temperature", "thermostat"),
                _page(
                    "attention",
                    "see/attention",
                    "Attention and causal masks",
                    "center_focus_strong",
                ),
                _page("corrupt", "see/corrupt", "Corrupt it", "blur_on"),
                _page("reader-study", "see/reading", "Reader study", "rate_review"),
            ],
            "Measure": [
                _page("compare", "measure/compare", "Compare", "compare_arrows"),
                _page("calibration", "measure/calibration", "Calibration", "straighten"),
                _page("robustness", "measure/robustness", "Robustness", "shield"),
                _page("latency", "measure/latency", "Latency", "timer"),
                _page("tradeoff", "measure/tradeoff", "Trade-off", "balance"),
                _page("subgroups", "measure/subgroups", "Subgroups and operating points", "groups"),
                _page("explanations", "measure/explanations", "Explanations", "visibility"),
            ],
            "Build": [
                _page("data", "build/data", "Data", "database"),
                _page("train", "build/train", "Train", "model_training"),
                _page("export", "build/export", "Export", "output"),
                _page("runs", "build/runs", "Runs and checkpoints", "list_alt"),
            ],
            "Write": [
                _page("results", "write/results", "Results", "table_view"),
                _page("report", "write/report", "Report", "description"),
            ],
        }
    ).run()
else:
    from pages.ui.server import prepare

    prepare()
    app = st.App(__file__)
