"""What a study lacks is named in one sentence."""

from __future__ import annotations

from kdcore.report.notes import not_measured


def test_not_measured() -> None:
    assert not_measured([]) == ""
    assert not_measured(["A, 96 px", "B"]) == "Not measured: A, 96 px; B."
    assert not_measured(["A"], ["B"]) == "Not measured: A; B (the study has other weights of it)."
    assert not_measured([], ["B"], "over seeds") == (
        "Not measured over seeds: B (the study has other weights of it)."
    )
