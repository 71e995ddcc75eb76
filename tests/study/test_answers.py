"""Answers: stored at once, changeable until finished, safe beside others and under failures."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sqlite3
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from kdcore.base import StudyError
from kdcore.study import (
    SIDES,
    Study,
    comment,
    finish,
    join,
    list_readers,
    prefer,
    rate,
)
from kdcore.study import database as room
from tests.study.makers import answer_all, make_study

FORK = multiprocessing.get_context("fork")  # the child needs no import anew
NOBODY = 65534
CASES = 3


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return make_study(CASES, tmp_path)


def test_a_reader_comes_back_to_what_was_given(study: Study) -> None:
    first = join(study, "r-1")
    assert first.code == "R-1" and first.done == 0 and first.first_open == 0
    assert len(first.sights) == CASES
    case = first.sights[0].case
    rate(study, "R-1", case, "A", "focus", 3)
    rate(study, "R-1", case, "A", "focus", 5)
    comment(study, "R-1", case, "B", "  spills over \0")
    prefer(study, "R-1", case, "none")
    again = join(study, " R-1 ")
    assert again.sights == first.sights and again.started == first.started
    assert again.of(case).ratings == {("A", "focus"): 5}
    assert again.of(case).comments == {"B": "spills over"}
    assert again.of(case).preference == "none"
    assert not again.of(case).complete and again.first_open == 0
    comment(study, "R-1", case, "B", "")
    assert join(study, "R-1").of(case).comments == {}


def test_finishing_needs_all_answers_and_ends_changes(study: Study) -> None:
    reader = join(study, "R-1")
    with pytest.raises(StudyError, match="3 of 3 cases"):
        finish(study, "R-1")
    answer_all(study, reader)
    assert join(study, "R-1").first_open is None
    prefer(study, "R-1", 2, "B")  # still open to change
    finish(study, "R-1")
    done = join(study, "R-1")
    assert done.finished and done.done == CASES
    for change in (
        lambda: rate(study, "R-1", 0, "A", "focus", 1),
        lambda: prefer(study, "R-1", 0, "A"),
        lambda: comment(study, "R-1", 0, "A", "late"),
        lambda: finish(study, "R-1"),
    ):
        with pytest.raises(StudyError, match="has finished"):
            change()
    assert join(study, "R-1") == done


def test_answers_out_of_their_domain_are_refused(study: Study) -> None:
    join(study, "R-1")
    for bad in (0, 6, 2.5, "3"):
        with pytest.raises(ValueError, match="value"):
            rate(study, "R-1", 0, "A", "focus", bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="side"):
        rate(study, "R-1", 0, "C", "focus", 1)
    with pytest.raises(ValueError, match="side"):
        comment(study, "R-1", 0, "teacher", "x")
    with pytest.raises(ValueError, match="question"):
        rate(study, "R-1", 0, "A", "comment", 1)
    with pytest.raises(ValueError, match="choice"):
        prefer(study, "R-1", 0, "teacher")
    with pytest.raises(StudyError, match="Nobody reads"):
        rate(study, "R-9", 0, "A", "focus", 1)
    with pytest.raises(StudyError, match="FOREIGN KEY"):
        rate(study, "R-1", CASES, "A", "focus", 1)
    assert join(study, "R-1").answers == {}


def test_the_stored_order_wins_over_how_orders_are_drawn(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = join(study, "R-1")
    monkeypatch.setattr("kdcore.study.answers.draw_sights", lambda *args: ())
    assert join(study, "R-1").sights == first.sights


def test_the_database_logs_ahead_and_knows_its_version(study: Study) -> None:
    with closing(sqlite3.connect(study.answers)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA user_version").fetchone() == (room.VERSION,)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with room.transaction(study.answers, write=True) as db:
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2


def _answer(study: Study, code: str) -> None:
    answer_all(study, join(study, code))
    finish(study, code)


@pytest.mark.parametrize("kind", [threading.Thread, FORK.Process])
def test_readers_at_once_lose_nothing(study: Study, kind: type) -> None:
    codes = [f"R-{k}" for k in range(3)]
    workers = [kind(target=_answer, args=(study, code)) for code in codes]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    found = list_readers(study)
    assert sorted(r.code for r in found) == codes
    assert all(r.finished and r.done == CASES for r in found)


def test_one_code_begun_twice_at_once_is_one_reader(study: Study) -> None:
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(join(study, "R-1").sights)) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 6 and len(set(found)) == 1
    assert len(list_readers(study)) == 1


def _answer_and_tell(study: Study, told: Connection) -> None:
    for turn in range(10_000):
        rate(study, "R-1", turn % CASES, SIDES[turn % 2], "focus", 1 + turn % 5)
        told.send(turn)


def test_a_killed_process_loses_no_answer_that_was_taken(study: Study) -> None:
    join(study, "R-1")
    here, there = FORK.Pipe(duplex=False)
    worker = FORK.Process(target=_answer_and_tell, args=(study, there))
    worker.start()
    last = -1
    while last < 15:
        assert here.poll(60)
        last = here.recv()
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join(60)
    while here.poll():
        last = here.recv()
    ratings = {
        (case, side): value
        for case, given in join(study, "R-1").answers.items()
        for (side, _), value in given.ratings.items()
    }
    # The answer after the last one told of may be stored, too: it was on its way.
    assert any(ratings == _expected(end) for end in (last, last + 1))
    with closing(sqlite3.connect(study.answers)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _expected(last: int) -> dict[tuple[int, str], int]:
    return {(turn % CASES, SIDES[turn % 2]): 1 + turn % 5 for turn in range(last + 1)}


def test_what_fails_in_a_transaction_is_undone(study: Study) -> None:
    def fail() -> None:
        with room.transaction(study.answers, write=True) as db:
            db.execute("INSERT INTO readers VALUES ('R-1', 'now', NULL)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list_readers(study) == []


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough" * 40])
def test_a_file_that_is_no_database_is_left_alone(study: Study, content: bytes) -> None:
    study.answers.write_bytes(content)
    with pytest.raises(StudyError, match=r"damaged|another program"):
        join(study, "R-1")
    with pytest.raises(StudyError, match=r"damaged|another program"):
        list_readers(study)
    assert study.answers.read_bytes() == content


def test_a_damaged_page_is_told(study: Study) -> None:
    _answer(study, "R-1")
    data = bytearray(study.answers.read_bytes())
    data[4096:] = b"\x55" * (len(data) - 4096)
    study.answers.write_bytes(data)
    with pytest.raises(StudyError, match="damaged"):
        list_readers(study)
    assert study.answers.read_bytes() == data


def test_a_foreign_database_and_a_newer_version_are_refused(study: Study) -> None:
    with closing(sqlite3.connect(study.answers)) as db:
        db.execute("PRAGMA user_version = 2")
    with pytest.raises(StudyError, match="version 2"):
        join(study, "R-1")
    with closing(sqlite3.connect(study.answers)) as db:
        db.execute("PRAGMA application_id = 5")
    with pytest.raises(StudyError, match="another program"):
        join(study, "R-1")


def test_a_lost_database_is_not_made_anew(study: Study) -> None:
    study.answers.unlink()
    with pytest.raises(StudyError, match="gone"):
        join(study, "R-1")
    assert not study.answers.exists()


def _write_much(study: Study) -> None:
    for turn in range(20):
        comment(study, "R-2", turn % CASES, SIDES[turn // CASES % 2], "x" * 1000)


def test_a_full_database_keeps_what_it_has(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    _answer(study, "R-1")
    join(study, "R-2")
    before = list_readers(study)
    plain = room._connect

    def small(path: Path) -> sqlite3.Connection:
        connection = plain(path)
        connection.execute("PRAGMA max_page_count = 1")  # SQLite takes the size it has
        return connection

    monkeypatch.setattr(room, "_connect", small)
    with pytest.raises(StudyError, match="disk is full"):
        _write_much(study)
    monkeypatch.undo()
    found = list_readers(study)
    assert found[0] == before[0]
    comment(study, "R-2", 0, "A", "room again")
    assert list_readers(study)[1].of(0).comments["A"] == "room again"


def test_a_disk_that_takes_no_more_is_told(study: Study) -> None:
    _answer(study, "R-1")
    before = list_readers(study)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))  # Python ignores the signal
    try:
        with pytest.raises(StudyError, match="disk is full or can't be written"):
            join(study, "R-2")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list_readers(study) == before
    join(study, "R-2")


@contextmanager
def _unprivileged() -> Iterator[None]:
    """Nobody's rights where the tests run as root, whom no permission stops."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_read_only_folder_is_told() -> None:
    with tempfile.TemporaryDirectory(prefix="distilscope-") as folder:
        os.chmod(folder, 0o755)
        study = make_study(2, Path(folder))
        _answer(study, "R-1")
        for path in (*study.folder.iterdir(), study.folder):
            path.chmod(0o555 if path.is_dir() else 0o444)
        before = study.answers.read_bytes()
        with _unprivileged():
            for use in (lambda: join(study, "R-2"), lambda: rate(study, "R-1", 0, "A", "focus", 1)):
                with pytest.raises(StudyError, match="opened for writing"):
                    use()
            with pytest.raises(StudyError, match="can't be written"):
                make_study(1, study.folder)
        assert study.answers.read_bytes() == before
        study.folder.chmod(stat.S_IRWXU)


def test_a_writer_that_holds_on_is_waited_for_and_told(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_WAIT_S", 0.1)
    with room.transaction(study.answers, write=True):
        assert list_readers(study) == [], "reading goes on meanwhile"
        with pytest.raises(StudyError, match="held by another"):
            join(study, "R-1")
    assert join(study, "R-1").code == "R-1"
