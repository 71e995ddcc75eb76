"""The Attention page's parts: every stage of both networks, the mask as q moves, the penalties."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cache, controls
from pages.ui.controls import Pair
from pages.ui.firstlook import Look
from pages.ui.images import Chosen

if TYPE_CHECKING:
    from kdcore.explain.attention_gap import AttentionGap
    from kdcore.explain.causal_mask import Mask

_STRIP = 148  # pixels of a small picture: two of them side by side on a telephone


def show_stages(pair: Pair, chosen: Chosen, look: Look) -> None:
    """Draw the attention of every stage of both networks, early to late."""
    from kdcore.charts.overlay import enlarge
    from kdcore.explain import overlay
    from kdcore.explain.attention_gap import shown_attention

    st.subheader("Every stage, early to late")
    opacity = controls.choose_opacity()
    for role, checkpoint in pair.items():
        crop = enlarge(cache.crop(checkpoint, chosen), _STRIP)
        stages = look.predictions[role].stages
        row = st.container(horizontal=True)
        row.image(
            crop, caption=f"{role}'s input", output_format="PNG", width=_STRIP, alt=chosen.title
        )
        for name, stage in zip(checkpoint.model.stage_names, stages):
            rows, cells = stage.shape[-2:]
            row.image(
                overlay(crop, shown_attention(stage), opacity),
                caption=f"{name}, {rows} × {cells}",
                output_format="PNG",
                width=_STRIP,
                alt=f"Attention of the {role.lower()} at {name}",
            )


def show_penalty(pair: Pair, chosen: Chosen, look: Look) -> None:
    """Draw mask and penalties of one paired stage as q moves."""
    from kdcore.explain.attention_gap import attention_gap, mask_on_grid

    st.subheader("One stage: mask and penalties")
    left, middle, right = st.columns(3)
    with left:
        target = controls.choose_target(look.classes, look.first["Teacher"], look.names)
    with middle:
        stage = controls.choose_stage(pair)
    with right:
        q = controls.choose_q()
    teacher, student = look.predictions["Teacher"], look.predictions["Student"]
    gap = attention_gap(student.stages[stage], teacher.stages[stage])
    index = look.classes.index(target)
    values = cache.gradient_grid(pair.teacher, teacher, index, stage, chosen.sha256)
    mask = mask_on_grid(values, gap.penalty.shape, q)
    _pictures(pair, chosen, gap, mask, target)
    _numbers(gap, mask)


def _pictures(pair: Pair, chosen: Chosen, gap: AttentionGap, mask: Mask, target: str) -> None:
    from kdcore.charts.overlay import enlarge, mask_overlay
    from kdcore.explain import color_bar, overlay

    crop = enlarge(cache.crop(pair.student, chosen))
    shown = (
        (
            f"Teacher's causal mask for {target}, on the student's grid",
            mask_overlay(crop, mask, 0.75),
        ),
        ("Penalised by attention transfer", overlay(crop, gap.shown, 0.65)),
        ("Penalised by alignment (in the mask)", overlay(crop, gap.masked(mask), 0.65)),
    )
    for column, (caption, image) in zip(st.columns(3), shown):
        column.image(
            image, caption=caption, output_format="PNG", width="stretch", alt=f"{caption}, a map"
        )
    st.image(
        color_bar(640, 10),
        caption=f"Penalty of a position: 0 to {gap.maximum:.2g} on this stage",
        output_format="PNG",
        width="stretch",
        alt="Colour scale of the penalties",
    )


def _numbers(gap: AttentionGap, mask: Mask) -> None:
    from kdcore.base.words import percent

    rows, cells = gap.penalty.shape
    with st.container(horizontal=True):
        for label, value, help_text in (
            (
                "Attention transfer",
                f"{gap.transfer:.2e}",
                "Mean over positions of the squared difference of L2-normalised attention.",
            ),
            (
                "Masked alignment",
                f"{gap.alignment(mask):.2e}",
                "The same mean, inside the mask only.",
            ),
            (
                "Penalty inside the mask",
                percent(gap.share_inside(mask)),
                f"Beside {percent(mask.mean())} of the positions that the mask holds.",
            ),
        ):
            st.metric(label, value, help=help_text, border=True, width=210)
    st.caption(
        f"Compared on the student's grid of {rows} × {cells}, of which the mask holds "
        f"{int(mask.sum())} cells, {percent(mask.mean())}. With β = 1000, attention transfer "
        f"adds {gap.weighted(1000):.2f} to the loss for this picture at this stage."
    )
