"""A report in memory: the zip holds what the command writes, progress rises, and it can stop."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from kdcore.base import Cancelled, SettingError
from kdcore.cli.main import main
from kdcore.cli.reporting import figures
from kdcore.cli.reporting.bundle import Wanted, estimate, make_bundle
from kdcore.cli.reporting.whole import SECTIONS
from tests.cli.test_report import write_model
from tests.report import pdf

WANTED = Wanted(("big", "small"), "big", "test", tuple(SECTIONS), 0)


@pytest.fixture(autouse=True)
def _models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("big", "small"):
        write_model(tmp_path / "checkpoints", name)
    monkeypatch.setenv("DISTILSCOPE_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setenv("DISTILSCOPE_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(figures, "figure_bytes", lambda _, kind, __: pdf.FIGURE[kind])


@pytest.mark.slow
def test_it_is_what_the_command_writes(tmp_path: Path) -> None:
    told: list[tuple[float, str]] = []
    bundle = make_bundle(WANTED, lambda share, what: told.append((share, what)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] < 1
    assert [what for _, what in told[:-1]] == list(SECTIONS.values())
    out = tmp_path / bundle.name
    command = ["report", "--out", str(out), "--resamples", "0", "--models", "big", "small"]
    assert main([*command, "--teacher", "big"]) == 0
    written = {str(p.relative_to(tmp_path)): p.read_bytes() for p in out.rglob("*.*")}
    with zipfile.ZipFile(io.BytesIO(bundle.archive)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    assert set(held) == set(written)
    texts = {name for name in held if not name.endswith(".pdf")}
    assert {n: held[n] for n in texts} == {n: written[n] for n in texts}
    assert held[f"{bundle.name}/report.html"] == bundle.read("report.html")
    assert len(pdf.pages(bundle.read("report.pdf"))) > 2


def test_it_can_be_stopped() -> None:
    def stop(share: float, what: str) -> None:
        if share > 0.3:
            raise Cancelled()

    with pytest.raises(Cancelled):
        make_bundle(WANTED, stop)


def test_an_unknown_model() -> None:
    with pytest.raises(SettingError, match="nobody"):
        make_bundle(Wanted(("nobody",), "nobody", "test", ("summary",)), lambda *_: None)


def test_more_models_and_sections_take_longer() -> None:
    short = estimate(Wanted(("a",), "a", "test", ("methods",)))
    long = estimate(Wanted(tuple("abcdefg"), "a", "test", tuple(SECTIONS)))
    assert int(short.split()[0]) < int(long.split()[0]) and long.endswith(" s")
