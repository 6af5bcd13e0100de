"""What the pipeline works with, wired by `bootstrap`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from x121lib.base.clock import system_now, type_now
from x121lib.base.settings import Settings
from x121lib.comfyui.bridge import Bridge
from x121lib.identity import FaceBackend, load_backend
from x121lib.store.artifacts import ArtifactStore
from x121lib.store.session import Database


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
    def faces(self) -> FaceBackend:
        """The face backend, loaded on first use: a model pack where one is installed, else the classical one."""
        return load_backend(self.settings.home / "models" / "insightface")
