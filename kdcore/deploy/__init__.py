"""Checkpoints for other places: exported, quantised, checked, profiled and packed."""

from kdcore.deploy.artefact import Artefact, read_artefact, run_artefact, write_artefact
from kdcore.deploy.calibration import (
    calibration_samples,
    export_pictures,
    load_inputs,
    stratified_samples,
)
from kdcore.deploy.check import TOLERANCES, Check, check_engine, compare_logits, drawn_images
from kdcore.deploy.engines import Engine, open_engine, session_options
from kdcore.deploy.export import FORMATS, export_bytes
from kdcore.deploy.half import to_float16
from kdcore.deploy.make import Pictures, Target, make_artefacts
from kdcore.deploy.metadata import NOTICE, describe
from kdcore.deploy.package import package
from kdcore.deploy.profile import (
    Layer,
    PeakMemory,
    Profile,
    count_macs,
    peak_memory,
    profile_network,
)
from kdcore.deploy.quality import predict_artefacts
from kdcore.deploy.quantise import Quantised, quantise

__all__ = [
    "FORMATS",
    "NOTICE",
    "TOLERANCES",
    "Artefact",
    "Check",
    "Engine",
    "Layer",
    "PeakMemory",
    "Pictures",
    "Profile",
    "Quantised",
    "Target",
    "calibration_samples",
    "check_engine",
    "compare_logits",
    "count_macs",
    "describe",
    "drawn_images",
    "export_bytes",
    "export_pictures",
    "load_inputs",
    "make_artefacts",
    "open_engine",
    "package",
    "peak_memory",
    "predict_artefacts",
    "profile_network",
    "quantise",
    "read_artefact",
    "run_artefact",
    "session_options",
    "stratified_samples",
    "to_float16",
    "write_artefact",
]
