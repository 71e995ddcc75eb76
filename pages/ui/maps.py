"""Views of explanations: maps on one colour scale, attention, masks with their test, downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import agreeing, controls, lesions, more_methods, trusting
from pages.ui.controls import Pair
from pages.ui.explaining import Request
from pages.ui.figures import show_figure
from pages.ui.images import Chosen
from pages.ui.tables import file_stem

if TYPE_CHECKING:
    from PIL import Image
    from streamlit.delta_generator import DeltaGenerator

    from kdcore.explain.check_pair import Lesion, PairTrust
    from kdcore.explain.everything import Everything
    from kdcore.explain.explain_pair import PairExplanation
    from kdcore.explain.methods import Method


def show_result(
    pair: Pair,
    chosen: Chosen,
    result: Everything,
    request: Request,
    lesion: Lesion | None,
) -> None:
    """Draw everything that was computed; only blending happens when a slider moves.

    With the mask of a `lesion` its outline is drawn on the maps.
    """
    left, right = st.columns(2)
    with left:
        method = more_methods.choose(pair)
    with right:
        opacity = controls.choose_opacity()
    explained = more_methods.explained_by(method, pair, chosen, request, result)
    if explained is not None:
        _maps(explained, opacity, method, request.target, lesion, result.grad_cam)
        trust = _trust(pair, chosen, explained, request)
        lesions.show_shares(pair, chosen, explained)
        agreeing.show(pair, explained, request)
        _download(explained, opacity, result, chosen, trust)
        if trust is not None:
            trusting.show_details(trust, explained)
    with st.expander("Attention, stage by stage", icon=":material/layers:"):
        _attention(pair, result, opacity)
    with st.expander("Causal mask and its intervention test", icon=":material/science:"):
        _masks(result, request)


def _trust(
    pair: Pair, chosen: Chosen, explained: PairExplanation, request: Request
) -> PairTrust | None:
    trust = trusting.obtain(pair, chosen, explained, request.key)
    if trust is not None:
        trusting.show_badges(trust)
    return trust


def _maps(
    explained: PairExplanation,
    opacity: float,
    method: Method,
    target: str,
    lesion: Lesion | None,
    grad_cam: PairExplanation,
) -> None:
    from kdcore.charts.overlay import blend, enlarge, outline
    from kdcore.explain import difference_image, overlay

    picture = enlarge(explained.teacher.crop)
    asked = f"{method.title} for {target}" if method.uses_target else method.title

    def show(column: DeltaGenerator, name: str, image: Image.Image, steps: str = "") -> None:
        column.image(
            image if lesion is None else outline(image, lesion),
            caption=f"{name}: {asked}{steps}",
            output_format="PNG",
            width="stretch",
            alt=f"{method.title} map for {target}: {name.lower()}",
        )

    *columns, last = st.columns(3)
    for column, name, one, instead in (
        (columns[0], "Teacher", explained.teacher, grad_cam.teacher),
        (columns[1], "Student", explained.student, grad_cam.student),
    ):
        steps = "" if one.masks is None else f" ({one.masks.words})"
        show(column, name, overlay(picture, one.heatmap, opacity), steps)
        if one.empty:
            words = one.why_empty
            if not instead.empty:
                words += " Grad-CAM, under *Method*, is not empty here."
            column.info(words, icon=":material/hide_image:")
    if explained.empty:
        last.caption(f"Teacher minus student: left out, as {explained.empty}.")
    else:
        difference = difference_image(explained.difference, (picture.height, picture.width))
        grey = picture.convert("L").convert("RGB")
        show(last, "Teacher minus student", blend(grey, difference, opacity))
    _scales(difference=not explained.empty)


def _scales(difference: bool) -> None:
    from kdcore.explain import color_bar

    scales = st.columns([2, 1])
    scales[0].image(
        color_bar(640, 10),
        caption="0 (least) to 1 (most) within each map; one scale of colours",
        output_format="PNG",
        width="stretch",
        alt="Colour scale of the maps from 0 to 1",
    )
    if not difference:
        return
    scales[1].image(
        color_bar(320, 10, "blue-white-red"),
        caption="Blue: the student looks more. Red: the teacher does",
        output_format="PNG",
        width="stretch",
        alt="Colour scale of the difference from -1 to 1",
    )


def _attention(pair: Pair, result: Everything, opacity: float) -> None:
    from kdcore.charts.overlay import enlarge
    from kdcore.explain import overlay

    st.markdown("Sum of squared activations of each stage, whatever the class, early to late.")
    crops = {"Teacher": result.score_cam.teacher.crop, "Student": result.score_cam.student.crop}
    views = {"Teacher": result.teacher, "Student": result.student}
    for role, checkpoint in pair.items():
        names = checkpoint.model.stage_names
        row = st.container(horizontal=True)
        for name, grid in zip(names, views[role].attention):
            row.image(
                overlay(enlarge(crops[role], 148), grid, opacity),
                caption=f"{role} {name}",
                output_format="PNG",
                width=148,
                alt=f"Attention of the {role.lower()} at {name}",
            )


def _masks(result: Everything, request: Request) -> None:
    from kdcore.base.words import percent
    from kdcore.charts.explanation import deletion_chart
    from kdcore.charts.overlay import enlarge, mask_overlay
    from kdcore.report.cells import signed_points

    st.markdown(
        f"The cells that speak most for **{request.target}**, about {percent(result.q)} of the "
        "picture. The region earns the name *causal* only if blurring it away costs the class more "
        "than blurring random regions of the same area."
    )
    parts = (
        ("Teacher", result.score_cam.teacher.crop, result.teacher),
        ("Student", result.score_cam.student.crop, result.student),
    )
    for column, (role, crop, view) in zip(st.columns(2), parts):
        test = view.test
        column.image(
            mask_overlay(enlarge(crop), view.mask, 0.75),
            caption=f"{role}'s causal mask for {request.target}",
            output_format="PNG",
            width="stretch",
            alt=f"The {role.lower()}'s causal mask",
        )
        verdict = "stands" if test.p_value <= 0.05 else "does not stand"
        column.markdown(
            f"Without it the {role.lower()}'s {request.target} changes from "
            f"{percent(test.probability)} by {signed_points(-test.drop)} points; without random "
            f"regions by {signed_points(-test.random_drops.mean())} on average. "
            f"The mask **{verdict}** (p = {test.p_value:.2f} against {len(test.random_drops)} "
            "random regions)."
        )
    drops = {
        role: (v.test.drop, float(v.test.random_drops.mean()), float(v.test.random_drops.std()))
        for role, _, v in parts
    }
    test, made = result.teacher.test, result.score_cam.manifest
    names = (made[of]["name"] for of in ("teacher", "student"))
    show_figure(
        deletion_chart(drops),
        file_stem("causal mask", request.target, *names, made["image"]["sha256"][:8]),
        f"What blurring a region away costs {request.target}: the causal mask, and the mean of "
        f"{len(test.random_drops)} random regions of equal area with their standard deviation.",
    )


def _download(
    explained: PairExplanation,
    opacity: float,
    result: Everything,
    chosen: Chosen,
    trust: PairTrust | None,
) -> None:
    from kdcore.explain import everything_else, export_zip, file_stem, panel_png, panel_svg

    stem = file_stem(explained)
    picture = {"title": chosen.title, "kind": chosen.kind, "true_class": chosen.dx or None}
    with st.container(horizontal=True):
        for label, suffix, mime, make in (
            ("Panel (PNG)", "png", "image/png", lambda: panel_png(explained, opacity)),
            ("Panel (SVG)", "svg", "image/svg+xml", lambda: panel_svg(explained, opacity)),
            (
                "Maps and manifest",
                "zip",
                "application/zip",
                lambda: export_zip(explained, opacity, **everything_else(result, picture, trust)),
            ),
        ):
            st.download_button(
                label,
                make,
                file_name=f"{stem}.{suffix}",
                mime=mime,
                on_click="ignore",
                icon=":material/download:",
                key=f"w:download-{suffix}",
            )
