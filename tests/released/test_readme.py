"""The README's table of released models says what their cards say."""

from __future__ import annotations

from kdcore.base import checkpoints_folder
from kdcore.models import list_checkpoints
from tests.conftest import REPO

SCORES = ("macro_f1", "balanced_accuracy", "accuracy", "ece")


def test_the_table_is_that_of_the_cards() -> None:
    expected = []
    for card in list_checkpoints(checkpoints_folder()):
        scores = [card.metrics["test"][name] for name in SCORES]
        cells = [f"{s['value']:.3f} [{s['low']:.3f}, {s['high']:.3f}]" for s in scores]
        expected.append(f"| {card.title} ({card.role}) | {' | '.join(cells)} |")
    text = (REPO / "README.md").read_text(encoding="utf-8")
    section = text[text.index("## Released models") : text.index("## Distil")]
    shown = [line for line in section.splitlines() if line.startswith("| ")]
    assert sorted(shown[1:]) == sorted(expected)
