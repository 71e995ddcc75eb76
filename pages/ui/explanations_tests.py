"""Whether maps can be believed: does the answer follow them, and do they lie on the lesion."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.ui import state
from pages.ui.explanations import ShownMaps
from pages.ui.figures import show_figure
from pages.ui.tables import file_stem, show_table

LINK = ("faithful", "checks", "onlesion")
_UNTESTED = (
    "This was not tested in this study: it costs hundreds of forward passes an image. Give "
    "`--faithful 100` to `python -m kdcore explanations`."
)
_FAITHFUL = {
    "deletion": "Pixels are deleted in the order of the map. If the map is right the probability "
    "falls at once: lower is better.",
    "insertion": "Pixels are put into a blurred picture in the order of the map. If the map is "
    "right the probability rises at once: higher is better.",
    "road": "Pixels are filled in from their neighbours in the order of the map, which leaves no "
    "hard edges that the network could read: lower is better.",
    "drop": "Only what the map marks is shown. It is the share of the probability that is lost: "
    "lower is better. A map that marks everything loses nothing.",
    "gain": "Only what the map marks is shown. It is the share of what was lacking to certainty "
    "that is gained: higher is better.",
}
_CHECKS = {
    "shuffled": "The network's weights are shuffled and the picture is explained again. The number "
    "is the rank correlation of the two maps, 1 where they are the same: a map of what the network "
    "learned has to change, while one that only traces the picture stays. Beside it, how like the "
    "map is to what never saw the network. A map that comes out empty counts as 0.",
    "other_class": "The rank correlation of the map with those for other classes. Near 1 it is no "
    "map of this class. A map that comes out empty counts as 0.",
    "sensitivity": "The picture gets noise that no eye sees, at most 2 of 255 levels, several "
    "times. The number is the largest change of the map, as a share of its norm. A map that stays "
    "may still be wrong: the blob in the middle never moves.",
}
_LOCAL = {
    "lesion_energy": "The share of the map's sum that lies on the lesion: higher is better.",
    "lesion_pointing": "The pointing game: how often the strongest point lies on the lesion.",
    "lesion_rank": "Of the strongest points, as many as the lesion has, the share that lies on it.",
    "lesion_iou": "Those points and the lesion: what they share, over what they cover together.",
}


def show_faithfulness(shown: ShownMaps) -> None:
    """Draw whether the answer follows the maps, or how to have it tested."""
    st.markdown(
        "A map claims that the answer hangs on what it marks, which can be tried out. A map is "
        "worth something only where it does better than maps that never saw the network."
    )
    _show(
        shown,
        "faithful",
        _FAITHFUL,
        _UNTESTED,
    )


def show_checks(shown: ShownMaps) -> None:
    """Draw whether maps change with what matters and stay with what doesn't, or how to test it."""
    st.markdown(
        "A map of what the network learned changes when the weights or the class do, and stays "
        "when the picture hardly changes. Lower is better; the dashed line is what the check of a "
        "single map on Explain a lesion asks for. Passing does not prove a map."
    )
    _show(shown, "checks", _CHECKS, _UNTESTED)


def show_localisation(shown: ShownMaps) -> None:
    """Draw whether the maps lie on the lesion, or what that needs."""
    st.markdown(
        "A lesion mask says where the lesion is. Lesions lie in the middle of most photos, so the "
        "plain blob in the middle is the one to beat. A map off the lesion may still be right "
        "about the network: then the network looks elsewhere."
    )
    _show(
        shown,
        "onlesion",
        _LOCAL,
        "This study has no lesion masks. Put HAM10000's segmentations beside its pictures, and "
        "run `python -m kdcore explanations` again.",
    )


def _show(shown: ShownMaps, key: str, meanings: Mapping[str, str], missing: str) -> None:
    """Draw the choice among the metrics that there are, its chart, the verdicts and the table."""
    from kdcore.charts.explanations import floor_dots
    from kdcore.report.explanations import METRICS, floor_rows, metric_note, metrics_of
    from kdcore.report.explanations_floors import floor_verdicts

    metrics = metrics_of(shown.found, meanings)
    if not metrics:
        st.info(missing, icon=":material/rule:")
        return
    metric = state.choice(st.selectbox, key, "Test", metrics, format_func=METRICS.get, width=300)
    st.markdown(meanings[metric])
    name, note = file_stem("maps", metric), metric_note(shown.found, metric)
    show_figure(floor_dots(shown.found, metric, shown.colours), name, note)
    for told in floor_verdicts(shown.found, shown.found.means, metric):
        st.markdown(f"- {told}")
    with st.expander("Table", icon=":material/table:"):
        show_table(floor_rows(shown.found, metrics), f"{name}-floors", note=note, told=False)
