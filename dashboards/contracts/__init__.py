"""What pages show and what they ask for: the shapes of the views and the protocols behind them.

Every view is plain JSON: strings, numbers, booleans, lists, dicts and ``None``. Units, everywhere: seconds (``_s``),
bytes (``_bytes``), shares from 0 to 1 (``share``, ``progress``), frames counted from 0 in half-open ranges, times as
ISO 8601 with offset. ``status`` is one of ``none pending generating review approved rejected failed blocked warning
info`` (the silhouettes of the theme); words come with it only where they differ from the usual one.
Addresses of pictures and videos are paths of this door, e.g. ``/media/KEY``.
"""

from __future__ import annotations

from .budgets import (
    BudgetOffers,
    BudgetRow,
    BudgetsDoor,
    BudgetsView,
    CalibratedBatch,
    Calibration,
    FreeHolder,
    Holder,
    Speed,
    SpeedRow,
    Speeds,
)
from .characters import CharacterCard, CharactersView, CharacterView, Check, VariantCard
from .checks import BatchCheck, ChecksDoor
from .debugger import DebuggedTask, DebuggerDoor, DebuggerView
from .deliveries import DeliveriesView, Delivery
from .door import StudioActions, StudioDoor, StudioViews
from .matrix import (
    CellNeed,
    Estimate,
    MatrixCell,
    MatrixCells,
    MatrixCharacter,
    MatrixDoor,
    MatrixScene,
    MatrixView,
    Proposal,
    ProposalNeed,
    ProposalRow,
)
from .messages import InboxItem, InboxView, MessagesDoor, ToldAbout
from .models import ModelDetail, ModelRow, ModelsDoor, ModelsView
from .people import Authenticator, MediaFile, SessionPerson
from .pulse import ActiveTake, FeedItem, NextTake, PulseView, ReviewCard, Share, TypeProgress, Worker
from .queue import GanttBar, Lane, QueueTask, QueueView
from .review import (
    CutGate,
    Decided,
    Gate,
    Higher,
    HigherTier,
    Mark,
    Note,
    OtherCut,
    ReviewScene,
    ReviewSegment,
    ReviewTake,
    ReviewView,
)
from .shell import Command, Job, Jobs, Person, ShellView, StatusItem
from .triggers import FiringRow, RetakePanel, RetakeRow, TriggerRow, TriggersDoor, TriggersView, WebhookRow
from .words import Counts, PageName, Ref, Status
from .workers import FleetDoor, GpuNow, WorkerDetail, WorkerRow, WorkersView
from .workflows import WorkflowDetail, WorkflowNode, WorkflowRow, WorkflowsDoor, WorkflowsView

__all__ = [
    "ActiveTake",
    "Authenticator",
    "BatchCheck",
    "BudgetOffers",
    "BudgetRow",
    "BudgetsDoor",
    "BudgetsView",
    "CalibratedBatch",
    "Calibration",
    "CellNeed",
    "CharacterCard",
    "CharacterView",
    "CharactersView",
    "Check",
    "ChecksDoor",
    "Command",
    "Counts",
    "CutGate",
    "DebuggedTask",
    "DebuggerDoor",
    "DebuggerView",
    "Decided",
    "DeliveriesView",
    "Delivery",
    "Estimate",
    "FeedItem",
    "FiringRow",
    "FleetDoor",
    "FreeHolder",
    "GanttBar",
    "Gate",
    "GpuNow",
    "Higher",
    "HigherTier",
    "Holder",
    "InboxItem",
    "InboxView",
    "Job",
    "Jobs",
    "Lane",
    "Mark",
    "MatrixCell",
    "MatrixCells",
    "MatrixCharacter",
    "MatrixDoor",
    "MatrixScene",
    "MatrixView",
    "MediaFile",
    "MessagesDoor",
    "ModelDetail",
    "ModelRow",
    "ModelsDoor",
    "ModelsView",
    "NextTake",
    "Note",
    "OtherCut",
    "PageName",
    "Person",
    "Proposal",
    "ProposalNeed",
    "ProposalRow",
    "PulseView",
    "QueueTask",
    "QueueView",
    "Ref",
    "RetakePanel",
    "RetakeRow",
    "ReviewCard",
    "ReviewScene",
    "ReviewSegment",
    "ReviewTake",
    "ReviewView",
    "SessionPerson",
    "Share",
    "ShellView",
    "Speed",
    "SpeedRow",
    "Speeds",
    "Status",
    "StatusItem",
    "StudioActions",
    "StudioDoor",
    "StudioViews",
    "ToldAbout",
    "TriggerRow",
    "TriggersDoor",
    "TriggersView",
    "TypeProgress",
    "VariantCard",
    "WebhookRow",
    "Worker",
    "WorkerDetail",
    "WorkerRow",
    "WorkersView",
    "WorkflowDetail",
    "WorkflowNode",
    "WorkflowRow",
    "WorkflowsDoor",
    "WorkflowsView",
]
