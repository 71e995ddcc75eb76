"""Explanations of one image: activation maps, attributions, attention, causal masks, figures."""

from kdcore.explain.attention import attention, attention_grids
from kdcore.explain.attribution import integrated_gradients, occlusion
from kdcore.explain.baseline_maps import (
    BASELINE_MAPS,
    baseline_maps,
    centre_map,
    edge_map,
    random_map,
    uniform_map,
)
from kdcore.explain.causal_mask import (
    InterventionTest,
    causal_mask,
    intervention_test,
    random_regions,
    remove_region,
    top_fraction,
)
from kdcore.explain.check_pair import PairTrust, check_pair, trust_facts
from kdcore.explain.everything import (
    Everything,
    estimate_everything,
    everything_in_steps,
    explain_everything,
)
from kdcore.explain.explain_pair import (
    Explanation,
    MaskCount,
    PairExplanation,
    explain_one,
    explain_pair,
    explain_steps,
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
from kdcore.explain.faithfulness import Faithfulness, faithfulness
from kdcore.explain.grad_cam import grad_cam, grad_cam_grid
from kdcore.explain.judge import Check, Trust, judge
from kdcore.explain.lesion_share import LesionShare, lesion_share
from kdcore.explain.localisation import Localisation, localisation
from kdcore.explain.map_agreement import agreement, agreements
from kdcore.explain.maps import difference_map, pixel_ranks, scale_unit, upsample
from kdcore.explain.methods import METHODS, Method, methods_for
from kdcore.explain.more_cams import eigen_cam, grad_cam_pp, layer_cam
from kdcore.explain.overlay import COLORMAPS, color_bar, colorize, difference_image, overlay
from kdcore.explain.panel import panel_png, panel_svg
from kdcore.explain.road import Road, road
from kdcore.explain.rollout import attention_rollout
from kdcore.explain.score_cam import (
    ScoreCamStep,
    estimate_seconds,
    fast_score_cam,
    refine_score_cam,
    score_cam,
)
from kdcore.explain.sensitivity import (
    OtherClasses,
    Sensitivity,
    other_classes,
    randomisation,
    sensitivity,
)
from kdcore.explain.similarity import Similarity, similarity
from kdcore.explain.trust import check_map

__all__ = [
    "BASELINE_MAPS",
    "COLORMAPS",
    "METHODS",
    "Check",
    "Everything",
    "Explanation",
    "Faithfulness",
    "InterventionTest",
    "LesionShare",
    "Localisation",
    "MaskCount",
    "Method",
    "OtherClasses",
    "PairExplanation",
    "PairTrust",
    "Road",
    "ScoreCamStep",
    "Sensitivity",
    "Similarity",
    "Trust",
    "agreement",
    "agreements",
    "attention",
    "attention_grids",
    "attention_rollout",
    "baseline_maps",
    "causal_mask",
    "centre_map",
    "check_map",
    "check_pair",
    "color_bar",
    "colorize",
    "difference_image",
    "difference_map",
    "edge_map",
    "eigen_cam",
    "estimate_everything",
    "estimate_seconds",
    "everything_else",
    "everything_in_steps",
    "explain_everything",
    "explain_one",
    "explain_pair",
    "explain_steps",
    "export_files",
    "export_zip",
    "faithfulness",
    "fast_score_cam",
    "file_stem",
    "grad_cam",
    "grad_cam_grid",
    "grad_cam_pp",
    "integrated_gradients",
    "intervention_test",
    "join",
    "judge",
    "layer_cam",
    "lesion_share",
    "localisation",
    "manifest_json",
    "maps_npz",
    "methods_for",
    "occlusion",
    "other_classes",
    "overlay",
    "panel_png",
    "panel_svg",
    "pixel_ranks",
    "random_map",
    "random_regions",
    "randomisation",
    "refine_score_cam",
    "remove_region",
    "road",
    "scale_unit",
    "score_cam",
    "sensitivity",
    "similarity",
    "top_fraction",
    "trust_facts",
    "uniform_map",
    "upsample",
]
