"""The transition tables that `flow` applies, gathered for whoever draws or tests them. Pure data."""

from x121lib.terms.transitions import (
    ENDED_STATUSES,
    LEASED_STATUSES,
    SCENE_TRANSITIONS,
    TASK_TRANSITIONS,
    WAITING_STATUSES,
)

__all__ = ["ENDED_STATUSES", "LEASED_STATUSES", "SCENE_TRANSITIONS", "TASK_TRANSITIONS", "WAITING_STATUSES"]
