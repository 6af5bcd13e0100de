"""`x121 notifications` and `x121 webhook`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from typer.testing import Result

from x121lib.studio import Studio
from x121lib.testing.receiver import Receiver

X121 = Callable[..., Result]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    receiver = Receiver()
    monkeypatch.setenv("X121_WEBHOOK_PRIVATE_HOSTS", json.dumps([receiver.host]))
    yield receiver
    receiver.stop()


def test_the_inbox_is_listed_read_and_chosen(x121: X121) -> None:
    assert "Nothing:" in x121("notifications").output
    x121("budget", "set", "0.5", "--project", "Aurora", "--warn-at", "10")
    x121("submit", "Aurora", "--characters", "Aiko")
    with Studio.open() as studio:
        studio.reactions.run()
    listed = x121("notifications", "--unread").output  # a narrow table breaks lines between words
    assert all(word in listed for word in ("new", "budget", "running"))
    (entry,) = json.loads(x121("notifications", "--json").stdout)
    assert (entry["read"], entry["kind"], entry["project"]) == (False, "budget", "Aurora")
    assert entry["title"] == "A budget is running out"
    assert "1 marked as read." in x121("notifications", "read", entry["notification_id"]).output
    assert "0 marked as read." in x121("notifications", "read").output
    assert "no key of a notification" in x121("notifications", "read", "x", code=1).stderr
    x121("notifications", "prefer", "budget", "none")
    told = {row["kind"]: row["told"] for row in json.loads(x121("notifications", "preferences", "--json").stdout)}
    assert told["budget"] == "none"
    assert "no kind of notification 'weather'" in x121("notifications", "prefer", "weather", "all", code=1).stderr


def test_a_webhook_is_added_tried_and_removed(x121: X121, receiver: Receiver) -> None:
    assert "No webhook yet" in x121("webhook", "list").output
    added = x121("webhook", "add", "chat", receiver.url)
    assert len(added.stdout.strip()) > 30
    assert "Delivered: 200" in x121("webhook", "test", "chat").output
    receiver.answers = [500]
    assert "answered with 500" in x121("webhook", "test", "chat", code=1).stderr
    rows = json.loads(x121("webhook", "log", "chat", "--json").stdout)
    assert [row["status"] for row in rows] == ["failed", "delivered"]
    x121("webhook", "retry", rows[0]["call_id"])
    assert "without encryption" in x121("webhook", "add", "other", "http://example.com", code=1).stderr
    x121("webhook", "remove", "chat")
    assert "no webhook 'chat'" in x121("webhook", "test", "chat", code=1).stderr
