"""The Latency page: its form, a kept result, two side by side, import, delete, and jobs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from kdcore.deploy.latency_record import to_json
from kdcore.deploy.latency_store import import_benchmark, keep_benchmark, list_benchmarks
from kdcore.models import Card
from pages.ui import latency
from tests.conftest import write_tiny_checkpoint
from tests.deploy.fakes import benchmark
from tests.pages.conftest import ended, words

Open = Callable[..., AppTest]
PAGE = "measure/latency"


def subheaders(app: AppTest) -> list[str]:
    return [element.value for element in app.subheader]


def test_nothing_kept_and_nothing_runs_unasked(open_page: Open) -> None:
    app = open_page(PAGE)
    assert not app.exception and not app.error
    assert "No benchmark of your own is kept yet" in words(app)
    assert "No CUDA device is here" in words(app)
    assert "job" not in app.session_state
    assert app.multiselect(key="w:timed").value == ["tiny-teacher", "tiny-student"]
    assert app.multiselect(key="w:engines").value == ["eager", "onnxruntime"]
    assert "for exports, once" in words(app)
    app.multiselect(key="w:engines").set_value(["eager"]).run()
    assert "for exports, once" not in words(app)


def test_a_kept_result(open_page: Open) -> None:
    kept = keep_benchmark(benchmark())
    app = open_page(PAGE)
    assert not app.exception and not app.error
    assert subheaders(app) == [
        "How long an answer takes",
        "How much it varies",
        "Do more threads help?",
        "From picture to answer",
        "All numbers",
    ]
    assert "The machine was left alone" in words(app)
    assert "**Small** is 5" in words(app)
    table = next(f.value for f in app.dataframe if "p99 ms" in f.value.columns)
    assert len(table) == len(kept.benchmark.timings)
    assert app.query_params["bench"] in (kept.name, [kept.name])


def test_another_setting(open_page: Open) -> None:
    keep_benchmark(benchmark())
    app = open_page(PAGE)
    setting = app.selectbox(key="w:setting")
    setting.set_value(setting.options[-1]).run()
    assert not app.exception
    assert "Do more threads help?" not in subheaders(app), "timed with one count only"


def test_a_busy_machine_is_told(open_page: Open) -> None:
    keep_benchmark(benchmark(others=1.4, runs=("kd_*1*",)))
    app = open_page(PAGE)
    assert "not left alone" in app.warning[0].value
    assert "1.4 of 2 cores" in app.warning[0].value
    assert "*1*" not in app.warning[0].value, "a run's name is no Markdown"


def test_two_machines(open_page: Open) -> None:
    mine = keep_benchmark(benchmark())
    slow = benchmark(seed=3, scale=2.0, machine={"processor": "Slow 1"}, date="2025-01-01T00:00:00")
    other = import_benchmark(to_json(slow).encode(), "slow.json")
    app = open_page(PAGE, bench=mine.name)
    assert not app.exception
    assert "Beside another benchmark" in subheaders(app)
    facts = next(f.value for f in app.dataframe if "shown" in f.value.columns)
    assert facts.iloc[0].tolist() == ["processor", "Slow 1", "Testing 9000"]
    app.selectbox(key="w:bench").set_value(other.name).run()
    assert "Imported" in words(app)


@pytest.mark.parametrize("link", [{"bench": "nonsense", "setting": "x"}, {"engines": "a,b"}])
def test_a_link_with_nonsense_falls_back(open_page: Open, link: dict[str, str]) -> None:
    keep_benchmark(benchmark())
    app = open_page(PAGE, **link)
    assert not app.exception and not app.error


def test_broken_files_are_told_and_the_rest_is_shown(open_page: Open, broken: Any) -> None:
    kept = keep_benchmark(benchmark())
    record = json.loads(to_json(kept.benchmark))
    record["benchmark"]["timings"][0]["summary"]["p50"] = "fast"
    (kept.path.parent / "bad.json").write_text(json.dumps(record))
    app = open_page(PAGE)
    assert not app.exception
    assert "bad.json: benchmark.timings[0].summary.p50" in app.error[0].value
    assert "All numbers" in subheaders(app)


def test_delete_asks_first(open_page: Open) -> None:
    kept = keep_benchmark(benchmark())
    app = open_page(PAGE)
    app.button(key=f"w:ask-delete-latency-{kept.name}").click().run()
    assert "can't be undone" in words(app) and len(list_benchmarks()[0]) == 1
    app.button(key=f"w:yes-delete-latency-{kept.name}").click().run()
    assert not app.exception
    assert list_benchmarks()[0] == [] and "No benchmark of your own is kept yet" in words(app)


def upload(app: AppTest, name: str, data: bytes) -> AppTest:
    app.file_uploader(key="w:latency-file").set_value((name, data, "application/json"))
    button = next(b for b in app.button if b.label == "Import")
    return button.click().run()


def test_import(open_page: Open) -> None:
    app = upload(open_page(PAGE), "there.json", to_json(benchmark()).encode())
    assert not app.exception and not app.error
    assert "Imported as" in words(app) and "All numbers" in subheaders(app)
    assert list_benchmarks()[0][0].imported


def test_import_of_something_else(open_page: Open) -> None:
    app = upload(open_page(PAGE), "there.json", b'{"a": 1}')
    assert not app.exception
    assert "there.json is not a latency benchmark" in app.error[0].value


def test_a_run_is_shown_when_it_ends(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = []

    def fake(plan: Any, report: Callable[[dict[str, Any]], None]) -> str:
        plans.append(plan)
        report({"fraction": 0.5, "doing": "Timing", "known": []})
        return keep_benchmark(benchmark(seed=len(plans), date=f"202{len(plans)}-01-01")).name

    monkeypatch.setattr("kdcore.deploy.latency_apart.bench_apart", fake)
    app = open_page(PAGE)
    for _ in range(2):  # the same plan again is another benchmark
        app.button(key="w:time").click().run()
        app = ended(app)
        assert not app.exception and not app.error
    assert plans[0] == plans[1] and plans[0].batches == (1,) and plans[0].seconds == 12
    latest = list_benchmarks()[0][0]
    assert len(list_benchmarks()[0]) == 2
    assert app.selectbox(key="w:bench").value == latest.name


def test_a_run_is_shown_though_the_page_is_cut_short(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = keep_benchmark(benchmark(date="2021-01-01"))
    new = keep_benchmark(benchmark(seed=2, date="2022-01-01"))
    cut, drawn = [], threading.Event()

    def fake(plan: Any, report: Callable[[dict[str, Any]], None]) -> str:
        drawn.wait(60)
        return new.name

    monkeypatch.setattr("kdcore.deploy.latency_apart.bench_apart", fake)
    app = open_page(PAGE, bench=old.name)
    assert app.selectbox(key="w:bench").value == old.name

    def once(kept: Any) -> None:
        if kept.name == new.name and not cut:
            cut.append(kept)
            st.stop()

    monkeypatch.setattr("pages.ui.latency_shown.show_conditions", once)
    app.button(key="w:time").click().run()
    assert not cut and not app.exception
    drawn.set()
    app = ended(app)
    assert cut
    app.selectbox(key="w:bench").set_value(old.name).run()  # what the browser had till then
    assert app.selectbox(key="w:bench").value == new.name
    app.selectbox(key="w:bench").set_value(old.name).run()
    assert app.selectbox(key="w:bench").value == old.name, "shown once, not for ever"


def test_two_of_one_minute_have_titles_of_their_own(open_page: Open) -> None:
    names = [keep_benchmark(benchmark(seed=seed)).name for seed in (1, 2)]
    app = open_page(PAGE)
    options = app.selectbox(key="w:bench").options
    assert len(set(options)) == 2 and {o[-8:] for o in options} == {n[-8:] for n in names}
    for name in names:
        app.selectbox(key="w:bench").set_value(name).run()
        assert app.query_params["bench"] in (name, [name])


def test_at_first_a_teacher_and_two_that_it_taught(tmp_path: Path) -> None:
    def card(name: str, role: str, *teachers: str) -> tuple[Path, Card]:
        taught = dict.fromkeys(teachers, "")
        return tmp_path / name, replace(tiny, name=name, role=role, teachers=taught)

    tiny = write_tiny_checkpoint(tmp_path / "any", "student", "cnn2")
    models = {
        "t1": card("t1", "teacher"),
        "t2": card("t2", "teacher"),
        "s1": card("s1", "student", "t2"),
        "s2": card("s2", "student", "t1"),
        "s3": card("s3", "student", "gone", "t2"),
        "s4": card("s4", "student", "t2"),
    }
    assert latency._default(models) == ["t2", "s1", "s3"]
    del models["t1"], models["t2"]
    assert latency._default(models) == ["s1", "s2"], "no teacher is here"
    models["t3"] = card("t3", "teacher")
    assert latency._default(models) == ["t3", "s1", "s2"], "one that taught none of them"
    assert latency._default({"b": card("b", "baseline")}) == ["b"]


def test_a_widget_left_out_for_a_run_is_sent_its_value_again() -> None:
    def page() -> None:
        import streamlit as st

        from pages.ui import state

        state.enter("Page")
        if st.session_state.get("work"):  # the server holds what a job's fragment has not drawn
            for key in ("w:some", "w:one", "w:on", "w:size"):
                st.session_state[key] = st.session_state[key]
        else:
            state.choices("some", "Some", ["a", "b"], ["a"])
            state.choice(st.selectbox, "one", "One", ["a", "b"])
            state.switch("on", "On", False)
            state.slide("size", "Size", 0.0, 1.0, 0.5, 0.1)
        state.write_link(("some",))

    app = AppTest.from_function(page).run()
    app.multiselect[0].set_value(["b"])
    app.selectbox[0].set_value("b")
    app.toggle[0].set_value(True)
    app.slider[0].set_value(0.7).run()
    for work, sent in ((False, False), (True, False), (False, True), (False, False)):
        app.session_state["work"] = work
        app.run()
        assert not app.exception
        drawn = [] if work else [app.multiselect[0], app.selectbox[0], app.toggle[0], app.slider[0]]
        assert [w.value for w in drawn] == ([] if work else [["b"], "b", True, 0.7])
        assert {w.proto.set_value for w in drawn} <= {sent}


def test_cancel_and_failure(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    from kdcore.base import SettingError

    def endless(plan: Any, report: Callable[[dict[str, Any]], None]) -> str:
        row = {"what": "Tiny · eager", "calls": 3, "p50": 1.5, "spread": None}
        while True:
            report({"fraction": 0.2, "doing": "Timing", "known": [row]})
            time.sleep(0.01)

    monkeypatch.setattr("kdcore.deploy.latency_apart.bench_apart", endless)
    app = open_page(PAGE)
    app.button(key="w:time").click().run()
    app.run()
    assert "median so far, ms" in app.dataframe[0].value.columns
    app.session_state["job"].stop.set()
    app = ended(app)
    assert "Cancelled" in words(app) and app.button(key="w:time")

    def failing(plan: Any, report: Callable[[dict[str, Any]], None]) -> str:
        raise SettingError("The benchmark ended without a result.", "Look at it.")

    monkeypatch.setattr("kdcore.deploy.latency_apart.bench_apart", failing)
    app.button(key="w:time").click().run()
    app = ended(app)
    assert "ended without a result" in app.error[0].value


def test_nothing_chosen(open_page: Open) -> None:
    app = open_page(PAGE)
    app.multiselect(key="w:engines").set_value([]).run()
    assert not app.exception
    assert "No engines were chosen" in words(app)


def test_layers_are_timed_when_asked_for(open_page: Open) -> None:
    app = open_page("measure/latency")
    before = len(app.dataframe)
    app.button(key="w:time-layers").click().run()
    assert not app.exception
    assert len(app.dataframe) == before + 1
    assert "between layers" in list(app.dataframe[before].value["layer"])
    assert "M parameters" in words(app)
