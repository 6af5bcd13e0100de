"""Tiers, as the façade offers them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pandas as pd

from x121lib import model as m
from x121lib.base.errors import NotFoundError
from x121lib.catalogue import tiers
from x121lib.catalogue.tiers import TierTerms
from x121lib.pipeline import tiering
from x121lib.pipeline.submission import Selection
from x121lib.terms.roles import Permission

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

COLUMNS = ["tier", "rank", "resolution", "steps", "deliverable"]
COMPARED = [
    "segment", "tier", "take", "seed", "status", "width", "height", "run_s", "workflow_version_id", "sha256", "scores",
]  # fmt: skip


class Tiers:
    """Quality tiers from the lowest to the highest, and the same scene at a higher one."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def list(self) -> pd.DataFrame:
        """Return one row per tier, from the lowest to the highest."""
        with self._studio.transaction() as session:
            rows = tiers.listing(session, self._studio.actor)
            data = [(t.name, t.sort_order, t.resolution_scale, t.steps_scale, t.is_deliverable) for t in rows]
        return pd.DataFrame(data, columns=COLUMNS)

    def set(self, name: str, terms: TierTerms) -> None:
        """Make a tier, or change one; raises `InvalidInputError` for what no tier can be."""
        with self._studio.transaction() as session:
            tiers.set_tier(session, self._studio.actor, name, terms)

    def remove(self, name: str) -> None:
        """Remove a tier that nothing uses; raises `NotFoundError` or `ConflictError`."""
        with self._studio.transaction() as session:
            tiers.remove_tier(session, self._studio.actor, name)

    def raise_scene(self, scene_id: uuid.UUID, tier: str) -> int:
        """Make a finished scene again at a higher tier with the same seeds, prompts and parameters; returns the takes.

        Raises:
            NotFoundError: no such scene or tier.
            RefusedError: it has no whole cut, or the tier is not higher.
        """
        with self._studio.transaction() as session:
            if session.get(m.Scene, scene_id) is None:
                raise NotFoundError("There is no such scene.")
            return tiering.raise_scene(session, self._studio.actor, scene_id, tier, self._studio.house.now())

    def raise_scenes(self, project: str, selection: Selection) -> tuple[int, int]:
        """Do so with every finished scene of a selection below ``selection.tier``; returns (scenes, takes)."""
        key = self._studio.project(project).project_id
        with self._studio.transaction() as session:
            row = session.get_one(m.Project, key, with_for_update=True)
            return tiering.raise_cells(session, self._studio.actor, row, selection, self._studio.house.now())

    def compare(self, scene_id: uuid.UUID) -> pd.DataFrame:
        """Return one row per segment and tier with its newest finished take: seed, size, GPU seconds, scores, file."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            if session.get(m.Scene, scene_id) is None:
                raise NotFoundError("There is no such scene.")
            return pd.DataFrame(tiering.comparison(session, scene_id), columns=COMPARED)
