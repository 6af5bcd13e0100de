"""`x121 api-key`: make, list, revoke."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from tests.integration.api.conftest import House
from x121lib.access.sign_in import SignedOutError
from x121lib.cli.commands import app
from x121lib.studio.clients import Clients


def test_a_key_is_printed_once_listed_without_its_secret_and_revoked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.key("reviewer")
    url = house.studio.settings.database_url
    assert url is not None
    monkeypatch.setenv("X121_HOME", str(house.studio.settings.home))
    monkeypatch.setenv("X121_DATABASE_URL", url.get_secret_value())
    run = CliRunner()
    made = run.invoke(app, ["api-key", "add", "nightly", "--email", "reviewer@example.com"])
    assert made.exit_code == 0, made.output
    key = made.stdout.strip()
    assert Clients(house.studio).as_bearer(key).actor.name == "Reviewer"
    listed = run.invoke(app, ["api-key", "list", "--json"])
    assert key not in listed.stdout
    row = next(r for r in json.loads(listed.stdout) if r["name"] == "nightly")
    assert run.invoke(app, ["api-key", "revoke", row["key_id"]]).exit_code == 0
    with pytest.raises(SignedOutError):
        Clients(house.studio).as_bearer(key)
    assert run.invoke(app, ["api-key", "add", "x", "--email", "nobody@example.com"]).exit_code == 1
