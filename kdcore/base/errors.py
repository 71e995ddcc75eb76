"""Errors that a person can act on: what was wrong, and what to do next."""

from __future__ import annotations

import errno

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class KdError(Exception):
    """A problem with an input, told in one sentence with the way out.

    Parameters
    ----------
    problem : str
        What was expected and what came, one sentence.
    hint : str
        What to do next, one sentence; may be empty when the problem says it all.
    """

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(f"{problem} {hint}".strip())
        self.problem = problem
        self.hint = hint


class ImageError(KdError):
    """The bytes are not an image that can be shown to a network."""


class DataError(KdError):
    """A data set folder, its metadata or a split is not what was expected."""


class CheckpointError(KdError):
    """A checkpoint can't be read, or doesn't fit what it is used for."""


class RecipeError(KdError):
    """A recipe is not valid."""


class StudyError(KdError):
    """A reader study can't be read or written, or an answer doesn't fit it."""


class ExportError(KdError):
    """A network can't be exported, or an exported file is not what it should be."""


class SettingError(KdError):
    """A setting (folder, variable, option) has a value that can't be used."""


class Cancelled(KdError):
    """The person asked a long computation to stop."""

    def __init__(self, what: str = "The computation") -> None:
        super().__init__(f"{what} was cancelled.", "Start it again when you like.")


def first_line(error: Exception, empty: str = "") -> str:
    """Return the first 160 letters of an error's first line; `empty`, or its kind, for none."""
    return (str(error).strip().splitlines() or [empty or type(error).__name__])[0][:160]


def last_line(output: str) -> str:
    """Return the first 160 letters of the last line that a failed process said, if any."""
    return (output.strip().splitlines() or ["it was killed"])[-1][:160]


def error_text(error: BaseException) -> str:
    """Return what went wrong in words for people; a full disk is said to be one."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return "The disk is full, or a quota or limit of it: free some space and run this again."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error) or type(error).__name__
