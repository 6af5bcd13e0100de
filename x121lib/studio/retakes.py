"""Retake policies, as the façade offers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.catalogue import queries as catalogue
from x121lib.generation.retakes import Policy
from x121lib.pipeline import retake_policies
from x121lib.terms.roles import Permission

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

COLUMNS = ["scope", "name", "most_retakes", "best_of", "gates", "vary", "phrases"]


class Retakes:
    """Which takes X121 retakes by itself after a failed gate. Nothing is retaken without a policy."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def list(self) -> pd.DataFrame:
        """Return one row per policy; empty ``gates``: any failed gate."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            rows = retake_policies.listing(session)
        data = [
            (scope, name, p.most_retakes, p.best_of, ", ".join(sorted(p.metrics)),
             ", ".join(f"{slot} ±{spread:g}" for slot, spread in p.spreads.items()), "; ".join(p.phrases))
            for scope, name, p in rows
        ]  # fmt: skip
        return pd.DataFrame(data, columns=COLUMNS)

    def set(self, policy: Policy, *, project: str | None = None, scene_type: str | None = None) -> None:
        """Set the policy of a project or of a scene type, whose own goes before its project's.

        Each retake has a new seed; what else varies, and when a retake is made, the policy says.

        Raises:
            InvalidInputError: not exactly one of project and scene type, or a value that no policy can have.
            NotFoundError: no such project or scene type.
        """
        with self._studio.transaction() as session:
            holder = _holder(session, project, scene_type)
            retake_policies.set_policy(session, self._studio.actor, holder, policy)

    def remove(self, *, project: str | None = None, scene_type: str | None = None) -> None:
        """Remove a policy: what fails a gate from now on waits for a person.

        Raises:
            NotFoundError: no such project or scene type, or it has no policy of its own.
        """
        with self._studio.transaction() as session:
            holder = _holder(session, project, scene_type)
            retake_policies.remove_policy(session, self._studio.actor, holder)


def _holder(session: Any, project: str | None, scene_type: str | None) -> retake_policies.Holder:
    if (project is None) == (scene_type is None):
        raise InvalidInputError("Say whose takes these are.", hint="One project or one scene type.")
    if project is not None:
        return "project", catalogue.project(session, project).id
    key = session.scalar(sa.select(m.SceneType.id).where(sa.func.lower(m.SceneType.name) == str(scene_type).lower()))
    if key is None:
        known = ", ".join(catalogue.scene_type_names(session)) or "none yet"
        raise NotFoundError(f"There is no scene type '{scene_type}'.", hint=f"Scene types: {known}.")
    return "scene_type", key
