"""Where the files that travel with X121 lie: `data`, `sql` and `notebooks`.

In a checkout they are folders beside the package; in a wheel they are inside it.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def resource_path(*parts: str) -> Path:
    """Return the path of a shipped file or folder, e.g. ``resource_path("data", "workflows")``.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    for root in (_PACKAGE / "resources", _PACKAGE.parent):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError(f"X121's own file {'/'.join(parts)} is missing: install X121 again.")
