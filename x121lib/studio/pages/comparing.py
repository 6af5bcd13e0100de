"""The cuts of a scene beside each other: which tier each was made at, what it needed, and where its segments lie."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from x121lib import model as m
from x121lib.pipeline import histories
from x121lib.pipeline.tiering import MADE
from x121lib.studio.pages import gates, review_queries
from x121lib.studio.pages.desk import Desk
from x121lib.studio.pages.words import full, small
from x121lib.terms.roles import Permission

MOST = 8
"""Other cuts that are offered: the newest of each tier first, then the newest of all."""


def others(desk: Desk, scene_id: uuid.UUID, version_id: uuid.UUID) -> list[dict[str, Any]]:
    """Return the other cuts of a scene, those of another tier first, with what a player needs to show them in step."""
    rows = review_queries.versions(desk.session, scene_id)
    shown = next(row for row in rows if row["id"] == version_id)
    return [_cut(desk, row) for row in _order(rows, shown)[:MOST]]


def _order(rows: Sequence[Any], shown: Any) -> list[Any]:
    """Return the other cuts: the newest of each other tier, then the rest, each from the newest."""
    rest = [row for row in rows if row["id"] != shown["id"]]
    first: dict[str, Any] = {}
    for row in rest:
        if row["tier"] != shown["tier"]:
            first.setdefault(row["tier"], row)
    head = list(first.values())
    return [*head, *(row for row in rest if all(row is not each for each in head))]


def _cut(desk: Desk, row: Any) -> dict[str, Any]:
    cuts = gates.lay_out(review_queries.cuts(desk.session, row["id"]))
    takes = [cut.take_id for cut in cuts]
    verdicts = gates.gates(review_queries.verdicts(desk.session, takes), cuts)
    return {
        "id": str(row["id"]), "version": f"v{row['number']}", "tier": row["tier"] or "unknown tier",
        "video": full(row["sha256"]), "poster": small(row["sha256"]), "frames": row["n_frames"],
        "fps": [row["rate_n"], row["rate_d"]], "width": row["width"], "height": row["height"],
        "segments": [[cut.start, cut.end] for cut in cuts],
        "run_s": review_queries.receipt(desk.session, takes)["run_s"],
        "gates": [{"name": g["name"], "value": g["value"], "status": g["status"]} for g in verdicts],
    }  # fmt: skip


def higher(desk: Desk, scene_id: uuid.UUID) -> dict[str, Any]:
    """Return the tiers that a scene can be made again at, with the GPU seconds that past takes let expect."""
    scene = desk.session.get_one(m.Scene, scene_id)
    version = desk.session.get_one(m.SceneTypeVersion, scene.scene_type_version_id)
    now_at = desk.session.get_one(m.Tier, scene.tier_id)
    n = desk.session.scalar(sa.select(sa.func.count(m.Segment.id)).where(m.Segment.scene_id == scene_id)) or 0
    tiers: list[dict[str, Any]] = []
    if scene.status_id in MADE:
        query = sa.select(m.Tier).where(m.Tier.sort_order > now_at.sort_order).order_by(m.Tier.sort_order)
        for tier in desk.session.scalars(query):
            found = histories.expected(desk.session, [(version, n)], tier, desk.now)
            tiers.append(
                {"name": tier.name, "gpu_s": found.middle_s if found else None,
                 "low_s": found.low_s if found else None, "high_s": found.high_s if found else None}
            )  # fmt: skip
    return {"tier": now_at.name, "takes": n, "tiers": tiers, "may": desk.may(Permission.SUBMIT)}
