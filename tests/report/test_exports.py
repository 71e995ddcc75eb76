"""Tables and sentences of exported files: what is lost is told, and how sure that is."""

from __future__ import annotations

from typing import Any

import pytest

from kdcore.deploy.artefact import Artefact
from kdcore.deploy.check import Check
from kdcore.report.exports import (
    artefact_title,
    by_kind,
    check_note,
    check_rows,
    kept_sentence,
    loss_sentence,
    quality_note,
    score_rows,
)


def artefact(precision: str = "int8", change: Any = None, **fields: Any) -> Artefact:
    quality = {} if change is None else {
        "split": "test", "n": 1349, "n_groups": 1001, "data": "HAM10000", "macro_f1": 0.5,
        "ece": 0.03, "agreement": 0.96, "network": {"macro_f1": 0.52, "ece": 0.02},
        "macro_f1_change": dict(zip(("value", "low", "high"), change)),
        "interval": "95 % of 1000 resamples",
    }  # fmt: skip
    more = {
        "file": f"x-{precision}.onnx", "format": "onnx", "folded": False, "checkpoint": "x",
        "checkpoint_hash": "0" * 64, "size": 2_600_000, "sha256": "1" * 64, "opset": 18,
        "check": Check(100, 0.89, 0.12, 0.91, 0.35), "versions": {},
        "notes": {"checked_on": "training images"},
    }  # fmt: skip
    return Artefact(**({"precision": precision, "quality": quality} | more | fields))


def test_a_sure_loss() -> None:
    found = artefact(change=(-0.02, -0.034, -0.006))
    assert loss_sentence(found) == (
        "ONNX, INT8 loses: its macro-F1 is 0.500 where the network has 0.520, a change of "
        "−0.020 [−0.034, −0.006], and 4.0 % of its answers differ (test part, n = 1,349 images)."
    )
    assert kept_sentence(found) == ""


@pytest.mark.parametrize("change", [(-0.02, -0.05, 0.01), (-0.02, None, None)])
def test_a_large_loss_that_may_be_chance(change: tuple[Any, ...]) -> None:
    assert loss_sentence(artefact(change=change)).endswith("that may be chance.")


def test_a_small_but_sure_loss_is_told() -> None:
    assert "loses" in loss_sentence(artefact(change=(-0.004, -0.007, -0.001)))


@pytest.mark.parametrize("change", [(0.0, 0.0, 0.0), (0.01, -0.01, 0.03), (-0.009, -0.02, 0.01)])
def test_no_loss(change: tuple[float, ...]) -> None:
    assert loss_sentence(artefact(change=change)) == ""
    assert "no loss that could be told from chance" in kept_sentence(artefact(change=change))
    assert kept_sentence(artefact("float32", change)) == ""


def test_what_was_not_measured() -> None:
    found = artefact()
    assert loss_sentence(found) == kept_sentence(found) == quality_note([found]) == ""
    assert score_rows([found]) == []
    strange = artefact(quality={"macro_f1_change": {"value": "much"}, "network": 3, "n": None})
    assert loss_sentence(strange) == "" and score_rows([strange])[1][1:4] == ["n/a"] * 3


def test_tables() -> None:
    found = [artefact(change=(-0.02, -0.034, -0.006)), artefact("float32", folded=True)]
    head, *rows = check_rows(found)
    assert len(rows) == 2 and {len(row) for row in rows} == {len(head)}
    assert rows[0] == ["ONNX, INT8", "normalised", 2.6, "8.9e-01", "1.2e-01", "0.35", "91 of 100"]
    assert rows[1][1] == "pixels"
    head, *rows = score_rows(found)
    assert rows == [["ONNX, INT8", "0.500", "−0.020 [−0.034, −0.006]", "0.030", "0.020", "96.0 %"]]
    assert len(head) == len(rows[0])
    assert "100 training images" in check_note(found)
    assert "n = 1,349" in quality_note(found) and "1000 resamples" in quality_note(found)


def test_titles_and_order() -> None:
    plain, pixels = artefact("float32"), artefact("float32", folded=True)
    script = artefact("float32", format="torchscript")
    assert artefact_title(pixels) == "ONNX, float32, from pixels, 2.6 MB"
    assert by_kind([script, artefact(), pixels, plain]) == [plain, pixels, artefact(), script]
