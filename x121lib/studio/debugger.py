"""The debugger: look into a take while it runs, pause it, change its parameters, go on."""

from __future__ import annotations

import html
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from x121lib import model as m
from x121lib.access import rights
from x121lib.base.errors import InvalidInputError, NotFoundError, RefusedError
from x121lib.comfyui.graph import title_of
from x121lib.comfyui.live import media_type_of
from x121lib.generation import queries as generation_queries
from x121lib.generation import service as generation
from x121lib.pipeline import queries, tracing
from x121lib.scheduling import pausing
from x121lib.terms.roles import Permission
from x121lib.terms.transitions import WAITING_STATUSES
from x121lib.terms.vocabulary import ReleasePurpose, TaskStatus

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

STOPS = {
    "node": "when the node that runs has ended; its result is kept and the take goes on from there",
    "now": "at once; what the running node did so far is lost, the nodes before it are kept",
}
"""Where a running take can be paused. In the middle of a sampler nothing can be kept: it is one node."""


@dataclass(frozen=True)
class Inspection:
    """One look into a GPU task.

    Attributes:
        task_id: the task.
        status: where the task stands.
        pausing: whether it stops as soon as its node has ended.
        attempt: number of the attempt that is shown; 0 before the first.
        node_id: the node that runs, or ran last.
        node: its class and title, in words.
        step: steps of it that are done.
        n_steps: its steps; 0 where it does not count.
        finished: nodes that are done; ``cached`` are those that the server had already.
        cached: nodes taken from the server's cache.
        n_nodes: nodes of the graph that was sent.
        parameters: slot values of the take, its own where it has some.
        overridden: names of the slots whose value is the take's own.
        request: the graph in API form as it was sent.
        events: raw messages of the server, oldest first, the newest 300.
        result: the entry of the server's history, once there is one.
        error: what went wrong with the attempt that is shown.
        failure: what is known of that: ``node_id``, ``node_inputs``, ``parameters``, ``devices`` with their memory,
            ``log``, ``traceback``, ``proposal``; empty where nothing went wrong.
        has_preview: whether there is an intermediate picture.
        updated_at: when the server was heard last.
    """

    task_id: uuid.UUID
    status: str
    pausing: bool
    attempt: int
    node_id: str | None
    node: str
    step: float
    n_steps: float
    finished: tuple[str, ...]
    cached: tuple[str, ...]
    n_nodes: int
    parameters: Mapping[str, Any]
    overridden: tuple[str, ...]
    request: Mapping[str, Any] = field(repr=False)
    events: tuple[Mapping[str, Any], ...] = field(repr=False)
    result: Mapping[str, Any] | None = field(repr=False)
    error: str | None
    failure: Mapping[str, Any] = field(repr=False)
    has_preview: bool
    updated_at: datetime | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def events_frame(self) -> pd.DataFrame:
        """Return one row per raw message: at, type, node, data."""
        rows = [
            {"at": e["at"], "type": e["type"], "node": e["data"].get("node"), "data": json.dumps(e["data"])}
            for e in self.events
        ]
        return pd.DataFrame(rows, columns=["at", "type", "node", "data"])

    def _repr_html_(self) -> str:
        rows = {
            "status": self.status + (" (pauses after this node)" if self.pausing else ""),
            "node": f"{self.node} · step {self.step:g} of {self.n_steps:g}" if self.n_steps else self.node,
            "nodes": f"{len(self.finished)} of {self.n_nodes} done, {len(self.cached)} from the cache",
            **{name: str(value) for name, value in self.parameters.items()},
        }
        body = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in rows.items())
        return f"<table>{body}</table>"


class Debugger:
    """Looks into GPU tasks and steers those that run."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def look(self, task_id: uuid.UUID) -> Inspection:
        """Return what a task does now, or did last.

        Raises:
            NotFoundError: there is no such task.
        """
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            task = self._task(session, task_id)
            attempt, trace = tracing.newest(session, task_id)
            request, nodes = trace.request or {}, trace.nodes or {}
            parameters, own = self._parameters(session, task)
            return Inspection(
                task_id=task_id, status=task.status_id.label, pausing=task.pause_requested_at is not None,
                attempt=attempt.number if attempt is not None else 0, node_id=trace.node_id,
                node=_in_words(request, trace.node_id), step=trace.step or 0.0, n_steps=trace.n_steps or 0.0,
                finished=tuple(nodes.get("finished", ())), cached=tuple(nodes.get("cached", ())),
                n_nodes=len(request), parameters=parameters, overridden=own, request=request,
                events=tuple(trace.events or ()), result=trace.result,
                error=attempt.error_message if attempt is not None else None,
                failure=dict((attempt.error_context if attempt is not None else None) or {}),
                has_preview=trace.preview is not None,
                updated_at=trace.updated_at,
            )  # fmt: skip

    def preview(self, task_id: uuid.UUID) -> tuple[bytes, str]:
        """Return (encoded picture, media type) of the newest intermediate picture.

        Raises:
            NotFoundError: there is none.
            ReleaseMissingError: it shows a real performer whose release does not cover that any more.
        """
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            task = self._task(session, task_id)
            rights.require_cover_of(session, [self._use(session, task)], self._studio.house.now())
            found = tracing.latest(session, task_id)
            if found is None or found[1].preview is None:
                raise NotFoundError("This take has sent no intermediate picture.")
            return found[1].preview, media_type_of(found[1].preview)

    def pause(self, task_id: uuid.UUID, *, at: str = "node") -> str:
        """Pause a running task; returns the point at which it stops, in words.

        Args:
            task_id: the task.
            at: ``node``: when the node that runs has ended; ``now``: at once. See `STOPS`.

        Raises:
            InvalidInputError: another point.
            RefusedError: it does not run.
        """
        if at not in STOPS:
            raise InvalidInputError(f"A take can be paused at {' or '.join(STOPS)}, not at '{at}'.")
        with self._studio.transaction() as session:
            pausing.pause_running(session, self._studio.actor, task_id, self._studio.house.now(), at_once=at == "now")
        return STOPS[at]

    def change(self, task_id: uuid.UUID, values: Mapping[str, Any]) -> dict[str, Any]:
        """Change slot values of a take that waits or is paused; returns those before.

        None takes an earlier change back. Resuming runs again only what the changes reach: nodes that ended come from
        the server's cache.

        Raises:
            RefusedError: it runs, is over, or makes no take.
            SlotError: an unknown slot, a wrong type, out of range; nothing is changed.
        """
        with self._studio.transaction() as session:
            task = self._task(session, task_id, lock=True)
            if task.status_id not in WAITING_STATUSES:
                hint = "Pause it first." if task.status_id == TaskStatus.RUNNING else "Queue a retake instead."
                raise RefusedError(f"This take is {task.status_id.label.lower()}.", hint=hint)
            if task.take_id is None:
                raise RefusedError("Only a take's parameters can be changed.", hint="Make the variant again instead.")
            return generation.override_take(session, self._studio.actor, task.take_id, values)

    def all_parameters(self, task_id: uuid.UUID) -> dict[str, Any]:
        """Return every slot of a take with its value: the take's own, its recipe's, or the workflow file's."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            task = self._task(session, task_id)
            values, _ = self._parameters(session, task)
            if task.take_id is None:
                return values
            return generation.slot_defaults(session, session.get_one(m.Take, task.take_id)) | values

    def check(self, task_id: uuid.UUID, values: Mapping[str, Any]) -> None:
        """Raise what `change` would raise for these values, whatever the take does now; changes nothing."""
        with self._studio.transaction() as session:
            task = self._task(session, task_id)
            if task.take_id is None:
                raise RefusedError("Only a take's parameters can be changed.", hint="Make the variant again instead.")
            generation.check_overrides(session, self._studio.actor, task.take_id, values)

    def resume(self, task_id: uuid.UUID) -> int:
        """Put a paused task back into the queue; on the same worker, where that is free. Returns how many."""
        return self._studio.resume([task_id])

    def _task(self, session: Any, task_id: uuid.UUID, *, lock: bool = False) -> m.GpuTask:
        task: m.GpuTask | None = session.get(m.GpuTask, task_id, with_for_update=lock or None)
        if task is None:
            raise NotFoundError(f"There is no GPU task {task_id}.", hint="'x121 queue --json' lists their keys.")
        return task

    def _parameters(self, session: Any, task: m.GpuTask) -> tuple[dict[str, Any], tuple[str, ...]]:
        if task.take_id is None:
            return {"seed": int(task.seed)} if task.seed is not None else {}, ()
        take = session.get_one(m.Take, task.take_id)
        own = tuple(sorted(generation_queries.overrides(session, take.id)))
        return generation.take_values(session, take), own

    def _use(self, session: Any, task: m.GpuTask) -> rights.Use:
        scene = queries.scene_of_task(session, task)
        if scene is not None:
            return rights.Use(scene.character_id, scene.variant_kind_id, scene.project_id, ReleasePurpose.GENERATE,
                              scene.transition_mode_id)  # fmt: skip
        variant = session.get_one(m.ImageVariant, task.image_variant_id)
        character = session.get_one(m.Character, variant.character_id)
        return rights.Use(character.id, variant.kind_id, character.project_id, ReleasePurpose.GENERATE)


def _in_words(request: Mapping[str, Any], node_id: str | None) -> str:
    node = request.get(node_id or "")
    if node is None:
        return f"node {node_id}" if node_id else "nothing yet"
    title = title_of(node)
    named = f"{node['class_type']} ({title})" if title and title != node["class_type"] else str(node["class_type"])
    return f"{named}, node {node_id}"
