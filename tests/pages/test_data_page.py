"""The Data page: which data set, its pictures, what leaks, what is known, and downloads."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from kdcore.data import CIFAR10, CIFAR100
from tests.conftest import REPO
from tests.data.cifar_makers import make_cifar
from tests.pages.conftest import words

Open = Callable[..., AppTest]
LEAKY = "image-level (leaky)"


@pytest.fixture
def on_data(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> Open:
    """`on_data(folder, **link)`: a session on the Data page of a data set."""

    def make(folder: Path, page: str = "build/data", **link: str) -> AppTest:
        monkeypatch.setenv("DISTILSCOPE_DATA", str(folder))
        app = AppTest.from_file(str(REPO / "pages" / f"{page}.py"), default_timeout=120)
        for name, value in link.items():
            app.query_params[name] = value
        return app.run()

    return make


def subheaders(app: AppTest) -> list[str]:
    return [element.value for element in app.subheader]


def pictures(app: AppTest) -> list[str]:
    return [url for element in app.get("image") for url in element.value]


def checked(app: AppTest) -> AppTest:
    """Press the leak check's button, wait for the job and see the page with its result."""
    app.button(key="w:leaks").click().run()
    job = app.session_state["job"]
    for _ in range(600):
        if job.over:
            break
        time.sleep(0.1)
    assert job.state == "done", job.error
    return app.run()


def test_ham10000(on_data: Open, ham_dataverse: Path) -> None:
    app = on_data(ham_dataverse)
    assert not app.exception
    assert not app.error
    assert subheaders(app) == [
        "Classes by part",
        "A look at the classes",
        "What leaks between the parts",
        "What the metadata knows",
    ]
    assert "HAM10000, read from" in words(app)
    assert "CC BY-NC" in words(app)
    assert "No lesion has pictures in two parts" in words(app)
    classes, parts, known = (frame.value for frame in app.dataframe)
    assert classes[["train", "val", "test"]].to_numpy().sum() == 84
    assert parts["lesions"].sum() == 56
    assert parts["share"].sum() == pytest.approx(1, abs=0.001)
    assert known.iloc[0].tolist() == ["all", 84, pytest.approx(70 / 84, abs=1e-4), 1, 1, 1]
    assert len(pictures(app)) == 7


def test_cifar_10(on_data: Open, tmp_path: Path) -> None:
    app = on_data(make_cifar(tmp_path, "zip"))
    assert not app.exception
    assert not app.error
    assert {m.label: m.value for m in app.metric} == {"Images": "250", "Classes": "10"}
    assert "metadata" not in " ".join(subheaders(app))
    assert "lesion" not in " ".join(c.lower() for f in app.dataframe for c in f.value.columns)
    assert app.dataframe[0].value["train"].tolist() == [18] * 10
    assert len(pictures(app)) == len(CIFAR10.classes)
    assert "None" not in words(app)


def test_cifar_100_shows_twenty_classes_at_a_time(on_data: Open, tmp_path: Path) -> None:
    app = on_data(make_cifar(tmp_path, "binary", CIFAR100), classes="nonsense")
    assert not app.exception
    assert len(pictures(app)) == 20
    first = pictures(app)
    last = app.selectbox(key="w:classes").options[-1]
    app.selectbox(key="w:classes").set_value(last).run()
    assert len(pictures(app)) == 20
    assert pictures(app) != first
    assert app.query_params["classes"] in (last, [last])


def test_the_same_pictures_until_others_are_asked_for(on_data: Open, ham_folder: Path) -> None:
    first = pictures(on_data(ham_folder))
    app = on_data(ham_folder)
    assert pictures(app) == first
    app.button(key="w:others").click().run()
    assert not app.exception
    assert pictures(app) != first


def test_the_leak_check_runs_as_a_job(on_data: Open, ham_folder: Path) -> None:
    app = checked(on_data(ham_folder))
    assert not app.exception
    assert "No near-duplicates in different parts among 84 pictures" in words(app)
    app.button(key="w:others").click().run()
    assert "No near-duplicates" in words(app), "a result outlives a rerun"
    app.segmented_control(key="w:datasplit").set_value(LEAKY).run()
    assert "No near-duplicates" not in words(app), "another split is another question"
    assert app.button(key="w:leaks")


def test_copies_are_shown(on_data: Open, make_ham: Callable[..., Path], tmp_path: Path) -> None:
    first, second = _copied(make_ham(tmp_path))
    app = checked(on_data(tmp_path))
    assert not app.exception
    assert "1 pairs of near-duplicates" not in words(app)
    assert "One pair of near-duplicates" in words(app)
    pairs = app.dataframe[2].value
    assert {pairs["first"][0], pairs["second"][0]} == {first, second}
    assert pairs["same group"][0] == "no"
    assert len(pictures(app)) == 7 + 1


def _copied(folder: Path) -> tuple[str, str]:
    """Make a test picture a copy of a training one and return their ids."""
    from kdcore.data import Ham10000

    data = Ham10000.open(folder)
    where = dict(zip(data.parts().tolist(), (s.image_id for s in data.samples)))
    files = {p.stem: p for p in folder.rglob("*.jpg")}
    first, second = where["train"], where["test"]
    files[second].write_bytes(files[first].read_bytes())
    return first, second


def test_a_leaky_split_is_told(on_data: Open, ham_folder: Path) -> None:
    app = on_data(ham_folder, datasplit=LEAKY)
    assert not app.exception
    assert "lesions have pictures in more than one part" in words(app)
    shared = next(f.value for f in app.dataframe if "lesion" in f.value.columns)
    assert (shared[["train", "val", "test"]].to_numpy() > 0).sum(1).min() == 2


@pytest.mark.parametrize("what", ["state", "name"])
def test_what_the_system_refuses_is_told(
    on_data: Open, ham_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DISTILSCOPE_STATE", str(tmp_path / "file/state"))
    app = on_data(ham_folder)
    app.text_input[0].set_value("/x" * 2500 if what == "name" else str(ham_folder))
    next(b for b in app.button if b.label == "Use this folder").click().run()
    assert not app.exception
    told = {"state": "Not a directory", "name": "File name too long"}
    assert told[what] in app.error[0].value


def test_a_cancelled_check_keeps_nothing(
    on_data: Open, ham_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(data: object, parts: object, progress: Callable[[int, int], None]) -> None:
        while True:
            progress(1, 100)
            time.sleep(0.01)

    monkeypatch.setattr("kdcore.data.leaks.check_leaks", slow)
    app = on_data(ham_folder)
    app.button(key="w:leaks").click().run()
    job = app.session_state["job"]
    job.stop.set()
    for _ in range(100):
        if job.over:
            break
        time.sleep(0.05)
    app.run()
    assert not app.exception
    assert "Cancelled" in words(app)
    assert app.button(key="w:leaks")


@pytest.mark.parametrize("link", [{"datasplit": "x", "leaks": "y"}, {"montage": "z", "w": "1"}])
def test_a_link_with_nonsense_falls_back(
    on_data: Open, ham_folder: Path, link: dict[str, str]
) -> None:
    app = on_data(ham_folder, **link)
    assert not app.exception
    assert not app.error
    app.button(key="w:others").click().run()
    assert not app.exception


def test_a_damaged_picture_is_told_and_the_rest_is_shown(
    on_data: Open, make_ham: Callable[..., Path], tmp_path: Path
) -> None:
    for path in make_ham(tmp_path).rglob("*.jpg"):
        path.write_bytes(b"no picture")
    app = on_data(tmp_path)
    assert not app.exception
    assert "is not a picture" in app.error[0].value
    assert "What the metadata knows" in subheaders(app)


def test_the_explain_page_says_that_cifar_has_no_lesions(on_data: Open, tmp_path: Path) -> None:
    app = on_data(make_cifar(tmp_path, "binary"), "see/explain", source="data")
    assert not app.exception
    assert "holds CIFAR-10, not HAM10000" in app.error[0].value
