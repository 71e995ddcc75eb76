"""What a checkpoint costs that is in no record: from its card, and the files made here for it."""

from __future__ import annotations

from pathlib import Path

import torch

from kdcore.base import sha256_file
from kdcore.deploy.efficiency import ModelCost, Variant
from kdcore.deploy.latency_engines import ENGINES, cached_file
from kdcore.deploy.profile import count_macs
from kdcore.models import make_model, read_card
from kdcore.models.checkpoint import WEIGHTS
from kdcore.models.size import parameter_count


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
    return ModelCost(
        name=card.name,
        title=card.title or card.name,
        role=card.role,
        architecture=", ".join(card.members) or card.architecture,
        input_size=card.input_size,
        temperature=card.temperature,
        weights=card.weights_sha256,
        parameters=parameter_count(card),
        macs=count_macs(network, card.input_size),
        variants=tuple(
            Variant(engine, path.stat().st_size, sha256_file(path), None, None, {})
            for engine, path in files.items()
            if path.is_file()
        ),
    )
