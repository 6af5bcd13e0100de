"""Pauses, as the façade offers them: of a scene, a batch, a project or the whole studio."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from x121lib.scheduling import holding, holds
from x121lib.scheduling.holding import Hold
from x121lib.scheduling.holds import Scope
from x121lib.terms.roles import Permission

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

__all__ = ["Hold", "Pauses", "Scope"]
COLUMNS = ["hold_id", "target", "person", "since", "reason"]


class Pauses:
    """What is paused, by whom, since when and why. A take that runs is finished; nothing new of it starts."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def pause(self, scope: Scope | None = None, reason: str = "") -> list[Hold]:
        """Pause a scope (default: the whole studio), what is submitted into it later too; returns its pauses."""
        with self._studio.transaction() as session:
            now = self._studio.house.now()
            return holds.pause(session, self._studio.actor, scope or Scope(), reason, now)

    def resume(self, scope: Scope | None = None) -> list[Hold]:
        """Let a scope (default: the whole studio) go on; returns the pauses that ended."""
        with self._studio.transaction() as session:
            return holds.resume(session, self._studio.actor, scope or Scope())

    def every(self) -> tuple[Hold, ...]:
        """Return every pause that stands, the widest first."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            return holding.read(session).every

    def list(self) -> pd.DataFrame:
        """Return one row per pause that stands."""
        rows = [(h.hold_id, h.target, h.person, h.made_at, h.reason) for h in self.every()]
        return pd.DataFrame(rows, columns=COLUMNS)
