"""Image variants: plan their generation, record what came back, check likeness, approve."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

import x121lib
from x121lib import model as m
from x121lib.access import rights
from x121lib.base.errors import NotFoundError, RefusedError
from x121lib.base.ids import new_id
from x121lib.catalogue import queries as catalogue
from x121lib.catalogue.slots import slots_of
from x121lib.comfyui.slots import Slot, own_defaults
from x121lib.events import outbox
from x121lib.identity import DetectedFace, Embedding
from x121lib.intake import queries, service
from x121lib.intake.rules import Check
from x121lib.scheduling import budgets
from x121lib.scheduling.service import wake
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import (
    EventKind,
    PriorityClass,
    ReleasePurpose,
    TaskKind,
    TaskStatus,
    VariantStatus,
    VerdictOutcome,
    VersionOrigin,
)


@dataclass(frozen=True)
class VariantOrder:
    """What one attempt at a variant needs, as values."""

    variant_id: uuid.UUID
    """The variant."""
    graph: Mapping[str, Any]
    """Workflow graph, unbound."""
    slots: tuple[Slot, ...]
    """Its slots."""
    values: Mapping[str, Any]
    """Seed and file name prefix."""
    source_artifact_id: uuid.UUID
    """The approved source image."""
    source_sha256: str
    """Its hash."""
    workflow_version_id: uuid.UUID
    """The workflow version."""
    graph_hash: str
    """Its hash."""


@dataclass(frozen=True)
class VariantResult:
    """A made variant: rows and measurements that exist already."""

    artifact_id: uuid.UUID
    """The image."""
    checks: tuple[Check, ...]
    """Source image QA and the likeness check."""
    face: DetectedFace | None
    """Its primary face."""
    embedding: Embedding | None
    """That face's embedding."""
    worker_id: uuid.UUID | None
    """Worker that made it."""
    server_version: str
    """ComfyUI's version there."""


def plan_variants(
    session: Session, actor: Actor, project: m.Project, kind_name: str, names: list[str], now: datetime
) -> list[m.GpuTask]:
    """Queue the generation of a variant kind for characters that lack an approved one; returns the tasks.

    Raises:
        RefusedError: the kind has no workflow, or a likeness release does not cover it.
        NotFoundError: a character has no approved source image.
    """
    actor.require(Permission.SUBMIT)
    kind = catalogue.variant_kind(session, kind_name)
    if kind.workflow_version_id is None:
        raise RefusedError(
            f"Variant kind '{kind.name}' has no workflow to make it with.",
            hint="Give it one with 'x121 variant-kind add', or import images of that name.",
        )
    chosen = []
    for character in catalogue.characters(session, project.id, names):
        variant = service.ensure_variant(session, character.id, kind.id)
        if variant.approved_version_id is None and not _is_queued(session, variant.id):
            queries.source_artifact(session, character.id)
            chosen.append((character, variant))
    uses = [rights.Use(c.id, kind.id, project.id, ReleasePurpose.GENERATE) for c, _ in chosen]
    rights.require_cover_of(session, uses, now)
    tasks = [_task(actor, project, variant, number_of(session, variant.id)) for _, variant in chosen]
    session.add_all(tasks)
    session.flush()
    budgets.reserve(session, actor, [task.id for task in tasks], now)
    for task in tasks:
        outbox.publish(session, EventKind.TASK_QUEUED, entity="gpu_task", entity_id=task.id, project_id=project.id)
    wake(session)
    return tasks


def number_of(session: Session, variant_id: uuid.UUID) -> int:
    """Return the number of a variant's next version."""
    return len(queries.versions(session, variant_id)) + 1


def _is_queued(session: Session, variant_id: uuid.UUID) -> bool:
    over = (TaskStatus.CANCELLED, TaskStatus.FAILED, TaskStatus.COMPLETE)
    return bool(
        session.scalar(
            sa.select(sa.exists().where(m.GpuTask.image_variant_id == variant_id, m.GpuTask.status_id.not_in(over)))
        )
    )


def _task(actor: Actor, project: m.Project, variant: m.ImageVariant, number: int) -> m.GpuTask:
    digest = hashlib.sha256(f"{variant.id}/{number}".encode()).digest()
    return m.GpuTask(
        id=new_id(), kind_id=TaskKind.VARIANT, image_variant_id=variant.id, project_id=project.id,
        submitted_by_id=actor.person_id, class_id=PriorityClass.NORMAL,
        priority=PriorityClass.NORMAL.base_priority, status_id=TaskStatus.QUEUED,
        seed=int.from_bytes(digest[:6], "big"),
    )  # fmt: skip


def build_order(session: Session, task: m.GpuTask) -> VariantOrder:
    """Return the order for a variant's task from the character's approved source image."""
    variant = session.get_one(m.ImageVariant, task.image_variant_id)
    kind = session.get_one(m.VariantKind, variant.kind_id)
    if kind.workflow_version_id is None:
        raise RefusedError(f"Variant kind '{kind.name}' has no workflow any more.")
    workflow = session.get_one(m.WorkflowVersion, kind.workflow_version_id)
    source = queries.source_artifact(session, variant.character_id)
    return VariantOrder(
        variant_id=variant.id, graph=workflow.graph, slots=slots_of(session, workflow.id),
        values={"seed": int(task.seed or 0), "filename_prefix": "x121/variant"},
        source_artifact_id=source.id, source_sha256=source.sha256, workflow_version_id=workflow.id,
        graph_hash=workflow.graph_hash,
    )  # fmt: skip


def record_variant(session: Session, order: VariantOrder, result: VariantResult) -> m.ImageVersion:
    """Write a made image as the variant's next version, with its receipt, checks and face."""
    variant = session.get_one(m.ImageVariant, order.variant_id, with_for_update=True)
    receipt = m.Receipt(
        id=new_id(), request_hash=_request_hash(order), workflow_version_id=order.workflow_version_id,
        seed=int(order.values["seed"]), worker_id=result.worker_id, server_version=result.server_version,
        x121_version=x121lib.__version__,
    )  # fmt: skip
    session.add(receipt)
    session.flush()
    session.add(m.ReceiptInput(receipt_id=receipt.id, slot="seed_image", artifact_id=order.source_artifact_id))
    version = m.ImageVersion(
        id=new_id(), variant_id=variant.id, number=number_of(session, variant.id), artifact_id=result.artifact_id,
        origin_id=VersionOrigin.GENERATED, receipt_id=receipt.id,
    )  # fmt: skip
    session.add(version)
    session.flush()
    service.write_checks(session, version.id, result.checks)
    if result.face is not None and result.embedding is not None:
        service.write_face(session, result.artifact_id, result.face, result.embedding)
    if variant.status_id in (VariantStatus.PENDING, VariantStatus.REJECTED):
        variant.status_id = VariantStatus.GENERATED
    character = session.get_one(m.Character, variant.character_id)
    outbox.publish(session, EventKind.VARIANT_GENERATED, entity="image_variant", entity_id=variant.id,
                   project_id=character.project_id, payload={"version": version.number})  # fmt: skip
    return version


def _request_hash(order: VariantOrder) -> str:
    body = {"graph": order.graph_hash, "seed": order.values["seed"], "seed_image": order.source_sha256}
    if own := own_defaults(order.slots):
        body["defaults"] = own
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def approve(
    session: Session, actor: Actor, project: m.Project, kind_name: str, names: Sequence[str], *, version: int | None
) -> list[str]:
    """Approve the newest (or a given) version of a kind as hero; returns the characters' names.

    Raises:
        NotFoundError: a character has no such version.
        RefusedError: a check of that image failed; the reason is named.
    """
    return [
        _decide(session, actor, c, catalogue.variant_kind(session, kind_name), version)
        for c in catalogue.characters(session, project.id, list(names))
    ]


def _decide(session: Session, actor: Actor, character: m.Character, kind: m.VariantKind, number: int | None) -> str:
    actor.require(Permission.APPROVE_VARIANTS)
    variant = queries.find_variant(session, character.id, kind.id)
    versions = queries.versions(session, variant.id) if variant else []
    wanted = [v for v in versions if number is None or v.number == number]
    if variant is None or not wanted:
        which = f"version {number} of" if number else "image of"
        raise NotFoundError(
            f"{character.name} has no {which} kind '{kind.name}' to approve.",
            hint=f"Make one with 'x121 variant make' (kind {kind.name}), or import one.",
        )
    chosen = wanted[-1]
    failed = session.scalars(
        sa.select(m.ImageCheck.reason).where(
            m.ImageCheck.image_version_id == chosen.id, m.ImageCheck.outcome_id == VerdictOutcome.FAIL
        )
    ).all()
    if failed:
        raise RefusedError(f"{character.name}, '{kind.name}' version {chosen.number} failed its checks: {failed[0]}")
    variant.approved_version_id, variant.status_id = chosen.id, VariantStatus.APPROVED
    variant.version += 1
    audit.record(session, actor, "variant.approve", ("image_variant", variant.id), after={"version": chosen.number})
    outbox.publish(session, EventKind.VARIANT_APPROVED, entity="image_variant", entity_id=variant.id,
                   project_id=character.project_id, payload={"version": chosen.number})  # fmt: skip
    return character.name


def reject(session: Session, actor: Actor, variant_id: uuid.UUID) -> str:
    """Reject a variant's image; it is no hero any more. Returns the character's name.

    Raises:
        ForbiddenError: the actor may not approve variants.
        NotFoundError: no such variant.
        RefusedError: there is no image to reject, or it is the source that everything else is made from.
    """
    actor.require(Permission.APPROVE_VARIANTS)
    variant = session.get(m.ImageVariant, variant_id, with_for_update=True)
    if variant is None:
        raise NotFoundError("There is no such image variant.")
    character = session.get_one(m.Character, variant.character_id)
    kind = session.get_one(m.VariantKind, variant.kind_id)
    if not queries.versions(session, variant.id):
        raise RefusedError(f"{character.name} has no '{kind.name}' image to reject.")
    if kind.is_source and variant.approved_version_id is not None:
        raise RefusedError(
            f"{character.name}'s '{kind.name}' image is the source of the others.", hint="Import another one instead."
        )
    before, variant.status_id = variant.status_id, VariantStatus.REJECTED
    variant.approved_version_id = None
    variant.version += 1
    audit.record(session, actor, "variant.reject", ("image_variant", variant.id), before={"status": before.value})
    outbox.publish(session, EventKind.VARIANT_REJECTED, entity="image_variant", entity_id=variant.id,
                   project_id=character.project_id)  # fmt: skip
    return character.name
