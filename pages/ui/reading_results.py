"""A reader study's progress, and behind a notice what was found: nobody is unblinded by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import state
from pages.ui.confirm import ask
from pages.ui.figures import show_figure
from pages.ui.frame import escaped
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.evaluate.reading import ReadingResult
    from kdcore.study import Reader, Study

_OPENED = "reading-opened"  # the study whose results this session has opened


def show(study: Study) -> None:
    """Draw who has read how much, the results once they were opened, and the way to delete."""
    from kdcore.study import list_readers

    readers = list_readers(study)
    _progress(study, readers)
    if state.get(_OPENED) == study.id:
        _results(study, readers)
    else:
        _notice(study, readers)
    _delete(study, readers)


def _progress(study: Study, readers: list[Reader]) -> None:
    st.subheader("Progress")
    if not readers:
        st.info(
            "Nobody has begun. Send readers the address of this page; each uses a code of their "
            "own.",
            icon=":material/group_add:",
        )
        return
    head = ["reader", "cases complete", "of", "begun (UTC)", "finished (UTC)"]
    rows = [
        [r.code, r.done, len(study.cases), _minute(r.started), _minute(r.finished)] for r in readers
    ]
    show_table([head, *rows], file_stem("progress", study.id))


def _minute(time: str | None) -> str:
    return time[:16].replace("T", " ") if time else ""


def _notice(study: Study, readers: list[Reader]) -> None:
    st.subheader("Results")
    own = next((r for r in readers if r.code == state.get(f"reader-{study.id}")), None)
    more = ""
    if own and not own.finished:
        more = f" **You are reading this study as {escaped(own.code)} and have not finished.**"
    st.warning(
        "**Opening the results unblinds.** They name the two networks and say which one readers "
        f"rate higher. Whoever still reads this study should not look.{more}",
        icon=":material/visibility_off:",
    )
    st.button(
        "Open the results",
        key="w:open-results",
        on_click=state.put,
        args=(_OPENED, study.id),
        icon=":material/visibility:",
    )


def _results(study: Study, readers: list[Reader]) -> None:
    from kdcore.report.reading import reading_note, warning_words
    from kdcore.study import QUESTIONS

    st.subheader("Results")
    about = study.about
    st.markdown(
        f"Teacher: **{escaped(_title(about['teacher']))}**. Student: "
        f"**{escaped(_title(about['student']))}**. Explained with {_title(about['method'])}."
    )
    result = _analyse(readers, study)
    if not result.n_readers:
        st.info("There is no rating yet.", icon=":material/hourglass_empty:")
        return
    if warning := warning_words(result):
        st.warning(warning, icon=":material/info:")
    titles = {name: title for name, (title, _) in QUESTIONS.items()}
    note = reading_note(result)
    _ratings(study, result, titles, note)
    _preferences(study, result, note)
    _export(study, readers)


def _title(model: dict[str, Any]) -> str:
    return model.get("title") or model["name"]


def _analyse(readers: list[Reader], study: Study) -> ReadingResult:
    from kdcore.evaluate.reading import analyse_reading
    from kdcore.study import unblind

    found = unblind(study, readers)
    return analyse_reading(found.questions, found.preferences)


def _ratings(study: Study, result: ReadingResult, titles: dict[str, str], note: str) -> None:
    from kdcore.charts.reading import difference_dots, rating_dots
    from kdcore.report.reading import (
        agreement_words,
        question_rows,
        question_texts,
        question_words,
    )

    st.markdown("#### Ratings")
    st.markdown("Further right is better. Each dot is a mean rating, the line its 95 % interval.")
    show_figure(rating_dots(result, titles), file_stem("ratings", study.id), note)
    st.markdown(
        "What the student's maps gain (right of 0) or lose: a line that reaches over 0 shows "
        "neither."
    )
    name = file_stem("rating-differences", study.id)
    show_figure(difference_dots(result, titles), name, note, told=False)
    for words in question_words(result, titles):
        st.markdown(f"- {words}")
    show_table(
        question_rows(result, titles),
        file_stem("ratings", study.id),
        note=note,
        shown=question_texts(result, titles),
        told=False,
    )
    st.markdown("#### Do the readers agree?")
    st.markdown(agreement_words(result))


def _preferences(study: Study, result: ReadingResult, note: str) -> None:
    from kdcore.report.reading import preference_table, preference_words

    st.markdown("#### Preferences")
    st.markdown(preference_words(result))
    name = file_stem("preferences", study.id)
    show_table(preference_table(result), name, note=note, told=False)
    st.caption("A case counts for the map that more of its answers prefer.")


def _export(study: Study, readers: list[Reader]) -> None:
    from kdcore.report.cells import csv_text
    from kdcore.study import preference_rows, rating_rows, study_json

    st.markdown("#### All answers")
    st.markdown("Unblinded: one row for each reader, case and side; one for each preference.")
    files = {
        "Ratings (CSV)": ("ratings", "csv", lambda: csv_text(rating_rows(study, readers))),
        "Preferences (CSV)": (
            "preferences",
            "csv",
            lambda: csv_text(preference_rows(study, readers)),
        ),
        "Everything (JSON)": ("study", "json", lambda: study_json(study, readers)),
    }
    with st.container(horizontal=True):
        for label, (name, kind, make) in files.items():
            st.download_button(
                label,
                make,
                file_name=f"{file_stem('all', name, study.id)}.{kind}",
                mime="application/json" if kind == "json" else "text/csv",
                on_click="ignore",
                icon=":material/download:",
                key=f"w:all-{name}",
            )


def _delete(study: Study, readers: list[Reader]) -> None:
    answers = sum(len(r.answers) for r in readers)
    st.subheader("Delete")
    ask(
        f"delete-study-{study.id}",
        "Delete this study",
        f"Delete **{escaped(study.title)}** with its {len(study.cases)} cases and the answers of "
        f"{len(readers)} readers on {answers} cases? This can't be undone: export them first.",
        "Yes, delete the study",
        ":material/delete:",
        _forget,
        study,
    )


def _forget(study: Study) -> None:
    from kdcore.study import delete_study

    delete_study(study)
    state.choose("study", "")
