"""The matrix: characters × scene types, one letter per variant, so that 10,000 cells are a few kilobytes."""

from __future__ import annotations

import string
import uuid
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from x121lib import model as m
from x121lib.catalogue import queries as catalogue
from x121lib.studio.pages import grid as grids
from x121lib.studio.pages import matrix_needs, matrix_queries, queries
from x121lib.studio.pages.desk import Desk, View
from x121lib.studio.pages.estimates import planned_segments, read_history
from x121lib.studio.pages.words import many, small
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import SceneStatus

LETTERS = {
    "a": "approved", "r": "review", "g": "generating", "p": "pending", "x": "rejected", "f": "failed", "b": "blocked",
    "n": "none",
}  # fmt: skip
"""The silhouette that each letter of a row stands for; ``.`` is a variant that the scene type does not apply to."""
ABSENT, NONE, BLOCKED, QUEUED, BEGUN = ".", "n", "b", "p", "g"
_LETTER_OF = {
    SceneStatus.GENERATING.number: QUEUED, SceneStatus.REVIEW.number: "r", SceneStatus.APPROVED.number: "a",
    SceneStatus.REJECTED.number: "x", SceneStatus.FAILED.number: "f",
}  # fmt: skip
_PREREQUISITES = 20
Gaps = dict[tuple[uuid.UUID, uuid.UUID], str]


@dataclass(frozen=True)
class Axes:
    """Rows and columns of a project's matrix."""

    characters: list[sa.RowMapping]
    """Its characters by name."""
    types: list[tuple[m.SceneType, m.SceneTypeVersion]]
    """The studio's scene types by name, each with its newest version."""
    kinds: list[m.VariantKind]
    """Variant kinds that any of them applies to, in the studio's order."""
    applies: dict[uuid.UUID, frozenset[uuid.UUID]]
    """Variant kinds of each scene type."""

    @property
    def type_ids(self) -> list[uuid.UUID]:
        """Keys of the scene types."""
        return [t.id for t, _ in self.types]

    @property
    def kind_ids(self) -> list[uuid.UUID]:
        """Keys of the variant kinds."""
        return [k.id for k in self.kinds]


def axes(desk: Desk) -> Axes:
    """Return the rows and columns of the desk's project; nothing without a project."""
    if desk.project is None:
        return Axes([], [], [], {})
    types = catalogue.latest_scene_types(desk.session)
    kinds_of = catalogue.kinds_of(desk.session, [v.id for _, v in types])
    kinds = {k.id: k for found in kinds_of.values() for k in found}
    applies = {t.id: frozenset(k.id for k in kinds_of.get(v.id, ())) for t, v in types}
    ordered = sorted(kinds.values(), key=lambda k: (k.sort_order, k.name))
    return Axes(queries.characters(desk.session, desk.project.id), types, ordered, applies)


def matrix(desk: Desk) -> View:
    """Return the matrix of the desk's project: its axes and one letter per scene. A constant number of statements."""
    on = axes(desk)
    gaps = grids.gaps_of(desk, [c["id"] for c in on.characters], on.kinds)
    rows = letters(desk, on, gaps)
    lacking = matrix_queries.lacking_metadata(desk.session, desk.project.id) if desk.project else {}
    tiers = list(desk.session.scalars(sa.select(m.Tier).order_by(m.Tier.sort_order)))
    counted = Counter("".join(rows))
    return {
        "scene_types": [{"id": str(t.id), "name": t.name, "sub": _sub(v)} for t, v in on.types],
        "variants": [
            {"name": k.name, "letter": string.ascii_uppercase[i % 26], "label": k.name.replace("_", " ").capitalize()}
            for i, k in enumerate(on.kinds)
        ],
        "characters": [_character(on, c, gaps, lacking.get(c["id"], ())) for c in on.characters],
        "statuses": rows if on.types else [],
        "counts": {LETTERS[letter]: n for letter, n in counted.items() if letter != ABSENT},
        "prerequisites": [
            *matrix_needs.stuck(desk, on, rows),
            *prerequisites(on, rows, gaps),
            *matrix_needs.metadata(desk, on),
        ][:_PREREQUISITES],
        "tiers": [{"id": str(t.id), "name": t.name} for t in tiers],
        "tier": str(desk.project.default_tier_id) if desk.project else "",
        "may_submit": desk.may(Permission.SUBMIT),
        "may_deliver": desk.may(Permission.DELIVER),
        "batch": batch(desk, counted),
        "going": counted[BEGUN] > 0,
        "stamp": queries.position(desk.session),
    }


def batch(desk: Desk, counted: Counter[str]) -> dict[str, Any]:
    """Return how far the project's work is: scenes, segments generated and passed, and the time that is left.

    The time is the median GPU time of past takes times the open takes over the slots that are online; None without
    history or slots.
    """
    scenes = sum(n for letter, n in counted.items() if letter != ABSENT)
    segments, generated, passed, open_takes = (
        matrix_queries.batch(desk.session, desk.project.id) if desk.project else (0, 0, 0, 0)
    )
    left_s = read_history(desk.session, desk).queue_s(open_takes) if open_takes else 0.0
    return {
        "scenes": scenes, "approved": counted["a"], "segments": segments, "generated": generated, "passed": passed,
        "open_takes": open_takes, "left_s": left_s,
    }  # fmt: skip


def letters(desk: Desk, on: Axes, gaps: Gaps) -> list[str]:
    """Return one string per character: a letter per scene type and variant kind, scene types outermost."""
    if desk.project is None or not on.types:
        return ["" for _ in on.characters]
    keys = (desk.session, desk.project.id, on.type_ids, on.kind_ids)
    stored, begun = matrix_queries.statuses(*keys), matrix_queries.begun(*keys)
    going = {(key, place) for key, place in begun}
    plain: dict[frozenset[uuid.UUID], str] = {}
    found = []
    for character in (c["id"] for c in on.characters):
        lacks = frozenset(k for k in on.kind_ids if (character, k) in gaps)
        if lacks not in plain:
            plain[lacks] = _unmade(on, lacks)
        row = list(plain[lacks])
        for place, number in zip(*stored.get(character, ((), ())), strict=True):
            letter = _LETTER_OF.get(number, row[place])
            row[place] = BEGUN if letter == QUEUED and (character, place) in going else letter
        found.append("".join(row))
    return found


def _unmade(on: Axes, lacks: frozenset[uuid.UUID]) -> str:
    """Return a row in which nothing was made, for a character that lacks some variant kinds."""

    def letter(type_id: uuid.UUID, kind_id: uuid.UUID) -> str:
        return ABSENT if kind_id not in on.applies[type_id] else BLOCKED if kind_id in lacks else NONE

    return "".join(letter(t, k) for t in on.type_ids for k in on.kind_ids)


def _sub(version: m.SceneTypeVersion) -> str:
    return f"{float(version.target_duration_s):.1f} s · {planned_segments(version)} seg"


def _character(on: Axes, character: sa.RowMapping, gaps: Gaps, lacking: Collection[str]) -> dict[str, Any]:
    return {
        "id": str(character["id"]), "name": character["name"],
        "sub": f"{character['folder_name']} · {character['kind'].label}", "thumb": small(character["sha256"]),
        "notice": notice(on.kind_ids, character["id"], gaps) or _metadata_notice(lacking),
    }  # fmt: skip


def notice(kind_ids: list[uuid.UUID], character_id: uuid.UUID, gaps: Gaps) -> dict[str, str] | None:
    """Return the strongest thing that a character lacks."""
    found = [gaps[character_id, k] for k in kind_ids if (character_id, k) in gaps]
    if not found:
        return None
    text = found[0].split(":")[0].rstrip(".")
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return {"status": "blocked", "text": text[:1].upper() + text[1:] + more}


def _metadata_notice(lacking: Collection[str]) -> dict[str, str] | None:
    return {"status": "warning", "text": f"Metadata is missing: {', '.join(lacking)}"} if lacking else None


def prerequisites(on: Axes, rows: list[str], gaps: Gaps) -> list[dict[str, str]]:
    """Return what blocks scenes, one line per character, with where to solve it; at most 20."""
    found = []
    for character, row in zip(on.characters, rows, strict=True):
        n = row.count(BLOCKED)
        if not n:
            continue
        kinds = [k for i, k in enumerate(on.kinds) if BLOCKED in row[i :: len(on.kinds)]]
        reason = gaps[character["id"], kinds[0].id].split(":")[0].rstrip(".")
        text = f"{character['name']}, {', '.join(k.name for k in kinds)}: {reason}, {many(n, 'scene')} blocked"
        found.append(
            {"status": "blocked", "text": text, "link": "Open", "href": f"/character?character={character['id']}"}
        )
        if len(found) == _PREREQUISITES:
            break
    return found
