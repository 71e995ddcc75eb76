"""The Results page's table: every result there is, filtered, sorted and exported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import measured, state
from pages.ui.comparing import PARTS
from pages.ui.frame import guard, show_error
from pages.ui.tables import show_table

if TYPE_CHECKING:
    from kdcore.base import KdError
    from kdcore.report.results import Result
    from kdcore.report.sweep_scores import SweepScores

LINK = (
    "results_part", "whose", "of_data", "of_role", "of_method", "holds", "sorted", "falling",
)  # fmt: skip
_ANY = "any"
_NOTE = (
    "Scores of the {part} part, in brackets 95 % intervals: over lesions by the bootstrap, over "
    "seeds by the t distribution; one seed of a sweep has none. NLL and ECE are after temperature "
    "scaling, lower is better. What is PUBLISHED was measured by others, by another protocol, and "
    "its ECE was not recalibrated."
)


def choose_part() -> str:
    """Draw the picker of a part, and return "test" or "val"."""
    return state.choice(
        st.segmented_control, "results_part", "Part", list(PARTS), format_func=PARTS.get
    )


def gather(part: str) -> list[Result]:
    """Return every result on a part; what is published counts as of the test part."""
    from kdcore.distill import list_runs
    from kdcore.report.published import published_results
    from kdcore.report.results_found import run_results, shelf_results, sweep_results

    models = measured.shelf(tell=True)
    found: list[Result] = []
    for model in models:
        with guard():
            found.extend(shelf_results([model], part, measured.evaluation))
    return [
        *found,
        *(run_results(list_runs(), models) if part == "val" else ()),
        *(result for sweep in sweeps() for result in sweep_results(sweep, part)),
        *(published_results() if part == "test" else ()),
    ]


def sweeps() -> list[SweepScores]:
    """Return the sweeps that are shipped and those of this machine; says what can't be read."""
    from kdcore.base import results_folder, state_folder
    from kdcore.report.sweep_scores import SUFFIX

    folders = (results_folder(), state_folder() / "results")
    files = [path for folder in folders for path in sorted(folder.glob(f"*{SUFFIX}"))]
    content = ";".join(f"{path}:{path.stat().st_mtime_ns}" for path in files)
    found, problems = _sweeps(folders, content)
    for problem in problems:
        show_error(problem)
    return list(found)


def show_results(results: list[Result], part: str) -> list[Result]:
    """Draw the filters and the table of `results`; return those that are shown, in their order."""
    from kdcore.report.cells import text_rows
    from kdcore.report.results import (
        choose_results,
        paper_rows,
        result_rows,
        several_data,
        sort_results,
    )

    chosen = choose_results(results, **_filters(results))
    by, falling = _order()
    chosen = sort_results(chosen, by, falling) if by else chosen
    if not chosen:
        st.info("No result is like this. Choose other filters.", icon=":material/filter_alt_off:")
        return []
    if by and several_data(chosen):
        st.warning(
            "Results on several data sets are sorted together here: a score on one says nothing "
            "beside a score on another. Choose one data set to compare models.",
            icon=":material/warning:",
        )
    if by and any(r.is_published for r in chosen):
        st.warning(
            "Published rows stand among this project's here. They are marked, and are no part of a "
            "ranking: other images, another protocol, and on a leaky split an easier test.",
            icon=":material/warning:",
        )
    st.caption(f"{len(chosen):,} of {len(results):,} results")
    rows = result_rows(chosen, protocol=any(r.is_published for r in chosen))
    note = _NOTE.format(part=PARTS[part].lower())
    show_table(
        rows,
        f"results-{part}",
        note=note,
        shown=text_rows(rows),
        printed=paper_rows(chosen),
        narrow=["protocol"],
    )
    return chosen


def _filters(results: list[Result]) -> dict[str, Any]:
    from kdcore.report.results import ORIGINS, usual_data, values_of

    there = [o for o in ORIGINS if any(r.origin == o for r in results)]
    origins = state.choices(
        "whose",
        "Whose",
        there,
        default=[o for o in there if o != "published"],
        format_func=ORIGINS.get,
        help="Published rows are left out until they are asked for, and always marked.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        data = _pick("of_data", "Data", values_of(results, "data"), usual_data(results))
        roles = _pick_several("of_role", "Role", values_of(results, "role"))
        method = _pick("of_method", "Method", values_of(results, "method"))
        st.session_state.setdefault("w:holds", str(state.get("holds") or ""))
        text = st.text_input("Text", key="w:holds", placeholder="resnet18 96", width=180)
        state.put("holds", text.strip())
    return {"origins": origins, "data": data, "roles": roles, "method": method, "text": text}


def _pick(name: str, label: str, options: list[str], default: str = "") -> str:
    """Draw the picker of one option or any, and return it, "" for any."""
    kept = state.choice(
        st.selectbox, name, label, [_ANY, *options], default=default or _ANY, width=180
    )
    state.put(name, "" if kept == _ANY and not default else kept)  # as a link without it
    return "" if kept == _ANY else kept


def _pick_several(name: str, label: str, options: list[str]) -> list[str]:
    """Draw the picker of some options, none for any."""
    chosen = state.choices(name, label, options, default=[], placeholder="any", width=240)
    if not chosen:
        state.put(name, "")
    return chosen


def _order() -> tuple[str, bool]:
    from kdcore.evaluate import LOWER_IS_BETTER
    from kdcore.report.results import SCORES

    titles = {"": "whose it is", **SCORES, "parameters": "parameters"}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = state.choice(
            st.selectbox, "sorted", "Sort by", list(titles), format_func=titles.get, width=220
        )
        first = "lowest" if by in (*LOWER_IS_BETTER, "parameters") else "highest"
        kept = state.choice(
            st.segmented_control, "falling", "First", ["best", "last"],
            format_func={"best": first, "last": "the other way round"}.get, disabled=not by,
        )  # fmt: skip
    return by, (first == "highest") == (kept == "best")


@st.cache_resource(max_entries=4, show_spinner=False)
def _sweeps(_folders: tuple[Path, ...], content: str) -> tuple[list[SweepScores], list[KdError]]:
    from kdcore.report.sweep_scores import read_sweeps

    return read_sweeps(_folders)
