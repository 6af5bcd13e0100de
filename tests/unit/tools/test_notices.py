"""The third-party notices: nothing that the product needs is missing, and a missing package is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools import notices


def test_every_package_in_use_is_named() -> None:
    assert notices.missing() == []


def test_a_missing_package_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "NOTICES.md"
    page.write_text(notices.NOTICES.read_text(encoding="utf-8").replace("| huey |", "| gone |"))
    monkeypatch.setattr(notices, "NOTICES", page)
    assert notices.missing() == ["huey"]


def test_requirements_are_followed_through() -> None:
    assert {"httpx", "httpcore", "h11", "certifi"} <= notices.closure([Requirement("httpx")])
    assert "psycopg-binary" in notices.closure([Requirement("psycopg[binary]")])
    assert "psycopg-binary" not in notices.closure([Requirement("psycopg")])
    assert notices.closure([Requirement("httpx; python_version < '3'")]) == set()


@pytest.mark.parametrize(("name", "licence"), [("sqlalchemy", "MIT"), ("duckdb", "MIT"), ("scipy", "BSD-3-Clause")])
def test_licences(name: str, licence: str) -> None:
    assert notices.licence_of(name) == licence


def test_what_x121_carries_is_there_with_its_licence() -> None:
    for path in ("fonts/OFL-Inter.txt", "fonts/OFL-JetBrainsMono.txt", "icons/LICENSE"):
        assert (notices.ROOT / "dashboards" / "theme" / path).is_file()
    assert (notices.ROOT / "LICENSE").read_text(encoding="utf-8").lstrip().startswith("Apache License")
