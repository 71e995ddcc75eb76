"""Networks with explicit stages, and checkpoints with cards."""

from kdcore.models.build import ARCHITECTURES, build_model, refused_sides
from kdcore.models.card import (
    CARD,
    Card,
    card_order,
    list_checkpoints,
    read_card,
    strength,
    write_card,
)
from kdcore.models.checkpoint import Checkpoint, load_checkpoint, make_model, save_checkpoint
from kdcore.models.ensemble import Ensemble
from kdcore.models.importing import (
    copy_checkpoint,
    delete_checkpoint,
    find_copy,
    import_checkpoint,
)
from kdcore.models.output import Classifier, Output
from kdcore.models.relevance import stage_relevance
from kdcore.models.together import check_classes, check_names
from kdcore.models.weights import read_state_dict

__all__ = [
    "ARCHITECTURES",
    "CARD",
    "Card",
    "Checkpoint",
    "Classifier",
    "Ensemble",
    "Output",
    "build_model",
    "card_order",
    "check_classes",
    "check_names",
    "copy_checkpoint",
    "delete_checkpoint",
    "find_copy",
    "import_checkpoint",
    "list_checkpoints",
    "load_checkpoint",
    "make_model",
    "read_card",
    "read_state_dict",
    "refused_sides",
    "save_checkpoint",
    "stage_relevance",
    "strength",
    "write_card",
]
