"""Generation's use cases: plan a scene's takes, make the order for one, record what came back."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

import x121lib
from x121lib import model as m
from x121lib.base.errors import InvalidInputError, RefusedError
from x121lib.base.ids import new_id
from x121lib.catalogue.slots import slots_of
from x121lib.comfyui.model_files import named_models
from x121lib.comfyui.slots import FILLED_SLOTS, Slot, bind, own_defaults, with_seed
from x121lib.events import outbox
from x121lib.generation import plan, queries
from x121lib.generation import values as slot_values
from x121lib.generation.anchoring import HandOff
from x121lib.models.usage import current_version_ids
from x121lib.store import audit
from x121lib.terms.ranges import FrameRange
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import (
    EventKind,
    PriorityClass,
    SegmentStatus,
    TakeStatus,
    TaskKind,
    TaskStatus,
)


@dataclass(frozen=True)
class PlanOptions:
    """How a scene's tasks enter the queue."""

    batch_id: uuid.UUID | None
    """Batch that asked for them."""
    submitted_by_id: uuid.UUID | None
    """Person who asked."""
    priority_class: PriorityClass = PriorityClass.NORMAL
    """Class; its base priority is the tasks'."""
    not_before: datetime | None = None
    """Start no earlier than this."""
    is_off_peak: bool = False
    """Start only while nothing else wants the worker."""
    queued_at: datetime | None = None
    """Age in the queue counts from here; None: now."""


@dataclass(frozen=True)
class TakeOrder:
    """What one attempt at a take needs, as values: made in a transaction, used outside of it."""

    take_id: uuid.UUID
    """The take."""
    scene_id: uuid.UUID
    """Its scene."""
    graph: Mapping[str, Any]
    """Workflow graph, unbound."""
    slots: tuple[Slot, ...]
    """Its slots."""
    values: Mapping[str, Any]
    """Seed, prompts, sizes and fixed values."""
    seed_frame_artifact_id: uuid.UUID
    """Frame (or approved variant) that the take starts from."""
    seed_frame_sha256: str
    """Its hash."""
    source_artifact_id: uuid.UUID
    """The approved variant."""
    source_sha256: str
    """Its hash."""
    first_take_sha256: str | None
    """Hash of the first segment's video, whose first frame drift is measured against; None for that segment."""
    has_handoff: bool
    """Whether the seed is a previous segment's boundary frame (and a seam can be judged)."""
    expected_frames: int
    """Frames that the take's file must have at least."""
    repeats_seed_frame: bool
    """Whether the first frame is the seed again."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    frame_rate: Fraction
    """Frames per second."""
    qa_profile_version_id: uuid.UUID
    """Gates to judge by."""
    re_anchors: bool = False
    """Whether a hand-off frame whose colour drifted is matched back to the scene's first frame."""


@dataclass(frozen=True)
class TakeResult:
    """What a finished take is, as rows that exist already."""

    output_artifact_id: uuid.UUID
    """The take's video."""
    boundary_artifact_id: uuid.UUID
    """Its boundary frame as PNG."""
    boundary_frame: int
    """That frame's number."""
    n_frames: int
    """Frames of the video."""
    worker_id: uuid.UUID | None
    """Worker that made it."""
    server_version: str
    """ComfyUI's version there."""
    correction: HandOff | None = None
    """What was done to the boundary frame; None: it is the video's, bit for bit."""


def plan_scene(session: Session, scene: m.Scene, options: PlanOptions) -> list[m.GpuTask]:
    """Write all segments, first takes and GPU tasks of a scene; each task waits for the one before it."""
    recipe = queries.recipe(session, scene.id)
    plan_of = plan.plan_scene(recipe.target_s, recipe.version.segment_duration_s, recipe.rate)
    segments = queries.segments(session, scene.id)
    for index, frames in enumerate(plan_of.segment_frames[len(segments) :], start=len(segments) + 1):
        segment = m.Segment(
            id=new_id(), scene_id=scene.id, sequence_index=index, planned_frames=frames,
            status_id=SegmentStatus.PENDING,
        )  # fmt: skip
        session.add(segment)
        segments.append(segment)
    session.flush()
    return plan_takes(session, scene, segments, options)


def plan_takes(session: Session, scene: m.Scene, segments: list[m.Segment], options: PlanOptions) -> list[m.GpuTask]:
    """Write a new take and its GPU task for each given segment (consecutive ones), chained in order."""
    tasks: list[m.GpuTask] = []
    for segment in segments:
        number = queries.take_number(session, segment.id)
        take = m.Take(
            id=new_id(), segment_id=segment.id, number=number, status_id=TakeStatus.PLANNED,
            seed=plan.seed_for(scene.id, segment.sequence_index, number),
        )  # fmt: skip
        session.add(take)
        segment.chosen_take_id = None
        segment.status_id = SegmentStatus.PENDING
        session.flush()
        task = m.GpuTask(
            id=new_id(), kind_id=TaskKind.TAKE, take_id=take.id, project_id=scene.project_id,
            batch_id=options.batch_id, submitted_by_id=options.submitted_by_id, class_id=options.priority_class,
            priority=options.priority_class.base_priority, not_before=options.not_before,
            status_id=TaskStatus.SCHEDULED if options.not_before else TaskStatus.QUEUED,
            after_task_id=tasks[-1].id if tasks else None, is_ready=not tasks, seed=take.seed,
            is_off_peak=options.is_off_peak,
        )  # fmt: skip
        if options.queued_at is not None:
            task.queued_at = options.queued_at
        session.add(task)
        session.flush()
        tasks.append(task)
        outbox.publish(session, EventKind.TASK_QUEUED, entity="gpu_task", entity_id=task.id,
                       project_id=scene.project_id, payload={"scene_id": str(scene.id)})  # fmt: skip
    return tasks


def build_order(session: Session, task: m.GpuTask) -> TakeOrder:
    """Return the order for a take's task, from what is approved and chosen now.

    Raises:
        RefusedError: the approved variant is gone, or the previous segment has no boundary frame.
    """
    take = session.get_one(m.Take, task.take_id)
    segment = session.get_one(m.Segment, take.segment_id)
    recipe = queries.recipe(session, segment.scene_id)
    source = queries.approved_artifact(session, recipe.character.id, recipe.kind.id)
    if source is None:
        raise RefusedError(
            f"{recipe.character.name} has no approved '{recipe.kind.name}' image.",
            hint="Approve one with 'x121 variant approve'.",
        )
    previous = queries.previous_take(session, segment)
    if segment.sequence_index > 1 and (previous is None or previous.boundary_artifact_id is None):
        raise RefusedError(f"Segment {segment.sequence_index} has no hand-off frame: the one before it is not done.")
    handed_off = previous.boundary_artifact_id if previous is not None else None
    seed_frame = handed_off or source
    hashes = dict(
        session.execute(
            sa.select(m.Artifact.id, m.Artifact.sha256).where(m.Artifact.id.in_([seed_frame, source]))
        ).all()
    )
    repeats = recipe.workflow.repeats_seed_frame
    return TakeOrder(
        take_id=take.id, scene_id=recipe.scene.id, graph=recipe.workflow.graph,
        slots=slots_of(session, recipe.workflow.id),
        values=slot_values.of_take(session, recipe, take),
        seed_frame_artifact_id=seed_frame, seed_frame_sha256=hashes[seed_frame],
        source_artifact_id=source, source_sha256=hashes[source],
        first_take_sha256=queries.first_take_sha256(session, segment),
        has_handoff=previous is not None, expected_frames=segment.planned_frames + int(repeats),
        repeats_seed_frame=repeats, **slot_values.size_of(session, recipe),
        frame_rate=recipe.rate, qa_profile_version_id=recipe.version.qa_profile_version_id,
        re_anchors=recipe.version.re_anchors,
    )  # fmt: skip


def take_values(session: Session, take: m.Take) -> dict[str, Any]:
    """Return the slot values with which a take runs: its recipe's, and its own over them."""
    scene_id = session.get_one(m.Segment, take.segment_id).scene_id
    return slot_values.of_take(session, queries.recipe(session, scene_id), take)


def slot_defaults(session: Session, take: m.Take) -> dict[str, Any]:
    """Return the default of each slot of a take that can be set."""
    workflow = queries.recipe(session, session.get_one(m.Segment, take.segment_id).scene_id).workflow
    return {slot.name: slot.default for slot in slots_of(session, workflow.id) if not slot.is_hidden}


FIXED_SLOTS = FILLED_SLOTS
"""Slots that chaining fills: another value would break the hand-off or the collection of the output."""


def check_overrides(
    session: Session, actor: Actor, take_id: uuid.UUID, values: Mapping[str, Any]
) -> queries.SceneRecipe:
    """Refuse slot values that a take can not have, as `override_take` does; returns the take's recipe."""
    actor.require(Permission.SUBMIT)
    scene_id = session.get_one(m.Segment, session.get_one(m.Take, take_id).segment_id).scene_id
    recipe = queries.recipe(session, scene_id)
    fixed = sorted(FIXED_SLOTS & set(values))
    if fixed:
        raise InvalidInputError(f"Slot {', '.join(fixed)} is filled by X121 itself and can not be changed.")
    given = {name: value for name, value in values.items() if value is not None}
    slots = slots_of(session, recipe.workflow.id)
    bind(recipe.workflow.graph, slots, with_seed(slots, given))
    return recipe


def override_take(session: Session, actor: Actor, take_id: uuid.UUID, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give one take other slot values than its recipe's; None takes an earlier one back. Returns those before.

    They are in its receipt like any other value. Nothing is changed where one of them is refused.

    Raises:
        InvalidInputError: a slot that chaining fills.
        SlotError: a slot that the workflow does not have, a wrong type, out of range.
    """
    take = session.get_one(m.Take, take_id, with_for_update=True)
    recipe = check_overrides(session, actor, take_id, values)
    before = slot_values.of_take(session, recipe, take)
    for name, value in values.items():
        if name == "seed" and value is not None:
            take.seed = int(value)
            continue
        session.execute(sa.delete(m.TakeOverride).where(m.TakeOverride.take_id == take_id, m.TakeOverride.slot == name))
        if value is not None:
            session.add(m.TakeOverride(take_id=take_id, slot=name, value=value, set_by_id=actor.person_id))
    facts = {name: before.get(name) for name in values}
    audit.record(session, actor, "take.override", ("take", take_id), before=facts, after=dict(values))
    return facts


def record_take(session: Session, order: TakeOrder, result: TakeResult, now: datetime) -> m.Take:
    """Write a take's output, boundary frame and receipt; the caller holds the task's token and judges next."""
    take = session.get_one(m.Take, order.take_id)
    segment = session.get_one(m.Segment, take.segment_id)
    take.seed_frame_artifact_id = order.seed_frame_artifact_id
    take.output_artifact_id = result.output_artifact_id
    take.boundary_artifact_id, take.boundary_frame = result.boundary_artifact_id, result.boundary_frame
    take.n_frames, take.finished_at = result.n_frames, now
    take.status_id = TakeStatus.GENERATED
    take.receipt_id = _write_receipt(session, order, result)
    if result.correction is not None:
        session.add(result.correction.row(take.id))
    segment.status_id = SegmentStatus.GENERATING
    scene = session.get_one(m.Scene, order.scene_id)
    outbox.publish(session, EventKind.TAKE_FINISHED, entity="take", entity_id=take.id, project_id=scene.project_id,
                   payload={"scene_id": str(scene.id), "segment": segment.sequence_index, "take": take.number,
                            "frames": result.n_frames})  # fmt: skip
    return take


def _write_receipt(session: Session, order: TakeOrder, result: TakeResult) -> uuid.UUID:
    recipe = queries.recipe(session, order.scene_id)
    receipt = m.Receipt(
        id=new_id(), request_hash=request_hash(recipe.workflow.graph_hash, order), seed=int(order.values["seed"]),
        workflow_version_id=recipe.workflow.id, tier_id=recipe.scene.tier_id,
        text_prompt=str(order.values["text_prompt"]), negative_prompt=str(order.values["negative_prompt"]),
        worker_id=result.worker_id, server_version=result.server_version, x121_version=x121lib.__version__,
    )  # fmt: skip
    session.add(receipt)
    session.flush()
    inputs = {"seed_frame": order.seed_frame_artifact_id, "source_image": order.source_artifact_id}
    session.add_all(m.ReceiptInput(receipt_id=receipt.id, slot=s, artifact_id=a) for s, a in inputs.items())
    given = own_defaults(order.slots) | dict(order.values)
    kept = given.keys() - {"text_prompt", "negative_prompt", "filename_prefix"}
    session.add_all(m.ReceiptParameter(receipt_id=receipt.id, slot=s, value=given[s]) for s in sorted(kept))
    session.add_all(_models(session, receipt.id, order))
    session.flush()
    return receipt.id


def request_hash(graph_hash: str, order: TakeOrder) -> str:
    """Return the canonical hash of everything that decides the result: the run cache's key."""
    body = {
        "graph": graph_hash, "values": {k: v for k, v in order.values.items() if k != "filename_prefix"},
        "seed_frame": order.seed_frame_sha256, "source_image": order.source_sha256,
        **({"defaults": own} if (own := own_defaults(order.slots)) else {}),
    }  # fmt: skip
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


def _models(session: Session, receipt_id: uuid.UUID, order: TakeOrder) -> list[m.ReceiptModel]:
    """Return a row for each model or LoRA file that the take loads, with its version where the library knows it."""
    values = own_defaults(order.slots) | dict(order.values)
    sent = {(slot.node_id, slot.input_name): values[slot.name] for slot in order.slots if slot.name in values}
    found = list(named_models(order.graph, sent))
    versions = current_version_ids(session, found)
    return [
        m.ReceiptModel(
            receipt_id=receipt_id, node_id=item.node_id, input_name=item.input_name, file_name=item.name,
            weight=item.weight, model_version_id=versions.get((item.node_id, item.input_name)),
        )
        for item in found
    ]  # fmt: skip


@dataclass(frozen=True)
class AssemblyOrder:
    """What assembling a scene needs, as values."""

    scene_id: uuid.UUID
    """The scene."""
    parts: tuple[tuple[str, FrameRange], ...]
    """(hash of a take's video, frames of it), in order."""
    take_ids: tuple[uuid.UUID, ...]
    """The takes."""
    duration_target_s: Decimal
    """Seconds that the scene must reach."""


def build_assembly(session: Session, scene_id: uuid.UUID) -> AssemblyOrder | None:
    """Return the cut of a scene whose segments are all chosen, or None while one is missing."""
    recipe = queries.recipe(session, scene_id)
    chosen = queries.chosen_takes(session, scene_id)
    takes = [take for _, take in chosen if take is not None and take.output_artifact_id is not None]
    if not chosen or len(takes) != len(chosen):
        return None
    cut = plan.cut_of([queries.take_facts(t) for t in takes], repeats_seed_frame=recipe.workflow.repeats_seed_frame)
    ids = [t.output_artifact_id for t in takes]
    hashes = dict(session.execute(sa.select(m.Artifact.id, m.Artifact.sha256).where(m.Artifact.id.in_(ids))).all())
    parts = tuple((hashes[i], part) for i, part in zip(ids, cut, strict=True) if i is not None)
    return AssemblyOrder(scene_id, parts, tuple(t.id for t in takes), recipe.target_s)


def is_current(session: Session, order: AssemblyOrder) -> bool:
    """Return whether the scene's chosen takes are still the ones of the order; locks the scene."""
    session.execute(sa.select(m.Scene.id).where(m.Scene.id == order.scene_id).with_for_update())
    chosen = queries.chosen_takes(session, order.scene_id)
    return [take.id if take else None for _, take in chosen] == list(order.take_ids)


def record_assembly(
    session: Session, order: AssemblyOrder, artifact_id: uuid.UUID, filmstrip_artifact_id: uuid.UUID | None,
    n_frames: int,
) -> m.SceneVersion:  # fmt: skip
    """Write a scene version with its cut. Idempotent: the same cut again returns the version that has it."""
    versions = list(
        session.scalars(
            sa.select(m.SceneVersion).where(m.SceneVersion.scene_id == order.scene_id).order_by(m.SceneVersion.number)
        )
    )
    if versions and queries.takes_of(session, versions[-1].id) == list(order.take_ids):
        return versions[-1]
    version = m.SceneVersion(
        id=new_id(), scene_id=order.scene_id, number=len(versions) + 1, artifact_id=artifact_id,
        filmstrip_artifact_id=filmstrip_artifact_id, n_frames=n_frames,
    )  # fmt: skip
    session.add(version)
    session.flush()
    session.add_all(
        m.SceneVersionCut(scene_version_id=version.id, position=i, take_id=take_id, start_frame=part.start,
                          stop_frame=part.stop)
        for i, (take_id, (_, part)) in enumerate(zip(order.take_ids, order.parts, strict=True), start=1)
    )  # fmt: skip
    session.flush()
    return version
