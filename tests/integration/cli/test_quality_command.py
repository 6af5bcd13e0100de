"""`x121 qa`: before anything was made, and with a profile that is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

X121 = Callable[..., Result]
PROFILES = Path(__file__).resolve().parents[3] / "data" / "qa_profiles"


def test_a_profile_is_tried_and_agreement_is_shown(x121: X121, tmp_path: Path) -> None:
    tried = x121("qa", "try", str(PROFILES / "portrait.toml"))
    assert "No take was finished under this profile in the last 7 days." in tried.stderr
    assert json.loads(x121("qa", "agreement", "--json").stdout) == []
    assert "Nothing was approved or rejected" in x121("qa", "agreement").output
    assert "cannot be read" in x121("qa", "try", str(tmp_path / "none.toml"), code=1).stderr
