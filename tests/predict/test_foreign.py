"""Predictions from CSV: what was written comes back, and every fault is told by file and row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kdcore.base import DataError
from kdcore.data import CIFAR10, HAM10000, LC25000
from kdcore.evaluate import evaluate_predictions
from kdcore.predict import Predictions, foreign_rows, read_foreign, to_csv
from kdcore.predict.foreign import FLOOR
from kdcore.predict.probabilities import softmax
from tests.evaluate.makers import make_predictions

HEAD = ["image_id", "label", "mel", "nv", "vasc"]
ROWS = [["a", "mel", "0.7", "0.2", "0.1"], ["b", "1", "0", "1", "0"]]
CLASSES = ("mel", "nv", "vasc")
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(head, *rows, delimiter=",")`: a CSV file."""

    def make(*rows: list[str], delimiter: str = ",", name: str = "p.csv") -> Path:
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
        (tmp_path / name).write_text(out.getvalue(), encoding="utf-8")
        return tmp_path / name

    return make


def test_probabilities_come_back(write: Write) -> None:
    (found,) = read_foreign(write(HEAD, *ROWS), CLASSES)
    expected = [[0.7, 0.2, 0.1], [FLOOR, 1, FLOOR]]
    np.testing.assert_allclose(softmax(found.logits), expected, rtol=3e-6)
    assert found.labels.tolist() == [0, 1]
    assert found.sample_ids.tolist() == found.group_ids.tolist() == ["a", "b"]
    assert (found.checkpoint, found.split, found.classes) == ("p", "all", CLASSES)
    notes = found.meta["notes"]
    assert "Images without a known lesion: 2 of 2." in notes
    assert "below 1e-12 that count as 1e-12: 2." in notes


def test_the_floor_keeps_the_order_and_the_loss_finite(write: Write) -> None:
    (found,) = read_foreign(write(HEAD, ["a", "mel", "0", "1", "1e-30"]), CLASSES)
    assert found.logits[0, 0] == found.logits[0, 2] == pytest.approx(np.log(FLOOR))
    assert evaluate_predictions(found, n_boot=0).metrics["nll"].value == pytest.approx(27.63, 1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_round_trip(tmp_path: Path, seed: int) -> None:
    before = make_predictions(200, seed, signal=6.0)
    sites = np.random.default_rng(seed).choice(["", "back, upper", 'the "face"'], 200)
    before = replace(before, attributes={"site": sites})
    (tmp_path / "student.csv").write_text(to_csv(before), encoding="utf-8")
    (after,) = read_foreign(tmp_path / "student.csv", split="test")
    np.testing.assert_allclose(softmax(after.logits), softmax(before.logits), atol=1e-6)
    for name in ("labels", "sample_ids", "group_ids"):
        assert np.array_equal(getattr(after, name), getattr(before, name)), name
    assert (after.classes, after.split) == (before.classes, "test")
    assert after.attributes["site"].tolist() == sites.tolist()
    assert after.meta["notes"] == ""
    first, second = (evaluate_predictions(p, n_boot=50) for p in (before, after))
    for name, value in first.metrics.items():
        other = second.metrics[name]
        assert (value.value, value.low) == pytest.approx((other.value, other.low), abs=1e-5), name


def test_no_images_are_a_head() -> None:
    none = np.array([], dtype=np.str_)
    empty = make_predictions(
        logits=np.zeros((0, 7), np.float32),
        labels=np.zeros(0, np.int64),
        sample_ids=none,
        group_ids=none,
    )
    assert to_csv(empty).splitlines() == [
        "image_id,lesion_id,label," + ",".join(f"prob_{c}" for c in HAM10000.classes)
    ]


def test_logits_are_taken_as_they_are(write: Write) -> None:
    rows = [["a", "0", "-3", "2.5", "1e2"]]
    for head in (HEAD, [*HEAD[:2], "logit_mel", "Logit_NV", "vasc"]):
        (found,) = read_foreign(write(head, *rows), CLASSES, logits=True)
        assert found.logits.tolist() == [[-3.0, 2.5, 100.0]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_kinds_of_csv(write: Write, delimiter: str, mark: bytes, end: bytes) -> None:
    path = write(HEAD, *ROWS, delimiter=delimiter)
    path.write_bytes(mark + path.read_bytes().replace(b"\n", end))
    (found,) = read_foreign(path, CLASSES)
    assert found.sample_ids.tolist() == ["a", "b"]


@pytest.mark.parametrize("sample", ["image_id", "id", "Sample_ID", "IMAGE"])
@pytest.mark.parametrize("label", ["label", "dx", "True", "target"])
@pytest.mark.parametrize("prefix", ["", "prob_", "P_"])
def test_names_of_columns(write: Write, sample: str, label: str, prefix: str) -> None:
    head = ["lesion_ID", label, *(f"{prefix}{c.upper()}" for c in CLASSES[::-1]), sample, "extra"]
    (found,) = read_foreign(write(head, ["L1", "NV", "0.1", "0.2", "0.7", "x", "?"]), CLASSES)
    np.testing.assert_allclose(softmax(found.logits), [[0.7, 0.2, 0.1]], rtol=1e-6)
    assert (found.sample_ids[0], found.group_ids[0], found.labels[0]) == ("x", "L1", 1)
    assert found.meta["notes"] == "Not read: extra."


def test_lesions_from_elsewhere(write: Write) -> None:
    (found,) = read_foreign(write(HEAD, *ROWS), CLASSES, groups={"a": "L7"})
    assert found.group_ids.tolist() == ["L7", "b"]
    assert "without a known lesion: 1 of 2" in found.meta["notes"]


def test_sums_that_are_nearly_one_are_scaled_and_said(write: Write) -> None:
    rows = [["a", "mel", "0.7003", "0.2", "0.1"], ["b", "nv", "-1e-9", "1.0000001", "0"]]
    (found,) = read_foreign(write(HEAD, *rows), CLASSES)
    assert softmax(found.logits)[0, 0] == pytest.approx(0.7003 / 1.0003)
    assert "Rows scaled to sum to 1: 1, by 3.0e-04 at most." in found.meta["notes"]


def test_known_classes_are_found_by_their_columns(write: Write) -> None:
    row = ["a", "0", *(["0.1"] * 10)]
    (found,) = read_foreign(write(["id", "label", *CIFAR10.classes[::-1]], row))
    assert found.classes == CIFAR10.classes
    row = ["a", "0", *(["0.2"] * 5)]  # of LC25000, whose lung classes are a data set, too
    (found,) = read_foreign(write(["id", "label", *LC25000.classes], row))
    assert found.classes == LC25000.classes


def test_a_folder_has_one_model_a_file(write: Write, tmp_path: Path) -> None:
    write(HEAD, *ROWS, name="second.csv")
    write(HEAD, *ROWS, name="first.csv", delimiter=";")
    (tmp_path / "notes.txt").write_text("not read")
    assert [p.checkpoint for p in read_foreign(tmp_path, CLASSES)] == ["first", "second"]


def test_a_folder_of_two_data_sets(write: Write, tmp_path: Path) -> None:
    for name, classes in (("a", HAM10000.classes), ("b", CIFAR10.classes)):
        shares = [str(1 / len(classes))] * len(classes)
        write(["id", "label", *classes], ["x", "0", *shares], name=f"{name}.csv")
    with pytest.raises(DataError, match=r"^b\.csv is of the classes airplane.*a\.csv of akiec"):
        read_foreign(tmp_path)


A = ROWS[0]
FAULTS: dict[str, tuple[list[list[str]], str]] = {
    "nan": ([HEAD, A, ["b", "nv", "nan", "1", "0"]], "row 3, column mel: 'nan' is not a finite"),
    "too large": (
        [HEAD, ["b", "nv", "0", "1", "1e39"]],
        "row 2, column vasc: '1e39' is not a finite",
    ),
    "infinite": ([HEAD, ["b", "nv", "0", "1", "inf"]], "row 2, column vasc: 'inf'"),
    "empty cell": ([HEAD, ["b", "nv", "0", "", "1"]], "row 2, column nv: '' is not a number"),
    "text": ([HEAD, ["b", "nv", "0", "0,5", "1"]], "row 2, column nv: '0,5' is not a number"),
    "negative": ([HEAD, A, ["b", "nv", "-0.2", "1", "0.2"]], "row 3, column mel: -0.2 is not a p"),
    "above one": ([HEAD, ["b", "nv", "0", "1.5", "0"]], "row 2, column nv: 1.5 is not a probab"),
    "sum": ([HEAD, A, ["b", "nv", "0.5", "0.5", "0.1"]], "row 3: the probabilities sum to 1.1,"),
    "label": ([HEAD, A, ["b", "wart", "0", "1", "0"]], "row 3, column label: 'wart' is no class"),
    "index": ([HEAD, ["b", "3", "0", "1", "0"]], "row 2, column label: '3' is no class"),
    "no label": ([HEAD, ["b", "", "0", "1", "0"]], "row 2, column label: '' is no class"),
    "repeated": ([HEAD, A, ROWS[1], A], "row 4, column image_id: 'a' is the id of row 2, too"),
    "no id": ([HEAD, ["", *A[1:]]], "row 2, column image_id: there is no id"),
    "blank rows": ([HEAD, [""] * 5, [], ["b", "x", "0", "1", "0"]], "row 4, column label"),
    "short row": ([HEAD, A, ["b", "nv", "0"]], "row 3 has 3 cells; the head has 5"),
    "long row": ([HEAD, [*A, "1"]], "row 2 has 6 cells; the head has 5"),
    "no id column": ([HEAD[1:], A[1:]], "row 1 has no column image_id or id"),
    "no label column": ([["id", *HEAD[2:]], [A[0], *A[2:]]], "row 1 has no column label or dx"),
    "no class column": ([HEAD[:-1], A[:-1]], "row 1 has no column vasc or prob_vasc"),
    "logit columns": ([[*HEAD[:4], "logit_vasc"], A], "row 1 has no column vasc or prob_vasc"),
    "twice": ([[*HEAD, "prob_mel"], [*A, "0"]], "row 1 has several columns for 'mel'"),
    "only a head": ([HEAD], "has a head and no rows"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_faults_are_told_by_file_and_row(write: Write, kind: str) -> None:
    rows, expected = FAULTS[kind]
    with pytest.raises(DataError, match=r"^p\.csv") as caught:
        read_foreign(write(*rows), CLASSES)
    assert expected in caught.value.problem
    assert caught.value.hint


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\n\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "is not text in UTF-8"),
        ("image_id,label\n".encode("utf-16"), "is not text in UTF-8"),
        (b"id\0,label\n", "row 1 is not a row of a table: it holds a zero byte"),
        (b'id,label,mel,nv,vasc\n"a,mel,1,0,0\n', "row 2 is not a row of a table"),
        (b"id,label,a,b\n", "row 1 has no column mel"),
    ],
)
def test_what_is_no_table(tmp_path: Path, data: bytes, expected: str) -> None:
    (tmp_path / "p.csv").write_bytes(data)
    with pytest.raises(DataError, match=r"^p\.csv") as caught:
        read_foreign(tmp_path / "p.csv", CLASSES)
    assert expected in caught.value.problem


def test_unknown_classes_have_to_be_said(write: Write) -> None:
    with pytest.raises(DataError, match="does not name the classes of a known data set"):
        read_foreign(write(HEAD, *ROWS))


def test_a_missing_and_a_large_file(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"^none\.csv can't be read: No such file"):
        read_foreign(tmp_path / "none.csv", CLASSES)
    with pytest.raises(DataError, match="holds no CSV file"):
        read_foreign(tmp_path, CLASSES)
    path = write(HEAD, *ROWS)
    with open(path, "ab") as file:
        file.truncate(foreign_rows.MAX_BYTES + 1)  # sparse: takes no room
    with pytest.raises(DataError, match="has 200 MB; at most 200 MB are read"):
        read_foreign(path, CLASSES)


def test_foreign_predictions_are_saved_like_others(write: Write, tmp_path: Path) -> None:
    (found,) = read_foreign(write(HEAD, *ROWS), CLASSES)
    found.save(tmp_path / "p.npz")
    again = Predictions.load(tmp_path / "p.npz")
    assert again.meta == found.meta
    assert len(again.checkpoint_hash) == 64
