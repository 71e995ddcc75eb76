"""Both layouts are read alike, and each defect of a folder gives one clear sentence."""

from __future__ import annotations

import numpy as np
import pytest

from kdcore.base import DataError
from kdcore.data import HAM10000, Ham10000


def test_layouts_hold_the_same_samples(ham_folder, ham_dataverse):
    kaggle, dataverse = Ham10000.open(ham_folder), Ham10000.open(ham_dataverse)
    assert kaggle.samples == dataverse.samples
    first = kaggle.samples[0]
    assert (first.dx, first.label, first.age) == ("akiec", 0, None)
    assert len(kaggle.read(first.image_id)) > 100
    assert dataverse.read(first.image_id)[:2] == b"\xff\xd8"


def test_masks_where_present(ham_folder, ham_dataverse):
    kaggle, dataverse = Ham10000.open(ham_folder), Ham10000.open(ham_dataverse)
    image_id = kaggle.samples[0].image_id
    assert kaggle.masks == 0
    assert kaggle.mask(image_id) is None
    assert dataverse.masks == len(dataverse.samples)
    mask = dataverse.mask(image_id)
    assert mask.dtype == np.bool_
    assert 0.2 < mask.mean() < 0.35


def test_the_folder_above_works_too(ham_folder):
    assert Ham10000.open(ham_folder.parent).samples == Ham10000.open(ham_folder).samples


def _spoil(folder, change):
    path = folder / "HAM10000_metadata.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(change(lines)) + "\n")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda rows: [*rows, "HAM_9,ISIC_9999999,wart,histo,1,male,back"], "unknown diagnosis"),
        (lambda rows: [*rows, rows[1]], "more than once"),
        (lambda rows: [*rows, "HAM_9,ISIC_9999999,nv,histo,1,male,back"], "have no file"),
        (lambda rows: rows[:1], "has no rows"),
        (lambda rows: [], "can't be read as a table"),
        (lambda rows: [rows[0], rows[1].replace("HAM_0000", ""), *rows[2:]], "1 rows without les"),
        (lambda rows: [rows[0], rows[1].replace("ISIC_0000000", " "), *rows[2:]], "rows without i"),
        (lambda rows: [*rows, "HAM_9,ISIC_9999999"], "1 rows without dx"),
        (lambda rows: [rows[0].replace("dx,", "diagnosis,"), *rows[1:]], "no column 'dx'"),
    ],
)
def test_bad_metadata(make_ham, tmp_path, change, expected):
    _spoil(make_ham(tmp_path), change)
    with pytest.raises(DataError, match=expected) as raised:
        Ham10000.open(tmp_path)
    assert raised.value.hint


def test_ids_are_text_whatever_they_look_like(make_ham, tmp_path):
    _spoil(make_ham(tmp_path), lambda rows: [r.replace("HAM_", "0") for r in rows])
    assert Ham10000.open(tmp_path).samples[0].lesion_id == "00000"


def test_a_byte_order_mark_is_no_part_of_the_first_column(make_ham, ham_folder, tmp_path):
    path = make_ham(tmp_path) / "HAM10000_metadata.csv"
    path.write_text(path.read_text(), encoding="utf-8-sig")
    assert Ham10000.open(tmp_path).samples == Ham10000.open(ham_folder).samples


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding_is_named_as_what_is_wrong(make_ham, tmp_path, encoding):
    path = make_ham(tmp_path) / "HAM10000_metadata.csv"
    path.write_text(path.read_text().replace("back", "bäck"), encoding=encoding)
    with pytest.raises(DataError, match="save it as CSV, UTF-8"):
        Ham10000.open(tmp_path)


def test_an_age_that_is_no_number_is_a_gap(make_ham, tmp_path):
    _spoil(make_ham(tmp_path), lambda rows: [r.replace("45.0", "unknown") for r in rows])
    assert {s.age for s in Ham10000.open(tmp_path).samples} == {None}
    _spoil(tmp_path, lambda rows: [r.replace("unknown", "inf") for r in rows])
    assert {s.age for s in Ham10000.open(tmp_path).samples} == {None}


def test_missing_files_can_be_left_out(make_ham, tmp_path):
    _spoil(make_ham(tmp_path), lambda rows: [*rows, "HAM_9,ISIC_9999999,nv,histo,1,male,back"])
    data = Ham10000.open(tmp_path, skip_missing=True)
    assert "ISIC_9999999" not in {s.image_id for s in data.samples}


def test_a_broken_zip_is_named(make_ham, tmp_path):
    make_ham(tmp_path, "dataverse")
    (tmp_path / "HAM10000_images_part_1.zip").write_bytes(b"PK no zip")
    with pytest.raises(DataError, match="part_1.zip is not a whole zip"):
        Ham10000.open(tmp_path)


def test_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="No HAM10000_metadata"):
        Ham10000.open(tmp_path)


@pytest.mark.data
def test_the_real_data(real_data):
    assert len(real_data.samples) > 1000
    assert {s.dx for s in real_data.samples} == set(HAM10000.classes)
