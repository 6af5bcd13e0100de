"""The registry of workflows, as the façade offers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from x121lib.catalogue import workflows
from x121lib.catalogue.workflows import Upgrade
from x121lib.terms.roles import Permission

if TYPE_CHECKING:
    from x121lib.studio.core import Studio


class Workflows:
    """Workflow versions with their trust and use, and the upgrade of scene types."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def list(self, name: str | None = None) -> pd.DataFrame:
        """Return one row per version: name, number, status, hash, scene types that refer to it, last use, slots."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            rows = workflows.listing(session)
        data = [
            (workflow, v.number, v.status_id.label, v.graph_hash[:12], users, last, slots or "")
            for workflow, v, slots, users, last in rows
            if name in (None, workflow)
        ]
        return pd.DataFrame(
            data, columns=["workflow", "version", "status", "hash", "scene_types", "last_used", "slots"]
        )

    def set_status(self, name: str, status: str, *, version: int | None = None) -> None:
        """Move a version (default: the newest) one step between Draft, Tested and Production."""
        with self._studio.transaction() as session:
            workflows.set_status(session, self._studio.actor, name, status, version)

    def upgrade(self, scene_type: str, *, version: int | None = None) -> Upgrade:
        """Let a scene type refer to another version of its workflow (default: the newest)."""
        with self._studio.transaction() as session:
            return workflows.upgrade(session, self._studio.actor, scene_type, version)
