"""Retake policies: opt-in, per scene type or per project; the scene type's goes before the project's."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.base.ids import new_id
from x121lib.catalogue.slots import slots_of
from x121lib.generation.retakes import Policy
from x121lib.generation.service import FIXED_SLOTS
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import SlotType

MOST_RETAKES = 20
MOST_VARIATIONS = 50
"""Slots, and phrases, of one policy."""
Holder = tuple[str, uuid.UUID]
"""``("project", key)`` or ``("scene_type", key)``."""


def policy_of(session: Session, scene: m.Scene) -> Policy | None:
    """Return the policy that holds for a scene: its scene type's, else its project's, else none."""
    p = m.RetakePolicy
    rows = list(
        session.scalars(
            sa.select(p).where(sa.or_(p.scene_type_id == scene.scene_type_id, p.project_id == scene.project_id))
        )
    )
    row = min(rows, key=lambda each: each.scene_type_id is None, default=None)
    return read(session, row) if row is not None else None


def read(session: Session, row: m.RetakePolicy) -> Policy:
    """Return a policy's row with what belongs to it as a value."""
    metrics = session.scalars(
        sa.select(m.Metric.name)
        .join(m.RetakePolicyMetric, m.RetakePolicyMetric.metric_id == m.Metric.id)
        .where(m.RetakePolicyMetric.policy_id == row.id)
    )
    spreads = session.scalars(
        sa.select(m.RetakePolicySpread)
        .where(m.RetakePolicySpread.policy_id == row.id)
        .order_by(m.RetakePolicySpread.slot)
    )
    phrases = session.scalars(
        sa.select(m.RetakePolicyPhrase.phrase)
        .where(m.RetakePolicyPhrase.policy_id == row.id)
        .order_by(m.RetakePolicyPhrase.position)
    )
    return Policy(
        row.most_retakes, row.best_of, frozenset(metrics), {s.slot: s.spread for s in spreads}, tuple(phrases)
    )


def listing(session: Session) -> list[tuple[str, str, Policy]]:
    """Return (scope, name, policy) of every policy."""
    rows = session.execute(
        sa.select(m.RetakePolicy, m.Project.name, m.SceneType.name)
        .outerjoin(m.Project, m.Project.id == m.RetakePolicy.project_id)
        .outerjoin(m.SceneType, m.SceneType.id == m.RetakePolicy.scene_type_id)
        .order_by(m.RetakePolicy.project_id.is_not(None), sa.func.coalesce(m.SceneType.name, m.Project.name))
    )
    return [("scene type" if scene_type else "project", scene_type or project, read(session, row))
            for row, project, scene_type in rows]  # fmt: skip


def set_policy(session: Session, actor: Actor, holder: Holder, policy: Policy) -> None:
    """Set the policy of a project or scene type instead of the one that it has; takes that wait follow it at once.

    Raises:
        InvalidInputError: numbers out of range, an unknown metric, a slot that nothing may vary or, for a scene type,
            that its workflow lacks or that takes no number. Nothing is changed.
    """
    actor.require(_needed(holder))
    metrics = _checked(session, holder, policy)
    before = _find(session, holder)
    old = asdict(read(session, before)) if before is not None else None
    row = before or m.RetakePolicy(id=new_id(), **_keys(holder))
    row.most_retakes, row.best_of = policy.most_retakes, policy.best_of
    session.add(row)
    session.flush()
    for table in (m.RetakePolicyMetric, m.RetakePolicySpread, m.RetakePolicyPhrase):
        session.execute(sa.delete(table).where(table.policy_id == row.id))
    session.add_all(m.RetakePolicyMetric(policy_id=row.id, metric_id=key) for key in metrics.values())
    session.add_all(m.RetakePolicySpread(policy_id=row.id, slot=s, spread=v) for s, v in policy.spreads.items())
    session.add_all(
        m.RetakePolicyPhrase(policy_id=row.id, position=i, phrase=words.strip())
        for i, words in enumerate(policy.phrases, start=1)
    )
    session.flush()
    audit.record(session, actor, "retake_policy.set", holder, before=_plain(old), after=_plain(asdict(policy)))


def remove_policy(session: Session, actor: Actor, holder: Holder) -> None:
    """Remove a policy: what fails a gate from now on waits for a person.

    Raises:
        NotFoundError: there is none.
    """
    actor.require(_needed(holder))
    row = _find(session, holder)
    if row is None:
        raise NotFoundError(
            "There is no retake policy of its own.", hint="'x121 retake-policy list' shows those there are."
        )
    old = asdict(read(session, row))
    session.delete(row)
    audit.record(session, actor, "retake_policy.remove", holder, before=_plain(old))


def _needed(holder: Holder) -> Permission:
    return Permission.MANAGE_PROJECTS if holder[0] == "project" else Permission.MANAGE_RECIPES


def _keys(holder: Holder) -> dict[str, uuid.UUID]:
    return {f"{holder[0]}_id": holder[1]}


def _find(session: Session, holder: Holder) -> m.RetakePolicy | None:
    return session.scalars(sa.select(m.RetakePolicy).filter_by(**_keys(holder)).with_for_update()).one_or_none()


def _plain(policy: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if policy is None:
        return None
    return {**policy, "metrics": sorted(policy["metrics"]), "phrases": list(policy["phrases"])}


def _checked(session: Session, holder: Holder, policy: Policy) -> dict[str, uuid.UUID]:
    if not 1 <= policy.most_retakes <= MOST_RETAKES:
        raise InvalidInputError(f"A segment is retaken 1 to {MOST_RETAKES} times, not {policy.most_retakes}.")
    if not 1 <= policy.best_of <= policy.most_retakes:
        raise InvalidInputError(
            f"The best of 1 to {policy.most_retakes} (all retakes) is used, not of {policy.best_of}."
        )
    if len(policy.spreads) > MOST_VARIATIONS or len(policy.phrases) > MOST_VARIATIONS:
        raise InvalidInputError(f"A policy varies at most {MOST_VARIATIONS} slots and phrases.")
    for words in policy.phrases:
        if not words.strip() or len(words) > 500:
            raise InvalidInputError("A phrase for the prompt has 1 to 500 characters.")
    _check_slots(session, holder, policy.spreads)
    known = {name: key for name, key in session.execute(sa.select(m.Metric.name, m.Metric.id)).all()}
    unknown = sorted(policy.metrics - known.keys())
    if unknown:
        raise InvalidInputError(f"There is no metric '{unknown[0]}'.", hint=f"Known: {', '.join(sorted(known))}.")
    return {name: known[name] for name in policy.metrics}


def _check_slots(session: Session, holder: Holder, spreads: Mapping[str, float]) -> None:
    for slot, spread in spreads.items():
        if slot in FIXED_SLOTS or slot == "seed":
            raise InvalidInputError(f"Slot {slot} can not be varied: X121 fills it for each take itself.")
        if not 0 < spread < float("inf"):
            raise InvalidInputError(f"Slot {slot}: how far it may go is a number above 0, not {spread:g}.")
    if not spreads or holder[0] == "project":
        return
    numeric = _numeric_slots(session, holder[1])
    wrong = sorted(set(spreads) - set(numeric))
    if wrong:
        raise InvalidInputError(
            f"The scene type's workflow has no slot '{wrong[0]}' that takes a number.",
            hint=f"It has: {', '.join(sorted(numeric)) or 'none'}.",
        )


def _numeric_slots(session: Session, scene_type_id: uuid.UUID) -> Sequence[str]:
    version = session.scalar(
        sa.select(m.SceneTypeVersion.workflow_version_id)
        .where(m.SceneTypeVersion.scene_type_id == scene_type_id)
        .order_by(m.SceneTypeVersion.number.desc())
        .limit(1)
    )
    slots = slots_of(session, version) if version is not None else ()
    return [s.name for s in slots if s.type in (SlotType.INT, SlotType.FLOAT) and not s.is_hidden
            and s.name not in FIXED_SLOTS | {"seed"}]  # fmt: skip
