"""Tiers: names, scales of size and steps, and whether what is made at them is delivered."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import ConflictError, InvalidInputError
from x121lib.base.ids import new_id
from x121lib.catalogue import queries
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission

SCALES = (0.1, 4.0)
"""Smallest and largest scale."""
_LONGEST = 40


@dataclass(frozen=True)
class TierTerms:
    """What a tier is; None leaves what stands, or takes 1 and *not delivered* for a new one."""

    resolution: float | None = None
    """Each side of the recipe's size times this, as a multiple of 8 pixels."""
    steps: float | None = None
    """The recipe's steps times this."""
    deliverable: bool | None = None
    """Whether it is delivered."""
    rank: int | None = None
    """Place among the tiers: a scene goes to a higher one only. A new tier without one is the highest."""


def listing(session: Session, actor: Actor) -> list[m.Tier]:
    """Return the tiers from the lowest to the highest."""
    actor.require(Permission.VIEW)
    return list(session.scalars(sa.select(m.Tier).order_by(m.Tier.sort_order, m.Tier.name)))


def set_tier(session: Session, actor: Actor, name: str, terms: TierTerms) -> m.Tier:
    """Make a tier, or change one; takes that exist keep what their receipts say.

    Raises:
        InvalidInputError: an empty or too long name, a scale outside of `SCALES`, a rank below 1.
    """
    actor.require(Permission.MANAGE_RECIPES)
    clean = name.strip()
    if not clean or len(clean) > _LONGEST:
        raise InvalidInputError(f"A tier has a name of 1 to {_LONGEST} letters.")
    for what, scale in (("resolution", terms.resolution), ("steps", terms.steps)):
        if scale is not None and not SCALES[0] <= scale <= SCALES[1]:
            raise InvalidInputError(f"The scale of the {what} is {SCALES[0]:g} to {SCALES[1]:g}, not {scale:g}.")
    if terms.rank is not None and not 1 <= terms.rank <= 1000:
        raise InvalidInputError(f"The rank is 1 to 1000, not {terms.rank}.")
    found = session.scalars(sa.select(m.Tier).where(sa.func.lower(m.Tier.name) == clean.lower())).first()
    before = _facts(found) if found is not None else None
    tier = found or _new_tier(session, clean)
    for field, value in (("resolution_scale", terms.resolution), ("steps_scale", terms.steps),
                         ("is_deliverable", terms.deliverable), ("sort_order", terms.rank)):  # fmt: skip
        if value is not None:
            setattr(tier, field, value)
    session.flush()
    audit.record(session, actor, "tier.set", ("tier", tier.id), before=before, after=_facts(tier))
    return tier


def _new_tier(session: Session, name: str) -> m.Tier:
    last = int(session.scalar(sa.select(sa.func.max(m.Tier.sort_order))) or 0)
    tier = m.Tier(
        id=new_id(), name=name, is_deliverable=False, sort_order=last + 1, resolution_scale=1.0, steps_scale=1.0
    )
    session.add(tier)
    return tier


def remove_tier(session: Session, actor: Actor, name: str) -> None:
    """Remove a tier that nothing uses.

    Raises:
        NotFoundError: no such tier.
        ConflictError: projects, scenes, batches or receipts name it, or it is the last one that is delivered.
    """
    actor.require(Permission.MANAGE_RECIPES)
    tier = queries.tier(session, name)
    uses = [f"{n} {words}" for words, n in _uses(session, tier.id) if n]
    if uses:
        raise ConflictError(f"Tier '{tier.name}' is in use by {', '.join(uses)}.", hint="Nothing was changed.")
    others = sa.select(sa.func.count()).select_from(m.Tier).where(m.Tier.is_deliverable, m.Tier.id != tier.id)
    if tier.is_deliverable and not session.scalar(others):
        raise ConflictError(f"'{tier.name}' is the only tier that is delivered.", hint="Make another one deliverable.")
    audit.record(session, actor, "tier.remove", ("tier", tier.id), before=_facts(tier))
    session.execute(sa.delete(m.BudgetExemptTier).where(m.BudgetExemptTier.tier_id == tier.id))
    session.delete(tier)
    session.flush()


def _uses(session: Session, tier_id: uuid.UUID) -> list[tuple[str, int]]:
    columns = (
        ("projects", m.Project.default_tier_id), ("scenes", m.Scene.tier_id), ("batches", m.Batch.tier_id),
        ("receipts", m.Receipt.tier_id),
    )  # fmt: skip
    return [
        (words, int(session.scalar(sa.select(sa.func.count()).where(column == tier_id)) or 0))
        for words, column in columns
    ]


def _facts(tier: m.Tier) -> dict[str, object]:
    return {
        "name": tier.name, "resolution": tier.resolution_scale, "steps": tier.steps_scale,
        "deliverable": tier.is_deliverable, "rank": tier.sort_order,
    }  # fmt: skip
