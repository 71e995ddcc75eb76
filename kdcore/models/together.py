"""Which networks may stand together in one study: of other names each, and of the same classes."""

from __future__ import annotations

from collections.abc import Iterable

from kdcore.base import CheckpointError
from kdcore.models.card import Card


def check_names(cards: Iterable[Card]) -> None:
    """Raise CheckpointError if two networks have one name: records could not tell them apart."""
    names = [card.name for card in cards]
    if len(set(names)) < len(names):
        raise CheckpointError("Two of the networks have one name.", "Name each of them once.")


def check_classes(cards: Iterable[Card]) -> None:
    """Raise CheckpointError if a network has other classes than the first, or another order."""
    first, *others = cards
    for card in others:
        if card.classes != first.classes:
            raise CheckpointError(
                f"{first.name} and {card.name} were trained on different classes, or on the same "
                "in another order.",
                "Choose networks of the same classes.",
            )
