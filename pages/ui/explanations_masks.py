"""Do causal masks deserve the name: what removing them costs, of saved interventions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import measured, state
from pages.ui.explanations import command, content_of, models_by_name, say_versions
from pages.ui.figures import show_figure
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.evaluate.interventions import InterventionStudy
    from kdcore.predict.intervention_scores import InterventionScores

LINK = ("mask_study", "mask_model")


def show_masks() -> None:
    """Draw what removing masks costs one network, or what computes it; raises `KdError`."""
    st.markdown(
        "A causal mask is the part of the image that a stage of the network leans on for its "
        "answer. It deserves the name if blurring it away costs more of the probability than "
        "blurring random regions of the same size."
    )
    content = content_of("interventions")
    found = _found(content)
    if not found:
        st.info(
            "No test of causal masks is there yet. Compute one, which needs the data set:",
            icon=":material/visibility_off:",
        )
        st.code(command("interventions", "--images 300 --out results"), language="bash")
        return
    records = _choose_records(found)
    say_versions(
        {r.model: r.model_hash for r in records} | {r.teacher: r.teacher_hash for r in records}
    )
    studies = {r.model: _measured(r, content, f"{r.split}~{r.teacher}~{r.model}") for r in records}
    titles = {name: m.title for name, m in models_by_name().items()}
    name = state.choice(
        st.selectbox,
        "mask_model",
        "Whose masks",
        list(studies),
        format_func=lambda model: titles.get(model, model),
        width=300,
    )
    _show_one(studies[name], titles.get(name, name))
    _show_table(list(studies.values()), measured.note(studies[name]))


def _choose_records(found: dict[str, list[InterventionScores]]) -> list[InterventionScores]:
    """Return the records of one part and teacher; the choice is drawn where there are several."""
    chosen = next(iter(found))
    if len(found) > 1:
        chosen = state.choice(
            st.selectbox,
            "mask_study",
            "Part and teacher",
            list(found),
            format_func=lambda key: key.replace("~", " part, teacher "),
        )
    return found[chosen]


def _show_one(study: InterventionStudy, title: str) -> None:
    from kdcore.charts.explanations import mask_dots, mask_transfer_dots
    from kdcore.charts.style import STUDENT, TEACHER
    from kdcore.report.interventions_text import mask_text, mask_transfer_text

    itself, note = study.model == study.teacher, measured.note(study)
    note = f"{title}. {study.regions} random regions for each mask. {note}"
    name = file_stem("masks", study.model)
    st.markdown(mask_text(study, title))
    show_figure(mask_dots(study, TEACHER if itself else STUDENT), name, note)
    if itself:
        return
    st.markdown(
        f"**Does the teacher's mask matter to the student?** {mask_transfer_text(study, title)}"
    )
    show_figure(mask_transfer_dots(study), f"{name}-transfer", note)


def _show_table(studies: list[InterventionStudy], note: str) -> None:
    from kdcore.report.interventions import intervention_rows

    with st.expander("Table of all networks", icon=":material/table:"):
        show_table(intervention_rows(studies), "masks", note=note, told=False)


@st.cache_resource(max_entries=2, show_spinner=False)
def _found(content: str) -> dict[str, list[InterventionScores]]:
    from kdcore.report.interventions import read_interventions

    found = read_interventions(Path(content.partition(";")[0]))
    return {"~".join(key): records for key, records in found.items()}


@st.cache_resource(max_entries=16, show_spinner="Measuring the masks…")
def _measured(_record: InterventionScores, content: str, name: str) -> InterventionStudy:
    from kdcore.evaluate.interventions import measure_interventions

    return measure_interventions(_record, measured.RESAMPLES)
