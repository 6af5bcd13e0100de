"""Messages to programs outside: signed, checked, tried again, given up, and never in anybody's way."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from x121lib.comfyui.errors import BadAddressError
from x121lib.events import calling, webhooks
from x121lib.events.calling import Call
from x121lib.events.webhooks import BACKOFF_S
from x121lib.studio import Studio
from x121lib.testing.real_studio import wait_until
from x121lib.testing.receiver import Receiver
from x121lib.testing.small_studio import Clock

from .test_notifications import as_new

SECRET = "a key that nobody else has"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


def allow(studio: Studio, *receivers: Receiver) -> None:
    """Let the studio call these receivers although they are on this machine."""
    studio.settings.webhook_private_hosts[:] = [r.host for r in receivers]


def write(studio: Studio, name: str = "chat", **facts: object) -> None:
    """Write a message as a trigger does."""
    with studio.transaction() as session:
        webhooks.write(session, webhooks.find(session, name), "scene.assembled", dict(facts), studio.house.now())


def test_a_message_is_signed_with_its_time_and_delivered_once(
    stocked: Studio, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    allow(stocked, receiver)
    assert stocked.webhooks.add("chat", f"{receiver.url}/in?room=1", SECRET) == SECRET
    write(stocked, character="Aiko")
    assert (stocked.webhooks.send_due(), stocked.webhooks.send_due()) == (1, 0)
    (got,) = receiver.received
    assert got.path == "/in?room=1"
    fields = dict(part.split("=", 1) for part in got.headers["x-x121-signature"].split(","))
    expected = hmac.new(SECRET.encode(), f"{fields['t']}.{got.body}".encode(), hashlib.sha256).hexdigest()
    assert fields["v1"] == expected
    assert abs(int(fields["t"]) - stocked.house.now().timestamp()) < 60
    body = json.loads(got.body)
    assert (body["event"], body["character"], body["id"]) == ("scene.assembled", "Aiko", got.headers["x-x121-call"])
    (row,) = stocked.webhooks.log("chat")
    assert (row["status"], row["attempts"], row["http_status"], row["said"]) == ("delivered", 1, 200, "noted")
    with stocked.transaction() as session:
        stored = session.scalars(sa.select(m.Secret.ciphertext)).one()
    assert SECRET not in stored
    assert SECRET not in caplog.text
    assert SECRET not in json.dumps(stocked.webhooks.list(), default=str)


def test_a_failing_receiver_is_tried_again_later_and_given_up_in_the_end(
    stocked: Studio, receiver: Receiver, clock: Clock
) -> None:
    allow(stocked, receiver)
    stocked.webhooks.add("chat", receiver.url)
    write(stocked)
    receiver.answers = [500, 302, 429] + [503] * 10
    for number, pause in enumerate(BACKOFF_S, start=1):
        assert stocked.webhooks.send_due() == 1, number
        assert stocked.webhooks.send_due() == 0, "not before its time"
        clock.advance(pause - 1)
        assert stocked.webhooks.send_due() == 0
        clock.advance(1.5)
    assert stocked.webhooks.send_due() == 1
    (row,) = stocked.webhooks.log()
    assert (row["status"], row["attempts"], row["said"]) == ("failed", 7, "The receiver answered with 503.")
    assert len({r.headers["x-x121-call"] for r in receiver.received}) == 1
    stocked.reactions.run()
    (entry,) = stocked.notifications.entries()
    assert entry.title == "The webhook chat does not get through"
    receiver.answers = []
    stocked.webhooks.retry(row["call_id"])
    assert stocked.webhooks.send_due() == 1
    assert stocked.webhooks.log()[0]["status"] == "delivered"
    receiver.answers = [410]
    write(stocked)
    stocked.webhooks.send_due()
    assert stocked.webhooks.log()[0]["status"] == "failed", "who is gone is not asked again"
    clock.advance(91 * 86400)
    assert stocked.reactions.prune() == 2
    assert stocked.webhooks.log() == []


def test_a_receiver_that_hangs_holds_up_nobody_else(stocked: Studio, receiver: Receiver) -> None:
    other = Receiver()
    allow(stocked, receiver, other)
    receiver.answering.clear()
    stocked.webhooks.add("hangs", receiver.url)
    stocked.webhooks.add("works", other.url)
    for _ in range(3):
        write(stocked, "hangs")
        write(stocked, "works")
    stop = threading.Event()
    thread = threading.Thread(target=stocked.webhooks.run, args=(stop,))
    thread.start()
    try:
        wait_until(lambda: len(other.received) == 3, "the other one gets its messages", timeout_s=9)
        assert len(receiver.received) == 1, "one at a time"
    finally:
        receiver.answering.set()
        stop.set()
        thread.join(30)
        other.stop()


def test_a_receiver_that_drips_is_cut_off(receiver: Receiver) -> None:
    what = Call(receiver.url, SECRET, "1", "test", "{}")
    receiver.drips = "headers"
    outcome = calling.call(what, [receiver.host], datetime.now(UTC), timeout_s=0.6)
    assert (outcome.ok, outcome.error) == (False, "Nothing was answered within 0.6 s.")
    assert 0.5 < outcome.took_s < 3
    receiver.drips = "body"
    outcome = calling.call(what, [receiver.host], datetime.now(UTC), timeout_s=0.6)
    assert (outcome.ok, outcome.http_status) == (True, 200), "it has said that it got it"
    assert outcome.answer.startswith("noted...")
    assert 0.5 < outcome.took_s < 3


def test_a_name_server_that_hangs_is_given_up_with_the_call(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked, answering = socket.getaddrinfo, [], threading.Event()

    def hangs(host: str, *given: Any, **more: Any) -> Any:
        if host != "slow.example":
            return real(host, *given, **more)
        asked.append(host)
        answering.wait(20)
        return real("127.0.0.1", *given, **more)

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    port = receiver.host.rsplit(":", 1)[1]
    what = Call(f"http://slow.example:{port}/x", SECRET, "1", "test", "{}")
    try:
        for allowed in ([], [f"slow.example:{port}"]):
            outcome = calling.call(what, allowed, datetime.now(UTC), timeout_s=0.4)
            assert not outcome.ok
            assert "was not resolved in time" in outcome.error or outcome.error == "Nothing was answered within 0.4 s."
            assert 0.3 < outcome.took_s < 3
        assert asked == ["slow.example"], "one lookup of a name at a time"
    finally:
        answering.set()
    wait_until(lambda: calling.call(what, [f"slow.example:{port}"], datetime.now(UTC)).ok, "it resolves again")


def test_private_addresses_are_called_only_where_the_studio_says_so(stocked: Studio, receiver: Receiver) -> None:
    for url, reason in (
        (receiver.url, "without encryption"), ("https://127.0.0.1/x", "not a public address"),
        ("https://169.254.169.254/latest", "not a public address"), ("ftp://example.com", "not an https address"),
        ("https://user:word@example.com/", "credentials"), ("https://[::1]:8443/", "not a public address"),
        ("https://exa mple:99999/", "not a"),
    ):  # fmt: skip
        with pytest.raises((InvalidInputError, BadAddressError), match=reason):
            stocked.webhooks.add("chat", url)
    allow(stocked, receiver)
    stocked.webhooks.add("chat", receiver.url)
    write(stocked)
    stocked.settings.webhook_private_hosts[:] = []
    stocked.webhooks.send_due()
    assert receiver.received == [], "what is not allowed any more is not called any more"
    assert "not a public address" in stocked.webhooks.log()[0]["said"]


def test_the_test_button_says_what_happened(stocked: Studio, receiver: Receiver) -> None:
    allow(stocked, receiver)
    stocked.webhooks.add("chat", receiver.url)
    assert (stocked.webhooks.test("chat").ok, receiver.received[0].headers["x-x121-event"]) == (True, "test")
    receiver.answers = [500]
    outcome = stocked.webhooks.test("chat")
    assert (outcome.ok, outcome.http_status, outcome.answer) == (False, 500, "noted")
    assert [row["status"] for row in stocked.webhooks.log()] == ["failed", "delivered"], "a test is not tried again"
    assert stocked.webhooks.send_due() == 0


def test_webhooks_are_admins_and_names_are_checked(stocked: Studio, receiver: Receiver) -> None:
    allow(stocked, receiver)
    kim = as_new(stocked, "Kim", "Creator")
    for forbidden in (
        lambda: kim.webhooks.add("chat", receiver.url),
        lambda: kim.webhooks.test("chat"),
        lambda: kim.webhooks.log(),
    ):
        with pytest.raises(ForbiddenError):
            forbidden()
    for name, key, reason in (("No", None, "no name"), ("chat", "short", "16 characters")):
        with pytest.raises(InvalidInputError, match=reason):
            stocked.webhooks.add(name, receiver.url, key)
    stocked.webhooks.add("chat", f"{receiver.url}/hooks/secret?key=1")
    assert kim.webhooks.list()[0]["url"] == "http://127.0.0.1/…", "the path may hold the receiver's own key"
    assert stocked.webhooks.list()[0]["url"] == f"{receiver.url}/hooks/secret?key=1"
    with pytest.raises(ConflictError):
        stocked.webhooks.add("chat", receiver.url)
    stocked.webhooks.remove("chat")
    assert (stocked.webhooks.list(), stocked.secrets.list()) == ([], [])
    with pytest.raises(NotFoundError):
        stocked.webhooks.remove("chat")
    with pytest.raises(InvalidInputError):
        stocked.webhooks.retry("x")
