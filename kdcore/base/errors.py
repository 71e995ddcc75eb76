"""Errors that a person can act on: what was wrong, and what to do next."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_WAYS_OUT = dict.fromkeys(_FULL, "Free some space and run this again.") | {
    errno.EACCES: "Change who may read and write it, or name another place.",
    errno.EPERM: "Change who may read and write it, or name another place.",
    errno.EROFS: "Name a place that can be written to.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.EISDIR: "Name a file.",
    errno.ENOTDIR: "Name another path: something on it is a file.",
    errno.EMFILE: "Close other programs, or raise the limit with `ulimit -n`.",
}
_CHECK = "Check the path and its disk, and run this again."


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


def way_out(error: OSError) -> str:
    """Return what to do about what the system refused, one sentence."""
    return _WAYS_OUT.get(error.errno or 0, _CHECK)


@contextmanager
def in_words() -> Iterator[None]:
    """Raise what the system refuses in the block as the SettingError of `refusal`."""
    try:
        yield
    except OSError as error:
        raise refusal(error) from error


def refusal(error: OSError) -> SettingError:
    """Return what the system refused as an error that a person can act on."""
    if error.errno in _FULL:
        return SettingError("The disk is full, or a quota or limit of it.", way_out(error))
    reason = error.strerror or str(error) or type(error).__name__
    where = "" if error.filename is None else f": {str(error.filename)[:200]!r}"
    return SettingError(f"{reason}{where}.", way_out(error))


def error_text(error: BaseException) -> str:
    """Return what went wrong in words for people, with the way out where the system refused."""
    text = str(refusal(error)) if isinstance(error, OSError) else str(error)
    return text or type(error).__name__
