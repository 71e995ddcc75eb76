"""The Compare page's quadrants and matrices, and the cases behind what is clicked or picked."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import measured, state
from pages.ui.cases import show_cases
from pages.ui.figures import show_figure
from pages.ui.frame import escaped
from pages.ui.pairing import Pair
from pages.ui.tables import file_stem, show_table

if TYPE_CHECKING:
    from kdcore.evaluate.sides import Ints

LINK = ("behind", "quadrant", "row", "column")
_ANY = "any"
_QUADRANT = "same_mistake"  # what is shown first
_CELL = {"row": "mel", "column": "nv"}  # melanomas taken for moles, where there are those
_OWN = ("teacher", "student")  # what links call the matrices of the first and the second
_BEHIND = ("quadrants", *_OWN, "both")


def show_quadrants(pair: Pair) -> None:
    """Draw who is right where, and whether mistakes are copied."""
    from kdcore.charts.confusion import quadrant_chart
    from kdcore.report.pair import quadrant_rows
    from kdcore.report.pair_words import mistakes_sentence

    st.markdown("#### Who is right where")
    st.markdown(
        f"{mistakes_sentence(pair.told)} A model that was never taught makes some of the "
        "same mistakes, too: pick a baseline as the second to see how many. Click a bar to see "
        "its images at the end of this section."
    )
    picked = state.peek("quadrant", _QUADRANT) if _behind() == "quadrants" else ""
    name = file_stem("quadrants", *pair.titles, pair.shown.part)
    chart = quadrant_chart(pair.comparison, pair.shown.colours, picked)
    show_figure(chart, name, measured.note(pair.comparison), _adopt_quadrant, picked)
    with st.expander("As a table, with intervals"):
        show_table(
            quadrant_rows(pair.comparison),
            name,
            ["share"],
            note=measured.note(pair.comparison),
            told=False,
        )


def show_matrices(pair: Pair) -> None:
    """Draw the three matrices: truth by each model's answer, and one answer by the other."""
    st.markdown("#### Which answers they confuse")
    st.markdown(
        "Each number counts images; the colour is their share of the row. Off the diagonal of the "
        "first two lie the mistakes, off that of the third the images where the two disagree. "
        "Click a cell to see its images below."
    )
    for place, which in zip(st.columns(3, gap="medium"), (*_OWN, "both")):
        with place:
            _show_matrix(pair, which)
    st.caption(measured.counted(pair.comparison))
    with st.expander("As tables"):
        _show_tables(pair)


def _show_tables(pair: Pair) -> None:
    from kdcore.report.models import confusion_rows
    from kdcore.report.pair import answer_rows

    found, part = pair.shown.evaluations(), pair.shown.part
    told = measured.counted(pair.comparison)
    for title in pair.titles:
        st.markdown(f"**{title}**")
        name = file_stem("confusion", title, part)
        show_table(confusion_rows(found[title]), name, note=f"{title}. {told}", told=False)
    st.markdown("**One against the other**")
    note = f"{' × '.join(pair.titles)}. {told}"
    name = file_stem("confusion", "both", part)
    show_table(answer_rows(pair.comparison), name, note=note, told=False)


def show_behind(pair: Pair) -> None:
    """Draw the pickers of a quadrant or cell, and its images."""
    st.markdown("#### The images behind a number")
    st.markdown("What was clicked above, or pick it here; the link opens the same images.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = {"quadrants": "who is right"}
        titles |= {which: " and ".join(_axes(pair, which)) for which in (*_OWN, "both")}
        behind = state.choice(
            st.selectbox, "behind", "Images by", list(_BEHIND), format_func=titles.get, width=300
        )
        pick = _pick_quadrant if behind == "quadrants" else partial(_pick_cell, behind)
        index, name = pick(pair)
    first = pair.predictions()[pair.one]
    show_cases(
        first.sample_ids[index].tolist(),
        pair.predictions(),
        file_stem(name, pair.shown.part),
        pair.checkpoints(),
        pair.temperatures(),
    )


def _pick_quadrant(pair: Pair) -> tuple[Ints, str]:
    """Draw the picker of a quadrant; return the indices of its images and what they are."""
    from kdcore.evaluate import quadrant_cases
    from kdcore.report.pair import quadrant_titles

    titles = quadrant_titles(*pair.titles)
    quadrant = state.choice(
        st.selectbox,
        "quadrant",
        "Who is right",
        list(titles),
        default=_QUADRANT,
        format_func=titles.get,
        width=300,
    )
    one, other = pair.predictions().values()
    return quadrant_cases(one, other, quadrant, pair.temperatures()[pair.other]), quadrant


def _pick_cell(behind: str, pair: Pair) -> tuple[Ints, str]:
    """Draw the pickers of a row and a column of a matrix; return as `_pick_quadrant`."""
    from kdcore.evaluate import cases, pair_cases

    one, other = pair.predictions().values()
    row, column = (
        state.choice(st.selectbox, name, label, [_ANY, *one.classes], default=default, width=180)
        for (name, default), label in zip(_CELL.items(), _axes(pair, behind))
    )
    first, second = (None if c == _ANY else c for c in (row, column))
    if behind == "both":
        index = pair_cases(one, other, first, second, pair.temperatures()[pair.other])
    else:
        own = _title(pair, behind)
        index = cases(pair.predictions()[own], first, second, pair.temperatures()[own])
    return index, f"{behind} {row} {column}"


def _show_matrix(pair: Pair, which: str) -> None:
    from kdcore.charts.confusion import confusion_chart

    found, own = pair.shown.evaluations(), _title(pair, which)
    counts = found[own].confusion if which in _OWN else pair.comparison.agreement.answers
    classes = pair.predictions()[pair.one].classes
    row, column = "", ""
    if _behind() == which:
        cell = (state.peek(name, default) for name, default in _CELL.items())
        row, column = ("" if c == _ANY else c for c in cell)
    st.markdown(f"**{escaped(own) if which in _OWN else 'One against the other'}**")
    chart = confusion_chart(counts, classes, *_axes(pair, which), (row, column))
    name = file_stem("confusion", own if which in _OWN else "both", pair.shown.part)
    note = f"{own}. {measured.counted(pair.comparison)}"
    show_figure(chart, name, note, partial(_adopt_cell, which), f"{row}-{column}", told=False)


def _title(pair: Pair, which: str) -> str:
    """Return the model's title of a matrix, or both."""
    return dict(zip(_OWN, pair.titles)).get(which, " × ".join(pair.titles))


def _axes(pair: Pair, which: str) -> tuple[str, str]:
    """Return what the rows and the columns of a matrix are."""
    one, other = (f"Answer of {title}" for title in pair.titles)
    return {"teacher": ("True class", one), "student": ("True class", other)}.get(
        which, (one, other)
    )


def _behind() -> str:
    """Return what the picker further down will say."""
    value = state.peek("behind", "")
    return value if value in _BEHIND else _BEHIND[0]


def _adopt_quadrant(fields: dict[str, Any]) -> None:
    state.choose("behind", "quadrants")
    state.choose("quadrant", fields["name"])


def _adopt_cell(which: str, fields: dict[str, Any]) -> None:
    state.choose("behind", which)
    state.choose("row", fields["row"])
    state.choose("column", fields["column"])
