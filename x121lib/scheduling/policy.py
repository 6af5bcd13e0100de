"""Which task goes to which worker, and why another waits: pure functions over frozen values."""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from x121lib.scheduling.fairness import UNKNOWN_S, Shares, Turns

MOST_ATTEMPTS = 5
"""Failed attempts after which a task is held to be the cause itself, however few workers there are."""
FAULTY_TASK_WORKERS = 3
"""Workers on which a task may fail before it counts as the cause (as Flamenco does)."""
SET_ASIDE_TASKS = 3
"""Tasks in a row that may fail on a worker before it is set aside."""
LONGEST_ASIDE_S = 3600.0
"""Longest time for which a worker is set aside, in seconds."""
WARM_WAIT_S = 20.0
"""Longest time in seconds that a task waits for a busy worker with its models while another is free; about what
loading a video model takes."""
URGENT = 80
"""Priority from which a task waits for no warm worker."""
_SHOWN = 3


@dataclass(frozen=True)
class Candidate:
    """A waiting task as dispatch sees it."""

    task_id: uuid.UUID
    """Key of the task."""
    priority: int
    """0 to 100, higher first."""
    queued_at: datetime
    """When it began to wait."""
    avoid: frozenset[uuid.UUID] = frozenset()
    """Workers on which an earlier attempt was lost or failed."""
    needs: frozenset[str] = frozenset()
    """Tags that its worker must have."""
    models: frozenset[str] = frozenset()
    """Model files that its workflow names."""
    seconds: Mapping[uuid.UUID, float] = field(default_factory=dict)
    """Mean seconds of its workflow's takes by worker, where measured."""
    prefer: uuid.UUID | None = None
    """The worker that has a part of the work in its cache; it is not waited for."""
    lacks: Mapping[uuid.UUID, tuple[str, ...]] = field(default_factory=dict)
    """What workers that can not run it lack, in words: node classes and model files."""
    project_id: uuid.UUID | None = None
    """Its project, for fair shares."""
    person_id: uuid.UUID | None = None
    """Who submitted it, for fair shares."""
    off_peak: bool = False
    """It starts only while nothing else wants the worker."""
    attempt_number: int = 0
    """Number of its last attempt."""

    @property
    def expected_s(self) -> float:
        """GPU seconds that it is expected to need."""
        known = list(self.seconds.values())
        return sum(known) / len(known) if known else UNKNOWN_S


@dataclass(frozen=True)
class WorkerView:
    """A worker as dispatch sees it."""

    worker_id: uuid.UUID
    """Key of the worker."""
    name: str
    """Name, for reasons in words."""
    slots: int
    """Takes that it runs at once."""
    busy: int
    """Takes that it runs now."""
    available: bool
    """Online, not draining, not in maintenance, not set aside."""
    tags: frozenset[str] = frozenset()
    """Its capability tags."""
    loaded: frozenset[str] = frozenset()
    """Model files that its last take used."""
    state: str = "offline"
    """Where it stands, in a word for reasons; said only while it is not available."""
    offer: str | None = None
    """Hash of the node classes and models that it has; None while it was never asked."""
    vram_bytes: int | None = None
    """GPU memory that its server reports; None where it reports none."""


@dataclass(frozen=True)
class Assignment:
    """One task for one worker, with the reason in words."""

    task_id: uuid.UUID
    """The task."""
    worker_id: uuid.UUID
    """The worker."""
    reason: str
    """Why this worker."""


@dataclass(frozen=True)
class Blame:
    """Who is at fault for a failed attempt."""

    task: bool
    """The task: it fails and is not tried again."""
    aside_s: float
    """Seconds for which the worker is set aside; 0 for not at all."""


def blame(*, workers: int, attempts: int, streak: int) -> Blame:
    """Decide who is at fault for a failed attempt.

    A task that failed on `FAULTY_TASK_WORKERS` workers, or `MOST_ATTEMPTS` times, is at fault itself, and its
    worker is not. Else a worker on which `SET_ASIDE_TASKS` tasks or more failed in a row is set aside, for a minute
    at first and twice as long with each further task, up to `LONGEST_ASIDE_S`.

    Args:
        workers: different workers on which the task failed, this one included.
        attempts: failed attempts of the task, this one included.
        streak: different tasks that failed on the worker since it last completed one, this one included.
    """
    if workers >= FAULTY_TASK_WORKERS or attempts >= MOST_ATTEMPTS:
        return Blame(task=True, aside_s=0.0)
    if streak < SET_ASIDE_TASKS:
        return Blame(task=False, aside_s=0.0)
    return Blame(task=False, aside_s=min(LONGEST_ASIDE_S, 60.0 * 2.0 ** min(streak - SET_ASIDE_TASKS, 10)))


class _Slots:
    """The free slots while they are given away."""

    def __init__(self, workers: Sequence[WorkerView]) -> None:
        self.views = {w.worker_id: w for w in workers if w.available}
        self.free = {w.worker_id: w.slots - w.busy for w in workers if w.available and w.slots > w.busy}
        self.loaded = {w.worker_id: w.loaded for w in workers if w.available}
        self.given = dict.fromkeys(self.views, 0)
        self._choices: dict[object, _Choice] = {}

    def choice(self, task: Candidate) -> _Choice:
        """Return the workers for a task; tasks that are alike share them."""
        alike = (task.needs, task.models, frozenset(task.lacks), task.avoid, id(task.seconds))
        if alike not in self._choices:
            self._choices[alike] = _Choice(self, task)
        return self._choices[alike]

    def take(self, task: Candidate, worker_id: uuid.UUID) -> None:
        """Give a slot to the task, whose models are loaded there from now on."""
        self.free[worker_id] -= 1
        self.given[worker_id] += 1
        if self.free[worker_id] == 0:
            del self.free[worker_id]
        self.loaded[worker_id] = task.models or self.loaded[worker_id]
        for choice in self._choices.values():
            choice.reloaded(worker_id, self.loaded[worker_id])


class _Choice:
    """The workers for tasks that are alike, the best one first."""

    def __init__(self, slots: _Slots, task: Candidate) -> None:
        self._slots, self._task = slots, task
        self.expected_s = task.expected_s
        able = {w for w, view in slots.views.items() if task.needs <= view.tags and w not in task.lacks}
        self.fitting = able - task.avoid or able
        self.warm = {w for w in self.fitting if task.models and task.models <= slots.loaded[w]}
        self._warm_heap = self._heap_of(self.warm)
        self._cold_heap: list[_Entry] | None = None  # most tasks need none

    def _heap_of(self, workers: Collection[uuid.UUID]) -> list[_Entry]:
        heap = [self._entry(w) for w in workers if w in self._slots.free]
        heapq.heapify(heap)
        return heap

    def best(self, refused: Collection[uuid.UUID] = ()) -> uuid.UUID | None:
        """Return the best worker with a free slot, none of those refused; None where there is none."""
        found = self._best_of(self._warm_heap, refused)
        if found is None:
            if self._cold_heap is None:
                self._cold_heap = self._heap_of(self.fitting - self.warm)
            found = self._best_of(self._cold_heap, refused)
        return found

    def _best_of(self, heap: list[_Entry], refused: Collection[uuid.UUID]) -> uuid.UUID | None:
        """Return the best worker of a heap; entries that are out of date are brought up to date on the way."""
        kept, found = [], None
        while heap and found is None:
            entry = heap[0]
            worker_id = entry[-1]
            if worker_id not in self._slots.free:
                heapq.heappop(heap)
            elif entry[-2] != self._slots.given[worker_id]:
                heapq.heappop(heap)
                self._put(worker_id)
            elif worker_id in refused:
                kept.append(heapq.heappop(heap))
            else:
                found = worker_id
        for entry in kept:
            heapq.heappush(heap, entry)
        return found

    def _put(self, worker_id: uuid.UUID) -> None:
        heap = self._warm_heap if worker_id in self.warm else self._cold_heap
        if heap is not None:  # a heap that is made later has it then
            heapq.heappush(heap, self._entry(worker_id))

    def reloaded(self, worker_id: uuid.UUID, loaded: frozenset[str]) -> None:
        """Follow a worker that loads other models now."""
        if worker_id in self.fitting:
            is_warm = bool(self._task.models) and self._task.models <= loaded
            if is_warm is not (worker_id in self.warm):
                (self.warm.add if is_warm else self.warm.discard)(worker_id)
                if worker_id in self._slots.free:
                    self._put(worker_id)

    def _entry(self, worker_id: uuid.UUID) -> _Entry:
        """Return what is compared: when the take would end, other takes' models spared, load, name."""
        slots, view = self._slots, self._slots.views[worker_id]
        load = (view.slots - slots.free[worker_id]) / view.slots
        usual = self.expected_s if self._task.seconds else 1.0
        slowness = self._task.seconds.get(worker_id, usual) / usual
        spoils = bool(slots.loaded[worker_id]) and not self._task.models <= slots.loaded[worker_id]
        end = round((load + 1.0) * slowness, 3)
        return end, spoils, load, view.name, slots.given[worker_id], worker_id


_Entry = tuple[float, bool, float, str, int, uuid.UUID]


def assign(
    tasks: Sequence[Candidate], workers: Sequence[WorkerView], now: datetime | None = None,
    shares: Shares | None = None,
) -> list[Assignment]:  # fmt: skip
    """Match waiting tasks with free slots.

    Tasks are served by whose turn it is (`fairness`); what is given here counts for the turns after it. An off-peak
    task takes a worker only when no other task that could use it is left waiting.

    Each goes to an available worker that has the tags it needs, lacks no node class or model of it, and need not be
    avoided; when every such worker is to be avoided, any of them will do, so that a small fleet never starves a task.
    Among these, one with the task's models loaded goes first, then the one on which the take would end soonest by load
    (busy / slots) and measured speed. A resumed one goes before all that to the worker that it was paused on, while
    that is free. A task below `URGENT` waits for a busy worker with its models instead of taking a free one without,
    but at most until `WARM_WAIT_S` after it was queued; without ``now`` it never waits.
    """
    slots = _Slots(workers)
    chosen: list[Assignment] = []
    wanted: set[uuid.UUID] = set()
    for task in _in_turn(tasks, shares, slots, chosen):
        choice = slots.choice(task)
        if task.prefer is not None and task.prefer in slots.free and task.prefer in choice.fitting:
            best, why = task.prefer, f"{slots.views[task.prefer].name} has the finished nodes of this take in its cache"
        else:
            found = choice.best(wanted if task.off_peak else ())
            if found is None or (choice.warm and found not in choice.warm and _may_wait(task, now)):
                wanted |= set() if task.off_peak else choice.fitting
                continue
            best, why = found, _reason(slots.views[found].name, found in choice.warm)
        chosen.append(Assignment(task.task_id, best, why))
        slots.take(task, best)
    return chosen


def _in_turn(
    tasks: Sequence[Candidate], shares: Shares | None, slots: _Slots, chosen: list[Assignment]
) -> Iterator[Candidate]:
    """Yield tasks by turn while slots are free, off-peak ones last; what was chosen is charged to its share."""
    for off_peak in (False, True):
        turns = Turns([t for t in tasks if t.off_peak is off_peak], shares)
        while slots.free and (task := turns.next()) is not None:
            n_before = len(chosen)
            yield task
            if len(chosen) > n_before:
                turns.charge(task, slots.choice(task).expected_s)


def _may_wait(task: Candidate, now: datetime | None) -> bool:
    return now is not None and task.priority < URGENT and 0.0 <= (now - task.queued_at).total_seconds() < WARM_WAIT_S


def _reason(name: str, warm: bool) -> str:
    return f"{name} has its models loaded" if warm else f"{name} is the least loaded free worker"


def why_waiting(
    position: int, workers: Sequence[WorkerView], needs: frozenset[str] = frozenset(),
    lacks: Mapping[uuid.UUID, tuple[str, ...]] | None = None,
) -> str:  # fmt: skip
    """Return one sentence with the strongest cause why the task at ``position`` (0 = next) waits.

    Args:
        position: how many tasks are served before it.
        workers: every worker that was not removed.
        needs: tags that its worker must have.
        lacks: worker → what it lacks of the task's workflow, in words.
    """
    if not workers:
        return "No GPU worker is known: add one with 'x121 worker add URL', or start the local engines with 'x121 up'."
    able = [w for w in workers if needs <= w.tags]
    if not able:
        return f"No GPU worker has the tags that its workflow needs: {', '.join(sorted(needs))}."
    if lacks and (missing := _what_is_missing(able, lacks)):
        return missing
    able = [w for w in able if w.worker_id not in (lacks or {})]
    available = [w for w in able if w.available]
    if not available:
        return f"None of the {len(able)} GPU workers {'with its tags ' if needs else ''}is online."
    running = sum(w.busy for w in available)
    slots = sum(w.slots for w in available)
    if running < slots:
        return "Next to be sent."
    return f"{_ordinal(position + 1)} in the queue: all {slots} slots are busy."


def _what_is_missing(able: Sequence[WorkerView], lacks: Mapping[uuid.UUID, tuple[str, ...]]) -> str:
    """Return the sentence for a task that no available worker can run for what it lacks; empty where one can."""
    fit = [w for w in able if w.worker_id not in lacks]
    if any(w.available for w in fit) or not any(w.available for w in able):
        return "" if fit else _nobody_has(able, lacks)
    if not fit:
        return _nobody_has(able, lacks)
    lacking = lacks[next(w.worker_id for w in able if w.available)]
    places = " and ".join(f"{w.name}, which is {w.state}" for w in fit[:_SHOWN])
    return f"{_capital(_listed(lacking))} {'is' if len(lacking) == 1 else 'are'} only on {places}."


def _nobody_has(able: Sequence[WorkerView], lacks: Mapping[uuid.UUID, tuple[str, ...]]) -> str:
    common = [one for one in lacks[able[0].worker_id] if all(one in lacks[w.worker_id] for w in able)]
    if common:
        return f"No worker has {_listed(tuple(common), ' or ')}."
    each = "; ".join(f"{w.name} lacks {lacks[w.worker_id][0]}" for w in able[:_SHOWN])
    return f"No worker has all that it needs: {each}."


def _listed(names: tuple[str, ...], joined: str = ", ") -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return joined.join(names[:_SHOWN]) + more


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _ordinal(n: int) -> str:
    suffix = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{suffix}"
