"""Measure: every ``bench()`` beside this file, as one table and as ``bench.json``.

``python -m tests.benchmarks.run [NAME]`` runs all, or those whose file or row bears the name.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
RESULT = Path("bench.json")
FIELDS = ("name", "value", "unit", "against", "ratio", "note")
Row = dict[str, Any]


def modules(only: str) -> Iterator[Path]:
    """Yield the benchmark files to run: those that bear the name, or speak of the row of that name, else all."""
    paths = sorted(HERE.glob("bench_*.py"))
    yield from [path for path in paths if not only or only in path.stem or only in path.read_text("utf-8")]


def measure(path: Path) -> list[Row]:
    """Return a benchmark file's rows.

    Raises:
        ValueError: a row lacks a field.
    """
    spec = importlib.util.spec_from_file_location(f"x121_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path.name} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows: list[Row] = module.bench()
    for row in rows:
        if absent := [field for field in FIELDS if field not in row]:
            raise ValueError(f"{path.name}: the row {row.get('name', '?')} has no {', '.join(absent)}.")
    return [{field: row[field] for field in FIELDS} for row in rows]


def table(rows: Sequence[Row]) -> Table:
    """Return the rows for a terminal."""
    made = Table(title="X121, measured")
    for field in FIELDS:
        made.add_column(field, justify="right" if field in {"value", "ratio"} else "left", overflow="fold")
    for row in rows:
        made.add_row(*(_cell(row[field]) for field in FIELDS))
    return made


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)


def main(arguments: Sequence[str]) -> int:
    """Measure, print and write ``bench.json``; return 1 where a benchmark failed or none bears the name."""
    only = arguments[0] if arguments else ""
    console, rows, failed = Console(), [], []
    chosen = list(modules(only))
    for path in chosen:
        began = time.perf_counter()
        try:
            rows += measure(path)
        except Exception:  # noqa: BLE001 - a benchmark that fails is reported, the others still run
            failed.append(path.stem)
            traceback.print_exc()
        console.print(f"{path.stem}: {time.perf_counter() - began:.1f} s", style="dim")
    exact = [row for row in rows if row["name"] == only]
    rows = exact or rows
    console.print(table(rows))
    RESULT.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if failed or not chosen:
        console.print(
            f"Failed: {', '.join(failed)}" if failed else f"No benchmark is called '{only}'.", style="bold red"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
