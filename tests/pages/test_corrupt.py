"""The Corrupt page: stacks of corruptions, what they change, links and bad links."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from tests.pages.conftest import words

Open = Callable[..., AppTest]
PAGE = "see/corrupt"


def test_a_corruption_and_its_severity(open_page: Open) -> None:
    app = open_page(PAGE)
    assert not app.exception
    assert app.selectbox(key="w:step0").value == "gaussian_noise"
    app.select_slider(key="w:severity0").set_value(5).run()
    assert "Gaussian noise 5 of 5" in words(app) and app.query_params["stack"] == "gaussian_noise-5"
    assert len(app.metric) == 2
    for metric in app.metric:
        verb, was = metric.delta.split(",")[0].split()
        assert verb == ("still" if metric.value.split()[0].rstrip(",") == was else "was")
    assert "severity" in words(app)


def test_stacks_grow_and_shrink(open_page: Open) -> None:
    app = open_page(PAGE)
    app.button(key="w:add").click().run()
    assert app.query_params["stack"] == "gaussian_noise-3+hair-3"
    app.segmented_control(key="w:varied").set_value("2").run()
    assert "of *hair*" in words(app) or "without *hair*" in words(app)
    app.button(key="w:less").click().run()
    assert app.query_params["stack"] == "gaussian_noise-3" and not app.exception


def test_a_corruption_with_fewer_severities(open_page: Open) -> None:
    app = open_page(PAGE, stack="jpeg-5")
    app.selectbox(key="w:step0").set_value("edge_contrast").run()
    assert not app.exception and app.query_params["stack"] == "edge_contrast-2"


def test_a_link_is_kept_and_a_bad_one_is_not(open_page: Open) -> None:
    app = open_page(PAGE, stack="hair-2+jpeg-4", maps="grad-cam")
    assert app.query_params["stack"] == "hair-2+jpeg-4"
    assert words(app).count("the two maps correlate") == 2
    for bad in ("snow-3", "hair-9", "hair", "+".join(["jpeg-1"] * 9)):
        app = open_page(PAGE, stack=bad)
        assert not app.exception, bad
