"""What scenes lack that does not block them: metadata that their prompts name, and a worker that can run them.

A prompt without a value loses those words, and a take that no worker can run waits: both are told beforehand, for each
scene, with the way to solve them. What blocks a scene (an image, a release) is told by `submission.cells`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.catalogue import checks
from x121lib.generation import prompts
from x121lib.scheduling import fitness, memory, policy, queries, warmth
from x121lib.scheduling.fitness import Demand, Lack
from x121lib.scheduling.policy import WorkerView
from x121lib.terms.vocabulary import ModelKind

NAME_SLOT = "character_name"
"""Slot of a prompt that is the character's own name."""


class Missing(StrEnum):
    """What is missing."""

    METADATA = "metadata"
    MODEL = "model"
    NODE = "node class"
    WORKER = "worker"
    TAG = "tag"
    MEMORY = "GPU memory"


@dataclass(frozen=True)
class Lacking:
    """One thing that a scene lacks."""

    what: Missing
    """Kind of thing."""
    text: str
    """What is missing, in words."""
    solve: str
    """The way to solve it, in words."""
    command: str
    """The command that solves it; empty where a page does."""
    name: str = ""
    """The metadata field, or the model file."""


@dataclass(frozen=True)
class Placing:
    """Where the takes of some recipes can run."""

    views: tuple[WorkerView, ...]
    """Every worker that was not removed."""
    needed: Mapping[uuid.UUID, frozenset[str]]
    """Tags that each recipe's worker must have."""
    lacks: Mapping[uuid.UUID, Mapping[uuid.UUID, tuple[Lack, ...]]]
    """Recipe → worker → what it lacks."""
    memory: Mapping[uuid.UUID, Mapping[uuid.UUID, str]]
    """Recipe → worker that reports less GPU memory than the recipe states → that memory, in words."""

    def fit(self, recipe_id: uuid.UUID) -> list[WorkerView]:
        """Return the workers that can run a recipe, available or not."""
        lacking = {*self.lacks[recipe_id], *self.memory[recipe_id]}
        return [w for w in self.tagged(recipe_id) if w.worker_id not in lacking]

    def tagged(self, recipe_id: uuid.UUID) -> list[WorkerView]:
        """Return the workers that have a recipe's tags."""
        return [w for w in self.views if self.needed[recipe_id] <= w.tags]

    def reason(self, recipe_id: uuid.UUID) -> str:
        """Return why a recipe can run nowhere now; empty where it can."""
        if any(w.available for w in self.fit(recipe_id)):
            return ""
        words = {key: tuple(str(one) for one in all_) for key, all_ in self.lacks[recipe_id].items()}
        for key, too_little in self.memory[recipe_id].items():
            words[key] = (*words.get(key, ()), too_little)
        return policy.why_waiting(0, self.views, self.needed[recipe_id], words)

    def fewest(self, recipe_id: uuid.UUID) -> tuple[Lack, ...]:
        """Return what the worker lacks that lacks least, of those with the tags and the memory; else nothing."""
        able = [w for w in self.tagged(recipe_id) if w.worker_id not in self.memory[recipe_id]]
        found = [self.lacks[recipe_id].get(w.worker_id, ()) for w in able]
        return min(found, key=len, default=())


def placing(session: Session, recipe_ids: Collection[uuid.UUID], now: datetime) -> Placing:
    """Return where the takes of scene type versions can run; asks no server. A constant number of statements."""
    recipe, version = m.SceneTypeVersion, m.WorkflowVersion
    rows = session.execute(
        sa.select(
            recipe.id,
            version.id.label("version_id"),
            version.workflow_id,
            sa.func.coalesce(recipe.vram_bytes, version.vram_bytes).label("vram_bytes"),
        )
        .join(version, version.id == recipe.workflow_version_id)
        .where(recipe.id.in_(list(recipe_ids)))
    ).all()
    views, tags = queries.worker_views(session, now), warmth.needed_tags(session)
    own = fitness.recipe_overrides(session, list(recipe_ids))
    demands = {row.id: Demand(row.version_id, fitness.packed(own.get(row.id, {}))) for row in rows}
    offers = {v.worker_id: v.offer for v in views}
    found = fitness.with_packs(session, fitness.lacks(session, set(demands.values()), offers))
    return Placing(
        tuple(views), {row.id: tags.get(row.workflow_id, frozenset()) for row in rows},
        {key: found.get(demand, {}) for key, demand in demands.items()},
        {row.id: memory.too_small(row.vram_bytes, views) for row in rows},
    )  # fmt: skip


def of_machines(session: Session, recipe_ids: Collection[uuid.UUID], now: datetime) -> dict[uuid.UUID, Lacking]:
    """Return for each recipe that can run nowhere now what is missing, and how to solve it."""
    if not recipe_ids:
        return {}
    places = placing(session, recipe_ids, now)
    stuck = {key: reason for key in places.needed if (reason := places.reason(key))}
    lacks = {key: places.fewest(key) for key in stuck}
    paths = library_paths(session, {one for all_ in lacks.values() for one in all_})
    return {
        key: _machine(reason, lacks[key], paths) if lacks[key] else _fleet(reason, places, key)
        for key, reason in stuck.items()
    }


def _machine(reason: str, lacks: Sequence[Lack], paths: Mapping[Lack, str]) -> Lacking:
    models = [one for one in lacks if one.is_model]
    if models:
        there = all(one in paths for one in models)
        solve = "The studio's library has the file: send it to a worker" if there else "Download it, or add it by hand"
        command = "x121 check PROJECT --fix" if there else "x121 model download ADDRESS"
        return Lacking(Missing.MODEL, reason, solve, command, models[0].name)
    solve = "Install the pack that holds it on a worker, or add a worker that has it"
    return Lacking(Missing.NODE, reason, solve, "x121 check PROJECT --fix", lacks[0].name)


def _fleet(reason: str, places: Placing, recipe_id: uuid.UUID) -> Lacking:
    """Return what the fleet lacks where no worker lacks a model or a node class: workers, their tags, their memory."""
    tagged, small = places.tagged(recipe_id), places.memory[recipe_id]
    if not places.views:
        return Lacking(Missing.WORKER, reason, "Add a worker", "x121 worker add URL")
    if not tagged:
        solve = "Give a worker these tags, or add one that has them"
        return Lacking(Missing.TAG, reason, solve, "x121 worker set NAME --tag TAG")
    if all(w.worker_id in small for w in tagged):
        solve = "Add a worker with as much GPU memory, or correct what the workflow or the scene type states"
        return Lacking(Missing.MEMORY, reason, solve, "x121 workflow memory NAME")
    return Lacking(Missing.WORKER, reason, "Start a worker, or add one", "x121 worker list")


def library_paths(session: Session, lacks: Collection[Lack]) -> dict[Lack, str]:
    """Return the path in the studio's own library of those missing models whose file is present there."""
    models = [one for one in lacks if one.is_model]
    paths = checks.library_paths(session, {one.name for one in models})
    found = {one: paths.get((one.name, ModelKind(one.folder) if one.folder else None)) for one in models}
    return {one: path for one, path in found.items() if path is not None}


@dataclass(frozen=True)
class PromptGaps:
    """Metadata that prompts name, and who has no value of it."""

    slots: Mapping[uuid.UUID, tuple[str, ...]]
    """Recipe → the metadata that its prompts name, the character's name apart."""
    without: Mapping[str, frozenset[uuid.UUID]]
    """Name → characters that have no value of it; only names that somebody lacks."""
    fields: frozenset[str]
    """Names that are fields of the metadata schema."""

    def told(self, name: str) -> Lacking:
        """Return what lacks and how it is solved."""
        text = f"metadata '{name}', which the prompt names, has no value: those words are left out"
        if name in self.fields:
            return Lacking(Missing.METADATA, text, "Fill it in on the character's page", "", name)
        text = f"the prompt names '{name}', and there is no such metadata field: those words are left out"
        return Lacking(Missing.METADATA, text, "Correct the scene type's prompt", "x121 scene-type load FILE", name)


def prompt_gaps(
    session: Session, character_ids: Collection[uuid.UUID], recipe_ids: Collection[uuid.UUID]
) -> PromptGaps:
    """Return the metadata that the recipes' prompts name and characters have no value of. At most three statements."""
    v, value = m.SceneTypeVersion, m.CharacterMetadataValue
    rows = session.execute(sa.select(v.id, v.text_prompt, v.negative_prompt).where(v.id.in_(list(recipe_ids))))
    slots = {
        key: tuple(s for s in dict.fromkeys(prompts.slots_of(text) + prompts.slots_of(negative)) if s != NAME_SLOT)
        for key, text, negative in rows
    }
    names = {slot for all_ in slots.values() for slot in all_}
    if not names:
        return PromptGaps(slots, {}, frozenset())
    given: dict[str, set[uuid.UUID]] = {name: set() for name in names}
    for character, name in session.execute(
        sa.select(value.character_id, m.MetadataField.name)
        .join(m.MetadataField, m.MetadataField.id == value.field_id)
        .where(value.character_id.in_(list(character_ids)), m.MetadataField.name.in_(names))
    ):
        given[name].add(character)
    fields = session.scalars(sa.select(m.MetadataField.name).where(m.MetadataField.name.in_(names)))
    without = {name: frozenset(character_ids) - has for name, has in given.items()}
    return PromptGaps(slots, {name: who for name, who in without.items() if who}, frozenset(fields))


def of_prompts(
    session: Session, character_ids: Collection[uuid.UUID], recipe_ids: Collection[uuid.UUID]
) -> dict[tuple[uuid.UUID, uuid.UUID], tuple[Lacking, ...]]:
    """Return by (character, recipe) the metadata that the recipe's prompts name and the character has no value of.

    Only pairs that lack something are there.
    """
    gaps = prompt_gaps(session, character_ids, recipe_ids)
    told = {name: gaps.told(name) for name in gaps.without}
    found: dict[tuple[uuid.UUID, uuid.UUID], tuple[Lacking, ...]] = {}
    for recipe, slots in gaps.slots.items():
        for slot in slots:
            for character in gaps.without.get(slot, ()):
                found[character, recipe] = (*found.get((character, recipe), ()), told[slot])
    return found
