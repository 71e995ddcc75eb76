"""Records of benchmarks: round trips, every broken field named, import, export, delete."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest

from kdcore.base import DataError, state_folder
from kdcore.deploy.latency_record import MOST_SAMPLES, Benchmark, from_json, timing_of, to_json
from kdcore.deploy.latency_store import (
    delete_benchmark,
    import_benchmark,
    keep_benchmark,
    latency_folder,
    list_benchmarks,
    load_benchmark,
)
from tests.deploy.fakes import FakeTime, benchmark, runner


@pytest.fixture(scope="module")
def found() -> Benchmark:
    return benchmark()


def test_round_trip(found):
    kept = keep_benchmark(found)
    assert kept.path.parent == state_folder() / "latency"
    again = load_benchmark(kept.path)
    assert again == kept and not again.imported
    assert to_json(again.benchmark) == to_json(found) == kept.path.read_text()
    assert keep_benchmark(found).path == kept.path
    assert [k.name for k in list_benchmarks()[0]] == [kept.name]
    assert not [p for p in kept.path.parent.iterdir() if p != kept.path], "nothing half-written"


def test_what_is_not_defined_comes_back_as_such():
    time = FakeTime()
    one = runner(time, "small", 0.01)
    one.blocks.append(one.run_block(time.clock(), 1))
    made = replace(benchmark(), timings=(timing_of(one),))
    text = to_json(made)
    assert "NaN" not in text
    assert to_json(from_json(text, "f")) == text
    assert from_json(text, "f").timings[0].summary.spread == float("inf")


def test_samples_are_capped_and_the_file_is_small(found):
    assert max(len(t.samples) for t in found.timings) <= MOST_SAMPLES
    assert max(t.summary.calls for t in found.timings) > 100
    assert len(to_json(found)) < 500_000


def test_nothing_of_this_machine_is_told(found):
    import socket

    text = to_json(found)
    assert socket.gethostname() not in text and str(state_folder()) not in text


CHANGES = {
    "kind": ("kind", "another"),
    "schema": ("schema", 99),
    "no benchmark": ("benchmark", None),
    "benchmark.timings": ("benchmark.timings", []),
    "benchmark.took": ("benchmark.took", "long"),
    "benchmark.conditions.date": ("benchmark.conditions.date", "yesterday"),
    "benchmark.conditions.machine.processor": ("benchmark.conditions.machine.processor", 7),
    "benchmark.conditions.machine.cores": ("benchmark.conditions.machine.cores", 0),
    "benchmark.conditions.threads": ("benchmark.conditions.threads", True),
    "benchmark.timings[1].summary.p50": ("benchmark.timings.1.summary.p50", -1),
    "benchmark.timings[1].summary.mean": ("benchmark.timings.1.summary.mean", None),
    "benchmark.timings[0].summary.p90": ("benchmark.timings.0.summary.p90", 1e9),
    "benchmark.timings[0].summary.calls": ("benchmark.timings.0.summary.calls", 1.5),
    "benchmark.timings[0].contender.batch": ("benchmark.timings.0.contender.batch", 0),
    "benchmark.timings[0].contender.end_to_end": ("benchmark.timings.0.contender.end_to_end", 1),
    "benchmark.timings[0].samples[2]": ("benchmark.timings.0.samples.2", "x"),
    "benchmark.timings[0].samples": ("benchmark.timings.0.samples", []),
    "benchmark.timings[0].network": ("benchmark.timings.0.parts.network", 0),
    "benchmark.timings[0].images_per_second": ("benchmark.timings.0.images_per_second", None),
    "benchmark.left_out": ("benchmark.left_out", "text"),
    "benchmark.extra": ("benchmark.extra", 1),
}


@pytest.mark.parametrize("told", CHANGES)
def test_a_wrong_field_is_named(found, told):
    path, value = CHANGES[told]
    record = json.loads(to_json(found))
    place, *rest = path.split(".")
    at = record
    for name in rest:
        at = at[int(place)] if isinstance(at, list) else at[place]
        place = name
    at[int(place) if isinstance(at, list) else place] = value
    with pytest.raises(DataError) as error:
        from_json(json.dumps(record), "mine.json")
    assert "mine.json" in error.value.problem
    assert told.split(".")[0] not in ("benchmark",) or told in error.value.problem


def test_each_missing_field_is_named(found):
    record = json.loads(to_json(found))
    for name in record["benchmark"]:
        broken = copy.deepcopy(record)
        del broken["benchmark"][name]
        with pytest.raises(DataError, match=f"benchmark.{name}"):
            from_json(json.dumps(broken), "f.json")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[1, 2]", b'"text"', b"null", b"\xff\xfe", b"[" * 100_000, b"{}"]
)
def test_what_is_no_benchmark(data):
    with pytest.raises(DataError, match=r"mine\.json"):
        import_benchmark(data, "mine.json")
    assert list_benchmarks() == ([], [])


def test_too_large(monkeypatch):
    monkeypatch.setattr("kdcore.deploy.latency_store.MOST_BYTES", 10)
    with pytest.raises(DataError, match="at most"):
        import_benchmark(b" " * 11, "mine.json")


def test_import_is_marked_and_only_once(found):
    data = to_json(found).encode()
    kept = import_benchmark(data, "../../evil.json")
    assert kept.imported and kept.path.parent == latency_folder() / "imported"
    assert list_benchmarks()[0] == [kept]
    with pytest.raises(DataError, match="here already"):
        import_benchmark(data, "again.json")
    other = import_benchmark(to_json(benchmark(seed=1)).encode(), "other.json")
    assert {k.name for k in list_benchmarks()[0]} == {kept.name, other.name}


def test_ones_own_is_not_imported(found):
    keep_benchmark(found)
    with pytest.raises(DataError, match="here already"):
        import_benchmark(to_json(found).encode(), "mine.json")


def test_a_corrupt_file_does_not_hide_the_others(found):
    kept = keep_benchmark(found)
    (kept.path.parent / "broken.json").write_text("{")
    listed, problems = list_benchmarks()
    assert [k.name for k in listed] == [kept.name]
    assert "broken.json" in problems[0].problem


def test_delete(found):
    kept = keep_benchmark(found)
    delete_benchmark(kept)
    delete_benchmark(kept)
    assert list_benchmarks() == ([], [])


def test_latest_first(found):
    later = replace(found, conditions=replace(found.conditions, date="2027-01-01T00:00:00+00:00"))
    keep_benchmark(later)
    keep_benchmark(found)
    dates = [k.benchmark.conditions.date[:4] for k in list_benchmarks()[0]]
    assert dates == ["2027", "2026"]
