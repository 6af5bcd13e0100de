"""What cells of the matrix lack that does not block them, with the page and the command that solve it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import sqlalchemy as sa

from x121lib.pipeline import lacking
from x121lib.pipeline.lacking import Lacking, Missing
from x121lib.studio.pages.desk import Desk
from x121lib.studio.pages.words import many
from x121lib.terms.vocabulary import SceneStatus

if TYPE_CHECKING:
    from x121lib.studio.pages.matrix import Axes

OPEN = frozenset({SceneStatus.PENDING, SceneStatus.FAILED, SceneStatus.GENERATING})
"""Statuses of scenes that are still to be made."""
_OPEN_LETTERS = "nbfpg"


def of_cells(
    desk: Desk, on: Axes, characters: Sequence[uuid.UUID], types: Collection[uuid.UUID], stored: Sequence[sa.RowMapping]
) -> dict[tuple[uuid.UUID, uuid.UUID], list[dict[str, str]]]:
    """Return by (character, scene type) what its scenes that are still to be made lack besides images and releases.

    That is what the fleet lacks too: a worker that is online, its tags, its memory, its models or its node classes.

    A scene that was planned follows the scene type version that it was planned with, others the newest. Only cells that
    lack something are there.
    """
    newest = {t.id: version.id for t, version in on.types if t.id in types}
    recipes: dict[tuple[uuid.UUID, uuid.UUID], set[uuid.UUID]] = {
        (c, t): {newest[t]} for c in characters for t in newest
    }
    planned: dict[tuple[uuid.UUID, uuid.UUID], list[sa.RowMapping]] = {}
    for row in stored:
        planned.setdefault((row["character_id"], row["scene_type_id"]), []).append(row)
    for place, rows in planned.items():
        own = {row["scene_type_version_id"] for row in rows if row["status"] in OPEN}
        whole = len(rows) >= len(on.applies.get(place[1], ()))
        if place in recipes:
            recipes[place] = own | (set() if whole else recipes[place])
    wanted = {key for keys in recipes.values() for key in keys}
    machines = lacking.of_machines(desk.session, wanted, desk.now)
    words = lacking.of_prompts(desk.session, characters, wanted)
    project = desk.project.name if desk.project else ""
    found = {}
    for (character, scene_type), keys in recipes.items():
        here = [each for key in keys for each in words.get((character, key), ())]
        here += [machines[key] for key in keys if key in machines]
        if here:
            found[character, scene_type] = [need(each, character, project) for each in dict.fromkeys(here)]
    return found


def need(found: Lacking, character: uuid.UUID | None, project: str) -> dict[str, str]:
    """Return what is missing with the page and the command that solve it."""
    page = {
        Missing.METADATA: f"/character?character={character}" if character is not None else "/characters",
        Missing.MODEL: f"/models?{urlencode({'find': found.name.rsplit('/', 1)[-1]})}",
        Missing.NODE: "/workers", Missing.WORKER: "/workers", Missing.TAG: "/workers", Missing.MEMORY: "/workers",
    }[found.what]  # fmt: skip
    return {
        "what": found.what.value, "text": found.text.rstrip("."), "solve": found.solve, "href": page,
        "command": found.command.replace("PROJECT", f'"{project}"'),
    }  # fmt: skip


def stuck(desk: Desk, on: Axes, letters: Sequence[str]) -> list[dict[str, str]]:
    """Return why the newest scene types can run nowhere, one line per cause, in the form of the prerequisites."""
    recipes = {version.id: t for t, version in on.types}
    if desk.project is None or not recipes or not on.characters:
        return []
    causes: dict[Lacking, list[tuple[str, int]]] = {}
    for key, each in lacking.of_machines(desk.session, recipes, desk.now).items():
        if n := _still_open(on, letters, recipes[key].id):
            causes.setdefault(each, []).append((recipes[key].name, n))
    found = []
    for each, types in causes.items():
        told, n = need(each, None, desk.project.name), sum(n for _, n in types)
        more = f" and {len(types) - 3} more" if types[3:] else ""
        who = f"{', '.join(name for name, _ in types[:3])}{more}: " if len(types) < len(recipes) else ""
        text = f"{who}{told['text']}, {many(n, 'scene')} can run nowhere"
        found.append({"status": "warning", "text": text, "link": "Solve", "href": told["href"]})
    return found


def metadata(desk: Desk, on: Axes) -> list[dict[str, str]]:
    """Return which metadata the prompts of the newest scene types name and characters lack, one line per field."""
    names = {version.id: t.name for t, version in on.types}
    if desk.project is None or not names or not on.characters:
        return []
    gaps = lacking.prompt_gaps(desk.session, [c["id"] for c in on.characters], names)
    found = []
    for name, characters in sorted(gaps.without.items()):
        first = next(c for c in on.characters if c["id"] in characters)
        more = f" and {len(characters) - 1} more" if len(characters) > 1 else ""
        types = sorted(names[recipe] for recipe, slots in gaps.slots.items() if name in slots)
        some = ", ".join(types[:3]) + (f" and {len(types) - 3} more" if types[3:] else "")
        text = f"{first['name']}{more}: no '{name}', which the prompt of {some} names"
        found.append(
            {"status": "warning", "text": text, "link": "Fill in", "href": f"/character?character={first['id']}"}
        )
    return found


def _still_open(on: Axes, letters: Sequence[str], type_id: uuid.UUID) -> int:
    at, width = on.type_ids.index(type_id), len(on.kinds)
    return sum(letter in _OPEN_LETTERS for row in letters for letter in row[at * width : (at + 1) * width])
