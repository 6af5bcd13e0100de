"""The caller's inbox, and webhooks."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.errors import CREATED, NO_CONTENT
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Given

router = APIRouter(route_class=ApiRoute, tags=["notifications"])
Most = Annotated[int, Field(ge=1, le=1000)]


class Notification(BaseModel):
    """An entry of the caller's inbox."""

    notification_id: uuid.UUID
    kind: str
    title: str
    body: str
    href: str
    project: str | None
    n_events: int
    created_at: datetime
    read: bool


class Inbox(BaseModel):
    """The newest entries of the caller's inbox."""

    unread: int
    items: list[Notification]


class Read(Given):
    """Which entries were read; none named: all."""

    notification_ids: Annotated[list[uuid.UUID], Field(max_length=1000)] | None = None


class Marked(BaseModel):
    """How many entries were unread."""

    marked: int


class Preference(BaseModel):
    """Whose matters of a kind the caller is told about."""

    kind: str
    about: str
    told: str
    chosen: bool


class NewPreference(Given):
    """A choice for one kind."""

    kind: shapes.Name
    told: Literal["all", "mine", "none"]


class Webhook(BaseModel):
    """A webhook with how its messages fared; its key is never shown."""

    webhook: str
    url: str
    waiting: int
    delivered: int
    failed: int
    last_at: datetime | None
    last: str


class NewWebhook(Given):
    """A webhook; a key is made where none is given."""

    name: shapes.Name
    url: str = Field(min_length=1, max_length=2000)
    key: SecretStr | None = Field(None, max_length=1024)


class Key(BaseModel):
    """A webhook's key, shown this once."""

    key: str


class Tested(BaseModel):
    """How a test message fared."""

    ok: bool
    http_status: int | None
    took_s: float
    answer: str
    error: str


class Message(BaseModel):
    """A message to a webhook with its newest attempt."""

    call_id: uuid.UUID
    webhook: str
    event: str
    at: datetime
    status: str
    attempts: int
    next_attempt_at: datetime | None
    http_status: int | None
    took_s: float | None
    said: str
    n_bytes: int


@router.get("/notifications", response_model=Inbox)
def list_notifications(studio: Acting, unread: bool = False, limit: Most = 100) -> Any:
    """List what the caller was told, the newest first."""
    items = studio.notifications.plain(limit, only_unread=unread)
    return {"unread": studio.notifications.unread(), "items": items}


@router.post("/notifications/read", response_model=Marked)
def read_notifications(studio: Acting, given: Read) -> Any:
    """Mark entries of the caller's inbox as read."""
    return {"marked": studio.notifications.mark_read(given.notification_ids)}


@router.get("/notifications/preferences", response_model=list[Preference])
def list_preferences(studio: Acting) -> Any:
    """List whose matters of each kind the caller is told about."""
    return studio.notifications.preferences()


@router.put("/notifications/preferences", status_code=NO_CONTENT)
def set_preference(studio: Acting, given: NewPreference) -> None:
    """Choose whose matters of a kind the caller is told about."""
    studio.notifications.prefer(given.kind, given.told)


@router.get("/webhooks", response_model=list[Webhook])
def list_webhooks(studio: Acting) -> Any:
    """List the webhooks."""
    return studio.webhooks.list()


@router.post("/webhooks", status_code=CREATED, response_model=Key)
def add_webhook(studio: Acting, given: NewWebhook) -> Any:
    """Add a webhook; its key is shown this once."""
    secret = given.key.get_secret_value() if given.key is not None else None
    return {"key": studio.webhooks.add(given.name, given.url, secret)}


@router.post("/webhooks/{name}/test", response_model=Tested)
def test_webhook(studio: Acting, name: shapes.Name) -> Any:
    """Send a test message at once, once."""
    return studio.webhooks.test(name).__dict__


@router.get("/webhooks/{name}/messages", response_model=list[Message])
def list_messages(studio: Acting, name: shapes.Name, limit: Most = 100) -> Any:
    """List the newest messages of a webhook."""
    return studio.webhooks.log(name, limit=limit)


@router.post("/webhook-messages/{call_id}/retry", status_code=NO_CONTENT)
def retry_message(studio: Acting, call_id: uuid.UUID) -> None:
    """Send a message again, word for word."""
    studio.webhooks.retry(call_id)


@router.delete("/webhooks/{name}", status_code=NO_CONTENT)
def remove_webhook(studio: Acting, name: shapes.Name) -> None:
    """Remove a webhook with its messages and its key."""
    studio.webhooks.remove(name)
