"""Conditions: what the system tells, and when a machine counts as left alone."""

from __future__ import annotations

import os

import pytest

from kdcore.base import machine as facts
from kdcore.deploy.conditions import watched
from tests.deploy.fakes import conditions


def test_facts_from_a_made_up_system(tmp_path):
    (tmp_path / "cpuinfo").write_text("processor: 0\nmodel name\t: Fast One\nmodel name: Other\n")
    (tmp_path / "meminfo").write_text("MemFree: 1 kB\nMemTotal:  8000000 kB\n")
    assert facts.processor(tmp_path) == "Fast One"
    assert facts.memory_gb(tmp_path) == pytest.approx(8.2)
    governor = tmp_path / "devices/system/cpu/cpu0/cpufreq/scaling_governor"
    governor.parent.mkdir(parents=True)
    governor.write_text("powersave\n")
    assert facts.power(tmp_path) == "governor powersave"
    mains = tmp_path / "class/power_supply/AC/online"
    mains.parent.mkdir(parents=True)
    mains.write_text("0\n")
    assert facts.power(tmp_path) == "governor powersave, on battery"


def test_a_system_that_tells_nothing(tmp_path):
    assert facts.processor(tmp_path)
    assert facts.memory_gb(tmp_path) is None
    assert facts.power(tmp_path) is None
    assert facts.others_seconds(tmp_path) is None


def test_time_of_others_is_of_these_cores_less_ones_own(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 2})
    monkeypatch.setattr(os, "times", lambda: os.times_result((1.0, 0.5, 9, 9, 9)))
    monkeypatch.setattr(os, "sysconf", lambda name: 100)
    lines = ["cpu  9999 0 0 0 0 0 0 0 0 0", "cpu0 100 20 30 7000 500 4 5 6 0 0"]
    lines += ["cpu1 9999 0 0 0 0 0 0 0 0 0", "cpu2 200 0 0 7000 0 0 0 0 0 0", "intr 5"]
    (tmp_path / "stat").write_text("\n".join(lines))
    assert facts.others_seconds(tmp_path) == pytest.approx(1.65 + 2.0 - 1.5)


def test_a_package_that_is_missing_has_no_version():
    found = facts.machine(["torch", "no-such-package"])
    assert found["versions"]["no-such-package"] is None
    assert found["versions"]["torch"][0].isdigit()
    assert found["cores"] == facts.cores() >= 1


def test_left_alone():
    found = conditions()
    assert found.alone and found.sentence().startswith("The machine was left alone")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"others": 0.8}, "0.8 of 2 cores"),
        ({"runs": ("kd-1",)}, "kd-1"),
        ({"others": None, "load_before": 1.5}, "load average before it was 1.5"),
    ],
)
def test_not_left_alone(more, words):
    found = conditions(**more)
    assert not found.alone and words in found.sentence()
    assert "not left alone" in found.sentence()


@pytest.mark.parametrize("load", [None, 0.5])
def test_little_load_is_no_reason(load):
    assert conditions(others=None, load_before=load).alone


def test_watched(monkeypatch):
    seconds = iter([10.0, 13.0])
    clock = iter([100.0, 102.0])
    monkeypatch.setattr("kdcore.deploy.conditions.others_seconds", lambda: next(seconds))
    monkeypatch.setattr("kdcore.deploy.conditions.cores", lambda: 4)
    monkeypatch.setattr("kdcore.deploy.conditions.time.monotonic", lambda: next(clock))
    with watched() as watch:
        assert watch.found is None
    found = watch.found
    assert found.others == 1.5
    assert set(found.machine) >= {"processor", "cores", "memory_gb", "power", "cuda", "versions"}
    assert "load_average_1min_before" not in found.machine and found.threads >= 1
