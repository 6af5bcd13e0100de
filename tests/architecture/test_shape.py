"""The shape of the code: sizes, names, paths, marks. An exception stands in a list that is itself tested."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("x121lib", "dashboards", "jobs", "tools")
MODULE_LINES, FUNCTION_LINES = 400, 40
TEST_LINES, TEST_FILE_LINES = 40, 600

LONG_MODULES: dict[str, str] = {}
"""Module → why it may be longer than the limit."""
LONG_FUNCTIONS: dict[str, str] = {}
"""``module.py::function`` → why it may be longer than the limit."""

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
MACHINE_PATH = re.compile(r"""["'](/home/|/Users/|/root/|/work/|/mnt/|/opt/|C:\\)[^"']*["']""")
CAPABILITY = re.compile(r"[A-Z]{1,3}(-\d{2,3})?/[a-z0-9]+(-[a-z0-9]+)*")


def sources(*folders: str) -> list[Path]:
    """Return the Python files below some of the project's folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """Return a file's path inside the project."""
    return path.relative_to(ROOT).as_posix()


def lines_of(path: Path) -> int:
    """Return how many lines a file has."""
    return len(path.read_text(encoding="utf-8").splitlines())


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each function's name inside its file and its length in lines, decorators and docstring not counted."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            begin = node.lineno
            if ast.get_docstring(node, clean=False) is not None:
                doc = node.body[0]
                begin += (doc.end_lineno or doc.lineno) - doc.lineno + 1
            yield f"{name_of(path)}::{node.name}", (node.end_lineno or node.lineno) - begin + 1


def long_modules() -> dict[str, int]:
    """Return the modules beyond the limit with their lengths."""
    return {name_of(p): n for p in sources(*PRODUCT) if (n := lines_of(p)) > MODULE_LINES}


def long_functions(*folders: str, limit: int) -> dict[str, int]:
    """Return the functions beyond the limit with their lengths."""
    return {name: n for path in sources(*folders) for name, n in functions(path) if n > limit}


def test_modules_are_short() -> None:
    assert {name: n for name, n in long_modules().items() if name not in LONG_MODULES} == {}


def test_functions_are_short() -> None:
    found = long_functions(*PRODUCT, limit=FUNCTION_LINES)
    assert {name: n for name, n in found.items() if name not in LONG_FUNCTIONS} == {}


def test_tests_are_short() -> None:
    assert long_functions("tests", limit=TEST_LINES) == {}
    assert {name_of(p): lines_of(p) for p in sources("tests") if lines_of(p) > TEST_FILE_LINES} == {}


def test_the_exceptions_are_still_needed() -> None:
    assert set(LONG_MODULES) <= set(long_modules())
    assert set(LONG_FUNCTIONS) <= set(long_functions(*PRODUCT, limit=FUNCTION_LINES))
    assert all(reason.strip() for reason in [*LONG_MODULES.values(), *LONG_FUNCTIONS.values()])


def test_no_file_has_a_name_that_says_nothing() -> None:
    paths = sources(*PRODUCT, "tests")
    assert [name_of(p) for p in paths if FORBIDDEN_NAMES & {p.stem, *p.relative_to(ROOT).parts[:-1]}] == []


def test_no_path_of_a_machine_stands_in_the_code() -> None:
    shipped = sources(*PRODUCT, "tests", "sql", "data")
    others = [
        path
        for folder in ("data", "sql", "notebooks", "tools", ".ci", ".")
        for pattern in ("*.toml", "*.json", "*.ipynb", "*.sql", "*.sh", "Makefile", "run")
        for path in ((ROOT / folder).glob(pattern) if folder == "." else (ROOT / folder).rglob(pattern))
    ]
    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in [*shipped, *others]
        if path != Path(__file__).resolve()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


def marks(path: Path) -> Iterator[tuple[int, ast.Call]]:
    """Yield each capability mark of a test file with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.capability"):
            yield node.lineno, node


def malformed(path: Path) -> list[str]:
    """Return the marks of a file that name no capability in the form ``PRD-08/priority-levels``."""
    wrong = []
    for line, mark in marks(path):
        ids = [argument.value for argument in mark.args if isinstance(argument, ast.Constant)]
        if (
            mark.keywords
            or not ids
            or len(ids) != len(mark.args)
            or not all(isinstance(i, str) and CAPABILITY.fullmatch(i) for i in ids)
        ):
            wrong.append(f"{path.name}:{line}: {ast.unparse(mark)}")
    return wrong


def test_capability_marks_are_well_formed() -> None:
    assert [wrong for path in sources("tests") for wrong in malformed(path)] == []


@pytest.mark.parametrize("mark", ["", "'PRD-1/x'", "'PRD-08/Priority Levels'", "ID", "'PRD-08/a', id='b'"])
def test_a_malformed_mark_is_found(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "test_sample.py"
    path.write_text(f"@pytest.mark.capability({mark})\ndef test_it(): ...\n")
    assert len(malformed(path)) == 1


def test_long_code_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "x121lib").mkdir()
    (tmp_path / "x121lib" / "long.py").write_text("def long():\n" + "    pass\n" * MODULE_LINES)
    assert long_modules() == {"x121lib/long.py": MODULE_LINES + 1}
    assert long_functions("x121lib", limit=FUNCTION_LINES) == {"x121lib/long.py::long": MODULE_LINES + 1}
