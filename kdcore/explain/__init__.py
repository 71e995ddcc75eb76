"""Explanations of one image: activation maps, attributions, attention, causal masks, figures."""

from kdcore.explain.attention import attention, attention_grids
from kdcore.explain.attribution import integrated_gradients, occlusion
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
from kdcore.explain.maps import agreement, difference_map, scale_unit, upsample
from kdcore.explain.methods import METHODS, Method
from kdcore.explain.more_cams import eigen_cam, grad_cam_pp, layer_cam
from kdcore.explain.overlay import COLORMAPS, color_bar, colorize, difference_image, overlay
from kdcore.explain.panel import panel_png, panel_svg
from kdcore.explain.rollout import attention_rollout
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
    "attention_rollout",
    "causal_mask",
    "color_bar",
    "colorize",
    "difference_image",
    "difference_map",
    "eigen_cam",
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
    "grad_cam_pp",
    "integrated_gradients",
    "intervention_test",
    "join",
    "layer_cam",
    "manifest_json",
    "maps_npz",
    "occlusion",
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
