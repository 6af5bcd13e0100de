"""Every cell of a project's matrix with its status: what the matrix, the gallery and Pulse count."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from x121lib import model as m
from x121lib.access import rights
from x121lib.catalogue import queries as catalogue
from x121lib.studio.pages import queries
from x121lib.studio.pages.desk import Desk
from x121lib.studio.pages.words import SCENE_STATUS
from x121lib.terms.vocabulary import ReleasePurpose, SceneStatus

STARTABLE = frozenset({SceneStatus.PENDING, SceneStatus.FAILED})
"""Statuses from which a scene can be submitted."""


@dataclass(frozen=True, slots=True)
class GridScene:
    """One scene of the matrix, planned or not."""

    character_id: uuid.UUID
    """Its character."""
    scene_type_id: uuid.UUID
    """Its scene type."""
    kind: m.VariantKind
    """Its variant kind."""
    scene_id: uuid.UUID | None
    """Its row; None while it was never submitted."""
    status: str
    """Silhouette."""
    progress: float | None
    """0 to 1 while it is being made."""
    reason: str
    """Why it is blocked or failed."""
    startable: bool
    """Whether it can be submitted now."""
    strip: str | None
    """Hash of its newest filmstrip."""


@dataclass(frozen=True)
class Grid:
    """The matrix of a project."""

    characters: list[sa.RowMapping] = field(default_factory=list)
    """Its characters by name."""
    types: list[tuple[m.SceneType, m.SceneTypeVersion]] = field(default_factory=list)
    """The studio's scene types by name, each with its newest version."""
    kinds: list[m.VariantKind] = field(default_factory=list)
    """Variant kinds that any of them applies to, in the studio's order."""
    cells: dict[tuple[uuid.UUID, uuid.UUID], list[GridScene]] = field(default_factory=dict)
    """Scenes by (character, scene type)."""
    gaps: dict[tuple[uuid.UUID, uuid.UUID], str] = field(default_factory=dict)
    """What a character's variant kind lacks, in words."""

    def scenes(self) -> Iterable[GridScene]:
        """Yield every scene."""
        return (scene for cell in self.cells.values() for scene in cell)

    def of_character(self, character_id: uuid.UUID) -> list[GridScene]:
        """Return the scenes of a character."""
        return [s for t, _ in self.types for s in self.cells.get((character_id, t.id), ())]


def count(scenes: Iterable[GridScene]) -> dict[str, int]:
    """Return how many scenes stand in each status."""
    return dict(Counter(scene.status for scene in scenes))


def build(desk: Desk) -> Grid:
    """Return the matrix of the desk's project; a constant number of statements."""
    if desk.project is None:
        return Grid()
    project_id = desk.project.id
    characters = queries.characters(desk.session, project_id)
    types = catalogue.latest_scene_types(desk.session)
    kinds_of = catalogue.kinds_of(desk.session, [v.id for _, v in types])
    kinds = {k.id: k for found in kinds_of.values() for k in found}
    rows = {
        (r["character_id"], r["scene_type_id"], r["variant_kind_id"]): r
        for r in queries.scenes(desk.session, project_id)
    }
    gaps = gaps_of(desk, [c["id"] for c in characters], list(kinds.values()))
    made = queries.progress(desk.session, project_id)
    columns = [(t.id, [(k, k.id) for k in kinds_of.get(v.id, ())]) for t, v in types]
    cells = {
        (character, type_id): [
            _scene((character, type_id, k), rows.get((character, type_id, key)), gaps.get((character, key), ""), made)
            for k, key in column
        ]
        for character in (c["id"] for c in characters)
        for type_id, column in columns
    }
    return Grid(characters, types, sorted(kinds.values(), key=lambda k: (k.sort_order, k.name)), cells, gaps)


def gaps_of(
    desk: Desk, characters: list[uuid.UUID], kinds: list[m.VariantKind]
) -> dict[tuple[uuid.UUID, uuid.UUID], str]:
    """Return what stands between a character's variant kind and its generation."""
    if desk.project is None:
        return {}
    approved = queries.approved_kinds(desk.session, desk.project.id)
    gaps = {
        (c, k.id): f"no approved '{k.name}' image: make or import one and approve it"
        for c in characters
        for k in kinds
        if (c, k.id) not in approved
    }
    uses = [
        rights.Use(c, k.id, desk.project.id, ReleasePurpose.GENERATE)
        for c in characters
        for k in kinds
        if (c, k.id) in approved
    ]
    missing = rights.uncovered(desk.session, uses, desk.now)
    return gaps | {(use.character_id, use.variant_kind_id): cover.reason for use, cover in missing.items()}


def _scene(
    place: tuple[uuid.UUID, uuid.UUID, m.VariantKind],
    row: sa.RowMapping | None,
    gap: str,
    working: dict[uuid.UUID, Any],
) -> GridScene:
    character_id, scene_type_id, kind = place
    stored = row["status"] if row is not None else SceneStatus.PENDING
    status, progress = SCENE_STATUS[stored], None
    reason = (row["failure_reason"] or "") if row is not None and stored == SceneStatus.FAILED else ""
    startable = stored in STARTABLE
    if startable and gap:
        status, reason, startable = ("blocked" if stored == SceneStatus.PENDING else status), reason or gap, False
    if stored == SceneStatus.GENERATING and row is not None:
        status, progress = _made_so_far(working.get(row["id"]))
    return GridScene(
        character_id, scene_type_id, kind, row["id"] if row is not None else None, status, progress, reason, startable,
        row["strip"] if row is not None else None,
    )  # fmt: skip


def _made_so_far(row: Any) -> tuple[str, float | None]:
    """Return *pending* while nothing of a queued scene has begun, else *generating* with its share."""
    if row is None:
        return "pending", None
    if not row["leased"] and not row["done"]:
        return "pending", None
    return "generating", min(1.0, (row["done"] + float(row["part"])) / max(1, row["segments"]))
