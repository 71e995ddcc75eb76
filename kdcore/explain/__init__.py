"""Explanations of one image: activation maps, attributions, attention, causal masks, figures."""

from kdcore.explain.attribution import integrated_gradients, occlusion
from kdcore.explain.baseline_maps import random_map, uniform_map
from kdcore.explain.causal_mask import causal_mask, intervention_test, random_regions, remove_region
from kdcore.explain.check_pair import check_pair
from kdcore.explain.explain_pair import explain_one, explain_pair, explain_steps, join
from kdcore.explain.export import everything_else, export_files, export_zip, file_stem
from kdcore.explain.grad_cam import grad_cam_grid
from kdcore.explain.judge import judge
from kdcore.explain.lesion_share import lesion_share
from kdcore.explain.map_agreement import agreements
from kdcore.explain.maps import difference_map, pixel_ranks
from kdcore.explain.methods import METHODS, methods_for
from kdcore.explain.more_cams import eigen_cam, grad_cam_pp, layer_cam
from kdcore.explain.overlay import color_bar, colorize, difference_image, overlay
from kdcore.explain.panel import panel_png, panel_svg
from kdcore.explain.rollout import attention_rollout
from kdcore.explain.score_cam import fast_score_cam, refine_score_cam, score_cam
from kdcore.explain.trust import check_map

__all__ = [
    "METHODS",
    "agreements",
    "attention_rollout",
    "causal_mask",
    "check_map",
    "check_pair",
    "color_bar",
    "colorize",
    "difference_image",
    "difference_map",
    "eigen_cam",
    "everything_else",
    "explain_one",
    "explain_pair",
    "explain_steps",
    "export_files",
    "export_zip",
    "fast_score_cam",
    "file_stem",
    "grad_cam_grid",
    "grad_cam_pp",
    "integrated_gradients",
    "intervention_test",
    "join",
    "judge",
    "layer_cam",
    "lesion_share",
    "methods_for",
    "occlusion",
    "overlay",
    "panel_png",
    "panel_svg",
    "pixel_ranks",
    "random_map",
    "random_regions",
    "refine_score_cam",
    "remove_region",
    "score_cam",
    "uniform_map",
]
