"""The door to everything: open a studio, get handles, run use cases as an actor."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import bootstrap
from x121lib import model as m
from x121lib.base.settings import Settings
from x121lib.catalogue import projects, recipes
from x121lib.catalogue import queries as catalogue
from x121lib.comfyui.errors import UiFormatError
from x121lib.pipeline import flow
from x121lib.pipeline.house import House
from x121lib.review.service import DecisionInput, add_note, set_tags
from x121lib.scheduling import queries as queue_queries
from x121lib.scheduling import service as queue
from x121lib.studio import display
from x121lib.studio.agents import Agents
from x121lib.studio.budgets import Budgets
from x121lib.studio.checks import Checks
from x121lib.studio.debugger import Debugger
from x121lib.studio.doors import Doors
from x121lib.studio.downloads import Downloads
from x121lib.studio.estimates import Estimates
from x121lib.studio.holds import Pauses
from x121lib.studio.models import Models
from x121lib.studio.notifications import Notifications
from x121lib.studio.people import People
from x121lib.studio.placements import Placements
from x121lib.studio.power import Power
from x121lib.studio.project import ProjectHandle
from x121lib.studio.quality import Quality
from x121lib.studio.reactions import Reactions
from x121lib.studio.retakes import Retakes
from x121lib.studio.schedules import Schedules
from x121lib.studio.secrets import Secrets
from x121lib.studio.selections import Selections
from x121lib.studio.shares import FairShares
from x121lib.studio.simulations import Simulations
from x121lib.studio.tiers import Tiers
from x121lib.studio.trials import Trials
from x121lib.studio.triggers import Triggers
from x121lib.studio.webhooks import Webhooks
from x121lib.studio.work import Work
from x121lib.studio.workers import Workers
from x121lib.studio.workflows import Workflows
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import DecisionOutcome

Loaded = TypeVar("Loaded")


class Studio:
    """A studio that is open, seen by one actor.

    Attributes:
        actor: who acts; every use case checks this actor's permissions.
        debugger: looks into running takes, and steers them.
        people: people, sign-in, performers and releases.
        workers: GPU workers.
        work: what the consumer process calls: tick, run, assemble.
        models: the library of models and LoRAs.
        downloads: the queue of models that are fetched.
        placements: models on the hosts of workers.
        budgets: GPU hours per project and person.
        shares: fair shares of GPU time.
        tiers: quality tiers.
        estimates: what a selection would cost.
        schedules: submissions that come again and again.
        pauses: scenes, batches, projects and the studio, paused.
        simulations: what the queue would do.
        retakes: which takes are retaken by themselves.
        selections: waiting tasks that people move, edit and put back.
        checks: what is missing on which worker.
        trials: dry runs of workflows.
        secrets: tokens that the studio was given.
        notifications: what the actor was told.
        quality: thresholds tried on past takes, gates against reviewers.
        reactions: what the consumer does about new events.
        triggers: rules of what follows from what.
        webhooks: programs outside that are told things.
        doors: health, export, files.
    """

    def __init__(self, opened: bootstrap.Opened, actor: Actor | None = None) -> None:
        self._opened = opened
        self.house: House = opened.house
        self.actor = actor or opened.administrator
        self.debugger = Debugger(self)
        self.people = People(self)
        self.workers = Workers(self)
        self.agents = Agents(self)
        self.power = Power(self)
        self.budgets = Budgets(self)
        self.shares = FairShares(self)
        self.tiers = Tiers(self)
        self.estimates = Estimates(self)
        self.simulations = Simulations(self)
        self.retakes = Retakes(self)
        self.quality = Quality(self)
        self.selections = Selections(self)
        self.pauses = Pauses(self)
        self.schedules = Schedules(self)
        self.work = Work(self)
        self.models = Models(self)
        self.downloads = Downloads(self)
        self.workflows = Workflows(self)
        self.checks = Checks(self)
        self.trials = Trials(self)
        self.placements = Placements(self)
        self.secrets = Secrets(self)
        self.notifications = Notifications(self)
        self.reactions = Reactions(self)
        self.webhooks = Webhooks(self)
        self.triggers = Triggers(self)
        self.doors = Doors(self)

    @classmethod
    def open(cls, home: Path | str | None = None, *, settings: Settings | None = None) -> Studio:
        """Open the studio in ``home`` (default `X121_HOME`): embedded by default, `X121_DATABASE_URL` otherwise."""
        if settings is None:
            settings = Settings(home=Path(home)) if home is not None else Settings()
        return cls(bootstrap.open_house(settings))

    def as_actor(self, actor: Actor) -> Studio:
        """Return the same studio seen by another actor."""
        return Studio(self._opened, actor)

    def close(self) -> None:
        """Close connections; the last X121 process stops the embedded database."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Studio {self.settings.home} as {self.actor.name}>"

    def _repr_html_(self) -> str:
        place = "X121_DATABASE_URL" if self.settings.database_url is not None else "embedded database"
        facts = {"home": str(self.settings.home), "database": place, "acting as": self.actor.name}
        names = list(self.projects()["project"])
        return display.studio_html(facts, {name: self.project(name).summary() for name in names})

    @property
    def settings(self) -> Settings:
        """Settings of this studio."""
        return self.house.settings

    @property
    def opened(self) -> bootstrap.Opened:
        """What bootstrap opened."""
        return self._opened

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yield a session; commits at the end, rolls back on any error."""
        with self.house.database.transaction() as session:
            yield session

    # Projects and recipes

    def create_project(self, name: str, *, tier: str = "Production") -> ProjectHandle:
        """Create a project."""
        with self.transaction() as session:
            projects.create_project(session, self.actor, name, default_tier=tier)
        return self.project(name)

    def project(self, name: str) -> ProjectHandle:
        """Return a project by name; raises `NotFoundError` that lists the known ones."""
        with self.transaction() as session:
            row = catalogue.project(session, name)
            return ProjectHandle(self, row.id, row.name)

    def projects(self) -> pd.DataFrame:
        """Return one row per project: name, status, characters, scenes by status."""
        with self.transaction() as session:
            rows = session.execute(
                sa.select(m.Project.name, m.Project.status_id, m.Tier.name, m.Project.created_at)
                .join(m.Tier, m.Tier.id == m.Project.default_tier_id)
                .order_by(m.Project.name)
            ).all()
        columns = ["project", "status", "default_tier", "created_at"]
        return pd.DataFrame([(n, s.label, t, c) for n, s, t, c in rows], columns=columns)

    def load_scene_type(self, path: Path | str) -> str:
        """Load a scene type's TOML file; returns its name."""
        file = recipes.read_scene_type_file(Path(path))

        def load(object_info: Mapping[str, Any] | None) -> None:
            with self.transaction() as session:
                recipes.load_scene_type(session, self.actor, file, object_info=object_info)

        self.converting(load)
        return file.name

    def import_workflow(self, path: Path | str, *, repeats_seed_frame: bool = False) -> uuid.UUID:
        """Import a workflow in ComfyUI's API or editor form; returns the version's key.

        The editor's form is converted by what the workers that are online say of their node classes.

        Raises:
            UiFormatError: it is in the editor's form and no worker is online.
            GraphError: it is no sound graph, or has nodes that cannot be converted.
        """
        return self.workflows.import_file(path, repeats_seed_frame=repeats_seed_frame).version_id

    def converting(
        self,
        load: Callable[[Mapping[str, Any] | None], Loaded],
        describe: Callable[[], Mapping[str, Any]] | None = None,
    ) -> Loaded:
        """Call ``load`` with None, and where a file is in the editor's form with what the workers say of classes.

        Workers are asked only where a file needs it, and outside any transaction.
        """
        try:
            return load(None)
        except UiFormatError:
            object_info = (describe or self.workers.describe_classes)()
            if not object_info:
                raise
            return load(object_info)

    def add_variant_kind(self, name: str, *, prefix: str, workflow: Path | str | None = None) -> None:
        """Add a variant kind with its filename prefix and, where it is generated, its workflow."""
        version_id = self.import_workflow(workflow) if workflow is not None else None
        with self.transaction() as session:
            projects.add_variant_kind(session, self.actor, name, prefix=prefix, workflow_version_id=version_id)

    def scene_types(self) -> pd.DataFrame:
        """Return one row per scene type: name, version, durations, size, rate, variants."""
        with self.transaction() as session:
            rows = catalogue.latest_scene_types(session)
            kinds = catalogue.kinds_of(session, [v.id for _, v in rows])
        data = [
            {
                "scene_type": t.name, "version": v.number, "target_s": float(v.target_duration_s),
                "segment_s": float(v.segment_duration_s), "size": f"{v.width}×{v.height}",
                "frame_rate": f"{v.rate_numerator}/{v.rate_denominator}",
                "variants": ", ".join(k.name for k in kinds.get(v.id, [])), "description": v.description,
            }
            for t, v in rows
        ]  # fmt: skip
        columns = ["scene_type", "version", "target_s", "segment_s", "size", "frame_rate", "variants", "description"]
        return pd.DataFrame(data, columns=columns)

    # Queue

    def queue(self) -> pd.DataFrame:
        """Return one row per GPU task that is not over, in the order in which they will be served."""
        return self.work.queue_frame()

    def counts(self) -> dict[str, int]:
        """Return how many GPU tasks stand in each status."""
        with self.transaction() as session:
            return {status.value: n for status, n in queue_queries.counts(session).items()}

    def cancel(self, task_ids: list[uuid.UUID]) -> int:
        """Cancel GPU tasks and what waits for them; returns how many. Finished segments stay."""
        with self.transaction() as session:
            cancelled = queue.cancel(session, self.actor, task_ids, self.house.now())
            flow.tasks_cancelled(session, cancelled)
        return len(cancelled)

    def pause(self, task_ids: list[uuid.UUID], reason: str = "") -> int:
        """Pause waiting GPU tasks; returns how many. `pauses` does the same for scenes, batches, projects and all."""
        with self.transaction() as session:
            return queue.pause(session, self.actor, task_ids, self.house.now(), reason)

    def resume(self, task_ids: list[uuid.UUID]) -> int:
        """Put paused GPU tasks back; returns how many."""
        with self.transaction() as session:
            return queue.resume(session, self.actor, task_ids, self.house.now())

    def set_priority(self, task_ids: list[uuid.UUID], priority: int) -> int:
        """Give those of some GPU tasks that wait another priority (0 to 100); returns how many changed.

        Raises:
            ForbiddenError: a priority above Urgent's, which only those may give who order the whole queue.
        """
        with self.transaction() as session:
            return queue.set_priority(session, self.actor, task_ids, priority)

    # Review

    def decide(self, scene_id: uuid.UUID, outcome: str, **given: Any) -> uuid.UUID:
        """Approve, reject or flag a scene; returns the decision's key, which `undo_decision` takes.

        Args:
            scene_id: the scene.
            outcome: ``approve``, ``reject`` or ``flag``.
            given: ``reason``, ``tags``, ``frame``, ``scene_version`` of `DecisionInput`.
        """
        decision = DecisionInput(scene_id=scene_id, outcome=DecisionOutcome(outcome))
        with self.transaction() as session:
            return flow.decide(session, self.actor, replace(decision, **given), self.house.now()).id

    def undo_decision(self, decision_id: uuid.UUID) -> None:
        """Take a decision back within the time in which Undo is offered."""
        with self.transaction() as session:
            flow.undo_decision(session, self.actor, decision_id, self.house.now(), self.settings.undo_s)

    def set_decision_tags(self, decision_id: uuid.UUID, tags: list[str]) -> None:
        """Set the reasons picked for a decision."""
        with self.transaction() as session:
            set_tags(session, self.actor, decision_id, tags)

    def add_note(self, scene_id: uuid.UUID, text: str, frame: int | None = None) -> uuid.UUID:
        """Write a note at a frame of a scene's newest cut."""
        with self.transaction() as session:
            return add_note(session, self.actor, scene_id, text, frame)

    def retake(self, scene_id: uuid.UUID, from_segment: int, values: Mapping[str, Any] | None = None) -> int:
        """Queue new takes from a segment to the scene's end at once; returns how many.

        ``values`` are slot values for all of them in place of the recipe's; a seed is for the first one only.
        """
        return self.work.retake(scene_id, from_segment, values)
