"""Pages of the documentation that are made from the code are current, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import command_line, glossary, settings_table
from x121lib.base.settings import Settings
from x121lib.terms.vocabulary import ALL_TERMS

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def test_the_glossary_is_what_the_terms_make() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    assert text == glossary.page(), "run python -m tools.glossary"
    assert all(f"### {terms.__name__}" in text for terms in ALL_TERMS)


def test_the_settings_table_is_what_the_settings_are() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    assert text == settings_table.with_table(text), "run python -m tools.settings_table"
    assert all(f"`X121_{name.upper()}`" in text for name in Settings.model_fields)


def test_the_command_line_is_what_the_commands_say() -> None:
    text = (DOCS / "command-line.md").read_text(encoding="utf-8")
    assert text == command_line.page(), "run python -m tools.command_line"
    assert "## `x121 db restore SOURCE" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
