"""Explanations of one image: Score-CAM, Grad-CAM, attention, causal masks, and their figures."""

from kdcore.explain.attention import attention, attention_grids
from kdcore.explain.causal_mask import (
    InterventionTest,
    causal_mask,
    intervention_test,
    random_regions,
    remove_region,
    top_fraction,
)
from kdcore.explain.everything import Everything, estimate_everything, explain_everything
from kdcore.explain.explain_pair import (
    Explanation,
    PairExplanation,
    explain_one,
    explain_pair,
    join,
)
from kdcore.explain.export import (
    everything_else,
    export_files,
    export_zip,
    file_stem,
    manifest_json,
    maps_npz,
)
from kdcore.explain.grad_cam import grad_cam, grad_cam_grid
from kdcore.explain.map_agreement import agreement
from kdcore.explain.maps import difference_map, scale_unit, upsample
from kdcore.explain.methods import METHODS, Method
from kdcore.explain.overlay import COLORMAPS, color_bar, colorize, difference_image, overlay
from kdcore.explain.panel import panel_png, panel_svg
from kdcore.explain.score_cam import estimate_seconds, score_cam

__all__ = [
    "COLORMAPS",
    "METHODS",
    "Everything",
    "Explanation",
    "InterventionTest",
    "Method",
    "PairExplanation",
    "agreement",
    "attention",
    "attention_grids",
    "causal_mask",
    "color_bar",
    "colorize",
    "difference_image",
    "difference_map",
    "estimate_everything",
    "estimate_seconds",
    "everything_else",
    "explain_everything",
    "explain_one",
    "explain_pair",
    "export_files",
    "export_zip",
    "file_stem",
    "grad_cam",
    "grad_cam_grid",
    "intervention_test",
    "join",
    "manifest_json",
    "maps_npz",
    "overlay",
    "panel_png",
    "panel_svg",
    "random_regions",
    "remove_region",
    "scale_unit",
    "score_cam",
    "top_fraction",
    "upsample",
]
