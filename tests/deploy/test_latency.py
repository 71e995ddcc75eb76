"""Timing in turns: known delays on a fake clock, drift, order, threads restored, cancel."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from kdcore.base import Cancelled
from kdcore.deploy.latency import (
    MIN_ROUNDS,
    SETTLING,
    CudaClock,
    Live,
    Runner,
    label,
    measure,
)
from kdcore.deploy.latency_record import timing_of
from tests.deploy.fakes import FakeTime, contender, runner


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


def test_known_delays(time):
    runners = [runner(time, "big", 0.010), runner(time, "small", 0.002)]
    measure(runners, seconds=2.0, watch=time.clock)
    for one, ms in zip(runners, (10.0, 2.0)):
        found = one.summary()
        assert (found.mean, found.p50, found.low, found.high, found.p99) == pytest.approx((ms,) * 5)
        assert found.sd == pytest.approx(0, abs=1e-9)
        assert timing_of(one).images_per_second == pytest.approx(1000 / ms)


def test_steps_are_told_apart(time):
    steps = (("decode", time.step("decode", 0.004)), ("network", time.step("network", 0.001)))
    one = Runner(contender(), None, steps)
    measure([one], seconds=0.5, watch=time.clock)
    assert timing_of(one).parts == pytest.approx({"decode": 4.0, "network": 1.0})
    assert one.summary().p50 == pytest.approx(5.0)


def test_each_step_is_given_what_the_one_before_returned():
    steps = (("add", lambda x: x + 1), ("double", lambda x: 2 * x), ("seen", lambda x: seen.add(x)))
    seen: set[int] = set()
    measure([Runner(contender(), 3, steps)], seconds=0.001)
    assert seen == {8}


def test_first_call_of_a_block_is_not_counted(time):
    calls = 5
    one = runner(time, "small", [0.100] + [0.001] * calls)
    one.calls = calls
    block = one.run_block(time.clock(), SETTLING + calls)
    assert block[0, 0] == pytest.approx(0.1) and block[SETTLING:].max() == pytest.approx(0.001)
    one = runner(time, "small", 0.001)
    measure([one], seconds=0.5, watch=time.clock)
    warm_up = time.log.count("small") - sum(len(b) + SETTLING for b in one.blocks)
    assert warm_up > 0


def test_drift_hits_all_alike(time):
    """Whatever slows down with time slows down both: their ratio stays true."""

    def drifting(seconds: float):
        def run(value):
            time.now += round(1e9 * seconds * (1 + time.now / 20e9))

        return run

    runners = [
        Runner(contender(name), None, (("network", drifting(seconds)),))
        for name, seconds in (("big", 0.009), ("small", 0.003))
    ]
    measure(runners, seconds=20.0, precision=1e-6, watch=time.clock)
    big, small = (r.summary() for r in runners)
    assert big.p50 > 9 * 1.2, "it did drift"
    assert big.p50 / small.p50 == pytest.approx(3, rel=0.03)


def test_everyone_has_a_turn_in_each_round_in_changing_order(time):
    names = "abcd"
    runners = [runner(time, name, 0.002) for name in names]
    measure(runners, seconds=4.0, precision=1e-9, watch=time.clock)
    runs = [name for k, name in enumerate(time.log) if k == 0 or time.log[k - 1] != name]
    assert len({len(r.blocks) for r in runners}) == 1
    turns = Counter("".join(runs))
    assert max(turns.values()) - min(turns.values()) <= len(runners[0].blocks)
    orders = {"".join(runs[-4 * k - 4 : -4 * k or None]) for k in range(8)}
    assert len(orders) > 2


def test_it_ends_when_precise_enough(time):
    rng = np.random.default_rng(0)
    steady = runner(time, "small", (0.002 * rng.lognormal(0, 0.01, 999)).tolist())
    measure([steady], seconds=1000.0, precision=0.05, watch=time.clock)
    assert steady.summary().spread <= 0.05
    assert len(steady.blocks) == MIN_ROUNDS


def test_it_ends_when_the_time_is_up(time):
    rng = np.random.default_rng(0)
    wild = runner(time, "small", rng.uniform(0.001, 0.009, 999).tolist())
    measure([wild], seconds=3.0, precision=1e-6, watch=time.clock)
    assert sum(float(b.sum()) for b in wild.blocks) <= 3.0
    assert wild.summary().spread > 1e-6


def test_one_round_is_made_whatever_it_takes(time):
    slow = runner(time, "big", 50.0)
    measure([slow], seconds=1.0, watch=time.clock)
    assert len(slow.blocks) == 1
    assert slow.summary().p50 == pytest.approx(50_000)


def test_progress_rises_to_one_and_tells_numbers(time):
    told: list[Live] = []
    measure(
        [runner(time, "a", 0.002), runner(time, "b", 0.004)], 1.0, 1e-9, told.append, time.clock
    )
    fractions = [live.fraction for live in told]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0 and fractions[0] == 0.0
    assert told[0].doing.startswith("Warming up")
    assert {c.model: round(s.p50, 3) for c, s in told[-1].known} == {"a": 2.0, "b": 4.0}


@pytest.mark.parametrize("when", ["Warming up", "Timing"])
def test_cancel(time, when):
    def report(live: Live) -> None:
        if live.doing.startswith(when):
            raise Cancelled()

    before = torch.get_num_threads()
    with pytest.raises(Cancelled):
        measure([runner(time, "a", 0.002, threads=1)], 1.0, report=report, watch=time.clock)
    assert torch.get_num_threads() == before


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_threads_are_set_for_a_call_and_restored(time, two_threads):
    seen = set()
    steps = (
        ("look", lambda x: seen.add(torch.get_num_threads())),
        ("network", time.step("a", 0.1)),
    )
    measure([Runner(contender(threads=1), None, steps)], 1.0, watch=time.clock)
    assert seen == {1} and torch.get_num_threads() == 2


def test_threads_are_restored_when_an_engine_fails(time, two_threads):
    def fail(value):
        raise RuntimeError("broken engine")

    with pytest.raises(RuntimeError, match="broken engine"):
        measure([Runner(contender(threads=1), None, (("network", fail),))], 1.0)
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("seconds", "precision"), [(0, 0.1), (-1, 0.1), (1, 0), (float("nan"), 1)])
def test_settings_out_of_range(time, seconds, precision):
    with pytest.raises(ValueError, match="seconds"):
        measure([runner(time, "a", 0.1)], seconds, precision)


def test_no_runner():
    with pytest.raises(ValueError, match="runners"):
        measure([], 1.0)


def test_cuda_events(monkeypatch):
    """The events' own differences are told, after the device was waited for."""
    done = []

    class Event:
        made = 0

        def __init__(self, enable_timing: bool) -> None:
            assert enable_timing

        def record(self) -> None:
            Event.made += 1
            self.at = 2.0**Event.made

        def synchronize(self) -> None:
            done.append(self.at)

        def elapsed_time(self, other) -> float:
            assert done, "waited for first"
            return other.at - self.at

    monkeypatch.setattr(torch.cuda, "Event", Event)
    watch = CudaClock()
    for _ in range(3):
        watch.mark()
    assert watch.laps() == pytest.approx([0.002, 0.004]) and done == [8.0]


def test_labels():
    assert label(contender()) == "Small · eager · batch 1 · 1 thread"
    text = label(contender("big", threads=4, device="cuda", end_to_end=True))
    assert text == "Big · eager · batch 1 · 4 threads · end to end · cuda"
