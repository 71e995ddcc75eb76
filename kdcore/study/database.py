"""The database of a study's answers: one transaction at a time, and its errors in words.

Each call opens the file, works and closes it, so sessions, threads and processes share nothing
else. A write-ahead log lets others read while one writes, a writer waits for its turn, and
`synchronous = FULL` means that an answer is on the disk when the call returns (sqlite.org/wal).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from kdcore.base import StudyError

VERSION = 1
_OURS = 0x4453_5244  # "DSRD" in SQLite's application id: another program's file is not touched
_WAIT_S = 20.0
_SCHEMA = """
CREATE TABLE readers (
    code TEXT PRIMARY KEY,
    started TEXT NOT NULL,
    finished TEXT
);
CREATE TABLE sights (
    reader TEXT NOT NULL REFERENCES readers (code),
    place INTEGER NOT NULL,
    case_no INTEGER NOT NULL,
    first TEXT NOT NULL CHECK (first IN ('teacher', 'student')),
    PRIMARY KEY (reader, case_no)
);
CREATE TABLE ratings (
    reader TEXT NOT NULL,
    case_no INTEGER NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('A', 'B')),
    plausibility INTEGER CHECK (plausibility BETWEEN 1 AND 5),
    focus INTEGER CHECK (focus BETWEEN 1 AND 5),
    usefulness INTEGER CHECK (usefulness BETWEEN 1 AND 5),
    comment TEXT NOT NULL DEFAULT '',
    changed TEXT NOT NULL,
    PRIMARY KEY (reader, case_no, side),
    FOREIGN KEY (reader, case_no) REFERENCES sights (reader, case_no)
);
CREATE TABLE preferences (
    reader TEXT NOT NULL,
    case_no INTEGER NOT NULL,
    choice TEXT NOT NULL CHECK (choice IN ('A', 'B', 'none')),
    changed TEXT NOT NULL,
    PRIMARY KEY (reader, case_no),
    FOREIGN KEY (reader, case_no) REFERENCES sights (reader, case_no)
);
"""


def create_database(path: Path) -> None:
    """Write a new database without answers; StudyError if that can't be done.

    Raises
    ------
    FileExistsError
        If there is a file already: answers are never written over.
    """
    path.touch(exist_ok=False)
    with _in_words(path), closing(_connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(
            f"BEGIN; {_SCHEMA} PRAGMA application_id = {_OURS};"
            f"PRAGMA user_version = {VERSION}; COMMIT;"
        )


@contextmanager
def transaction(path: Path, write: bool = False) -> Iterator[sqlite3.Connection]:
    """Open the database for a block that happens as a whole, or not at all if it raises.

    Parameters
    ----------
    path : of a database that `create_database` wrote; a missing one is not made anew
    write : whether the block writes; then it has the database for itself

    Raises
    ------
    StudyError
        If the file is missing, broken, not ours or of a newer version, if it can't be written,
        the disk is full, or another writer holds it for 20 s.
    """
    with _in_words(path), closing(_connect(path)) as connection:
        _check_ours(connection, path)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            yield connection
        except BaseException:
            if connection.in_transaction:  # SQLite rolls back by itself when a disk is full
                connection.rollback()
            raise
        connection.execute("COMMIT")


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, timeout=_WAIT_S, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != _OURS:
        raise StudyError(
            f"{path.name} of the study in {path.parent.name!r} is another program's database.",
            "Put the study's own file back; nothing was changed in this one.",
        )
    if version != VERSION:
        raise StudyError(
            f"The answers in {path.parent.name!r} have version {version}; this app reads "
            f"version {VERSION}.",
            "Open the study with the version of the app that made it.",
        )


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Turn SQLite's errors in the block into a StudyError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the extension
        problem, hint = _told(code, path) or (f"SQLite says: {error}.", "Try again.")
        raise StudyError(problem, hint) from error


def _told(code: int, path: Path) -> tuple[str, str] | None:
    kept = "What was stored before is not lost"
    where = f"the study's folder {str(path.parent)!r}"
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        problem = f"The disk is full or can't be written: {where}."
        return problem, f"{kept}. Make room, then give the last answer again."
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        if not path.exists():
            return f"The answers are gone: there is no {path.name} in {where}.", (
                "The study was deleted, or put the file back."
            )
        return f"The answers can't be opened for writing in {where}.", (
            f"{kept}. Give the app write access to the folder and the files in it."
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        problem = f"The answers have been held by another program for {_WAIT_S:.0f} s."
        return problem, f"{kept}. Give the last answer again."
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return f"{path.name} in {where} is damaged.", (
            "It was left as it is: keep a copy, and put back a backup or use `sqlite3 .recover`."
        )
    return None
