"""What the consumer process calls: one tick of the queue, one attempt, one assembly, the workers' health."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import NotFoundError, RefusedError, X121Error
from x121lib.base.log import get_logger
from x121lib.comfyui.capabilities import read_capabilities
from x121lib.comfyui.client import ComfyClient
from x121lib.generation import queries as generation_queries
from x121lib.pipeline import execution, flow, retaking, tracing
from x121lib.pipeline.hold import hold_reason
from x121lib.pipeline.house import SEGMENT_GENERATING
from x121lib.scheduling import accounts, budgets, holding, policy, queries, shares, workers
from x121lib.scheduling import service as queue
from x121lib.scheduling.fairness import Ledger
from x121lib.scheduling.forecasting import Lacks, expected_spans, left_s
from x121lib.scheduling.recall import Recall
from x121lib.scheduling.recording import FREE_CHANNEL
from x121lib.scheduling.sending import Here
from x121lib.scheduling.serving import in_turn
from x121lib.store import audit
from x121lib.store.session import Listener
from x121lib.terms.roles import Permission
from x121lib.terms.transitions import ENDED_STATUSES, LEASED_STATUSES
from x121lib.terms.vocabulary import SceneStatus, TaskStatus

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

_log = get_logger(__name__)
RESEND_AFTER_S = 5.0
"""Seconds after which a dispatched task that nobody started is sent again."""


@dataclass(frozen=True)
class Message:
    """An id that the consumer carries: a task's attempt, or a scene to assemble."""

    kind: str
    """``task`` or ``assemble``."""
    key: str
    """Key of the task or scene."""
    attempt_number: int = 0
    """Fencing token of a task's attempt."""
    is_started: bool = False
    """Whether the attempt runs already: this process started it, and must run it."""


class Work:
    """The queue's machine side; every method is safe to call again."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._running: set[tuple[uuid.UUID, int]] = set()
        self._started: set[tuple[uuid.UUID, int]] = set()
        self._lock = threading.Lock()
        self._resent: dict[queue.Dispatched, datetime] = {}
        self._held = False
        self.recall = Recall()

    def tick(self) -> list[Message]:
        """Do what `upkeep` does, then assign tasks; returns what to enqueue."""
        due = self.upkeep()
        return [*self.dispatch(), *due]

    def upkeep(self) -> list[Message]:
        """Sweep lost leases, settle budgets, act on rejections, run schedules; returns what to enqueue.

        That is attempts whose message may be lost, and scenes to assemble.
        """
        house = self._studio.house
        now = house.now()
        with house.database.transaction() as session:
            again = flow.sweep(session, now, RESEND_AFTER_S)
        with house.database.transaction() as session:
            budgets.settle(session, now)
        with house.database.transaction() as session:
            flow.apply_rejections(session, now, house.settings.undo_s)
        self._studio.schedules.run_due()
        due = [Message("task", str(d.task_id), d.attempt_number) for d in self._due(again, now)]
        if self._is_held():
            return due
        with house.database.transaction() as session:
            scenes = generation_queries.to_assemble(session, SceneStatus.GENERATING)
        return [*due, *(Message("assemble", str(scene_id)) for scene_id in scenes)]

    def dispatch(self, n_here: int = 0) -> list[Message]:
        """Assign tasks to free slots and return what to enqueue; nothing while work is held back.

        The first ``n_here`` of them are started already, for as many threads of this process.
        """
        house, lease_s = self._studio.house, self._studio.settings.lease_s
        if self._held:
            return []
        here = Here(n_here, lease_s, SEGMENT_GENERATING) if n_here else None
        with house.database.transaction() as session:
            sent = queue.dispatch(session, house.now(), lease_s, self.recall, here)
        with self._lock:
            self._started |= {(d.task_id, d.attempt_number) for d in sent if d.is_started}
        return [Message("task", str(d.task_id), d.attempt_number, d.is_started) for d in sent]

    def claim(self, most: int) -> list[Message]:
        """Start dispatched attempts, at most ``most``, for as many threads of this process that are free."""
        tokens = self._studio.house.claim(most)
        with self._lock:
            self._started |= set(tokens)
        return [Message("task", str(key), number, is_started=True) for key, number in tokens]

    def _is_held(self) -> bool:
        """Return whether new work is held back; what holds it is logged once."""
        reason = hold_reason(self._studio.house)
        if bool(reason) != self._held:
            self._held = bool(reason)
            _log.warning("%s", reason or "There is room on the disk again: work goes on.")
        return self._held

    def _due(self, again: list[queue.Dispatched], now: datetime) -> list[queue.Dispatched]:
        """Return what was not sent again in the last seconds: its message may wait for a slot."""
        limit = now - timedelta(seconds=RESEND_AFTER_S)
        due = [d for d in again if self._resent.get(d, limit) <= limit]
        self._resent = {d: now if d in due else self._resent[d] for d in again}
        return due

    def run(self, task_id: uuid.UUID, attempt_number: int, *, is_started: bool = False) -> None:
        """Run one attempt to its end; assembles the scene when this was its last take.

        With ``is_started`` it was started for this process (`claim`), which has not given it back meanwhile.
        """
        key = (task_id, attempt_number)
        with self._lock:
            if key in self._running or (is_started and key not in self._started):
                return
            self._started.discard(key)
            self._running.add(key)
        try:
            result = execution.execute(self._studio.house, task_id, attempt_number, is_started=is_started)
        finally:
            with self._lock:
                self._running.discard(key)
        if result.assemble_scene_id is not None:
            self.assemble(result.assemble_scene_id)

    def run_key(self, task_id: str, attempt_number: int, is_started: bool = False) -> None:
        """Run one attempt, its key given as text."""
        self.run(uuid.UUID(task_id), attempt_number, is_started=is_started)

    def assemble_key(self, scene_id: str) -> None:
        """Make a scene's cut, its key given as text."""
        self.assemble(uuid.UUID(scene_id))

    def assemble(self, scene_id: uuid.UUID) -> bool:
        """Make a scene's cut and send it to review; False while a take is missing or when it failed."""
        return execution.assemble(self._studio.house, scene_id) is not None

    def sweep_leftovers(self) -> int:
        """Delete what killed processes left half-made on this machine; returns how many files and folders."""
        return execution.sweep_leftovers(self._studio.house)

    def prune_traces(self) -> int:
        """Delete the traces of attempts that are a month old; returns how many."""
        with self._studio.transaction() as session:
            return tracing.prune(session, self._studio.house.now())

    def release_all(self) -> int:
        """Give back every attempt that this process runs or is about to, because it stops; returns how many."""
        with self._lock:
            running = [*self._running, *self._started]
            self._started.clear()
        released = 0
        for task_id, attempt_number in running:
            with self._studio.transaction() as session:
                released += queue.release(session, task_id, attempt_number, self._studio.house.now())
        return released

    def has_consumer(self) -> bool:
        """Return whether a consumer process is connected to the database."""
        with self._studio.transaction() as session:
            query = sa.text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'x121-consumer'")
            return bool(session.scalar(query))

    def listener(self) -> Listener:
        """Return a listener that wakes when there may be something to do; its lock makes one process the leader."""
        url = self._studio.house.database.url
        return Listener(url, [queue.WAKE_CHANNEL], name="x121-consumer")

    def freed(self) -> Listener:
        """Return a listener that wakes when slots became free; each payload is one slot."""
        return Listener(self._studio.house.database.url, [FREE_CHANNEL], name="x121-freed")

    def check_workers(self) -> None:
        """Ask every worker how it is, all at once, and store what they say."""
        with self._studio.transaction() as session:
            targets = [(w.id, w.url) for w in workers.list_workers(session)]
        if not targets:
            return
        reports = asyncio.run(_ask_all(targets))
        for report in reports:
            with self._studio.transaction() as session:
                workers.record_health(session, report, self._studio.house.now())
        self.read_capabilities()

    def look_after_hosts(self) -> None:
        """Ask the agents of all hosts for their vitals, and let hosts sleep or wake as their power plans say.

        A wake-up or power-off command may take minutes: it never holds up `check_workers`.
        """
        self._studio.agents.look()
        self._studio.power.look_sometimes()

    def read_capabilities(self, again_s: float = workers.CAPABILITIES_AGAIN_S) -> None:
        """Ask those workers for node classes and models that answer and were not asked in the last ``again_s``.

        While something waits that no worker can run, they are asked every `CAPABILITIES_MISSED_S`.
        """
        with self._studio.transaction() as session:
            now = self._studio.house.now()
            due = workers.capabilities_due(session, now, again_s)
            missed = not due and workers.capabilities_due(session, now, workers.CAPABILITIES_MISSED_S)
            if missed and queries.anything_lacks(session, now):
                due = missed
        for worker_id, url in due:
            try:
                found = asyncio.run(read_capabilities(url))
            except X121Error as error:
                _log.warning("the capabilities of worker %s are not known: %s", url, error)
                continue
            with self._studio.transaction() as session:
                now = self._studio.house.now()
                workers.record_capabilities(session, worker_id, found.specs, found.models, now)

    def retake(self, scene_id: uuid.UUID, from_segment: int, values: Mapping[str, Any] | None = None) -> int:
        """Queue new takes from a segment to the scene's end, with these slot values in place of the recipe's.

        Raises:
            NotFoundError: no such scene.
            RefusedError: it is being generated.
            InvalidInputError, SlotError: no such segment to begin at, or a value that no take can have.
        """
        self._studio.actor.require(Permission.SUBMIT)
        with self._studio.transaction() as session:
            scene = session.get(m.Scene, scene_id, with_for_update=True)
            if scene is None:
                raise NotFoundError("There is no such scene.")
            if scene.status_id == SceneStatus.GENERATING:
                raise RefusedError("This scene is being generated.", hint="Cancel its tasks first.")
            actor = self._studio.actor
            tasks = flow.retake(session, scene, from_segment, actor.person_id, self._studio.house.now(), actor)
            retaking.override_takes(session, actor, [t.take_id for t in tasks if t.take_id], values or {})
            facts = {"from_segment": from_segment, "takes": len(tasks), "values": dict(values or {})}
            audit.record(session, self._studio.actor, "scene.retake", ("scene", scene_id), after=facts)
            return len(tasks)

    def queue_frame(self) -> pd.DataFrame:
        """Return the GPU tasks that are not over, in serving order, each with the reason why it waits."""
        with self._studio.transaction() as session:
            views = queries.worker_views(session, self._studio.house.now())
            paused = holding.read(session)
            rows: Sequence[Any] = [holding.shown(row, paused) for row in session.execute(_queue_query()).mappings()]
            needs = queries.needs(session, [row["task_id"] for row in rows])
            over = budgets.held_words(session, [row["task_id"] for row in rows], self._studio.house.now())
            lacks = queries.lacks(session, [row["task_id"] for row in rows if _waits(row)], views)
            used = shares.read(session, self._studio.house.now())
            seconds = accounts.measured(session, [row["task_id"] for row in rows])
            running = [row for row in rows if row["status"] in LEASED_STATUSES]
            rows = running + in_turn([row for row in rows if row["status"] not in LEASED_STATUSES], used, seconds)
            ledger = Ledger(used)
            pairs = {(row["person_id"], row["project_id"]) for row in rows}
            lately = shares.history(session, self._studio.house.now())
            fair = {pair: shares.words(session, ledger, *pair, lately) for pair in pairs}
            free = [row for row in rows[len(running) :] if row["task_id"] not in over]
            spans = self._spans(free, running, views, (needs, lacks), seconds)
        data, position, held = [], 0, hold_reason(self._studio.house)
        for row in rows:
            entry = dict(row)
            entry["status"] = row["status"].label
            key = row["task_id"]
            known = needs.get(key, frozenset()), lacks.get(key, {})
            waiting = _waits(row)
            reason = held or over.get(key) or _why(entry, position, views, known)
            hold = paused.of(row) if row["status"] is TaskStatus.PAUSED else None
            if position and not held and entry["waits_for"] is None:
                reason = f"{reason} {fair[row['person_id'], row['project_id']]}".strip()
            entry["why"] = hold.words if hold is not None else reason if waiting else ""
            entry["starts_at"] = None if held else spans.get(key)
            position += waiting and entry["waits_for"] is None
            data.append(entry)
        return pd.DataFrame(data, columns=[*_COLUMNS, "why", "starts_at"])

    def _spans(
        self, waiting: Sequence[Any], running: Sequence[Any], views: list[policy.WorkerView],
        fits: tuple[dict[uuid.UUID, frozenset[str]], Lacks], seconds: dict[uuid.UUID, float],
    ) -> dict[uuid.UUID, datetime]:  # fmt: skip
        now = self._studio.house.now()
        busy = {
            row["task_id"]: (
                row["worker_id"],
                left_s(row["progress"], row["attempt_started_at"], seconds.get(row["task_id"]), now) or 0.0,
            )
            for row in running
        }
        found = expected_spans(waiting, busy, views, fits, seconds, now)
        return {key: now + timedelta(seconds=span.start_s) for key, span in found.items()}


_COLUMNS = (
    "task_id", "project", "character", "scene_type", "variant", "segment", "take", "status", "priority", "progress",
    "worker", "attempt", "queued_at", "started_at", "waits_for",
)  # fmt: skip


def _queue_query() -> sa.Select[*tuple[Any, ...]]:
    kind = sa.func.coalesce(m.Scene.variant_kind_id, m.ImageVariant.kind_id)
    before = sa.orm.aliased(m.GpuTask)
    open_before = sa.case((before.status_id != TaskStatus.COMPLETE, before.id), else_=None)
    return (
        sa.select(
            m.GpuTask.id.label("task_id"), m.Project.name.label("project"), m.Character.name.label("character"),
            m.SceneType.name.label("scene_type"), m.VariantKind.name.label("variant"),
            m.Segment.sequence_index.label("segment"), m.Take.number.label("take"),
            m.GpuTask.status_id.label("status"), m.GpuTask.priority, m.GpuTask.progress,
            m.Worker.name.label("worker"), m.GpuTask.attempt_number.label("attempt"), m.GpuTask.queued_at,
            m.GpuTask.started_at, open_before.label("waits_for"), m.GpuTask.project_id,
            m.GpuTask.submitted_by_id.label("person_id"), m.GpuTask.worker_id, m.GpuTask.not_before,
            m.GpuTask.is_off_peak, m.GpuTask.batch_id, m.Scene.id.label("scene_id"), m.GpuTask.turn_at,
            m.GpuTaskAttempt.started_at.label("attempt_started_at"),
        )
        .join(m.Project, m.Project.id == m.GpuTask.project_id)
        .outerjoin(m.Take, m.Take.id == m.GpuTask.take_id)
        .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
        .outerjoin(m.Scene, m.Scene.id == m.Segment.scene_id)
        .outerjoin(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .outerjoin(m.ImageVariant, m.ImageVariant.id == m.GpuTask.image_variant_id)
        .join(m.Character, m.Character.id == sa.func.coalesce(m.Scene.character_id, m.ImageVariant.character_id))
        .join(m.VariantKind, m.VariantKind.id == kind)
        .outerjoin(m.Worker, m.Worker.id == m.GpuTask.worker_id)
        .outerjoin(before, before.id == m.GpuTask.after_task_id)
        .outerjoin(m.GpuTaskAttempt, sa.and_(m.GpuTaskAttempt.task_id == m.GpuTask.id,
                                             m.GpuTaskAttempt.number == m.GpuTask.attempt_number))
        .where(m.GpuTask.status_id.not_in(ENDED_STATUSES))
        .order_by(m.GpuTask.status_id.desc(), m.GpuTask.priority.desc(), m.GpuTask.queued_at, m.GpuTask.id)
    )  # fmt: skip


def _waits(row: Mapping[str, Any]) -> bool:
    return row["status"] in (TaskStatus.QUEUED, TaskStatus.WAITING)


def _why(
    entry: dict[str, object], position: int, views: list[policy.WorkerView],
    known: tuple[frozenset[str], dict[uuid.UUID, tuple[str, ...]]],
) -> str:  # fmt: skip
    if entry["waits_for"] is not None:
        return f"Waits for segment {int(str(entry['segment'])) - 1} of its scene."
    return policy.why_waiting(position, views, *known)


async def _ask_all(targets: list[tuple[uuid.UUID, str]]) -> list[workers.HealthReport]:
    return list(await asyncio.gather(*(_ask(worker_id, url) for worker_id, url in targets)))


async def _ask(worker_id: uuid.UUID, url: str) -> workers.HealthReport:
    try:
        async with ComfyClient(url, timeout_s=4.0) as client:
            stats = await client.system_stats()
    except X121Error as error:
        _log.info("worker %s does not answer: %s", url, error)
        return workers.HealthReport(worker_id, ok=False)
    device = stats.devices[0] if stats.devices else None
    return workers.HealthReport(
        worker_id, ok=True, server_version=stats.comfyui_version, device=device.name if device else "",
        vram_bytes=(device.vram_total_bytes or None) if device else None,
    )  # fmt: skip
