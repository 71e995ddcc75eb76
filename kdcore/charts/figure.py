"""A chart as a file for a paper: SVG or PDF, light, with a note on what it shows and how.

Rendered by vl-convert, which holds Vega itself and needs neither browser nor network.
"""

from __future__ import annotations

import textwrap
from typing import Any, Final

import altair as alt

KINDS: Final = {"svg": "image/svg+xml", "pdf": "application/pdf"}
_SIZES = {"continuousWidth": 300, "continuousHeight": 300}  # px, of what has none of its own
_WIDTH = 520  # px, of a chart that fills its place on a page
_LETTERS = 92  # of a line of the note


def figure_bytes(chart: alt.TopLevelMixin, kind: str, note: str = "") -> bytes:
    """Return `chart` as a vector file.

    Parameters
    ----------
    chart : any Altair chart; one that fills its container is given 520 px
    kind : "svg" or "pdf"
    note : stands under the chart: split, n, how intervals were made

    Raises
    ------
    ValueError
        If the kind is another.
    """
    if kind not in KINDS:
        raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
    import vl_convert

    spec = _fixed(chart.to_dict(context={"pre_transform": False}))
    spec["config"] = {"view": _SIZES} | spec.get("config", {})
    spec["background"] = "white"
    if note:
        spec = _with_note(spec, note)
    if kind == "svg":
        return str(vl_convert.vegalite_to_svg(spec)).encode()
    return bytes(vl_convert.vegalite_to_pdf(spec))


def _fixed(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the specification with a width where it has none or takes its container's."""
    joined = any(key in spec for key in ("hconcat", "vconcat", "concat", "facet", "repeat"))
    if not joined and spec.get("width", "container") == "container":
        spec["width"] = _WIDTH
    spec.pop("autosize", None)  # of a container; it is no part of a chart in a column
    spec.pop("padding", None)  # room for a legend, which is made by itself without a container
    return spec


def _with_note(spec: dict[str, Any], note: str) -> dict[str, Any]:
    """Return the specification with the note under it: alone in a column, it is left aligned."""
    top = ("$schema", "config", "datasets", "background")
    outer = {key: spec.pop(key) for key in top if key in spec}
    title = {
        "text": textwrap.wrap(note, _LETTERS),
        "orient": "bottom",
        "anchor": "start",
        "fontSize": 10,
        "fontWeight": "normal",
        "offset": 12,
    }
    return {**outer, "vconcat": [spec], "title": title}
