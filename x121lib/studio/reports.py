"""Parameterised notebooks under Papermill: run one against a studio and write it as HTML."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from x121lib.base.errors import InvalidInputError, X121Error
from x121lib.base.resources import resource_path
from x121lib.base.settings import Settings


class ReportFailedError(X121Error):
    """A cell of a report's notebook failed."""

    code = "studio.report_failed"


def report_names() -> list[str]:
    """Return the names of the notebooks that travel with X121."""
    return sorted(p.stem for p in resource_path("notebooks").glob("*.ipynb"))


def run_report(settings: Settings, name: str, parameters: Mapping[str, str], to: Path | None = None) -> Path:
    """Run the notebook ``name`` with parameters and write HTML; the executed notebook lies beside it.

    Raises:
        InvalidInputError: there is no such notebook, or it has no such parameter.
        ReportFailedError: a cell failed; the message is the cell's.
    """
    import papermill  # noqa: PLC0415  (slow to import, needed here only)
    from nbconvert import HTMLExporter  # noqa: PLC0415

    source = resource_path("notebooks", f"{name}.ipynb")
    known = papermill.inspect_notebook(str(source))
    if unknown := [p for p in parameters if p not in known]:
        raise InvalidInputError(f"Report '{name}' has no parameter '{unknown[0]}'.", hint=f"Known: {', '.join(known)}.")
    target = (to or Path(f"{name}.html")).absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    executed = target.with_suffix(".ipynb")
    typed: dict[str, Any] = {k: _typed(v, known[k].get("default", "")) for k, v in parameters.items()}
    with tempfile.TemporaryDirectory(prefix="x121-report-") as folder, _environment(settings):
        part = Path(folder) / executed.name
        try:
            papermill.execute_notebook(str(source), str(part), parameters=typed, progress_bar=False, log_output=False)
        except papermill.PapermillExecutionError as error:
            raise ReportFailedError(f"Report '{name}' failed: {error.ename}: {error.evalue}") from error
        body, _ = HTMLExporter(exclude_input=True, template_name="lab").from_filename(str(part))
        part.replace(executed) if part.stat().st_dev == executed.parent.stat().st_dev else _copy(part, executed)
        target.write_text(body, encoding="utf-8")
    return target


def _copy(source: Path, to: Path) -> None:
    to.write_bytes(source.read_bytes())


class _environment:  # noqa: N801  (reads as a phrase)
    """Let the notebook's kernel find this studio."""

    def __init__(self, settings: Settings) -> None:
        self._new = {"X121_HOME": str(settings.home)}
        if settings.database_url is not None:
            self._new["X121_DATABASE_URL"] = settings.database_url.get_secret_value()
        self._old: dict[str, str | None] = {}

    def __enter__(self) -> None:
        self._old = {k: os.environ.get(k) for k in self._new}
        os.environ.update(self._new)

    def __exit__(self, *_: object) -> None:
        for key, value in self._old.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


def _typed(value: str, default: str) -> Any:
    """Return a parameter in the type of the notebook's default."""
    if default.strip() in ("True", "False"):
        return value.lower() in ("1", "true", "yes", "on")
    try:
        return type(int(default))(value)
    except ValueError:
        return value
