"""Secrets, as the façade offers them: they go in and never come out."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from x121lib.access import vault

if TYPE_CHECKING:
    from x121lib.studio.core import Studio


class Secrets:
    """Tokens that the studio was given: set, list by name, remove."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def set(self, name: str, value: str) -> None:
        """Keep a value under a name, encrypted; it cannot be read back."""
        with self._studio.transaction() as session:
            vault.set_secret(session, self._studio.actor, self._studio.settings.secrets_dir, name, value)

    def list(self) -> list[dict[str, Any]]:
        """Return one row per secret: name, who set it, when; never the value."""
        with self._studio.transaction() as session:
            return [asdict(row) for row in vault.list_secrets(session, self._studio.actor)]

    def remove(self, name: str) -> None:
        """Forget a secret."""
        with self._studio.transaction() as session:
            vault.remove_secret(session, self._studio.actor, name)
