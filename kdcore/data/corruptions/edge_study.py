"""The robustness grid of the HAM10000 edge study (ResNet-50 to three small students), exactly.

Its levels are milder than MedMNIST-C's in JPEG and contrast; they are kept apart so that figures
can be put beside that study's. Its Gaussian noise did nothing, by a wrong scale; this one does.
"""

from __future__ import annotations

from kdcore.data.corruptions.colour import contrast
from kdcore.data.corruptions.corruption import EDGE_STUDY, corruption
from kdcore.data.corruptions.digital import jpeg
from kdcore.data.corruptions.noise import gaussian_noise

corruption(
    "edge_noise", "Edge study: Gaussian noise", EDGE_STUDY,
    (0.1, 0.2, 0.3), "standard deviation on [0, 1]",
)(gaussian_noise)  # fmt: skip
corruption("edge_jpeg", "Edge study: JPEG", EDGE_STUDY, (90, 70, 50), "JPEG quality")(jpeg)
corruption("edge_contrast", "Edge study: contrast", EDGE_STUDY, (0.8, 0.6), "contrast factor")(
    contrast
)
