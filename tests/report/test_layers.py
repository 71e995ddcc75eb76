"""The table of layers adds up to the whole pass and the whole network."""

import pytest

from kdcore.deploy.profile import count_macs, profile_network
from kdcore.models import build_model
from kdcore.report.layers import layer_note, layer_rows


def test_rows_add_up_and_the_slowest_leads():
    model = build_model("cnn2", 7).eval()
    profile = profile_network(model, 32, repeats=3)
    head, *rows = layer_rows(profile)
    assert head[-2:] == ["ms", "share"]
    times = [row[-2] for row in rows[:-1]]
    assert times == sorted(times, reverse=True)
    assert sum(row[-1] for row in rows) == pytest.approx(1, abs=1e-3)
    assert sum(row[3] for row in rows) == sum(p.numel() for p in model.parameters())
    assert sum(row[4] for row in rows) * 1e6 == pytest.approx(count_macs(model, 32), rel=0.01)
    assert rows[-1][0] == "between layers"
    assert "one picture of 32 × 32 px" in layer_note(profile)
