"""The import contracts of pyproject.toml hold, and each of them would notice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_import_contract_is_kept() -> None:
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


def test_an_upward_import_is_noticed(tmp_path: Path) -> None:
    for package in ("dashboards", "jobs", "tests", "x121lib"):
        for source in (ROOT / package).rglob("*.py"):
            copy = tmp_path / source.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    upward = tmp_path / "x121lib" / "base" / "ids.py"
    upward.write_text(
        upward.read_text() + "\n\ndef late() -> object:\n    import x121lib.store.session as s\n    return s\n"
    )
    done = _lint(tmp_path)
    assert done.returncode == 1
    assert "x121lib.base.ids -> x121lib.store.session" in done.stdout
