"""The shape of the deliveries."""

from __future__ import annotations

from typing import TypedDict

from .words import Status


class Delivery(TypedDict):
    """One package."""

    id: str
    name: str
    status: Status
    word: str
    at: str
    by: str
    scenes: int
    size_bytes: int
    download: str | None
    note: str


class DeliveriesView(TypedDict):
    """``StudioViews.deliveries``."""

    ready: int  # approved scenes
    total: int
    missing: list[dict[str, str]]  # status, text, href
    deliveries: list[Delivery]
    may_deliver: bool
