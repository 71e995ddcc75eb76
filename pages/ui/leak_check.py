"""The Data page's leak check: lesions in two parts at once, copies of pictures behind a button."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, jobs
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.base.progress import ShareProgress
    from kdcore.data import ImageDataset
    from kdcore.data.leaks import LeakReport, SharedGroup

_PAIRS = 6  # pairs that are shown as pictures
_HEIGHT = 80  # pixels


def show_leaks(data: ImageDataset, split: str) -> None:
    """Draw what leaks between the parts of a split, and the way to find out."""
    from kdcore.report.data_set import shared_rows

    st.subheader("What leaks between the parts")
    shared = _shared(data, cache.data_key(data), split)
    if shared:
        st.warning(
            f"{len(shared):,} lesions have pictures in more than one part: a network is tested on "
            "lesions that it was trained on, and its scores are too good.",
            icon=":material/warning:",
        )
        with st.expander("Lesions in more than one part"):
            show_table(shared_rows(shared), file_stem(data.info.key, "shared lesions", split))
    elif data.info.key == "ham10000":
        st.markdown("No lesion has pictures in two parts.")
    report = _obtain(data, split)
    if report is not None:
        _show_report(data, split, report)


@st.cache_resource(max_entries=4, show_spinner=False)
def _shared(_data: ImageDataset, key: str, split: str) -> tuple[SharedGroup, ...]:
    from kdcore.data.leaks import shared_groups

    return shared_groups(_data.samples, _data.parts(split).tolist())


def _obtain(data: ImageDataset, split: str) -> LeakReport | None:
    """Return the report on a split, or draw the way to it."""
    key = hashlib.sha256(f"leaks:{cache.data_key(data)}:{split}".encode()).hexdigest()
    report, working = jobs.outcome(key)
    if report is None and not working:
        _offer(data, split, key)
    return report


def _offer(data: ImageDataset, split: str, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Look for copies", icon=":material/content_copy:", key="w:leaks"):
            jobs.start(key, _work(data, split))
            st.rerun()
        st.caption(
            "Near-duplicates in different parts, re-encoded, mirrored or turned ones too. Each of "
            f"the {len(data.samples):,} pictures is read once; about a second for a thousand."
        )


def _work(data: ImageDataset, split: str) -> Callable[[ShareProgress], LeakReport]:
    """Return the computation for a job's thread; nothing in it touches Streamlit."""

    def run(report: ShareProgress) -> LeakReport:
        from kdcore.base.counting import share
        from kdcore.data.leaks import check_leaks

        def progress(done: int, total: int) -> None:
            doing = "Reading the pictures" if done < len(data.samples) else "Comparing them"
            report(share(done, total), doing)

        progress(0, 1)
        return check_leaks(data, data.parts(split).tolist(), progress)

    return run


def _show_report(data: ImageDataset, split: str, report: LeakReport) -> None:
    from kdcore.report.data_set import leak_rows

    if not report.pairs:
        st.success(
            f"No near-duplicates in different parts among {report.images:,} pictures.",
            icon=":material/check:",
        )
        return
    more = "" if report.complete else " or more"
    one = len(report.pairs) == 1
    pairs = "One pair of" if one else f"{len(report.pairs):,}{more} pairs of"
    between = f"Of different lesions by the table: {len(report.unexpected):,}."
    st.warning(
        f"{pairs} near-duplicates {'lies' if one else 'lie'} in different parts. "
        + (between if data.info.key == "ham10000" else ""),
        icon=":material/content_copy:",
    )
    shown = (report.unexpected or report.pairs)[:_PAIRS]
    with st.container(horizontal=True):
        for pair in shown:
            ids = pair.first.image_id, pair.second.image_id
            st.image(
                cache.strip_of(data, ids, _HEIGHT),
                caption=f"{pair.parts[0]} and {pair.parts[1]}, correlation {pair.correlation:.2f}",
                alt=f"{ids[0]} beside {ids[1]}",
            )
    show_table(leak_rows(report), file_stem(data.info.key, "near duplicates", split))
