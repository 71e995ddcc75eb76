"""Errors, checks, registry, seeding and settings: what every other room stands on."""

from kdcore.base.checks import check_labels, check_logits, check_probs
from kdcore.base.errors import (
    Cancelled,
    CheckpointError,
    DataError,
    ExportError,
    ImageError,
    KdError,
    RecipeError,
    SettingError,
    StudyError,
    error_text,
)
from kdcore.base.files import (
    BAD_NPZ,
    folder_bytes,
    group_hash,
    save_npz,
    sha256_bytes,
    sha256_file,
    write_atomically,
    write_bytes,
    write_text,
)
from kdcore.base.locks import hold
from kdcore.base.registry import Registry
from kdcore.base.seeding import numpy_generator, seed_everything, torch_generator
from kdcore.base.settings import (
    CHECKPOINTS_VARIABLE,
    DATA_VARIABLE,
    REPOSITORY,
    checkpoints_folder,
    data_folder,
    remember_data_folder,
    results_folder,
    runs_folder,
    state_folder,
)

__all__ = [
    "BAD_NPZ",
    "CHECKPOINTS_VARIABLE",
    "DATA_VARIABLE",
    "REPOSITORY",
    "Cancelled",
    "CheckpointError",
    "DataError",
    "ExportError",
    "ImageError",
    "KdError",
    "RecipeError",
    "Registry",
    "SettingError",
    "StudyError",
    "check_labels",
    "check_logits",
    "check_probs",
    "checkpoints_folder",
    "data_folder",
    "error_text",
    "folder_bytes",
    "group_hash",
    "hold",
    "numpy_generator",
    "remember_data_folder",
    "results_folder",
    "runs_folder",
    "save_npz",
    "seed_everything",
    "sha256_bytes",
    "sha256_file",
    "state_folder",
    "torch_generator",
    "write_atomically",
    "write_bytes",
    "write_text",
]
