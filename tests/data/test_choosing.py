"""The first few samples, in an order that is mixed and the same everywhere."""

from __future__ import annotations

import hashlib

from kdcore.data import Sample, first_by_hash


def test_the_first_by_hash():
    samples = [Sample(f"ISIC_{k:07d}", f"HAM_{k // 2}", "nv", k // 50) for k in range(100)]
    found = first_by_hash(samples)
    digests = [hashlib.sha256(f"0/{s.image_id}".encode()).digest()[:8] for s in found]
    assert digests == sorted(digests) and set(found) == set(samples)
    assert first_by_hash(reversed(samples), 10) == found[:10]
    assert {s.label for s in found[:10]} == {0, 1}
