"""The Explanations page's study: which saved records, of which models, and what to do without."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import measured, state

if TYPE_CHECKING:
    from kdcore.evaluate.explanations import Explanations
    from kdcore.predict.map_scores import MapScores
    from kdcore.predict.shelf import Measured

LINK = ("map_study", "map_models")


@dataclass(frozen=True)
class ShownMaps:
    """A study of heatmaps: its records by model, and what was found of the chosen models.

    `content` names what the records hold, for caches.
    """

    records: dict[str, MapScores]
    found: Explanations
    colours: dict[str, str]
    content: str

    @property
    def students(self) -> list[str]:
        """The names of the chosen models but the teacher, baselines among them."""
        return [name for name in self.found.means if name != self.found.teacher]


def choose_maps() -> ShownMaps | None:
    """Draw the pickers of a study and its models; None, and what to do, where there is no study.

    Raises
    ------
    KdError
        If a record can't be read, or the records of a study are not of the same images.
    """
    content = content_of("explanations")
    studies = _studies(content)
    if not studies:
        _say_no_study()
        return None
    names = {"~".join(key): key for key in studies}
    chosen = next(iter(names))
    if len(names) > 1:
        chosen = state.choice(
            st.selectbox,
            "map_study",
            "Study",
            list(names),
            format_func=lambda name: _title(studies[names[name]][0]),
        )
    records = {record.checkpoint: record for record in studies[names[chosen]]}
    found = _measured(list(records.values()), f"{content}~{chosen}")
    shown = ShownMaps(records, _chosen_of(found), _colours(records, found), f"{content}~{chosen}")
    _say_what_it_is(shown)
    return shown


def content_of(folder: str) -> str:
    """Return what names the content of the records in a folder of the results, for caches."""
    from kdcore.base import results_folder

    paths = sorted(results_folder().joinpath(folder).glob("*.npz"))
    return ";".join([str(results_folder()), *(f"{p.name}:{p.stat().st_mtime_ns}" for p in paths)])


def models_by_name() -> dict[str, Measured]:
    """Return the models on the shelf by the name of their checkpoint."""
    return {model.name: model for model in measured.shelf() if model.card}


def command(name: str, more: str) -> str:
    """Return the command `name` of the core for the models that are there, with `more` options."""
    models = models_by_name().values()
    teachers = [m.folder for m in models if m.role == "teacher"] or ["TEACHER"]
    others = [m.folder for m in models if m.role != "teacher"] or ["STUDENT", "BASELINE"]
    return f"python -m kdcore {name} {' '.join(others)} \\\n  --teacher {teachers[0]} {more}"


def say_versions(hashes: dict[str, str]) -> None:
    """Warn where a checkpoint's weights are not those measured; `hashes` are by its name."""
    from kdcore.report.versions import version_text

    present = {name: m.card.weights_sha256 for name, m in models_by_name().items() if m.card}
    if told := version_text(hashes, present):
        st.warning(told, icon=":material/history:")


def _chosen_of(found: Explanations) -> Explanations:
    """Draw the picker of the models, and return the study of those; of all where none is chosen."""
    chosen = state.choices(
        "map_models",
        "Models",
        list(found.means),
        default=list(found.means),
        format_func=found.titles.get,
    )
    return found.only(chosen) if chosen else found


def _colours(records: dict[str, MapScores], found: Explanations) -> dict[str, str]:
    from kdcore.charts.style import model_colours

    roles = {name: record.meta.get("role", "") for name, record in records.items()}
    return model_colours({found.titles[name]: role for name, role in roles.items()})


def _say_what_it_is(shown: ShownMaps) -> None:
    from kdcore.explain import METHODS
    from kdcore.report.explanations_text import other_teachers

    found = shown.found
    teacher = found.titles.get(found.teacher, found.teacher)
    st.caption(
        f"Maps by {METHODS.get(found.method).title}. Every map is asked about one class: the "
        f"first choice of the teacher, {teacher}. {measured.note(found)}"
    )
    for sentence in other_teachers(found):
        st.caption(sentence)
    say_versions({name: record.checkpoint_hash for name, record in shown.records.items()})


def _say_no_study() -> None:
    st.info(
        "No study of explanations is there yet. This page would show, with intervals: how alike "
        "the maps of teacher and students are, beside maps of other images and students without "
        "a teacher; whether the answers follow the maps; whether the maps lie on the lesion; and "
        "the images where they disagree most. Compute one, which needs the data set:",
        icon=":material/visibility_off:",
    )
    more = "--faithful 100 --corruptions jpeg defocus_blur --out results"
    st.code(command("explanations", more), language="bash")


def _title(record: MapScores) -> str:
    """Return a name of a study by its first record, which is the teacher's where that is kept."""
    from kdcore.explain import METHODS

    method = METHODS.get(record.method).title
    own = record.checkpoint == record.teacher
    teacher = (record.meta.get("title") if own else "") or record.teacher
    return f"{method}, {record.split} part, teacher {teacher}"


@st.cache_resource(max_entries=2, show_spinner=False)
def _studies(content: str) -> dict[tuple[str, str, str], list[MapScores]]:
    from kdcore.report.explanations_files import read_studies

    return read_studies(_folder(content))


@st.cache_resource(max_entries=4, show_spinner="Measuring the maps…")
def _measured(_records: list[MapScores], content: str) -> Explanations:
    from kdcore.evaluate.explanations import evaluate_explanations

    return evaluate_explanations(_records, measured.RESAMPLES)


def _folder(content: str) -> Path:
    return Path(content.partition(";")[0])
