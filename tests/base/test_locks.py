"""A lock is held by one, given back by the dead, and may go with its folder."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from kdcore.base import SettingError, hold

BUSY = SettingError("Somebody else is here.")


def test_only_one_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / ".lock"
    with hold(path, BUSY), pytest.raises(SettingError, match="Somebody else"):
        hold(path, BUSY, 0.0)
    with hold(path, BUSY, 0.0):
        assert path.exists()


def test_who_waits_has_it_when_it_goes_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / ".lock"
    for _ in range(20):
        held, order = hold(path, BUSY), []

        def wait(order: list[str] = order) -> None:
            with hold(path, BUSY, 10.0):
                order.append("second")

        waiting = threading.Thread(target=wait)
        waiting.start()
        with held:
            order.append("first")
            shutil.rmtree(path.parent)
        waiting.join()
        assert order == ["first", "second"]
