"""Parameterised notebooks under Papermill: run one against a studio and write it as one HTML file."""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from x121lib.base.errors import InvalidInputError, NotFoundError, X121Error
from x121lib.base.resources import resource_path
from x121lib.base.settings import Settings

START_TIMEOUT_S = 60
"""Seconds that a kernel may take to start."""
_PAGE = Path(__file__).parent / "page"


class ReportFailedError(X121Error):
    """A cell of a report's notebook failed."""

    code = "studio.report_failed"


def report_names() -> list[str]:
    """Return the names of the notebooks that travel with X121."""
    return sorted(p.stem for p in resource_path("notebooks").glob("*.ipynb"))


def run_report(settings: Settings, name: str, parameters: Mapping[str, str], to: Path | None = None) -> Path:
    """Run the notebook ``name`` with parameters and write it as one HTML file that loads nothing from elsewhere.

    The executed notebook, with its code, lies beside it as ``….executed.ipynb``. Nothing is written when a cell fails.

    Args:
        settings: of the studio that the notebook opens.
        name: a name of `report_names`.
        parameters: values as text; each takes the type that the notebook's ``parameters`` cell gives it.
        to: the HTML file; ``NAME.html`` in the current folder if not given.

    Raises:
        NotFoundError: there is no such notebook.
        InvalidInputError: it has no such parameter, or a value is not of the parameter's type.
        ReportFailedError: a cell failed; the message is the cell's.
    """
    if name not in report_names():
        raise NotFoundError(f"There is no report '{name}'.", hint=f"Reports: {', '.join(report_names())}.")
    import papermill  # noqa: PLC0415  (slow to import, needed here only)

    source = resource_path("notebooks", f"{name}.ipynb")
    known = papermill.inspect_notebook(str(source))
    if unknown := [p for p in parameters if p not in known]:
        raise InvalidInputError(f"Report '{name}' has no parameter '{unknown[0]}'.", hint=f"Known: {', '.join(known)}.")
    typed = {key: typed_value(key, value, known[key]) for key, value in parameters.items()}
    target = (to or Path(f"{name}.html")).absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".x121-report-", dir=target.parent) as folder:
        part = Path(folder) / f"{name}.ipynb"
        _execute(settings, source, part, typed)
        page = Path(folder) / target.name
        page.write_text(_as_html(part), encoding="utf-8")
        part.replace(target.with_suffix(".executed.ipynb"))
        page.replace(target)
    return target


def _execute(settings: Settings, source: Path, to: Path, parameters: Mapping[str, Any]) -> None:
    import papermill  # noqa: PLC0415
    from nbclient.exceptions import DeadKernelError  # noqa: PLC0415

    from x121lib.studio.kernel import kernel_manager_class  # noqa: PLC0415  (imports Jupyter's client)

    try:
        with tempfile.TemporaryDirectory(prefix="x121-") as private:
            papermill.execute_notebook(
                str(source), str(to), parameters=dict(parameters), progress_bar=False, log_output=False,
                start_timeout=START_TIMEOUT_S, kernel_manager_class=kernel_manager_class(settings, Path(private)),
            )  # fmt: skip
    except papermill.PapermillExecutionError as error:
        reason = next(iter(error.evalue.splitlines()), "")
        raise ReportFailedError(f"Report '{source.stem}' failed: {error.ename}: {reason}") from error
    except (DeadKernelError, RuntimeError) as error:
        raise ReportFailedError(
            f"Report '{source.stem}' failed: its Python process ended or did not start: {error}",
            hint="Is there memory left, and is ipykernel installed?",
        ) from error


def _as_html(notebook: Path) -> str:
    from nbconvert import HTMLExporter  # noqa: PLC0415

    exporter = HTMLExporter(
        template_name="x121",
        extra_template_basedirs=[str(_PAGE)],
        exclude_input=True,
        embed_images=True,
        anchor_link_text=" ",
    )
    body, _ = exporter.from_filename(str(notebook))
    return str(body)


def typed_value(key: str, text: str, known: Mapping[str, Any]) -> Any:
    """Return a parameter's value in the type that its notebook gives it.

    Args:
        key: the parameter's name.
        text: what was given, e.g. ``dance,idle`` or ``['dance']`` for a list, ``none`` for nothing.
        known: what Papermill found in the notebook: ``default`` (source) and ``inferred_type_name`` (annotation).

    Raises:
        InvalidInputError: the text does not read as that type.
    """
    try:
        default = ast.literal_eval(known.get("default") or "None")
    except (SyntaxError, ValueError):
        default = None
    annotation = str(known.get("inferred_type_name") or "")
    if text.strip().lower() in ("none", "null", "") and (default is None or "None" in annotation):
        return None
    read = _reader(default, annotation)
    try:
        return read(text)
    except ValueError as error:
        wanted = {_boolean: "yes or no", int: "a whole number", float: "a number", _names: "a list: a,b"}[read]
        raise InvalidInputError(f"Parameter '{key}' is {wanted}, not '{text}'.") from error


def _reader(default: object, annotation: str) -> Callable[[str], Any]:
    if annotation.startswith("list") or isinstance(default, list):
        return _names
    for kind, read in ((bool, _boolean), (int, int), (float, float)):
        if annotation.split(" ")[0] == kind.__name__ or (not annotation and type(default) is kind):
            return read
    return str


def _boolean(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.strip().lower() not in words:
        raise ValueError(text)
    return words[text.strip().lower()]


def _names(text: str) -> list[str]:
    """Return the names in ``a, b`` or ``['a', 'b']``."""
    if text.strip().startswith("["):
        try:
            found = ast.literal_eval(text.strip())
        except SyntaxError as error:
            raise ValueError(text) from error
        if not all(isinstance(item, str) for item in found):
            raise ValueError(text)
        return list(found)
    return [part.strip() for part in text.split(",") if part.strip()]
