"""Where a network's time goes, layer by layer, as a table."""

from __future__ import annotations

from kdcore.deploy.profile import Profile
from kdcore.report.cells import Rows


def layer_rows(profile: Profile) -> Rows:
    """Return one row for each layer, the slowest first, and last what passes between layers."""
    whole = profile.milliseconds
    layers = sorted(profile.layers, key=lambda layer: -layer.milliseconds)
    body: Rows = [
        [
            layer.name,
            layer.kind,
            " × ".join(map(str, layer.output[1:])),
            layer.parameters,
            round(layer.macs / 1e6, 3),
            round(layer.milliseconds, 4),
            round(layer.milliseconds / whole, 4),
        ]
        for layer in layers
    ]
    rest = profile.elsewhere
    body.append(["between layers", "", "", 0, 0.0, round(rest, 4), round(rest / whole, 4)])
    return [["layer", "kind", "output", "parameters", "MACs, M", "ms", "share"], *body]


def layer_note(profile: Profile) -> str:
    """Return what the times are of."""
    pictures = "one picture" if profile.batch == 1 else f"{profile.batch} pictures"
    return (
        f"PyTorch eager on this machine's processor, {pictures} of {profile.side} × {profile.side} "
        f"px; medians of single layers, {profile.milliseconds:.2f} ms in all, what measuring takes "
        f"included. {profile.parameters / 1e6:.2f} M parameters, {profile.macs / 1e6:,.0f} M MACs."
    )
