"""A registry is a decorator and a dict; a duplicate raises, a miss lists near names."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Generic, TypeVar

from kdcore.base.errors import KdError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to things of one kind.

    Parameters
    ----------
    kind : str
        What is registered, for error messages ("architecture").
    error : type of KdError
        Raised for a name that is not registered.
    """

    def __init__(self, kind: str, error: type[KdError] = KdError) -> None:
        self.kind = kind
        self._error = error
        self._items: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that registers under `name`; raises ValueError if it is taken."""

        def decorate(item: T) -> T:
            if name in self._items:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._items[name] = item
            return item

        return decorate

    def get(self, name: str) -> T:
        """Return what is registered under `name`; a miss raises with near names."""
        if name not in self._items:
            near = difflib.get_close_matches(name, self._items, n=3, cutoff=0.4)
            raise self._error(
                f"There is no {self.kind} {name!r}.",
                f"Choose one of: {', '.join(near or self.names())}.",
            )
        return self._items[name]

    def names(self) -> list[str]:
        """Return the registered names in order of registration."""
        return list(self._items)
