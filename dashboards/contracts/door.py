"""The protocols behind the pages: reads, writes and sign-in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from .budgets import BudgetsDoor
from .characters import CharactersView, CharacterView
from .checks import ChecksDoor
from .debugger import DebuggerDoor
from .deliveries import DeliveriesView
from .matrix import Estimate, MatrixDoor, MatrixView
from .messages import MessagesDoor
from .models import ModelsDoor
from .people import Authenticator, MediaFile, SessionPerson
from .pulse import PulseView
from .queue import QueueDoor
from .review import Decided, ReviewView
from .shell import ShellView
from .triggers import TriggersDoor
from .workers import FleetDoor
from .workflows import WorkflowsDoor


class StudioViews(Protocol):
    """Reads. Each method returns one view for one person; ``project`` is an id or ``None`` for the first one."""

    def shell(self, person: SessionPerson, project: str | None) -> ShellView:
        """Return what stands around every page."""

    def pulse(self, person: SessionPerson, project: str | None) -> PulseView:
        """Return Pulse."""

    def characters(self, person: SessionPerson, project: str | None) -> CharactersView:
        """Return the gallery."""

    def character(self, person: SessionPerson, project: str | None, character_id: str) -> CharacterView:
        """Return one character; raises ``NotFoundError``."""

    def matrix(self, person: SessionPerson, project: str | None) -> MatrixView:
        """Return the matrix."""

    def review(
        self, person: SessionPerson, project: str | None, scene_id: str | None, group: str | None = None
    ) -> ReviewView:
        """Return the scene asked for, else the first that waits; ``group`` is ``character:ID`` or ``scene_type:ID``."""

    def deliveries(self, person: SessionPerson, project: str | None) -> DeliveriesView:
        """Return the packages and what the next one lacks."""

    def estimate(
        self, person: SessionPerson, project: str | None, cells: list[tuple[str, str]], tier: str | None,
        variants: Sequence[str] = (),
    ) -> Estimate:  # fmt: skip
        """Estimate a selection of (character id, scene type id); answers within 200 ms."""

    def media(self, person: SessionPerson, key: str) -> MediaFile | None:
        """Return the file behind ``/media/KEY`` where the person may see it."""

    def position(self) -> int:
        """Return the number of the last event; a page is redrawn when it has grown. Must be cheap."""


class StudioActions(Protocol):
    """Writes. Each returns what the page tells the person; an ``X121Error`` becomes a message with its hint."""

    def decide(
        self, person: SessionPerson, scene_id: str, outcome: str, *, reason: str | None = None, frame: int | None = None
    ) -> Decided:
        """Decide a scene: ``approve``, ``reject`` or ``flag``; ``frame`` is where the playhead stood."""

    def give_reason(self, person: SessionPerson, decision_id: str, reason: str) -> None:
        """Add the reason chip to a decision just made."""

    def undo(self, person: SessionPerson, decision_id: str) -> str:
        """Take a decision back while that is offered."""

    def note(self, person: SessionPerson, scene_id: str, text: str, frame: int | None) -> str:
        """Write a note on a scene, at a frame or on the whole."""

    def retake(self, person: SessionPerson, scene_id: str, frame: int) -> str:
        """Plan a retake from the segment that holds ``frame``; returns a sentence for the toast."""

    def raise_scene(self, person: SessionPerson, scene_id: str, tier: str) -> dict[str, Any]:
        """Make a finished scene again at a higher tier, with the same seeds, prompts and parameters."""

    def cancel(self, person: SessionPerson, task_ids: list[str]) -> str:
        """Cancel tasks; a running take is interrupted."""

    def to_front(self, person: SessionPerson, task_ids: list[str]) -> str:
        """Let tasks go first."""

    def retry(self, person: SessionPerson, task_ids: list[str]) -> str:
        """Try failed tasks again."""

    def pause(self, person: SessionPerson) -> str:
        """Pause the queue after the takes that run now."""

    def resume(self, person: SessionPerson) -> str:
        """Let the queue go on."""

    def decide_variant(self, person: SessionPerson, variant_id: str, outcome: str) -> str:
        """Decide an image variant: ``approve`` or ``reject``."""

    def save_field(self, person: SessionPerson, character_id: str, name: str, value: str) -> str:
        """Save one metadata field of a character."""

    def deliver(self, person: SessionPerson, project: str | None, *, partial: bool) -> str:
        """Start writing a package; ``partial`` goes past what is missing."""


class StudioDoor(
    StudioViews,
    StudioActions,
    QueueDoor,
    FleetDoor,
    MatrixDoor,
    ModelsDoor,
    WorkflowsDoor,
    ChecksDoor,
    DebuggerDoor,
    MessagesDoor,
    TriggersDoor,
    BudgetsDoor,
    Authenticator,
    Protocol,
):
    """Everything that the web door needs from the studio."""
