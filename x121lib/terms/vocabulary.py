"""The vocabulary: every status, role and kind that X121 stores, with its number and the word people see.

Each class is one lookup table. Numbers are stored and never change; values are the stored names; labels are
what people read.
"""

from __future__ import annotations

from x121lib.terms.automation import (
    ActionKind,
    CallStatus,
    NotificationKind,
    NotificationScope,
    RunStatus,
    TriggerScope,
)
from x121lib.terms.term import Term as Term


class ProjectStatus(Term):
    """Life of a project (PRD-72)."""

    SETUP = "Setup", 1
    ACTIVE = "Active", 2
    DELIVERED = "Delivered", 3
    ARCHIVED = "Archived", 4
    CLOSED = "Closed", 5


class SceneStatus(Term):
    """Life of a scene; *Queued* and *Blocked* are derived and never stored."""

    PENDING = "Pending", 1, "Not started"
    GENERATING = "Generating", 2
    REVIEW = "Review", 3, "In review"
    APPROVED = "Approved", 4
    REJECTED = "Rejected", 5
    FAILED = "Failed", 6


class SegmentStatus(Term):
    """Life of a segment (PRD-01)."""

    PENDING = "Pending", 1
    GENERATING = "Generating", 2
    QA_PASS = "QA Pass", 3
    QA_FAIL = "QA Fail", 4
    APPROVED = "Approved", 5
    REJECTED = "Rejected", 6


class TakeStatus(Term):
    """Life of a take: planned with the scene, finished once, never overwritten."""

    PLANNED = "Planned", 1
    GENERATED = "Generated", 2
    PASSED = "Passed", 3
    FAILED_QA = "Failed QA", 4
    FAILED = "Failed", 5
    REJECTED = "Rejected", 6
    CANCELLED = "Cancelled", 7


class TaskStatus(Term):
    """Life of a GPU task (PRD-08)."""

    SCHEDULED = "Scheduled", 1
    WAITING = "Waiting for worker", 2
    QUEUED = "Queued", 3
    DISPATCHED = "Dispatched", 4
    RUNNING = "Running", 5
    PAUSED = "Paused", 6
    CANCELLED = "Cancelled", 7
    FAILED = "Failed", 8
    COMPLETE = "Complete", 9


class TaskKind(Term):
    """What a GPU task makes."""

    TAKE = "take", 1
    VARIANT = "variant", 2


class AttemptOutcome(Term):
    """How one attempt at a GPU task ended."""

    COMPLETE = "complete", 1
    FAILED = "failed", 2
    LOST = "lost", 3
    CANCELLED = "cancelled", 4
    SUPERSEDED = "superseded", 5


class PriorityClass(Term):
    """Priority classes; the number that dispatch compares is `base_priority`."""

    URGENT = "Urgent", 1
    NORMAL = "Normal", 2
    BACKGROUND = "Background", 3

    @property
    def base_priority(self) -> int:
        """Priority from 0 to 100: Urgent 80, Normal 50, Background 20."""
        return {"Urgent": 80, "Normal": 50, "Background": 20}[self.value]


class WorkerStatus(Term):
    """Health of a GPU worker."""

    ONLINE = "online", 1
    DEGRADED = "degraded", 2
    OFFLINE = "offline", 3
    DRAINING = "draining", 4
    REMOVED = "removed", 5
    MAINTENANCE = "maintenance", 6
    ASLEEP = "asleep", 7


class WorkerKind(Term):
    """What answers behind a worker's address."""

    COMFYUI = "comfyui", 1, "ComfyUI"
    LOCAL_ENGINE = "local_engine", 2, "Local engine"


class WakeKind(Term):
    """How a sleeping worker's host is woken."""

    LAN = "lan", 1, "Wake-on-LAN"
    COMMAND = "command", 2, "Command"
    HTTP = "http", 3, "HTTP"


class ArtifactKind(Term):
    """What a stored file is."""

    IMAGE = "image", 1
    VIDEO = "video", 2
    FRAME = "frame", 3
    FILMSTRIP = "filmstrip", 4
    DOCUMENT = "document", 5
    SERIES = "series", 6


class PerformerKind(Term):
    """Whether a likeness belongs to a living person."""

    SYNTHETIC = "synthetic", 1, "Synthetic"
    REAL = "real", 2, "Real performer"


class ReleasePurpose(Term):
    """What a likeness release permits."""

    GENERATE = "generate", 1
    SHARE = "share", 2
    DELIVER = "deliver", 3
    TRAIN = "train", 4


class VariantStatus(Term):
    """Life of an image variant (PRD-21)."""

    PENDING = "Pending", 1
    GENERATED = "Generated", 2
    EDITING = "Editing", 3
    APPROVED = "Approved", 4
    REJECTED = "Rejected", 5


class VersionOrigin(Term):
    """Where an image version came from."""

    UPLOADED = "uploaded", 1
    GENERATED = "generated", 2
    EDITED = "edited", 3


class WorkflowStatus(Term):
    """Trust in a workflow version."""

    DRAFT = "Draft", 1
    TESTED = "Tested", 2
    PRODUCTION = "Production", 3


class SlotType(Term):
    """Type of a workflow slot's value."""

    INT = "int", 1
    FLOAT = "float", 2
    STRING = "string", 3
    BOOLEAN = "boolean", 4
    IMAGE = "image", 5
    CHOICE = "choice", 6
    VIDEO = "video", 7
    AUDIO = "audio", 8


class FieldType(Term):
    """Type of a metadata field."""

    TEXT = "text", 1
    INTEGER = "integer", 2
    NUMBER = "number", 3
    BOOLEAN = "boolean", 4
    DATE = "date", 5
    CHOICE = "choice", 6


class VerdictOutcome(Term):
    """Outcome of a gate or an image check."""

    PASS = "pass", 1, "passed"
    WARN = "warn", 2, "borderline"
    FAIL = "fail", 3, "failed"


class DecisionOutcome(Term):
    """What a reviewer decided."""

    APPROVE = "approve", 1, "Approved"
    REJECT = "reject", 2, "Rejected"
    FLAG = "flag", 3, "Flagged"


class MetricDirection(Term):
    """Which way a metric is better."""

    HIGHER = "higher_is_better", 1
    LOWER = "lower_is_better", 2
    RANGE = "range", 3


class DeliveryStatus(Term):
    """Life of a delivery."""

    WRITING = "writing", 1
    COMPLETE = "complete", 2
    FAILED = "failed", 3


class EventKind(Term):
    """Everything that can happen, in the past tense."""

    PROJECT_CREATED = "project.created", 1
    CHARACTER_IMPORTED = "character.imported", 2
    VARIANT_GENERATED = "variant.generated", 3
    VARIANT_APPROVED = "variant.approved", 4
    VARIANT_REJECTED = "variant.rejected", 5
    SCENE_TYPE_LOADED = "scene_type.loaded", 6
    WORKFLOW_IMPORTED = "workflow.imported", 7
    BATCH_SUBMITTED = "batch.submitted", 8
    TASK_QUEUED = "task.queued", 9
    TASK_DISPATCHED = "task.dispatched", 10
    TASK_STARTED = "task.started", 11
    TASK_PROGRESSED = "task.progressed", 12
    TASK_COMPLETED = "task.completed", 13
    TASK_FAILED = "task.failed", 14
    TASK_CANCELLED = "task.cancelled", 15
    TASK_LOST = "task.lost", 16
    TAKE_FINISHED = "take.finished", 17
    TAKE_SCORED = "take.scored", 18
    SCENE_STATUS_CHANGED = "scene.status_changed", 19
    SCENE_ASSEMBLED = "scene.assembled", 20
    DECISION_MADE = "decision.made", 21
    DECISION_UNDONE = "decision.undone", 22
    RETAKE_QUEUED = "retake.queued", 23
    DELIVERY_WRITTEN = "delivery.written", 24
    WORKER_CHANGED = "worker.changed", 25
    RELEASE_ADDED = "release.added", 26
    RELEASE_REVOKED = "release.revoked", 27
    PERSON_ADDED = "person.added", 28
    NOTE_ADDED = "note.added", 29
    TASK_PAUSED = "task.paused", 30
    TASK_RESUMED = "task.resumed", 31
    BUDGET_WARNED = "budget.warned", 40
    BUDGET_USED_UP = "budget.used_up", 41
    WORKFLOW_STATUS_CHANGED = "workflow.status_changed", 60
    WORKFLOW_SLOT_CHANGED = "workflow.slot_changed", 61
    WORKFLOW_TRIED = "workflow.tried", 65
    WORKER_ALERTED = "worker.alerted", 70
    WORKER_ALERT_ENDED = "worker.alert_ended", 71
    WORKER_SERVICE_RESTARTED = "worker.service_restarted", 72
    MODELS_SCANNED = "models.scanned", 80
    MODEL_UPDATED = "model.updated", 81
    MODEL_WENT_MISSING = "model.went_missing", 82
    MODEL_ALTERED = "model.altered", 83
    MODEL_REMOVED = "model.removed", 84
    MODEL_DOWNLOADED = "model.downloaded", 85
    MODEL_DOWNLOAD_FAILED = "model.download_failed", 86
    MODEL_DISTRIBUTED = "model.distributed", 87
    NODE_PACK_INSTALLED = "node_pack.installed", 88
    SEGMENT_ESCALATED = "segment.escalated", 110
    QUEUE_CHANGED = "queue.changed", 90
    QUEUE_CHANGE_UNDONE = "queue.change_undone", 91
    SCHEDULE_CHANGED = "schedule.changed", 92
    SCHEDULE_RAN = "schedule.ran", 93
    QUEUE_PAUSED = "queue.paused", 95
    QUEUE_RESUMED = "queue.resumed", 96
    NOTIFICATION_MADE = "notification.made", 100
    WEBHOOK_FAILED = "webhook.failed", 101
    TRIGGER_CHANGED = "trigger.changed", 102
    TRIGGER_FIRED = "trigger.fired", 103


class ModelKind(Term):
    """What a model file is; the stored name is ComfyUI's folder for it."""

    CHECKPOINT = "checkpoints", 1, "Checkpoint"
    LORA = "loras", 2, "LoRA"
    VAE = "vae", 3, "VAE"
    DIFFUSION_MODEL = "diffusion_models", 4, "Diffusion model"
    TEXT_ENCODER = "text_encoders", 5, "Text encoder"
    CLIP_VISION = "clip_vision", 6, "CLIP vision"
    CONTROLNET = "controlnet", 7, "ControlNet"
    EMBEDDING = "embeddings", 8, "Embedding"
    UPSCALE_MODEL = "upscale_models", 9, "Upscale model"
    STYLE_MODEL = "style_models", 10, "Style model"
    OTHER = "other", 11, "Other"


class ModelStatus(Term):
    """Whether a model's file is what the inventory says."""

    PRESENT = "present", 1
    MISSING = "missing", 2
    ALTERED = "altered", 3


class DownloadStatus(Term):
    """Where the download of a model stands."""

    QUEUED = "queued", 1
    RUNNING = "running", 2
    PAUSED = "paused", 3
    FAILED = "failed", 4
    CANCELLED = "cancelled", 5
    COMPLETE = "complete", 6


class BudgetPeriod(Term):
    """After what time a budget of GPU time begins anew (PRD-93)."""

    DAY = "day", 1
    WEEK = "week", 2
    MONTH = "month", 3
    TOTAL = "total", 4


class ScheduleOutcome(Term):
    """What became of one due time of a schedule (PRD-08)."""

    SUBMITTED = "submitted", 1
    NOTHING = "nothing", 2, "nothing to do"
    REFUSED = "refused", 3
    SKIPPED = "skipped", 4


class RoleName(Term):
    """Roles of people (PRD-03)."""

    ADMIN = "Admin", 1
    CREATOR = "Creator", 2
    REVIEWER = "Reviewer", 3


ALL_TERMS: tuple[type[Term], ...] = (
    ProjectStatus, SceneStatus, SegmentStatus, TakeStatus, TaskStatus, TaskKind, AttemptOutcome, PriorityClass,
    WorkerStatus, WorkerKind, WakeKind, ArtifactKind, PerformerKind, ReleasePurpose, VariantStatus, VersionOrigin,
    WorkflowStatus, SlotType, FieldType, VerdictOutcome, DecisionOutcome, MetricDirection, DeliveryStatus, EventKind,
    RoleName, ModelKind, ModelStatus, DownloadStatus, BudgetPeriod, NotificationKind, NotificationScope, CallStatus,
    ScheduleOutcome,
    TriggerScope, ActionKind, RunStatus,
)  # fmt: skip
