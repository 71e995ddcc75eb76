"""Samples by part, and the first few in an order that is mixed and the same everywhere."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest

from kdcore.base import DataError
from kdcore.data import Ham10000, Sample, first_by_hash, samples_by_part


@pytest.mark.parametrize("how", [(), ("lesion-grouped", 3), ("image-level (leaky)", 1)])
def test_samples_by_part(ham_folder, how):
    data = Ham10000.open(ham_folder)
    found, parts = samples_by_part(data, *how), data.parts(*how)
    assert list(found) == ["train", "val", "test"]
    for part, samples in found.items():
        assert samples == [s for s, p in zip(data.samples, parts, strict=True) if p == part]
    assert sum(map(len, found.values())) == len(data.samples)


def test_a_split_that_is_not_there(ham_folder):
    with pytest.raises(DataError, match="split"):
        samples_by_part(Ham10000.open(ham_folder), "official")


def test_an_empty_part_is_there(ham_folder):
    data = Ham10000.open(ham_folder)
    few = dataclasses.replace(data, samples=data.samples[:1])
    assert sorted(map(len, samples_by_part(few).values())) == [0, 0, 1]


def test_the_first_by_hash():
    samples = [Sample(f"ISIC_{k:07d}", f"HAM_{k // 2}", "nv", k // 50) for k in range(100)]
    found = first_by_hash(samples)
    digests = [hashlib.sha256(f"0/{s.image_id}".encode()).digest()[:8] for s in found]
    assert digests == sorted(digests) and set(found) == set(samples)
    assert first_by_hash(reversed(samples), 10) == found[:10]
    assert {s.label for s in found[:10]} == {0, 1}
