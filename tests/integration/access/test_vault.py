"""Secrets go in encrypted, are audited by name, and never come out."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from x121lib import model as m
from x121lib.access import vault
from x121lib.base.errors import ForbiddenError, InvalidInputError, NotFoundError, RefusedError
from x121lib.base.settings import Settings
from x121lib.cli.commands import app
from x121lib.store.session import Database
from x121lib.terms.roles import Actor

VALUE = "hf_sEcReT0123456789"


@pytest.mark.capability("OVR/secret-and-environment-manager")
def test_the_commands_keep_list_and_forget_without_ever_showing(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert settings.database_url is not None
    monkeypatch.setenv("X121_HOME", str(settings.home))
    monkeypatch.setenv("X121_DATABASE_URL", settings.database_url.get_secret_value())
    run = CliRunner()
    with caplog.at_level(logging.DEBUG):
        done = [
            run.invoke(app, ["secret", *words], input=given)
            for words, given in (
                (["set", "huggingface"], VALUE + "\n"), (["set", "huggingface"], VALUE), (["list"], None),
                (["list", "--json"], None), (["set", "Bad Name"], VALUE), (["set", "empty"], " \n"),
                (["remove", "nothing"], None),
            )
        ]  # fmt: skip
    assert [d.exit_code for d in done] == [0, 0, 0, 0, 1, 1, 1]
    assert json.loads(done[3].stdout)[0]["name"] == "huggingface"
    assert VALUE not in "".join(d.output for d in done) + caplog.text
    with database.transaction() as session:
        (row,) = session.scalars(sa.select(m.Secret)).all()
        assert VALUE not in row.ciphertext
        entries = session.scalars(sa.select(m.AuditEntry).where(m.AuditEntry.entity == "secret")).all()
        assert [e.action for e in entries] == ["secret.set", "secret.replace"]
        assert VALUE not in json.dumps([e.after for e in entries])
        assert vault.find_value(session, settings.secrets_dir, "huggingface") == VALUE
    assert run.invoke(app, ["secret", "remove", "huggingface"]).exit_code == 0
    with database.transaction() as session:
        assert vault.find_value(session, settings.secrets_dir, "huggingface") is None


def test_another_data_key_and_a_wrong_person_are_refused(
    database: Database, admin: Actor, reviewer: Actor, tmp_path: Path
) -> None:
    with database.transaction() as session:
        vault.set_secret(session, admin, tmp_path / "one", "civitai", VALUE)
        with pytest.raises(RefusedError, match="another data key") as refusal:
            vault.find_value(session, tmp_path / "two", "civitai")
        assert VALUE not in str(refusal.value)
        with pytest.raises(InvalidInputError):
            vault.set_secret(session, admin, tmp_path / "one", "civitai", "two\nlines")
        with pytest.raises(NotFoundError):
            vault.remove_secret(session, admin, "nothing")
        for change in (
            lambda: vault.set_secret(session, reviewer, tmp_path, "x", "y"),
            lambda: vault.list_secrets(session, reviewer),
            lambda: vault.remove_secret(session, reviewer, "civitai"),
        ):
            with pytest.raises(ForbiddenError):
                change()
    assert os.stat(tmp_path / "one" / "data-key").st_mode & 0o077 == 0
