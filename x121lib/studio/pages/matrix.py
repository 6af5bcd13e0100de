"""The matrix: characters × scene types, one scene per variant."""

from __future__ import annotations

import string
import uuid
from typing import Any

import sqlalchemy as sa

from x121lib import model as m
from x121lib.studio.pages import grid as grids
from x121lib.studio.pages.desk import Desk, View
from x121lib.studio.pages.estimates import planned_segments
from x121lib.studio.pages.grid import Grid, GridScene
from x121lib.studio.pages.words import full, many, small
from x121lib.terms.roles import Permission

STRIP_FRAMES = 12
"""Frames in the filmstrip that assembly makes."""
_RANK = ("approved", "review", "rejected", "failed", "generating", "pending", "blocked", "none")


def matrix(desk: Desk) -> View:
    """Return the matrix of the desk's project."""
    grid = grids.build(desk)
    tiers = list(desk.session.scalars(sa.select(m.Tier).order_by(m.Tier.sort_order)))
    return {
        "scene_types": [{"id": str(t.id), "name": t.name, "sub": _sub(v)} for t, v in grid.types],
        "variants": [
            {"name": k.name, "letter": string.ascii_uppercase[i % 26], "label": k.name.replace("_", " ").capitalize()}
            for i, k in enumerate(grid.kinds)
        ],
        "rows": [_row(grid, c) for c in grid.characters] if grid.types else [],
        "counts": grids.count(grid.scenes()),
        "prerequisites": prerequisites(grid),
        "tiers": [{"id": str(t.id), "name": t.name} for t in tiers],
        "tier": str(desk.project.default_tier_id) if desk.project else "",
        "may_submit": desk.may(Permission.SUBMIT),
    }


def _sub(version: m.SceneTypeVersion) -> str:
    return f"{float(version.target_duration_s):.1f} s · {planned_segments(version)} seg"


def _row(grid: Grid, character: sa.RowMapping) -> dict[str, Any]:
    scenes = grid.of_character(character["id"])
    return {
        "id": str(character["id"]), "name": character["name"],
        "sub": f"{character['folder_name']} · {character['kind'].label}", "thumb": small(character["sha256"]),
        "approved": sum(s.status == "approved" for s in scenes), "total": len(scenes),
        "notice": notice(grid, character["id"]),
        "cells": [_cell(grid, grid.cells[character["id"], t.id]) for t, _ in grid.types],
    }  # fmt: skip


def _cell(grid: Grid, scenes: list[GridScene]) -> dict[str, Any]:
    shown = [s for s in scenes if s.strip is not None]
    best = min(shown, key=lambda s: _RANK.index(s.status), default=None)
    return {
        "strip": full(best.strip) if best else None, "strip_frames": STRIP_FRAMES,
        "scenes": [scene_of(s) for s in scenes], "selectable": any(s.startable for s in scenes),
    }  # fmt: skip


def scene_of(scene: GridScene) -> dict[str, Any]:
    """Return a scene as the matrix shows it."""
    return {
        "id": str(scene.scene_id) if scene.scene_id else None, "variant": scene.kind.name, "status": scene.status,
        "progress": scene.progress, "reason": scene.reason,
    }  # fmt: skip


def notice(grid: Grid, character_id: uuid.UUID) -> dict[str, str] | None:
    """Return the strongest thing that a character lacks."""
    gaps = [grid.gaps[character_id, k.id] for k in grid.kinds if (character_id, k.id) in grid.gaps]
    if not gaps:
        return None
    text = gaps[0].split(":")[0].rstrip(".")
    more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
    return {"status": "blocked", "text": text[:1].upper() + text[1:] + more}


def prerequisites(grid: Grid) -> list[dict[str, str]]:
    """Return what blocks scenes, one line per character, with where to solve it; at most 20."""
    found = []
    for character in grid.characters:
        blocked = [s for s in grid.of_character(character["id"]) if s.status == "blocked"]
        if not blocked:
            continue
        kinds = ", ".join(dict.fromkeys(s.kind.name for s in blocked))
        reason = blocked[0].reason.split(":")[0].rstrip(".")
        text = f"{character['name']}, {kinds}: {reason}, {many(len(blocked), 'scene')} blocked"
        found.append(
            {"status": "blocked", "text": text, "link": "Open", "href": f"/character?character={character['id']}"}
        )
    return found[:20]
