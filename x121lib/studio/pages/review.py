"""Review: one scene on the stage with its takes, gates, notes and receipt, and the decision that stands."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from x121lib.base.errors import NotFoundError
from x121lib.pipeline import retaking, trigger_log
from x121lib.review.queries import failure_tags
from x121lib.studio.pages import comparing, drifting, gates, queries, review_queries
from x121lib.studio.pages.desk import Desk, View, key_of
from x121lib.studio.pages.media import STRIP_TILES
from x121lib.studio.pages.words import SCENE_STATUS, duration, full, initials, iso, many, small, strip
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import DecisionOutcome, TakeStatus

_TAKES = {
    TakeStatus.PLANNED: ("pending", "Planned"), TakeStatus.GENERATED: ("review", "Generated"),
    TakeStatus.PASSED: ("approved", "Passed"), TakeStatus.FAILED_QA: ("failed", "Failed a gate"),
    TakeStatus.FAILED: ("failed", "Failed"), TakeStatus.REJECTED: ("rejected", "Rejected"),
    TakeStatus.CANCELLED: ("none", "Cancelled"),
}  # fmt: skip


def review(desk: Desk, scene_id: str | None, group: str | None = None) -> View:
    """Return the scene asked for, else the first that waits, else none; ``group`` keeps to its own.

    Args:
        desk: where the view is made.
        scene_id: the scene.
        group: ``character:ID`` or ``scene_type:ID``; only its scenes are next, previous and counted.
    """
    rows = _waiting(desk, group)
    order = [row["id"] for row in rows]
    chosen = key_of(scene_id, "scene") if scene_id else (order[0] if order else None)
    row = review_queries.scene(desk.session, chosen) if chosen else None
    if chosen and row is None:
        raise NotFoundError("There is no such scene.", hint="Open it from the matrix.")
    if row is not None and row["version_id"] is None:
        raise NotFoundError(
            f"{row['character']}, {row['scene_type']} has nothing to watch yet.", hint="It comes here once it is made."
        )
    before, after = neighbours(order, chosen)
    tags = [{"id": name, "name": name.capitalize()} for name in failure_tags(desk.session)]
    return {
        "scene": _scene(desk, row) if row else None,
        "position": order.index(chosen) + 1 if chosen is not None and chosen in order else 0,
        "total": len(order),
        "previous_id": str(before) if before else None,
        "next_id": str(after) if after else None,
        "next_video": full(review_queries.newest_video(desk.session, after)) if after else None,
        "reasons": {"reject": tags, "flag": tags},
        "may_decide": desk.may(Permission.REVIEW),
        "undo_s": desk.studio.settings.undo_s,
        "decision": _decision(desk, row["version_id"]) if row else None,
        "group": {"id": group, "name": rows[0][group.partition(":")[0]]} if group and rows else None,
    }


def _waiting(desk: Desk, group: str | None) -> Sequence[Any]:
    """Return the scenes that wait, oldest first, those of a group where one is named."""
    if desk.project_id is None:
        return []
    rows = queries.waiting(desk.session, desk.project_id)
    if not group:
        return rows
    kind, _, key = group.partition(":")
    if kind not in ("character", "scene_type"):
        raise NotFoundError("There is no such group.", hint="Groups are of a character or of a scene type.")
    wanted = key_of(key, kind.replace("_", " "))
    return [row for row in rows if row[f"{kind}_id"] == wanted]


def neighbours(order: Sequence[uuid.UUID], chosen: uuid.UUID | None) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """Return the scenes that wait before and after one; after the last comes the first again."""
    others = [key for key in order if key != chosen]
    if chosen not in order:
        return None, others[0] if others else None
    at = order.index(chosen) if chosen is not None else 0
    after = order[at + 1] if at + 1 < len(order) else (others[0] if others else None)
    return (order[at - 1] if at else None), after


def _scene(desk: Desk, row: Any) -> dict[str, Any]:
    cuts = gates.lay_out(review_queries.cuts(desk.session, row["version_id"]))
    takes = review_queries.takes(desk.session, row["id"])
    verdicts = review_queries.verdicts(desk.session, [c.take_id for c in cuts])
    shown = gates.gates(verdicts, cuts)
    name = f"{row['character']} {row['scene_type']} v{row['version']}"
    return {
        "id": str(row["id"]), "character": row["character"],
        "thumb": small(review_queries.hero(desk.session, row["character_id"], row["variant_kind_id"])),
        "detail": f"{row['scene_type']} · {row['variant']}", "version": f"v{row['version']}",
        "status": SCENE_STATUS[row["status_id"]], "word": row["status_id"].label,
        "badges": [*gates.badges(shown), *_by_trigger(desk, row["id"])],
        "video": full(row["video"]), "poster": small(row["video"]), "mime": row["mime"],
        "fps": [row["rate_n"], row["rate_d"]], "frames": row["n_frames"],
        "width": row["width"] or row["planned_width"], "height": row["height"] or row["planned_height"],
        "segments": _segments(cuts, takes), "gates": shown, "profile": f"{row['profile']} v{row['profile_version']}",
        "marks": gates.marks(verdicts, cuts), "curve": None, "drift": drifting.drift_of(desk.session, row["id"]),
        "notes": [_note(n, row["version"]) for n in review_queries.notes(desk.session, row["id"])],
        "receipt": _receipt(desk, row, [c.take_id for c in cuts]), "fresh": bool(row["fresh"]),
        "tier": row["tier"], "others": comparing.others(desk, row["id"], row["version_id"]),
        "higher": comparing.higher(desk, row["id"]),
        "credit": f"AI-generated · {name} · preview for {_credit(desk.person.name)}",
    }  # fmt: skip


def _by_trigger(desk: Desk, scene_id: uuid.UUID) -> list[dict[str, str]]:
    """Return a badge with the trigger that last had to do with the scene; none where no one had."""
    found = trigger_log.trigger_of(desk.session, "scene", scene_id)
    return [{"status": "info", "text": f"Trigger: {found[1]}"}] if found is not None else []


def _credit(name: str) -> str:
    first, _, last = name.partition(" ")
    return f"{first[:1]}. {last}" if last else first


def _segments(cuts: list[gates.CutTake], takes: Sequence[Any]) -> list[dict[str, Any]]:
    found = []
    videos = {t["id"]: t["sha256"] for t in takes}
    for cut in cuts:
        mine = [t for t in takes if t["segment_id"] == cut.segment_id]
        found.append(
            {
                "id": str(cut.segment_id), "number": cut.number, "start": cut.start, "end": cut.end,
                "strip": strip(videos.get(cut.take_id)), "strip_frames": STRIP_TILES,
                "takes": [_take(t, in_cut=t["id"] == cut.take_id) for t in mine],
            }
        )  # fmt: skip
    return found


def _take(row: Any, *, in_cut: bool) -> dict[str, Any]:
    status, word = ("approved", "In cut") if in_cut else _TAKES[row["status_id"]]
    return {
        "id": str(row["id"]), "number": row["number"], "status": status, "word": word, "thumb": small(row["sha256"]),
        "in_cut": in_cut,
    }  # fmt: skip


def _note(row: Any, version: int) -> dict[str, Any]:
    author = row["name"] or "Somebody"
    word = "Resolved" if row["resolved_at"] else "Open"
    if row["number"] != version:
        word += f", from v{row['number']}"
    return {
        "id": str(row["id"]), "author": author, "initials": initials(author),
        "frame": row["frame"] if row["number"] == version else None, "text": row["text"], "at": iso(row["created_at"]),
        "status": "approved" if row["resolved_at"] else "warning", "word": word,
    }  # fmt: skip


def _receipt(desk: Desk, row: Any, take_ids: list[uuid.UUID]) -> list[list[str]]:
    facts = review_queries.receipt(desk.session, take_ids)
    rate = row["rate_n"] / row["rate_d"]
    size = f"{row['width'] or row['planned_width']}×{row['height'] or row['planned_height']}"
    seconds = facts["run_s"]
    time = f"{duration(seconds)}, {many(len(take_ids), 'take')}" if seconds else many(len(take_ids), "take")
    rows = [
        ["Workflow", facts["workflow"] or "–"],
        ["Seeds", facts["seeds"] or "–"],
        ["Tier", f"{row['tier']} · {size} · {rate:.3g} fps"],
        ["Worker", facts["worker"] or "–"],
        ["GPU time", time],
        ["Prompt", facts["prompt"] or "–"],
        ["SHA-256", row["video"]],
        *(["Retaken", told] for *_, told in retaking.stories(desk.session, scene_id=row["id"])),
    ]
    return rows


def _decision(desk: Desk, version_id: uuid.UUID) -> dict[str, Any] | None:
    row = review_queries.decision(desk.session, version_id)
    if row is None:
        return None
    outcome: DecisionOutcome = row["outcome_id"]
    return {
        "id": str(row["id"]), "outcome": outcome.value, "reason": row["tags"] or row["reason"] or None,
        "by": row["name"] or "Somebody", "at": iso(row["created_at"]),
        "mine": row["person_id"] is not None and row["person_id"] == desk.actor.person_id,
    }  # fmt: skip
