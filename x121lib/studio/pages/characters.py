"""The gallery, and one character with source image, variants, release and metadata."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from x121lib.access import queries as access_queries
from x121lib.base.errors import NotFoundError
from x121lib.intake.metadata import FieldSpec
from x121lib.studio.pages import character_queries as reads
from x121lib.studio.pages import grid as grids
from x121lib.studio.pages.desk import Desk, View, key_of
from x121lib.studio.pages.gates import number
from x121lib.studio.pages.grid import Grid
from x121lib.studio.pages.matrix import notice
from x121lib.studio.pages.words import OUTCOME_STATUS, day, full, many, small
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import PerformerKind, VariantStatus

_VARIANTS = {
    VariantStatus.PENDING: ("none", "Not made yet"), VariantStatus.GENERATED: ("review", "Waits for approval"),
    VariantStatus.EDITING: ("warning", "Being edited"), VariantStatus.APPROVED: ("approved", "Approved"),
    VariantStatus.REJECTED: ("rejected", "Rejected"),
}  # fmt: skip
_WORDS = {
    "none": "not started", "pending": "queued", "generating": "generating", "review": "in review",
    "approved": "approved", "rejected": "rejected", "failed": "failed", "blocked": "blocked",
}  # fmt: skip
_SOON = timedelta(days=30)


def characters(desk: Desk) -> View:
    """Return the gallery."""
    grid = grids.build(desk)
    kinds: dict[uuid.UUID, list[dict[str, str]]] = {}
    for row in reads.variant_statuses(desk.session, desk.project.id) if desk.project else ():
        kinds.setdefault(row["character_id"], []).append(
            {"name": row["name"], "status": _VARIANTS[row["status_id"]][0]}
        )
    name = f"'{desk.project.name}'" if desk.project else "PROJECT"
    return {
        "characters": [_card(grid, c, kinds.get(c["id"], [])) for c in grid.characters],
        "import_command": f"x121 import {name} ./portraits --synthetic --dry-run",
    }


def _card(grid: Grid, row: sa.RowMapping, variants: list[dict[str, str]]) -> dict[str, Any]:
    scenes = grid.of_character(row["id"])
    counts = grids.count(scenes)
    return {
        "id": str(row["id"]), "name": row["name"], "kind": row["kind"].label, "thumb": small(row["sha256"]),
        "counts": counts, "scenes": len(scenes), "approved": counts.get("approved", 0), "variants": variants,
        "notice": notice([k.id for k in grid.kinds], row["id"], grid.gaps), "tags": [],
    }  # fmt: skip


def character(desk: Desk, character_id: str) -> View:
    """Return one character; raises `NotFoundError`."""
    key, grid = key_of(character_id, "character"), grids.build(desk)
    order = [c["id"] for c in grid.characters]
    if key not in order:
        raise NotFoundError("There is no such character in this project.", hint="Choose it in the gallery.")
    at = order.index(key)
    row = grid.characters[at]
    by = reads.added_by(desk.session, key)
    versions = reads.versions(desk.session, key)
    checks = reads.checks(desk.session, [v["version_id"] for v in versions if v["version_id"]])
    source = next((v for v in versions if v["version_id"] and v["version_id"] == v["approved_version_id"]), None)
    face = reads.face(desk.session, source["artifact_id"]) if source else None
    types = reads.identity_by_type(desk.session, key)
    limits = [t["limit"] for t in types if t["limit"] is not None]
    return {
        "id": str(key), "name": row["name"], "code": row["folder_name"], "kind": row["kind"].label,
        "added": f"added {day(row['created_at'])}" + (f" by {by}" if by else ""), "position": at + 1,
        "total": len(order), "previous_id": str(order[at - 1]) if at else None,
        "next_id": str(order[at + 1]) if at + 1 < len(order) else None, "badges": _badges(grid, key),
        "source": _source(source, face, checks),
        "variants": [_variant(desk, grid, key, rows, checks) for rows in _by_variant(versions)],
        "identity_gate": max(limits) if limits else None,
        "identity_backend": f"{face.backend} {face.pack}".strip() if face else "no face measured",
        "identity_types": [_identity(t) for t in types], "release": _release(desk, row),
        "metadata": _metadata(desk, key),
    }  # fmt: skip


def _badges(grid: Grid, key: uuid.UUID) -> list[dict[str, str]]:
    counts = grids.count(grid.of_character(key))
    total = sum(counts.values())
    shown = [{"status": "approved", "text": f"{counts.get('approved', 0)} of {many(total, 'scene')} approved"}]
    order = ("review", "rejected", "failed", "blocked")
    return shown + [{"status": s, "text": f"{counts[s]} {_WORDS[s]}"} for s in order if counts.get(s)]


def _source(row: Any, face: Any, checks: Sequence[Any]) -> dict[str, Any]:
    if row is None:
        return {"image": None, "box": None, "box_word": "", "checks": []}
    box = None
    if face is not None and row["width"] and row["height"]:
        box = [face.box_x / row["width"], face.box_y / row["height"],
               face.box_width / row["width"], face.box_height / row["height"]]  # fmt: skip
    mine = [c for c in checks if c["image_version_id"] == row["version_id"]]
    return {
        "image": full(row["sha256"]), "box": box, "box_word": f"face {face.confidence:.2f}" if face else "",
        "checks": [
            {"name": c["name"].replace("_", " ").capitalize(), "value": _value(c),
             "status": OUTCOME_STATUS[c["outcome_id"]]}
            for c in mine
        ],
    }  # fmt: skip


def _value(check: Any) -> str:
    if check["value"] is None:
        return str(check["reason"])
    return number(check["value"])


def _by_variant(rows: Sequence[Any]) -> list[list[Any]]:
    found: dict[uuid.UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row["variant_id"], []).append(row)
    return list(found.values())


def _variant(desk: Desk, grid: Grid, key: uuid.UUID, rows: list[Any], checks: Sequence[Any]) -> dict[str, Any]:
    first = rows[0]
    made = [r for r in rows if r["version_id"] is not None]
    hero = next((r for r in made if r["version_id"] == r["approved_version_id"]), made[-1] if made else None)
    likeness = {c["image_version_id"]: c["value"] for c in checks if c["name"] == "likeness"}
    status, word = _VARIANTS[first["status_id"]]
    undecided = first["status_id"] in (VariantStatus.GENERATED, VariantStatus.EDITING, VariantStatus.REJECTED)
    return {
        "id": str(first["variant_id"]), "name": first["kind"], "prefix": first["filename_prefix"], "status": status,
        "word": word, "image": full(hero["sha256"]) if hero else None,
        "version": f"v{hero['number']}" if hero else "", "identity": likeness.get(hero["version_id"]) if hero else None,
        "scenes": _scene_words(grid, key, first["kind_id"]),
        "versions": [
            {"id": str(r["version_id"]), "name": f"v{r['number']}", "image": small(r["sha256"]),
             "hero": r["version_id"] == r["approved_version_id"], "score": likeness.get(r["version_id"])}
            for r in made
        ],
        "can_decide": bool(made) and undecided and desk.may(Permission.APPROVE_VARIANTS),
    }  # fmt: skip


def _scene_words(grid: Grid, key: uuid.UUID, kind_id: uuid.UUID) -> str:
    counts = grids.count(s for s in grid.of_character(key) if s.kind.id == kind_id)
    total = sum(counts.values())
    if not total:
        return "No scenes"
    return f"{many(total, 'scene')}: " + ", ".join(f"{n} {_WORDS[s]}" for s, n in counts.items())


def _identity(row: Any) -> dict[str, Any]:
    limit = row["limit"]
    fails = limit is not None and row["low"] < limit
    return {"name": row["name"], "mean": float(row["mean"]), "low": float(row["low"]),
            "status": "warning" if fails else "approved"}  # fmt: skip


def _release(desk: Desk, row: sa.RowMapping) -> dict[str, Any]:
    if row["kind"] == PerformerKind.SYNTHETIC:
        return {"needed": False, "status": "approved", "word": "Not needed", "rows": [["Performer", "Synthetic"]],
                "covers": []}  # fmt: skip
    releases = access_queries.list_releases(desk.session, [row["performer_id"]])
    valid = [r for r in releases if r.facts.revoked_at is None and r.facts.valid_from <= desk.now
             and (r.facts.valid_until is None or desk.now < r.facts.valid_until)]  # fmt: skip
    newest = valid[-1] if valid else None
    rows = [["Performer", row["performer"]], ["Releases", str(len(releases))]]
    if newest is None:
        word = "Revoked or ended" if releases else "Missing"
        return {"needed": True, "status": "blocked", "word": word, "rows": rows, "covers": []}
    facts = newest.facts
    until = facts.valid_until
    soon = until is not None and until - desk.now < _SOON
    rows.append(["Valid until", day(until) if until else "open-ended"])
    rows.append(["Permits", ", ".join(sorted(p.value for p in facts.purposes))])
    covers = [*sorted(facts.variant_kinds or ["all variants"]), *sorted(facts.projects or ["all projects"])]
    return {"needed": True, "status": "warning" if soon else "approved", "word": "Ends soon" if soon else "Valid",
            "rows": rows, "covers": covers}  # fmt: skip


def _metadata(desk: Desk, key: uuid.UUID) -> list[dict[str, Any]]:
    values = reads.metadata(desk.session, key)
    return [_field(field, values.get(field.name)) for field in desk.studio.opened.fields]


def _field(field: FieldSpec, value: Any) -> dict[str, Any]:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return {
        "name": field.name, "label": field.label or field.name.replace("_", " ").capitalize(), "value": text,
        "required": field.required, "missing": field.required and not text,
    }  # fmt: skip
