"""The slot values that a take runs with: its recipe's, scaled by its tier, and its own over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.catalogue.slots import slots_of
from x121lib.comfyui.slots import Slot
from x121lib.generation import prompts, queries

SIZE_SLOTS = ("width", "height")
"""Slots that a tier's scale of the resolution goes into; only a workflow that has both can be scaled."""
STEPS_SLOT = "steps"
"""Slot that a tier's scale of the steps goes into."""
MULTIPLE_PX = 8
"""Sizes are multiples of this: latent models work on pictures that are smaller by this factor."""
SMALLEST_PX = 64
"""No side becomes smaller."""
SCALED_SLOTS = frozenset({*SIZE_SLOTS, STEPS_SLOT})


def of_take(session: Session, recipe: queries.SceneRecipe, take: m.Take) -> dict[str, Any]:
    """Return the slot values with which a take runs."""
    metadata = queries.metadata(session, recipe.character)
    return {
        "text_prompt": prompts.resolve(recipe.version.text_prompt, metadata),
        "negative_prompt": prompts.resolve(recipe.version.negative_prompt, metadata),
        **_fixed(session, recipe),
        "seed": int(take.seed),
        **queries.overrides(session, take.id),
        "filename_prefix": "x121/take",
    }


def _fixed(session: Session, recipe: queries.SceneRecipe) -> dict[str, Any]:
    value = m.SceneTypeSlotValue
    rows = session.scalars(sa.select(value).where(value.scene_type_version_id == recipe.version.id))
    fixed = {row.slot: row.value for row in rows}
    tier = session.get_one(m.Tier, recipe.scene.tier_id)
    if tier.resolution_scale == 1.0 and tier.steps_scale == 1.0:
        return fixed
    size = (recipe.version.width, recipe.version.height)
    return fixed | scaled(fixed, slots_of(session, recipe.workflow.id), size, (tier.resolution_scale, tier.steps_scale))


def scaled(
    values: Mapping[str, Any], slots: Sequence[Slot], size: tuple[int, int], scales: tuple[float, float]
) -> dict[str, Any]:
    """Return the values of the size and steps slots at a tier; nothing for a workflow that has no such slots. Pure.

    Args:
        values: the recipe's own values.
        slots: the workflow's slots.
        size: width and height of the recipe in pixels.
        scales: of each side, and of the steps.
    """
    known = {slot.name: slot for slot in slots if not slot.is_hidden}
    found: dict[str, Any] = {}
    if all(name in known for name in SIZE_SLOTS) and scales[0] != 1.0:
        for name, planned in zip(SIZE_SLOTS, size, strict=True):
            found[name] = scaled_px(int(values.get(name, planned)), scales[0])
    if STEPS_SLOT in known and scales[1] != 1.0:
        base = values.get(STEPS_SLOT, known[STEPS_SLOT].default)
        if isinstance(base, int | float):
            found[STEPS_SLOT] = max(1, round(base * scales[1]))
    return found


def scaled_px(side: int, scale: float) -> int:
    """Return a side at a scale, as a multiple of `MULTIPLE_PX` and at least `SMALLEST_PX`."""
    return max(SMALLEST_PX, round(side * scale / MULTIPLE_PX) * MULTIPLE_PX)


def size_of(session: Session, recipe: queries.SceneRecipe) -> dict[str, int]:
    """Return the width and height in pixels that a take of this scene must have at its tier."""
    planned = {"width": recipe.version.width, "height": recipe.version.height}
    fixed = _fixed(session, recipe)
    tier = session.get_one(m.Tier, recipe.scene.tier_id)
    if tier.resolution_scale == 1.0 or not all(name in fixed for name in SIZE_SLOTS):
        return planned
    return {name: int(fixed[name]) for name in SIZE_SLOTS}
