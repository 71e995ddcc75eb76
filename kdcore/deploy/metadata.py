"""What an exported file says of itself: enough to use it right, and not for what it is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from kdcore import __version__
from kdcore.base import sha256_bytes
from kdcore.models import Card, Checkpoint

NOTICE = (
    "Not for diagnosis. A demonstration and a research tool, not a medical device: do not decide "
    "on anyone's health with it."
)
KEY = "distilscope"  # before every name, as other programs write metadata of their own
EMBEDDED = "distilscope.json"  # the file inside TorchScript and torch.export archives


def describe(checkpoint: Checkpoint, precision: str, folded: bool) -> dict[str, str]:
    """Return what is written into every exported file, as texts; lists are JSON.

    Parameters
    ----------
    checkpoint : what is exported
    precision : "float32", "float16" or "int8"
    folded : whether the file takes pixels and normalises them itself
    """
    card = checkpoint.card
    return {
        "checkpoint": card.name,
        "weights_sha256": checkpoint.hash,
        "card_sha256": card_sha256(card),
        "architecture": ", ".join(card.members) or card.architecture,
        "classes": json.dumps(card.classes),
        "input_size": str(card.input_size),
        "mean": json.dumps(card.mean),
        "std": json.dumps(card.std),
        "temperature": repr(float(card.temperature)),
        "precision": precision,
        "input": "pixels uint8 (N, H, W, 3) RGB" if folded else "images float32 (N, 3, H, W)",
        "licence": card.licence,
        "notice": NOTICE,
        "distilscope": __version__,
    }


def card_sha256(card: Card) -> str:
    """Return the SHA-256 of a card's content, however its file is laid out."""
    return sha256_bytes(json.dumps(asdict(card), sort_keys=True, ensure_ascii=False).encode())


def is_folded(metadata: Mapping[str, str]) -> bool:
    """Return whether a file with this `describe`d metadata takes pixels."""
    return metadata["input"].startswith("pixels")
