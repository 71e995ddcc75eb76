"""The Report page: what is to be in it, its making, and its downloads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import jobs, measured, state
from pages.ui.comparing import choose_part

if TYPE_CHECKING:
    from kdcore.base.progress import ShareProgress
    from kdcore.cli.reporting.bundle import Bundle, Wanted
    from kdcore.predict.shelf import Measured

LINK = ("part", "report_models", "report_teacher", "report_sections")


def choose() -> Wanted | None:
    """Draw the pickers, and return what is wanted; None where nothing can be made of it."""
    from kdcore.cli.reporting.bundle import Wanted

    part = choose_part()
    models = _choose_models(part)
    if not models:
        return None
    teachers = [model for model in models if model.role == "teacher"]
    first = models.index(teachers[0]) if teachers else 0
    teacher = measured.choose_model("Held against", "report_teacher", models, first)
    sections = _choose_sections()
    if not sections:
        st.info("Choose at least one section.", icon=":material/checklist:")
        return None
    names = tuple(model.name for model in models)
    return Wanted(names, teacher.name, part, sections, measured.RESAMPLES)


def make(wanted: Wanted) -> None:
    """Draw the way to make the report, its progress, and what has come of it."""
    from kdcore.cli.reporting.bundle import estimate

    key = f"report:{wanted}:{_content(wanted)}"
    bundle, working = jobs.outcome(key)
    if bundle is not None:
        _show(bundle)
    elif not working:
        st.caption(
            f"About {estimate(wanted)}: {len(wanted.models)} models, {len(wanted.sections)} "
            "sections. You can go on to other pages meanwhile."
        )
        if st.button("Make the report", type="primary", icon=":material/description:"):
            jobs.start(key, _work(wanted))
            st.rerun()


def _choose_models(part: str) -> list[Measured]:
    shelf = {m.name: m for m in measured.shelf(part, tell=True)}
    if not shelf:
        st.info(
            "A report needs a model with saved predictions on this part. Train one, or make them "
            "with `python -m kdcore predict`.",
            icon=":material/model_training:",
        )
        return []
    chosen = state.choices(
        "report_models",
        "Models",
        list(shelf),
        default=[m.name for m in shelf.values() if m.card] or list(shelf),
        format_func=lambda name: shelf[name].title,
        help="All on the same images; a model that was measured on others can't be among them.",
    )
    if not chosen:
        st.info("Choose at least one model.", icon=":material/checklist:")
    return [shelf[name] for name in chosen]


def _choose_sections() -> tuple[str, ...]:
    from kdcore.cli.reporting.whole import SECTIONS

    chosen = state.choices(
        "report_sections",
        "Sections",
        list(SECTIONS),
        default=list(SECTIONS),
        format_func=SECTIONS.get,
    )
    return tuple(name for name in SECTIONS if name in chosen)


def _content(wanted: Wanted) -> str:
    """Return what names the content of the predictions that the report is made from."""
    models = [m for m in measured.shelf() if m.name in wanted.models]
    return ";".join(measured.key([m], *m.files) for m in models)


def _work(wanted: Wanted) -> Callable[[ShareProgress], Bundle]:
    """Return the making for a job's thread; nothing in it touches Streamlit."""

    def run(report: ShareProgress) -> Bundle:
        from kdcore.cli.reporting.bundle import make_bundle

        return make_bundle(wanted, report)

    return run


def _show(bundle: Bundle) -> None:
    from kdcore.base.words import size_text
    from kdcore.cli.reporting.folder import DOCUMENT, PRINTED

    st.success(
        f"{bundle.tables} tables and {bundle.figures} figures, in {bundle.seconds:.0f} s.",
        icon=":material/task:",
    )
    for text in bundle.left_out:
        st.warning(text, icon=":material/block:")
    kinds = (
        ("PDF to print", "pdf", "application/pdf", partial(bundle.read, PRINTED)),
        ("HTML to read", "html", "text/html", partial(bundle.read, DOCUMENT)),
        (f"Zip with all tables and figures, {size_text(len(bundle.archive))}", "zip",
         "application/zip", bundle.archive),
    )  # fmt: skip
    with st.container(horizontal=True):
        for label, suffix, mime, data in kinds:
            st.download_button(
                label,
                data,
                file_name=f"{bundle.name}.{suffix}",
                mime=mime,
                on_click="ignore",
                icon=":material/download:",
                key=f"w:report-{suffix}",
                help=f"{bundle.name}.{suffix}",
            )
