"""Write the settings table of ``docs/operations.md`` from the fields of `Settings`."""

from __future__ import annotations

import sys
from pathlib import Path

from x121lib.base.settings import Settings

TARGET = Path(__file__).resolve().parents[1] / "docs" / "operations.md"
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"


def table() -> str:
    """Return the table, one row per setting."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        factory = field.default_factory is not None
        default = "the platform's data folder" if factory else "" if field.default is None else f"`{field.default}`"
        rows.append(f"| `X121_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


def with_table(page: str) -> str:
    """Return the page with the current table between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> int:
    """Write the table; with ``--check`` only say whether it is current."""
    page = TARGET.read_text(encoding="utf-8")
    if "--check" in sys.argv[1:]:
        if page != with_table(page):
            print("The settings in docs/operations.md are not current: run python -m tools.settings_table")
            return 1
        return 0
    TARGET.write_text(with_table(page), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
