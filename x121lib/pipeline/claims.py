"""Claim a dispatched task: one transaction that starts it, checks the rights again and makes its order."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.access import rights
from x121lib.comfyui.outputs import OutputKind
from x121lib.comfyui.render import ImageInput, RenderOrder
from x121lib.generation import service as generation
from x121lib.intake import variants
from x121lib.pipeline.house import House
from x121lib.scheduling import queries as queue_queries
from x121lib.scheduling import service as queue
from x121lib.scheduling.sending import prompt_id_for
from x121lib.terms.vocabulary import AttemptOutcome, ReleasePurpose, TaskStatus


@dataclass(frozen=True)
class Claim:
    """A started attempt with all that it needs, as values."""

    task_id: uuid.UUID
    """The task."""
    attempt_number: int
    """Its fencing token."""
    worker_id: uuid.UUID
    """The worker."""
    render: RenderOrder
    """What to send to it."""
    take: generation.TakeOrder | None
    """Set for a take."""
    variant: variants.VariantOrder | None
    """Set for a variant."""


def claim(house: House, task_id: uuid.UUID, attempt_number: int, *, is_started: bool = False) -> Claim:
    """Start an attempt, unless it ``is_started`` for the caller, and return its claim.

    Raises:
        LeaseLostError: somebody else has the task, or it was cancelled.
        ReleaseMissingError, RefusedError: the task may not or can not run; the caller records that.
    """
    if not is_started:
        begin(house, task_id, attempt_number)
    with house.database.transaction() as session:
        task = session.get_one(m.GpuTask, task_id)
        if (task.status_id, task.attempt_number) != (TaskStatus.RUNNING, attempt_number):
            raise queue.LeaseLostError(f"Attempt {attempt_number} of task {task_id} was taken away before it began.")
        worker = session.get(m.Worker, task.worker_id)
        if worker is None:
            raise queue.LeaseLostError(f"The worker of task {task_id} is gone.")
        attempt = queue_queries.attempt(session, task_id, attempt_number)
        prompt_id = attempt.prompt_id if attempt else prompt_id_for(task_id, attempt_number)
        stale = _stale_prompts(session, task, worker.id)
        take = variant = None
        if task.take_id is not None:
            take = generation.build_order(session, task)
            _check_take_rights(session, house, take)
            render = _render_take(house, take, worker.url, prompt_id, stale)
        else:
            variant = variants.build_order(session, task)
            _check_variant_rights(session, house, variant)
            render = _render_variant(house, variant, worker.url, prompt_id, stale)
        return Claim(task_id, attempt_number, worker.id, render, take, variant)


def begin(house: House, task_id: uuid.UUID, attempt_number: int) -> None:
    """Start an attempt under its token; attempts of several threads that meet are started in one transaction.

    Raises:
        LeaseLostError: it is not the task's current one any more.
    """
    house.starting((task_id, attempt_number))


def _stale_prompts(session: Session, task: m.GpuTask, worker_id: uuid.UUID) -> tuple[uuid.UUID, ...]:
    rows = session.scalars(
        sa.select(m.GpuTaskAttempt.prompt_id).where(
            m.GpuTaskAttempt.task_id == task.id, m.GpuTaskAttempt.number < task.attempt_number,
            m.GpuTaskAttempt.worker_id == worker_id,
            m.GpuTaskAttempt.outcome_id.in_([AttemptOutcome.LOST, AttemptOutcome.CANCELLED]),
        )
    )  # fmt: skip
    return tuple(rows)


def _check_take_rights(session: Session, house: House, take: generation.TakeOrder) -> None:
    scene = session.get_one(m.Scene, take.scene_id)
    use = rights.Use(
        scene.character_id, scene.variant_kind_id, scene.project_id, ReleasePurpose.GENERATE, scene.transition_mode_id
    )
    rights.require_cover_of(session, [use], house.now())


def _check_variant_rights(session: Session, house: House, order: variants.VariantOrder) -> None:
    variant = session.get_one(m.ImageVariant, order.variant_id)
    character = session.get_one(m.Character, variant.character_id)
    use = rights.Use(character.id, variant.kind_id, character.project_id, ReleasePurpose.GENERATE)
    rights.require_cover_of(session, [use], house.now())


def _render_take(
    house: House, take: generation.TakeOrder, url: str, prompt_id: uuid.UUID, stale: tuple[uuid.UUID, ...]
) -> RenderOrder:
    given = {"seed_image": take.seed_frame_sha256, "source_image": take.source_sha256}
    return RenderOrder(
        url=url, prompt_id=prompt_id, graph=take.graph, slots=take.slots, values=take.values,
        images=_images(house, given, {s.name for s in take.slots}), expect=OutputKind.VIDEO, stale_prompts=stale,
        stall_s=house.settings.stall_s,
    )  # fmt: skip


def _render_variant(
    house: House, order: variants.VariantOrder, url: str, prompt_id: uuid.UUID, stale: tuple[uuid.UUID, ...]
) -> RenderOrder:
    given = {"seed_image": order.source_sha256, "source_image": order.source_sha256}
    return RenderOrder(
        url=url, prompt_id=prompt_id, graph=order.graph, slots=order.slots, values=order.values,
        images=_images(house, given, {s.name for s in order.slots}), expect=OutputKind.IMAGE, stale_prompts=stale,
        stall_s=house.settings.stall_s,
    )  # fmt: skip


def _images(house: House, given: dict[str, str], slots: set[str]) -> tuple[ImageInput, ...]:
    return tuple(
        ImageInput(slot, house.artifacts.path(sha256), sha256) for slot, sha256 in given.items() if slot in slots
    )
