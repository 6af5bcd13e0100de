"""Words that every view shares: statuses, counts, references."""

from __future__ import annotations

from typing import Literal, TypedDict

Status = Literal[
    "none", "pending", "generating", "review", "approved", "rejected", "failed", "blocked", "warning", "info"
]
Counts = dict[str, int]  # status → number of scenes; missing means none
PageName = Literal[
    "pulse",
    "characters",
    "character",
    "matrix",
    "queue",
    "review",
    "deliveries",
    "workers",
    "models",
    "workflows",
    "triggers",
    "budgets",
    "debugger",
    "catalogue",
]


class Ref(TypedDict):
    """A thing that can be named and chosen."""

    id: str
    name: str
