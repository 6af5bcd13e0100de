"""Submit cells of the matrix: check prerequisites and rights, make scenes, plan their takes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.access import rights
from x121lib.base.errors import InvalidInputError, NotFoundError, RefusedError
from x121lib.base.ids import new_id
from x121lib.catalogue import queries as catalogue
from x121lib.events import outbox
from x121lib.generation import plan
from x121lib.generation import service as generation
from x121lib.models.usage import Warned, warnings_for
from x121lib.pipeline import flow, histories, lacking, queries
from x121lib.pipeline.lacking import Lacking
from x121lib.scheduling import accounts, budgets
from x121lib.scheduling.service import wake
from x121lib.store import audit
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind, PriorityClass, ProjectStatus, ReleasePurpose, SceneStatus, TaskKind

_STARTABLE = frozenset({SceneStatus.PENDING, SceneStatus.FAILED})
MOST_TAKES = 50_000
"""Most GPU tasks of one submission: each is a row that is written, reserved for and announced in one transaction."""


@dataclass(frozen=True)
class Selection:
    """Which cells to submit, and how. Empty selections mean *all*."""

    characters: tuple[str, ...] = ()
    """Names of characters."""
    scene_types: tuple[str, ...] = ()
    """Names of scene types."""
    variants: tuple[str, ...] = ()
    """Names of variant kinds."""
    tier: str | None = None
    """Tier; None: the project's."""
    priority_class: PriorityClass = PriorityClass.NORMAL
    """Class in the queue."""
    not_before: datetime | None = None
    """Start no earlier than this."""
    off_peak: bool = False
    """Start only while nothing else wants the worker."""
    skip_blocked: bool = False
    """Submit what can be made and leave the rest, instead of refusing all."""
    over_budget: bool = False
    """An Admin's word that it may pass the budgets; what lacks is granted and audited."""
    cells: tuple[tuple[str, str], ...] = ()
    """(character, scene type) of single cells, each by its name or key; empty for every one that the rest selects."""
    only: frozenset[SceneStatus] = frozenset()
    """Only scenes that stand there; empty for all."""
    failed_only: bool = False
    """Only scenes that have failed."""


@dataclass(frozen=True)
class Cell:
    """One scene of the matrix as a submission sees it."""

    character: str
    """Name of the character."""
    scene_type: str
    """Name of the scene type."""
    variant_kind: str
    """Name of the variant kind."""
    scene_id: uuid.UUID | None
    """The scene; None while it has not been made."""
    status: SceneStatus
    """Where it stands."""
    blocked: str = ""
    """What is missing and how to solve it; empty when nothing is."""

    def __str__(self) -> str:
        return f"{self.character} / {self.scene_type} / {self.variant_kind}"


@dataclass(frozen=True)
class Needed:
    """What scenes lack that does not block them."""

    lacking: Lacking
    """What is missing, and the way to solve it."""
    cells: tuple[Cell, ...]
    """The scenes."""


@dataclass(frozen=True)
class Submission:
    """What a submission did, or would do."""

    batch_id: uuid.UUID | None
    """The batch; None for a dry run or when nothing was left to do."""
    planned: tuple[Cell, ...]
    """Scenes that enter the queue."""
    present: tuple[Cell, ...]
    """Scenes that are being made or done already: left alone."""
    blocked: tuple[Cell, ...]
    """Scenes that lack something."""
    n_takes: int
    """GPU tasks written."""
    warnings: tuple[Warned, ...] = ()
    """What people noted of the models that these scenes load."""
    budgets: tuple[str, ...] = ()
    """What is to be said of budgets; of a dry run also why it would be refused."""
    needs: tuple[Needed, ...] = ()
    """Of a dry run: what planned scenes lack that does not block them."""


@dataclass(frozen=True)
class _Candidate:
    character: m.Character
    scene_type: m.SceneType
    version: m.SceneTypeVersion
    kind: m.VariantKind
    scene: m.Scene | None

    @property
    def recipe_id(self) -> uuid.UUID:
        """The scene type version that its takes follow: its own, else the newest."""
        return self.scene.scene_type_version_id if self.scene else self.version.id

    def use(self) -> rights.Use:
        return rights.Use(self.character.id, self.kind.id, self.character.project_id, ReleasePurpose.GENERATE)


def cells(session: Session, project: m.Project, selection: Selection, now: datetime) -> list[Cell]:
    """Return the selected cells of the project's matrix with what blocks each."""
    return [cell for _, cell in _cells(session, project, selection, now)]


def cells_with_recipes(
    session: Session, project: m.Project, selection: Selection, now: datetime
) -> list[tuple[Cell, uuid.UUID]]:
    """Return the selected cells, each with the scene type version that its takes follow: its own, else the newest."""
    found = _cells(session, project, selection, now)
    return [(cell, c.recipe_id) for c, cell in found]


def _cells(session: Session, project: m.Project, selection: Selection, now: datetime) -> list[tuple[_Candidate, Cell]]:
    candidates = list(_candidates(session, project, selection))
    approved = queries.approved_kinds(session, [c.character.id for c in candidates])
    uncovered = rights.uncovered(session, {c.use() for c in candidates}, now)
    found = []
    for c in candidates:
        status = c.scene.status_id if c.scene else SceneStatus.PENDING
        blocked = ""
        if status in _STARTABLE:
            if (c.character.id, c.kind.id) not in approved:
                blocked = f"no approved '{c.kind.name}' image: make or import one and approve it"
            elif (cover := uncovered.get(c.use())) is not None:
                blocked = cover.reason
        scene_id = c.scene.id if c.scene else None
        found.append((c, Cell(c.character.name, c.scene_type.name, c.kind.name, scene_id, status, blocked)))
    return found


def _candidates(session: Session, project: m.Project, selection: Selection) -> Iterable[_Candidate]:
    characters = catalogue.characters(session, project.id, list(selection.characters))
    types = catalogue.latest_scene_types(session, list(selection.scene_types))
    kinds_of = catalogue.kinds_of(session, [v.id for _, v in types])
    wanted = {catalogue.variant_kind(session, v).id for v in selection.variants}
    scenes = queries.existing_scenes(session, [c.id for c in characters])
    places = _places(project, selection.cells, characters, [t for t, _ in types])
    for character in characters:
        for scene_type, version in types:
            if places is not None and (character.id, scene_type.id) not in places:
                continue
            for kind in kinds_of.get(version.id, []):
                scene = scenes.get((character.id, scene_type.id, kind.id))
                status = scene.status_id if scene is not None else SceneStatus.PENDING
                if (not wanted or kind.id in wanted) and (not selection.only or status in selection.only):
                    yield _Candidate(character, scene_type, version, kind, scene)


def _places(
    project: m.Project, cells: tuple[tuple[str, str], ...], characters: list[m.Character], types: list[m.SceneType]
) -> set[tuple[uuid.UUID, uuid.UUID]] | None:
    """Return the chosen cells by their keys, None for all; one that is not of this project refuses them all."""
    if not cells:
        return None
    rows = {word: c.id for c in characters for word in (c.name, str(c.id))}
    columns = {word: t.id for t in types for word in (t.name, str(t.id))}
    for character, scene_type in cells:
        if character not in rows or scene_type not in columns:
            what = f"character '{character}'" if character not in rows else f"scene type '{scene_type}'"
            raise NotFoundError(
                f"Project '{project.name}' has no {what}: the selection is of another project, or something is gone.",
                hint="Nothing was changed. Choose the cells again.",
            )
    return {(rows[a], columns[b]) for a, b in cells}


def submit(
    session: Session, actor: Actor, project: m.Project, selection: Selection, now: datetime, *, dry_run: bool = False
) -> Submission:
    """Queue every selected scene that is not being made, and return what was done.

    All GPU tasks of a scene exist from here on, chained in order. A scene that failed or was cancelled goes on
    from its last good segment.

    Raises:
        RefusedError: something is blocked (named, with what is missing) and ``skip_blocked`` was not asked for,
            or there is nothing to submit at all.
    """
    actor.require(Permission.SUBMIT)
    if selection.over_budget:
        actor.require(Permission.MANAGE_BUDGETS)
    found = _cells(session, project, selection, now)
    if selection.failed_only:
        found = [(c, cell) for c, cell in found if cell.status == SceneStatus.FAILED]
    blocked = tuple(cell for _, cell in found if cell.blocked)
    present = tuple(cell for _, cell in found if cell.status not in _STARTABLE)
    chosen = [(c, cell) for c, cell in found if cell.status in _STARTABLE and not cell.blocked]
    if not found and not selection.failed_only:
        raise RefusedError(
            f"Project '{project.name}' has no scene to submit.", hint="Import characters and load scene types first."
        )
    if blocked and not dry_run and (not selection.skip_blocked or not chosen):
        raise _blocked_error(blocked)
    planned = tuple(cell for _, cell in chosen)
    wanted = _wanted(session, actor, project, selection, chosen)
    _check_size(sum(each.n_takes for each in wanted))
    warnings = tuple(warnings_for(session, {c.version.id for c, _ in chosen}))
    if dry_run or not chosen:
        said = tuple(budgets.preview(session, [each.reserved for each in wanted], now))
        return Submission(None, planned, present, blocked, 0, warnings, said, _needs(session, chosen, now))
    batch_id, task_ids = _write(session, actor, project, selection, [c for c, _ in chosen])
    tier = _tier(session, project, selection)
    takes = [(c.version, each.n_takes) for (c, _), each in zip(chosen, wanted, strict=True)]
    histories.record(session, batch_id, histories.expected(session, takes, tier, now), len(task_ids))
    said = tuple(budgets.reserve(session, actor, task_ids, now, over_budget=selection.over_budget))
    return Submission(batch_id, planned, present, blocked, len(task_ids), warnings, said)


def _needs(session: Session, chosen: list[tuple[_Candidate, Cell]], now: datetime) -> tuple[Needed, ...]:
    """Return what scenes lack that does not block them, what most of them lack first."""
    recipes = {c.recipe_id for c, _ in chosen}
    machines = lacking.of_machines(session, recipes, now)
    words = lacking.of_prompts(session, {c.character.id for c, _ in chosen}, recipes)
    found: dict[Lacking, list[Cell]] = {}
    for c, cell in chosen:
        here = words.get((c.character.id, c.recipe_id), ())
        for each in (*here, *((machines[c.recipe_id],) if c.recipe_id in machines else ())):
            found.setdefault(each, []).append(cell)
    return tuple(Needed(each, tuple(cells)) for each, cells in sorted(found.items(), key=lambda pair: -len(pair[1])))


@dataclass(frozen=True)
class _Wanted:
    n_takes: int
    reserved: budgets.Wanted


def _check_size(n_takes: int) -> None:
    if n_takes > MOST_TAKES:
        raise InvalidInputError(
            f"This would queue {n_takes} takes; one submission queues at most {MOST_TAKES}.",
            hint="Nothing was changed. Submit fewer characters or scene types at once.",
        )


def _wanted(
    session: Session, actor: Actor, project: m.Project, selection: Selection, chosen: list[tuple[_Candidate, Cell]]
) -> list[_Wanted]:
    tier_id = catalogue.tier(session, selection.tier).id if selection.tier else project.default_tier_id
    versions = {c.version.workflow_version_id for c, _ in chosen}
    workflows = queries.workflows_of(session, versions)
    known = accounts.seconds_per_take(session, list(set(workflows.values())))
    lacking = queries.segments_lacking(session, [c.scene.id for c, _ in chosen if c.scene is not None])
    found = []
    for c, _ in chosen:
        left = lacking.get(c.scene.id) if c.scene is not None else None
        n_takes = left if left is not None else _n_segments(c.version)
        seconds = known.get(workflows[c.version.workflow_version_id])
        needed = n_takes * (seconds or accounts.UNMEASURED_S)
        reserved = budgets.Wanted(project.id, actor.person_id, TaskKind.TAKE, tier_id, needed, seconds is None)
        found.append(_Wanted(n_takes, reserved))
    return found


def to_make(
    session: Session, project: m.Project, selection: Selection, now: datetime
) -> list[tuple[Cell, m.SceneTypeVersion, int]]:
    """Return what a submission of this selection would queue: each scene, its recipe and its takes."""
    found = [(c, cell) for c, cell in _cells(session, project, selection, now) if cell.status in _STARTABLE]
    free = [(c, cell) for c, cell in found if not cell.blocked]
    lacking = queries.segments_lacking(session, [c.scene.id for c, _ in free if c.scene is not None])
    return [
        (cell, c.version, lacking.get(c.scene.id, _n_segments(c.version)) if c.scene else _n_segments(c.version))
        for c, cell in free
    ]


def _tier(session: Session, project: m.Project, selection: Selection) -> m.Tier:
    named = catalogue.tier(session, selection.tier) if selection.tier else None
    return named or session.get_one(m.Tier, project.default_tier_id)


def _n_segments(version: m.SceneTypeVersion) -> int:
    rate = Fraction(version.rate_numerator, version.rate_denominator)
    return len(plan.plan_scene(version.target_duration_s, version.segment_duration_s, rate).segment_frames)


def _blocked_error(blocked: tuple[Cell, ...]) -> RefusedError:
    lines = [f"{cell}: {cell.blocked.rstrip('.')}." for cell in blocked[:6]]
    more = f" … and {len(blocked) - 6} more." if len(blocked) > 6 else ""
    return RefusedError(
        f"Nothing was submitted, {len(blocked)} scenes are blocked. {' '.join(lines)}{more}",
        hint="Solve that, or submit the others with --skip-blocked.",
        code="pipeline.blocked",
    )


def _write(
    session: Session, actor: Actor, project: m.Project, selection: Selection, chosen: list[_Candidate]
) -> tuple[uuid.UUID, list[uuid.UUID]]:
    tier = _tier(session, project, selection)
    batch = m.Batch(id=new_id(), project_id=project.id, submitted_by_id=actor.person_id, tier_id=tier.id)
    session.add(batch)
    session.flush()
    options = generation.PlanOptions(
        batch_id=batch.id, submitted_by_id=actor.person_id, priority_class=selection.priority_class,
        not_before=selection.not_before, is_off_peak=selection.off_peak,
    )  # fmt: skip
    mode = catalogue.normal_mode(session)
    task_ids: list[uuid.UUID] = []
    for c in chosen:
        scene = c.scene or _new_scene(session, c, mode.id, tier.id)
        if c.scene is not None and c.scene.tier_id != tier.id:
            scene.tier_id = tier.id
        session.add(m.BatchScene(batch_id=batch.id, scene_id=scene.id))
        task_ids += [task.id for task in flow.resume_scene(session, scene, options)]
    if project.status_id == ProjectStatus.SETUP:
        project.status_id = ProjectStatus.ACTIVE
    facts = {"scenes": len(chosen), "takes": len(task_ids)}
    audit.record(session, actor, "batch.submit", ("batch", batch.id), after=facts)
    outbox.publish(session, EventKind.BATCH_SUBMITTED, entity="batch", entity_id=batch.id, project_id=project.id,
                   payload={**facts, "by": actor.name})  # fmt: skip
    wake(session)
    return batch.id, task_ids


def _new_scene(session: Session, c: _Candidate, mode_id: uuid.UUID, tier_id: uuid.UUID) -> m.Scene:
    scene = m.Scene(
        id=new_id(), project_id=c.character.project_id, character_id=c.character.id, scene_type_id=c.scene_type.id,
        scene_type_version_id=c.version.id, variant_kind_id=c.kind.id, transition_mode_id=mode_id, tier_id=tier_id,
        index_number=1, status_id=SceneStatus.PENDING,
    )  # fmt: skip
    session.add(scene)
    session.flush()
    return scene
