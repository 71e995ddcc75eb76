"""Corruptions: what a camera, a file or a dermatoscope does to a picture, in severities.

Seeded, deterministic, with NumPy and Pillow alone. Importing the package fills `CORRUPTIONS`;
the order of the imports is the order in which they are listed.
"""

# isort: off
from kdcore.data.corruptions import noise, blur, colour, digital  # noqa: F401
from kdcore.data.corruptions import device, hair, ruler, ink, gel, characters  # noqa: F401
from kdcore.data.corruptions import edge_study  # noqa: F401

# isort: on
from kdcore.data.corruptions.corruption import (
    CORRUPTIONS,
    EDGE_STUDY,
    GROUPS,
    REFERENCE_SIDE,
    VERSION,
)
from kdcore.data.corruptions.stack import (
    CLEAN,
    Stack,
    Step,
    corrupt,
    image_seed,
    parse_stack,
    reference_square,
    stack_name,
)

__all__ = [
    "CLEAN",
    "CORRUPTIONS",
    "EDGE_STUDY",
    "GROUPS",
    "REFERENCE_SIDE",
    "VERSION",
    "Stack",
    "Step",
    "corrupt",
    "image_seed",
    "parse_stack",
    "reference_square",
    "stack_name",
]
