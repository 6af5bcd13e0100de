"""Weeks to simulate: submissions as a studio might make them, drawn from a seed. Pure."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from x121lib.base.errors import InvalidInputError
from x121lib.scheduling.policy import WorkerView
from x121lib.scheduling.simulation import Machine, Submission, vary

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
"""Midnight before the week begins."""
CLASSES = {"Urgent": 80, "Normal": 50, "Background": 20}
MOST_SCENES = 100_000
"""Scenes of a week; more is taken for a slip."""


@dataclass(frozen=True)
class Week:
    """What a studio makes in a week."""

    characters: int = 10
    """Characters of each of the two projects' batches."""
    scene_types: int = 8
    """Scene types."""
    variants: int = 2
    """Image variants."""
    segments: int = 6
    """Takes of a scene."""
    take_s: float = 150.0
    """GPU seconds of a take, mean."""
    spread: float = 0.25
    """Spread of that, as sigma of its logarithm."""
    workers: int = 4
    """GPUs, of one slot each."""
    days: int = 5
    """Working days."""
    seed: int = 1
    """Of everything that is drawn."""

    def check(self) -> None:
        """Raise `InvalidInputError` where a number is none that a studio can have."""
        for name in ("characters", "scene_types", "variants", "segments", "workers"):
            if getattr(self, name) < 1:
                raise InvalidInputError(f"{name} is at least 1, not {getattr(self, name)}.")
        if not 1 <= self.days <= 7:
            raise InvalidInputError(f"A week has 1 to 7 working days, not {self.days}.")
        if not 0 < self.take_s < float("inf") or not 0 <= self.spread <= 2:
            raise InvalidInputError("A take needs more than 0 seconds, and its spread is 0 to 2.")
        if self.characters * self.scene_types * self.variants > MOST_SCENES:
            raise InvalidInputError(f"At most {MOST_SCENES} scenes a week are simulated.")


PEOPLE = {"Ada": uuid.UUID(int=1), "Ben": uuid.UUID(int=2), "Cleo": uuid.UUID(int=3)}
"""Who submits: Ada and Ben large batches, Cleo, who directs, urgent scenes again and a few of her own."""
PROJECTS = {"Spring": uuid.UUID(int=11), "Autumn": uuid.UUID(int=12)}


def week(given: Week) -> tuple[list[Submission], list[Machine]]:
    """Return a week's submissions and its fleet.

    All scenes, characters × scene types × variants, are submitted at two in the afternoon of the first day: Ada's half
    for Spring, Ben's for Autumn, and a tenth more by Cleo. On each day she sends two scenes again as Urgent each hour
    from nine to six. Each evening at eight Ben submits a background batch of a twentieth, off-peak.
    """
    given.check()
    drawn = random.Random(given.seed)
    n_scenes = given.characters * given.scene_types * given.variants
    ada, ben, cleo = PEOPLE.values()
    spring, autumn = PROJECTS.values()
    made: list[Submission] = []

    def submit(at: datetime, n: int, priority: str, whose: tuple[uuid.UUID, uuid.UUID], off_peak: bool = False) -> None:
        for _ in range(n):
            model = drawn.randrange(given.scene_types)
            seconds = [vary(given.take_s, given.spread, drawn) for _ in range(given.segments)]
            made.append(
                Submission(at, seconds, CLASSES[priority], whose[0], whose[1], off_peak,
                           models=frozenset({f"model {model % 3 + 1}"}))
            )  # fmt: skip

    two = MONDAY + timedelta(hours=14)
    submit(two, (n_scenes + 1) // 2, "Normal", (ada, spring))
    submit(two, n_scenes // 2, "Normal", (ben, autumn))
    submit(two, max(1, n_scenes // 10), "Normal", (cleo, spring))
    for day in range(given.days):
        for hour in range(9, 19):
            submit(MONDAY + timedelta(days=day, hours=hour, minutes=20), 2, "Urgent", (cleo, spring))
        evening = MONDAY + timedelta(days=day, hours=20)
        submit(evening, max(1, n_scenes // 20), "Background", (ben, autumn), off_peak=True)
    return made, fleet([f"gpu {n}" for n in range(1, given.workers + 1)])


def fleet(names: Sequence[str]) -> list[Machine]:
    """Return workers of one slot, all online."""
    return [
        Machine(WorkerView(uuid.UUID(int=1000 + n), name, slots=1, busy=0, available=True))
        for n, name in enumerate(names)
    ]
