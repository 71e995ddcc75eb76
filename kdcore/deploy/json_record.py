"""Frozen dataclasses as JSON files that are read back only if every field is right."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from kdcore.base import DataError


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    name : what the file says that it is
    schema : its version
    key : where the record stands in the file, and how errors name it
    record : the dataclass; its fields are numbers, texts, other dataclasses, or tuples or dicts
        of such
    what : what errors call such a file, with its article
    where_from : where such files come from
    hint : what to do about a broken one
    """

    name: str
    schema: int
    key: str
    record: type
    what: str
    where_from: str
    hint: str


class FieldError(ValueError):
    """A field's name, what was expected and what came."""


def to_text(kind: Kind, record: Any) -> str:
    """Return a record as JSON text; a number that is not defined is null."""
    whole = {"kind": kind.name, "schema": kind.schema, kind.key: _defined(asdict(record))}
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def from_text(kind: Kind, text: str, file: str, check: Callable[[Any], None]) -> Any:
    """Return the record in JSON `text`.

    Parameters
    ----------
    kind : of the file
    text : what `to_text` gave
    file : what errors call it
    check : raises FieldError, by `expect`, for what types alone don't tell

    Raises
    ------
    DataError
        If it is no such JSON, of another schema, or a field is missing, unknown or wrong; the
        field is named.
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} is not JSON.", f"Choose a file that {kind.where_from}.") from error
    if not isinstance(whole, dict) or whole.get("kind") != kind.name:
        raise DataError(f"{file} is not {kind.what}.", f"Choose a file that {kind.where_from}.")
    if whole.get("schema") != kind.schema:
        raise DataError(
            f"{file} has the schema {whole.get('schema')!r}; this version reads {kind.schema}.",
            "Update the older of the two installations.",
        )
    try:
        found = _read(kind.record, whole.get(kind.key), kind.key)
        check(found)
    except FieldError as error:
        raise DataError(f"{file}: {error}.", kind.hint) from error
    return found


def expect(right: bool, where: str, expected: str, came: Any) -> None:
    """Raise FieldError unless `right`: the field `where`, what was `expected` and what `came`."""
    if not right:
        text = repr(came)
        raise FieldError(f"{where}: expected {expected}, got {text[:60]}")


def _read(kind: Any, value: Any, where: str) -> Any:
    """Return JSON's `value` as `kind`, a dataclass or an annotation of one's field."""
    if is_dataclass(kind):
        return _read_fields(kind, value, where)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else _read(inner[0], value, where)
    if origin is tuple:
        expect(isinstance(value, list), where, "a list", value)
        return tuple(_read(inner[0], item, f"{where}[{k}]") for k, item in enumerate(value))
    if origin is dict:
        expect(isinstance(value, dict), where, "an object", value)
        return {key: _read(inner[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        expect(value is None or number, where, "a number", value)
        return math.nan if value is None else float(value)
    if kind is not Any:
        right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        expect(right, where, {int: "a whole number", str: "a text"}.get(kind, "yes or no"), value)
    return value


def _read_fields(kind: Any, value: Any, where: str) -> Any:
    expect(isinstance(value, dict), where, "an object", value)
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    for name in (*names, *value):
        known = name in names and name in value
        expect(known, f"{where}.{name}", "a known field that is there", "none or another")
    return kind(**{name: _read(hints[name], value[name], f"{where}.{name}") for name in names})


def _defined(value: Any) -> Any:
    """Return a JSON value with null for what is not finite."""
    keep: Callable[[Any], Any] = _defined
    if isinstance(value, dict):
        return {name: keep(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [keep(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
