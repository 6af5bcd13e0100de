"""Every table, one file per aggregate; no logic.

`x121lib.model` re-exports the classes, so that queries read ``m.Scene``.
"""

from x121lib.model.base import LOOKUPS, Base, TermType, lookup_table_name
from x121lib.model.budgets import (
    Budget,
    BudgetExemptKind,
    BudgetExemptTier,
    BudgetReservation,
    BudgetThreshold,
    BudgetUse,
    ShareWeight,
)
from x121lib.model.characters import (
    Character,
    CharacterMetadataValue,
    Face,
    ImageCheck,
    ImageVariant,
    ImageVersion,
    MetadataField,
    Project,
    Tier,
    TransitionMode,
    VariantKind,
)
from x121lib.model.files import Artifact, ArtifactImage, ArtifactVideo
from x121lib.model.fleet import (
    GpuVital,
    PowerWindow,
    WorkerAgent,
    WorkerAlert,
    WorkerEnergy,
    WorkerLoadedModel,
    WorkerModel,
    WorkerNodeClass,
    WorkerPower,
    WorkerSpeed,
    WorkerStatusChange,
    WorkflowWorkerTag,
)
from x121lib.model.history import AuditEntry, Delivery, DeliveryItem, Event, EventCursor
from x121lib.model.holds import QueueHold
from x121lib.model.library import (
    LibraryModel,
    ModelDownload,
    ModelNote,
    ModelPlacement,
    ModelRoot,
    ModelTriggerWord,
    ModelVersion,
)
from x121lib.model.messages import Notification, NotificationPreference, Webhook, WebhookAttempt, WebhookCall
from x121lib.model.people import ApiKey, Person, PersonRole, SignInLink
from x121lib.model.quality import Decision, DecisionTag, FailureTag, Note, Score, Verdict
from x121lib.model.queue_changes import QueueChange, QueueChangeTask
from x121lib.model.recipes import (
    Metric,
    QaGate,
    QaProfile,
    QaProfileVersion,
    SceneType,
    SceneTypeSlotValue,
    SceneTypeVariantKind,
    SceneTypeVersion,
    Workflow,
    WorkflowNodePack,
    WorkflowSlot,
    WorkflowSlotChoice,
    WorkflowVersion,
)
from x121lib.model.retakes import AutoRetake, RetakePolicy, RetakePolicyMetric, RetakePolicyPhrase, RetakePolicySpread
from x121lib.model.rights import (
    LikenessRelease,
    Performer,
    ReleaseProject,
    ReleasePurposeGrant,
    ReleaseTransitionMode,
    ReleaseVariantKind,
)
from x121lib.model.scenes import (
    Receipt,
    ReceiptInput,
    ReceiptModel,
    ReceiptParameter,
    Scene,
    SceneVersion,
    SceneVersionCut,
    Segment,
    Take,
)
from x121lib.model.schedules import (
    Schedule,
    ScheduleCharacter,
    ScheduleRun,
    ScheduleSceneType,
    ScheduleVariantKind,
)
from x121lib.model.secrets import Secret
from x121lib.model.trials import WorkflowTrial
from x121lib.model.triggers import EventCause, Trigger, TriggerFiring, TriggerStep
from x121lib.model.work import (
    NOBODY,
    AttemptNodeTime,
    AttemptTrace,
    Batch,
    BatchEstimate,
    BatchScene,
    GpuTask,
    GpuTaskAttempt,
    TakeOverride,
    Worker,
    WorkerTag,
)

__all__ = [
    "LOOKUPS", "NOBODY", "ApiKey", "Artifact", "ArtifactImage", "ArtifactVideo", "AttemptNodeTime", "AttemptTrace",
    "AuditEntry", "AutoRetake", "Base", "Batch", "BatchEstimate", "BatchScene", "Budget", "BudgetExemptKind",
    "BudgetExemptTier", "BudgetReservation", "BudgetThreshold", "BudgetUse", "Character", "CharacterMetadataValue",
    "Decision", "DecisionTag", "Delivery", "DeliveryItem", "Event", "EventCause", "EventCursor", "Face", "FailureTag",
    "GpuTask", "GpuTaskAttempt", "GpuVital", "ImageCheck", "ImageVariant", "ImageVersion", "LibraryModel",
    "LikenessRelease", "MetadataField", "Metric", "ModelDownload", "ModelNote", "ModelPlacement", "ModelRoot",
    "ModelTriggerWord", "ModelVersion", "Note", "Notification", "NotificationPreference", "Performer", "Person",
    "PersonRole", "PowerWindow", "Project", "QaGate", "QaProfile", "QaProfileVersion", "QueueChange",
    "QueueChangeTask", "QueueHold", "Receipt", "ReceiptInput", "ReceiptModel", "ReceiptParameter", "ReleaseProject",
    "ReleasePurposeGrant", "ReleaseTransitionMode", "ReleaseVariantKind", "RetakePolicy", "RetakePolicyMetric",
    "RetakePolicyPhrase", "RetakePolicySpread", "Scene", "SceneType", "SceneTypeSlotValue", "SceneTypeVariantKind",
    "SceneTypeVersion", "SceneVersion", "SceneVersionCut", "Schedule", "ScheduleCharacter", "ScheduleRun",
    "ScheduleSceneType", "ScheduleVariantKind", "Score", "Secret", "Segment", "ShareWeight", "SignInLink", "Take",
    "TakeOverride", "TermType", "Tier", "TransitionMode", "Trigger", "TriggerFiring", "TriggerStep", "VariantKind",
    "Verdict", "Webhook", "WebhookAttempt", "WebhookCall", "Worker", "WorkerAgent", "WorkerAlert", "WorkerEnergy",
    "WorkerLoadedModel", "WorkerModel", "WorkerNodeClass", "WorkerPower", "WorkerSpeed", "WorkerStatusChange",
    "WorkerTag", "Workflow", "WorkflowNodePack", "WorkflowSlot", "WorkflowSlotChoice", "WorkflowTrial",
    "WorkflowVersion", "WorkflowWorkerTag", "lookup_table_name",
]  # fmt: skip
