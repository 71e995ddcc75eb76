"""DistilScope's entry point: `streamlit run streamlit_app.py`.

Streamlit reads this file twice: the server imports it for `app`, and each session runs it as
`__main__` for the navigation. The import is what makes a cold deep link work: before the first
session names its pages, Streamlit takes a `pages/` folder for its older kind of multipage app,
does not find the link's page in it, and says "Page not found" over the right page.
"""

from pathlib import Path

import streamlit as st

ICON = str(Path(__file__).parent / "assets" / "icon.png")  # wherever the server was started

if __name__ == "__main__":
    st.set_page_config(page_title="DistilScope", page_icon=ICON, layout="wide")
    # The default page has no path of its own, so `/explain` is a second page of the same file;
    # the navigation lists the one that is open.
    by_name = (st.context.url or "").rstrip("/").endswith("/explain")
    explain = {
        "page": "pages/see/explain.py",
        "title": "Explain a lesion",
        "icon": ":material/search_insights:",
    }
    st.navigation(
        {
            "See": [
                st.Page(
                    **explain,
                    url_path="home",
                    default=True,
                    visibility="hidden" if by_name else "visible",
                ),
                st.Page(
                    **explain,
                    url_path="explain",
                    visibility="visible" if by_name else "hidden",
                ),
                st.Page(
                    "pages/see/temperature.py",
                    title="Temperature",
                    icon=":material/thermostat:",
                    url_path="temperature",
                ),
                st.Page(
                    "pages/see/attention.py",
                    title="Attention and causal masks",
                    icon=":material/center_focus_strong:",
                    url_path="attention",
                ),
            ],
            "Build": [
                st.Page(
                    "pages/build/data.py",
                    title="Data",
                    icon=":material/database:",
                    url_path="data",
                ),
                st.Page(
                    "pages/build/train.py",
                    title="Train",
                    icon=":material/model_training:",
                    url_path="train",
                ),
                st.Page(
                    "pages/build/runs.py",
                    title="Runs and checkpoints",
                    icon=":material/list_alt:",
                    url_path="runs",
                ),
            ],
        }
    ).run()
else:
    from pages.ui.server import prepare

    prepare()
    app = st.App(__file__)
