"""What lets scenes run that can run nowhere: a plan of steps, and carrying them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from x121lib.agent.client import AgentError
from x121lib.base.errors import NotFoundError, X121Error
from x121lib.pipeline.lacking import library_paths
from x121lib.pipeline.preflight import Need, Preflight
from x121lib.scheduling import agents
from x121lib.scheduling.fitness import Lack
from x121lib.terms.roles import Permission

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

READ, SEND, INSTALL = "read", "send", "install"


@dataclass(frozen=True)
class Step:
    """One thing that mends a worker."""

    kind: str
    """``read`` what the workers have again, ``send`` a model to a host, ``install`` a pack there."""
    worker: str = ""
    """The worker; empty for all."""
    name: str = ""
    """Path of the model, or name of the pack."""

    def __str__(self) -> str:
        if self.kind == READ:
            return "ask the workers again for what they have"
        what, where = ("model", "to") if self.kind == SEND else ("pack", "on")
        return f"{self.kind} {what} {self.name} {where} {self.worker}"


@dataclass(frozen=True)
class Done:
    """What became of a step."""

    step: Step
    """The step."""
    ok: bool
    """Whether it was done."""
    text: str
    """What was done, or why not."""


def plan(studio: Studio, found: Preflight) -> tuple[Step, ...]:
    """Return the steps for each group that runs nowhere: those of the worker that needs the fewest.

    A model can be sent where the studio's library has its file and the worker's host an agent; a pack installed where
    that agent's list has one of the pack's name. A worker for which one thing can not be mended is left out. What the
    workers have is asked anew first wherever something is missing.
    """
    steps: dict[Step, None] = {Step(READ): None} if any(found.needs) else {}
    if not studio.actor.may(Permission.MANAGE_WORKERS):
        return tuple(steps)
    lacking = {one for needs in found.needs for need in needs for one in need.lacks}
    with studio.transaction() as session:
        paths = library_paths(session, lacking)
        hosts = {row.worker_id for row in agents.all_agents(session)}
    packs = _Packs(studio)
    for needs in found.needs:
        ways = [_way(need, paths, packs) for need in needs if need.worker_id in hosts]
        best = min((way for way in ways if way is not None), key=len, default=())
        steps |= dict.fromkeys(best)
    return tuple(steps)


class _Packs:
    """The packs that hosts allow, each host asked once."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._known: dict[str, list[dict[str, Any]]] = {}

    def find(self, worker: str, pack: str) -> str | None:
        """Return the host's name for a pack, None where it allows none of that name."""
        if worker not in self._known:
            try:
                self._known[worker] = list(self._studio.agents.packs(worker).to_dict("records"))
            except (AgentError, NotFoundError):
                self._known[worker] = []
        wanted = _plain(pack.split(" ")[0])
        return next((row["name"] for row in self._known[worker] if wanted in _names(row)), None)


def _names(row: Mapping[str, Any]) -> set[str]:
    repo = str(row["repo"]).rstrip("/").removesuffix(".git")
    return {_plain(str(row["name"])), _plain(repo.rsplit("/", 1)[-1]), _plain("/".join(repo.rsplit("/", 2)[-2:]))}


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _way(need: Need, paths: Mapping[Lack, str], packs: _Packs) -> tuple[Step, ...] | None:
    """Return the steps that mend a worker, or None where one thing can not be mended."""
    steps: list[Step] = []
    for one in need.lacks:
        if one.is_model:
            step = Step(SEND, need.worker, paths[one]) if one in paths else None
        else:
            pack = packs.find(need.worker, one.pack) if one.pack else None
            step = Step(INSTALL, need.worker, pack) if pack is not None else None
        if step is None:
            return None
        steps.append(step)
    return tuple(dict.fromkeys(steps))


def carry_out(studio: Studio, steps: Sequence[Step]) -> list[Done]:
    """Do the steps in order; see `Checks.fix`."""
    studio.actor.require(Permission.SUBMIT)
    if any(step.kind != READ for step in steps):
        studio.actor.require(Permission.MANAGE_WORKERS)
    return list(_done(studio, steps))


def _done(studio: Studio, steps: Iterable[Step]) -> Iterator[Done]:
    for step in steps:
        try:
            yield Done(step, True, _do(studio, step))
        except X121Error as error:
            yield Done(step, False, f"{error} {error.hint}".strip())


def _do(studio: Studio, step: Step) -> str:
    if step.kind == READ:
        studio.checks.refresh(0.0)
        return "The workers were asked again"
    if step.kind == SEND:
        queued = studio.placements.add(step.name, [step.worker])
        return (
            f"{step.name} is on its way to {step.worker}" if queued else f"{step.name} was sent to {step.worker} before"
        )
    done = studio.agents.install_pack(step.worker, step.name)
    return f"{step.name} lies on {step.worker} at {str(done['commit'])[:10]}; restart ComfyUI there to load it"
