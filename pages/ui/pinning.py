"""The Results page's two pinned results, their difference, and the cases behind a number."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from pages.ui import measured, state
from pages.ui.cases import show_cases
from pages.ui.frame import escaped
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.evaluate import PairComparison
    from kdcore.predict.shelf import Measured
    from kdcore.report.results import Result

LINK = ("pin_one", "pin_other", "cases_of", "cases_truth", "cases_answer")
_ANY = "any"


def show_pinned(results: list[Result], part: str) -> None:
    """Draw the pickers of two results, both side by side, and their difference if it has one."""
    from kdcore.report.pinned import BY_IMAGES, BY_SEEDS, how_paired, pinned_rows, why_unpaired

    st.subheader("Two side by side")
    st.markdown(
        "Pin any two. Where both answered the same images, or are methods of one sweep, their "
        "difference is given with an interval of its own."
    )
    if len(results) < 2:
        st.info("There are no two results to pin.", icon=":material/push_pin:")
        return
    by_key = {r.key: r for r in results}
    left, right = st.columns(2)
    with left:
        one = _pin("pin_one", "First", by_key, "teacher")
    with right:
        other = _pin("pin_other", "Second", by_key, "student")
    name = file_stem("pinned", one.title, other.title, part)
    show_table(pinned_rows(one, other), name)
    how = how_paired(one, other)
    if how == BY_IMAGES:
        _by_images(one, other, part)
    elif how == BY_SEEDS:
        _by_seeds(one, other, part)
    else:
        st.info(why_unpaired(one, other), icon=":material/info:")


def show_cases_behind(results: list[Result], part: str) -> None:
    """Draw the pickers of a model and a cell of its confusion matrix, and the images there."""
    from kdcore.evaluate import cases

    st.subheader("The cases behind a number")
    st.markdown(
        "A score is made of images. Choose a model, a true class and the answer that it gave, to "
        "see which ones: melanomas taken for moles, for instance."
    )
    models = [
        model for model in measured.shelf(part) if model.name in {r.measured for r in results}
    ]
    if not models:
        st.info(
            "No model among the results has saved predictions on this part.",
            icon=":material/image_not_supported:",
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = measured.choose_model("Model", "cases_of", models)
        predictions = measured.load(model, part)
        options = [_ANY, *predictions.classes]
        truth, answer = (
            state.choice(st.selectbox, name, label, options, default=default, width=180)
            for name, label, default in (
                ("cases_truth", "True class", "mel"), ("cases_answer", "Answer", "nv"),
            )
        )  # fmt: skip
    true, given = (None if c == _ANY else c for c in (truth, answer))
    index = cases(predictions, true, given, measured.temperature(model))
    show_cases(
        predictions.sample_ids[index].tolist(),
        {model.title: predictions},
        file_stem("behind", model.name, truth, answer, part),
        temperatures={model.title: measured.temperature(model)},
    )


def _pin(name: str, label: str, results: dict[str, Result], role: str) -> Result:
    """Draw the picker of a result; by default the first of a role."""
    default = next((key for key, r in results.items() if r.role == role), next(iter(results)))
    kept = state.choice(
        st.selectbox,
        name,
        label,
        list(results),
        default=default,
        format_func=lambda key: f"{results[key].title} · {results[key].mark}",
        help="Of all results on this part, whatever the filters above.",
    )
    return results[kept]


def _by_images(one: Result, other: Result, part: str) -> None:
    """Draw the paired difference of two models, and the way to all of it on the Compare page."""
    from kdcore.report.cells import text_rows
    from kdcore.report.pair import pair_rows
    from kdcore.report.pair_words import headline_sentence, mcnemar_sentence
    from kdcore.report.pinned import pinned_titles

    models = {model.name: model for model in measured.shelf(part)}
    pair = [models[result.measured] for result in (one, other)]
    titles = pinned_titles(one, other)
    found = _compared(pair, part).named(*titles)
    told = found.named(*map(escaped, titles))
    st.markdown(f"{headline_sentence(told)} {mcnemar_sentence(told)}")
    st.caption(measured.note(found))
    name = file_stem("difference", one.title, other.title, part)
    with st.expander("Every score of the two, and its difference"):
        note = f"Δ: {titles[1]} less {titles[0]}. {measured.note(found)}"
        rows = pair_rows(found)
        show_table(rows, name, note=note, shown=text_rows(rows))
    names = [model.name for model in pair]
    link = {"models": ",".join(names), "one": names[0], "other": names[1], "part": part}
    st.markdown(f"[Compare the two class by class, and see their cases](compare?{urlencode(link)})")


def _compared(pair: list[Measured], part: str) -> PairComparison:
    from kdcore.evaluate import align

    first, second = (measured.load(model, part) for model in pair)
    key = measured.key(pair, part)
    temperatures = [measured.temperature(model) for model in pair]
    return measured.compare(*align(first, second), key, *temperatures)


def _by_seeds(one: Result, other: Result, part: str) -> None:
    """Draw the difference of two methods of a sweep over the seeds that they share."""
    from kdcore.report.cells import joined, text_rows
    from kdcore.report.pinned import pinned_titles, seed_differences
    from kdcore.report.sweep_scores import ablation_rows, ablation_sentences
    from pages.ui.results import sweeps

    sweep = next(s for s in sweeps() if s.name == one.sweep)
    found = seed_differences(sweep, one, other)
    first, second = map(escaped, pinned_titles(one, other))
    told = [f"- {sentence}" for sentence in ablation_sentences(found)]
    st.markdown("\n".join([f"**{second}** less **{first}**, seed by seed.\n", *told]))
    rows = joined({score: ablation_rows(result) for score, result in found.items()}, "score")
    show_table(rows, file_stem("seeds", one.title, other.title, part), shown=text_rows(rows))
