"""What a checkpoint costs that is in no record: from its card, and the files made here for it."""

from __future__ import annotations

from pathlib import Path

import torch

from kdcore.base import sha256_file
from kdcore.deploy.efficiency import ModelCost, Variant
from kdcore.deploy.latency_engines import ENGINES, cached_file
from kdcore.models import make_model, read_card
from kdcore.models.checkpoint import WEIGHTS


def local_cost(folder: Path) -> ModelCost:
    """Return the costs of the checkpoint in `folder` that can be told without running it.

    Its forms are the network and what a latency benchmark has exported here; they have no quality
    of their own, no memory, and none is recommended.

    Raises
    ------
    CheckpointError
        If the card can't be read.
    """
    card = read_card(folder)
    files = {"eager": Path(folder) / WEIGHTS}
    files |= {e: cached_file(card.weights_sha256, e) for e in ENGINES if e != "eager"}
    with torch.device("meta"):
        network = make_model(card)
    return ModelCost.of(
        card,
        network,
        (
            Variant(engine, path.stat().st_size, sha256_file(path), None, None, {})
            for engine, path in files.items()
            if path.is_file()
        ),
    )
