"""The themes' colours can be read: what is written on them, and what is drawn on the page."""

from __future__ import annotations

import tomllib

import pytest

from tests.conftest import REPO

THEMES = tomllib.loads((REPO / ".streamlit/config.toml").read_text(encoding="utf-8"))["theme"]
GROUNDS = ("backgroundColor", "secondaryBackgroundColor")


def luminance(colour: str) -> float:
    """Relative luminance of "#RRGGBB" (WCAG 2.2)."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_of_known_colours() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_white_is_read_on_the_primary_colour_and_that_is_seen_on_the_page(theme: str) -> None:
    colours = THEMES[theme]
    assert contrast(colours["primaryColor"], "#FFFFFF") >= 4.5
    for ground in (colours[g] for g in GROUNDS):
        assert contrast(colours["primaryColor"], ground) >= 3
        assert contrast(colours["textColor"], ground) >= 4.5
        assert contrast(colours["linkColor"], ground) >= 4.5
    for ground in (colours["sidebar"][g] for g in GROUNDS):
        assert contrast(colours["primaryColor"], ground) >= 3
