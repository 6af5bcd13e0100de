"""What the pipeline works with, wired by `bootstrap`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from x121lib.base.clock import system_now, type_now
from x121lib.base.gather import Gather
from x121lib.base.settings import Settings
from x121lib.comfyui.bridge import Bridge
from x121lib.identity import FaceBackend, load_backend
from x121lib.scheduling import recording
from x121lib.scheduling import service as queue
from x121lib.scheduling.recording import Token
from x121lib.store.artifacts import ArtifactStore
from x121lib.store.session import Database
from x121lib.terms.vocabulary import SegmentStatus

SEGMENT_GENERATING = f""",
     generating AS (UPDATE segment s SET status_id = {SegmentStatus.GENERATING.number} FROM moved, take
                    WHERE take.id = moved.take_id AND s.id = take.segment_id
                      AND s.status_id <> {SegmentStatus.GENERATING.number})"""
"""What follows a task that begins to run, as a part of the statement that starts it: its segment is being generated."""


@dataclass
class House:
    """The rooms' shared things: one database, one artifact store, one clock."""

    settings: Settings
    """Everything that is set from outside."""
    database: Database
    """The truth."""
    artifacts: ArtifactStore
    """The files."""
    now: type_now = system_now
    """The clock."""
    bridge: Bridge = field(default_factory=Bridge)
    """This process's connections to ComfyUI servers."""

    @cached_property
    def starting(self) -> Gather[Token, None]:
        """Starts attempts; those of several threads that meet share a transaction."""
        return Gather(
            lambda tokens: queue.start(
                self.database, tokens, self.now(), self.settings.lease_s, also=SEGMENT_GENERATING
            )
        )

    def claim(self, most: int) -> list[Token]:
        """Start the first dispatched attempts, at most ``most``; returns them in the order of their dispatch."""
        run, lease_s = self.database.at_once, self.settings.lease_s
        return recording.claim(run, most, self.now(), lease_s, also=SEGMENT_GENERATING)

    @cached_property
    def faces(self) -> FaceBackend:
        """The face backend, loaded on first use: a model pack where one is installed, else the classical one."""
        return load_backend(self.settings.home / "models" / "insightface")
