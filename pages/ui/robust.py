"""The Robustness page's parts: which table, its charts, and the way to compute one's own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, jobs, measured, state
from pages.ui.figures import show_figure
from pages.ui.frame import escaped
from pages.ui.tables import show_table

if TYPE_CHECKING:
    from kdcore.base.progress import ShareProgress
    from kdcore.data import ImageDataset
    from kdcore.evaluate.robustness import Robustness
    from kdcore.predict.shelf import Measured

LINK = ("grid", "grid_models", "measure", "corruption")
_SOURCES = {"shipped": "Shipped with the project", "own": "Computed here"}
_IMAGES = (100, 300, 1000, 0)
_READERS = ("balanced_error", "to_clean", "to_teacher", "agreement", "flips", "ece", "nll")


def choose_table() -> Robustness | None:
    """Draw the choice between the tables that are there, and return one; None for none."""
    found = {name: table for name in _SOURCES if (table := _read(_folder(name))) is not None}
    if not found:
        st.info(
            "No robustness table is there yet. Compute one below, or with `python -m kdcore "
            "robustness`.",
            icon=":material/grid_off:",
        )
        return None
    if len(found) == 1:
        return next(iter(found.values()))
    source = state.choice(
        st.segmented_control, "grid", "Table", list(found), format_func=_SOURCES.get
    )
    return found[source]


def _folder(source: str) -> Path:
    from kdcore.base import results_folder, state_folder

    return results_folder() if source == "shipped" else state_folder() / "results"


def _read(folder: Path) -> Robustness | None:
    from kdcore.report.robustness_files import NAME

    path = folder / f"{NAME}.json"
    return _table(str(folder), path.stat().st_mtime_ns) if path.is_file() else None


@st.cache_resource(max_entries=4, show_spinner=False)
def _table(folder: str, changed: int) -> Robustness | None:
    from kdcore.report.robustness_files import read_robustness

    return read_robustness(Path(folder))


def choose_models(table: Robustness) -> dict[str, str]:
    """Draw the picker of the table's models and return the chosen names to titles."""
    titles = _titles(table.models)
    chosen = state.choices(
        "grid_models",
        "Models",
        list(table.models),
        default=list(table.models),
        format_func=titles.get,
    )
    return {name: titles[name] for name in chosen or table.models}


def _titles(names: tuple[str, ...]) -> dict[str, str]:
    known = {model.name: model.title for model in measured.shelf()}
    return {name: known.get(name, name) for name in names}


def _colours(models: Mapping[str, str]) -> dict[str, str]:
    from kdcore.charts.style import model_colours

    roles = {model.name: model.role for model in measured.shelf()}
    return model_colours({title: roles.get(name, "") for name, title in models.items()})


def show_summary(table: Robustness, models: Mapping[str, str]) -> None:
    """Say what corruption costs each model on average."""
    from kdcore.report.robustness import summary_sentence, summed_text

    weights = {m.name: m.card.weights_sha256 for m in measured.shelf() if m.card}
    for name in set(table.stale(weights)) & set(models):
        st.warning(
            f"**{escaped(models[name])}** has been trained anew since: its rows are of "
            "other weights. Compute the table again, below.",
            icon=":material/history:",
        )
    for name, title in models.items():
        st.markdown(f"- {summary_sentence(table, name, title)}")
    st.caption(
        "Balanced error is one minus the mean over classes of the share found: 0 is perfect, and "
        f"always saying the same of seven classes gives 0.86. {summed_text(table)}"
    )


def show_corruptions(table: Robustness, models: Mapping[str, str]) -> None:
    """Draw a measure for each corruption, severities averaged."""
    from kdcore.charts.robustness import corruption_chart

    st.subheader("Which corruptions hurt")
    st.markdown(
        "A dot is a model's score on pictures made worse in one way, its line the 95 % interval. "
        "The farther from *clean*, the more the corruption costs. *Edge study* names the milder "
        "levels of a published study of small students."
    )
    measure = _choose_measure()
    show_figure(
        corruption_chart(table, measure, _colours(models), models),
        f"robustness-{measure}",
        f"Severities averaged. {measured.note(table)}",
    )


def _choose_measure() -> str:
    from kdcore.report.robustness import measure_heading

    return state.choice(
        st.selectbox,
        "measure",
        "Measure",
        list(_READERS),
        format_func=measure_heading,
    )


def show_severities(table: Robustness, models: Mapping[str, str]) -> None:
    """Draw a measure over the severities of one corruption."""
    from kdcore.charts.robustness import severity_lines
    from kdcore.report.robustness import corruptions_of, measure_heading

    st.subheader("As it gets worse")
    st.markdown("From the clean picture (0) to the worst: the flatter a line, the less it changes.")
    names = corruptions_of(table)
    corruption = state.choice(
        st.selectbox, "corruption", "Corruption", list(names), format_func=names.get
    )
    measure = state.get("measure", _READERS[0])
    show_figure(
        severity_lines(table, corruption, measure, _colours(models), models),
        f"robustness-{corruption}",
        f"{measure_heading(measure)}; severity 0 is clean. {measured.note(table)}",
    )


def show_maps(table: Robustness, models: Mapping[str, str]) -> None:
    """Draw how alike maps stay, where the table has them."""
    from kdcore.charts.robustness import map_chart
    from kdcore.report.robustness import map_note, map_rows

    if not table.maps:
        return
    st.subheader("Do they still look at the same place?")
    note = map_note(table)
    show_figure(map_chart(table, _colours(models), models), "robustness-maps", note)
    show_table(map_rows(table.maps), "robustness-maps", note=note, told=False)


def show_table_of(table: Robustness, models: Mapping[str, str]) -> None:
    """Draw the models' table of averaged severities; its downloads hold every cell."""
    from kdcore.report.robustness import cell_rows, mean_table

    st.subheader("Table")
    measure = state.get("measure", _READERS[0])
    show_table(
        cell_rows(table.cells),
        "robustness",
        note="Shown: severities averaged; the downloads hold each, of every model. "
        f"{measured.note(table)}",
        shown=mean_table(table, measure, titles=models),
    )


def show_compute() -> None:
    """Draw the form that computes a grid of one's own, its progress and its end."""
    with st.expander("Compute it for your models", icon=":material/calculate:", key="w:compute"):
        data = cache.data_set()
        if data is None:
            st.info("This needs the pictures: name their folder on the [Data page](data).")
            return
        models = [m for m in measured.shelf() if m.card and m.card.classes == data.info.classes]
        by_name = {m.name: m for m in models}
        names = state.choices(
            "compute_models",
            "Models, the teacher first",
            list(by_name),
            default=list(by_name)[:2],
            format_func=lambda n: by_name[n].title,
        )
        corruptions = _choose_corruptions()
        images = state.choice(
            st.select_slider,
            "compute_images",
            "Test images",
            list(_IMAGES),
            default=300,
            format_func=lambda n: f"{n:,}" if n else "all",
            help="Fewer are faster and say less: the intervals show how much less.",
        )
        if not names or not corruptions:
            st.info("Choose at least one model and one corruption.")
            return
        _obtain(data, [by_name[n] for n in names], corruptions, images)


def _choose_corruptions() -> list[str]:
    from kdcore.data.corruptions import CORRUPTIONS

    return state.choices(
        "compute_corruptions",
        "Corruptions",
        CORRUPTIONS.names(),
        default=["gaussian_noise", "defocus_blur", "brightness_down", "jpeg", "hair"],
        format_func=lambda n: CORRUPTIONS.get(n).title,
    )


def _obtain(
    data: ImageDataset, models: list[Measured], corruptions: list[str], images: int
) -> None:
    weights = [model.card.weights_sha256 for model in models if model.card]
    told = f"{cache.data_key(data)}:{weights}:{corruptions}:{images}"
    key = hashlib.sha256(f"grid:{told}".encode()).hexdigest()
    seconds, working = jobs.outcome(key)
    if seconds is not None:
        st.success(f"Computed in {seconds:.0f} s: choose *Computed here* above.")
    elif not working and st.button("Compute", icon=":material/play_arrow:", key="w:grid"):
        jobs.start(key, _work(data, models, corruptions, images))
        st.rerun()


def _work(
    data: ImageDataset, models: list[Measured], corruptions: list[str], images: int
) -> Callable[[ShareProgress], float]:
    """Return the computation for a job's thread; nothing in it touches Streamlit."""
    from kdcore.base import state_folder

    samples = cache.parts_of(data)["test"]
    target = state_folder() / "results"

    def run(report: ShareProgress) -> float:
        from kdcore.base.counting import share
        from kdcore.cli.running.robustness import compute_robustness
        from kdcore.data import first_by_hash
        from kdcore.evaluate import unseen_samples
        from kdcore.models import load_checkpoint
        from kdcore.predict.grid import all_stacks

        checkpoints = [load_checkpoint(model.path) for model in models]
        _, seconds = compute_robustness(
            checkpoints,
            data,
            first_by_hash(unseen_samples(samples, [c.card for c in checkpoints]), images or None),
            all_stacks(corruptions),
            target,
            teacher=checkpoints[0].card.name,
            progress=lambda done, total: report(
                share(done, total), f"{done:,} of {total:,} pictures"
            ),
        )
        return seconds

    return run
