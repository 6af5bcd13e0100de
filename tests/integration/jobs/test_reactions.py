"""The consumer's own threads: what happens is followed by triggers, told to people and sent to programs, by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from jobs.tick import Tick
from x121lib.studio import Studio
from x121lib.studio.work import Message
from x121lib.testing.real_studio import wait_until
from x121lib.testing.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.mark.capability("PRD-97/trigger-rules", "PRD-97/action-types")
def test_a_consumer_follows_triggers_tells_people_and_calls_webhooks(equipped: Studio, receiver: Receiver) -> None:
    equipped.settings.webhook_private_hosts[:] = [receiver.host]
    equipped.webhooks.add("chat", receiver.url)
    equipped.triggers.add({"name": "go", "on": "variant.approved", "do": [{"action": "submit"}]})
    equipped.triggers.enable("go")
    equipped.triggers.add({
        "name": "tell", "on": "scene.status_changed", "when": [{"field": "status", "is": "Review"}], "together": True,
        "do": [{"action": "notify", "text": "{what} is ready"}, {"action": "webhook", "name": "chat"}],
    })  # fmt: skip

    class AtOnce:
        """Runs what it shall deliver."""

        def reserve(self) -> int:
            return 0

        def deliver(self, n_reserved: int, messages: Sequence[Message]) -> None:
            assert n_reserved == 0
            for message in messages:
                if message.kind == "task":
                    equipped.work.run_key(message.key, message.attempt_number)
                else:
                    equipped.work.assemble_key(message.key)

    tick = Tick(equipped, equipped.work, AtOnce())
    tick.start()
    try:
        equipped.project("Aurora").approve_variants("clothed", characters=["Aiko"])
        wait_until(lambda: bool(receiver.received), "the webhook is called", timeout_s=60)
        wait_until(
            lambda: "Aiko · sway · clothed is ready" in [e.title for e in equipped.notifications.entries()],
            "the person is told", timeout_s=20,
        )  # fmt: skip
    finally:
        tick.stop()
    assert '"scene_type": "sway"' in receiver.received[0].body
    assert receiver.received[0].headers["x-x121-event"] == "scene.status_changed"
    assert [row["after"] for row in equipped.triggers.log("tell")] == ["go"]
