"""The pages on class folders, MedMNIST files and LC25000: what they hold, and networks of them."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from kdcore.data import DATASETS, open_dataset
from kdcore.data.info import BY_IMAGE
from kdcore.models import Card, build_model, save_checkpoint
from tests.conftest import REPO
from tests.data.folder_makers import make_classes, make_covid, make_lc25000, make_medmnist
from tests.pages.conftest import words

Open = Callable[..., AppTest]
CLASSES = ("cat", "guinea_pig", "ox")


@pytest.fixture
def on_data(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> Open:
    """`on_data(folder, page, **link)`: a page while a data set is configured."""

    def make(folder: Path, page: str = "build/data", **link: str) -> AppTest:
        monkeypatch.setenv("DISTILSCOPE_DATA", str(folder))
        return open_page(page, **link)

    return make


@pytest.fixture
def pets(page_checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_page: Open):
    """A folder of pictures, and a pair of networks of it beside the pair of HAM10000."""
    data = make_classes(tmp_path / "pets", CLASSES, 30)
    info = open_dataset(data).info
    root = tmp_path / "checkpoints"
    shutil.copytree(page_checkpoints, root)
    for role in ("teacher", "student"):
        card = Card(f"pets-{role}", role, "cnn2", info.classes, 32, info.mean, info.std)
        card = dataclasses.replace(card, title=f"Pets {role}", metrics={"val": {"macro_f1": {
            "value": 0.99}}})  # fmt: skip
        save_checkpoint(root / card.name, build_model("cnn2", 3), card)
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(root))
    return data


def test_the_data_page_on_class_folders(on_data: Open, tmp_path: Path) -> None:
    app = on_data(make_classes(tmp_path / "pets", CLASSES, 20))
    assert not app.exception and not app.error
    assert {m.label: m.value for m in app.metric} == {"Images": "60", "Classes": "3"}
    said = words(app)
    assert "pets, read from" in said and "Nothing says which pictures" in said
    assert "nothing says which pictures belong together" in said
    assert app.dataframe[0].value["train"].tolist() == [14] * 3
    for name in ("HAM10000", "CIFAR", "MedMNIST", "COVID-QU-Ex", "LC25000", "any pictures"):
        assert f"- **{name}:**" in said


def test_the_data_page_on_the_other_layouts(on_data: Open, tmp_path: Path) -> None:
    made = {
        "LC25000": make_lc25000(tmp_path / "lc"),
        "COVID-QU-Ex": make_covid(tmp_path / "covid"),
        "PathMNIST": make_medmnist(tmp_path / "pathmnist_64.npz", DATASETS["pathmnist"], 64),
    }
    for name, folder in made.items():
        app = on_data(folder)
        assert not app.exception and not app.error
        assert f"{name}, read from" in words(app)
        cautions = [w.value for w in app.warning]
        assert bool(cautions) == (name != "PathMNIST")
    assert "1,250 original" in " ".join(w.value for w in on_data(made["LC25000"]).warning)


def test_what_can_not_be_read_is_told(on_data: Open, tmp_path: Path) -> None:
    (tmp_path / "pathmnist.npz").write_bytes(b"PK cut short")
    app = on_data(tmp_path)
    assert not app.exception
    assert "pathmnist.npz is not a whole MedMNIST file" in app.error[0].value


def test_networks_of_ham10000_come_first(pets: Path, on_data: Open) -> None:
    app = on_data(pets, "see/explain")
    assert not app.exception
    assert app.selectbox(key="w:teacher").value == "tiny-teacher"
    assert app.selectbox(key="w:student").options == ["Tiny student"]
    assert app.selectbox(key="w:teacher").options[1] == "Pets teacher · 3 other classes"


def test_start_and_demo_stay_with_lesions(pets: Path, on_data: Open) -> None:
    demo = on_data(pets, "see/demo", teacher="pets-teacher")
    assert not demo.exception and not demo.error
    assert "drawing, nobody's skin" in words(demo)
    start = AppTest.from_file(str(REPO / "streamlit_app.py"), default_timeout=120).run()
    assert not start.exception and not start.error
    assert list(start.dataframe[0].value["model"]) == ["Tiny teacher", "Tiny student"]


@pytest.mark.parametrize("page", ["see/explain", "see/attention", "see/temperature"])
def test_looking_at_a_picture_of_the_folder(pets: Path, on_data: Open, page: str) -> None:
    app = on_data(pets, page, teacher="pets-teacher", source="data")
    assert not app.exception and not app.error
    assert app.selectbox(key="w:student").value == "pets-student"
    assert app.selectbox(key="w:dx").options == ["all", *CLASSES]
    if page == "see/explain":
        told = [m.label.partition(": ")[2] or m.value.split()[0] for m in app.metric]
        assert len(told) == 2 and set(told) <= set(CLASSES)
    assert "drawn" not in [o.lower() for o in _sources(app)]


def test_corrupting_a_picture_of_the_folder(pets: Path, on_data: Open) -> None:
    app = on_data(pets, "see/corrupt", teacher="pets-teacher", source="data", maps="grad-cam")
    assert not app.exception and not app.error
    assert all(m.value.split()[0] in CLASSES for m in app.metric)


def test_networks_of_a_folder_and_another_data_set(
    pets: Path, on_data: Open, ham_folder: Path
) -> None:
    app = on_data(ham_folder, "see/explain", teacher="pets-teacher", source="data")
    assert not app.exception
    assert "trained on the classes cat, guinea_pig, ox" in app.error[0].value


def test_a_folder_can_be_trained_on(pets: Path, on_data: Open) -> None:
    app = on_data(pets, "build/train", preset="baseline")
    assert not app.exception and not app.error
    assert app.session_state["w:f-dataset"] == "imagefolder"
    assert app.session_state["w:f-split"] == BY_IMAGE
    assert app.session_state["w:f-augmentation"] == "cifar"


def _sources(app: AppTest) -> list[str]:
    found = app.get("button_group")
    return [o.content for group in found for o in group.proto.options]
