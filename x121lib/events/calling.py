"""One HTTP call to a webhook: signed, bounded in time and size, never to a private address that was not allowed."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import socket
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from x121lib.base.errors import InvalidInputError
from x121lib.comfyui.addresses import public_addresses
from x121lib.comfyui.errors import BadAddressError
from x121lib.comfyui.pinning import PinnedTransport, allow_hint, is_allowed

SETTING = "X121_WEBHOOK_PRIVATE_HOSTS"
TIMEOUT_S = 10.0
"""Longest time of one whole call, from looking its name up to the end of what is read of the answer."""
ANSWER_BYTES = 2048
"""How much of an answer is read and kept."""
GONE = 410
"""The receiver says that it wants nothing any more (RFC 9110, section 15.5.11)."""


@dataclass(frozen=True)
class Call:
    """What is sent where."""

    url: str
    """Address of the receiver."""
    secret: str
    """The key of the signature."""
    call_id: str
    """Key of the message; the same at each attempt, so that a receiver can tell a repetition."""
    about: str
    """Kind of the event, or ``test``."""
    body: str
    """JSON."""


@dataclass(frozen=True)
class Outcome:
    """How one attempt ended."""

    ok: bool
    """Whether the receiver answered with a 2xx."""
    took_s: float
    """Seconds until it did, or until it was given up."""
    http_status: int | None = None
    """Status of the answer; None where there was none."""
    answer: str = ""
    """Beginning of the answer's body."""
    error: str = ""
    """Why it did not get through, in words."""
    final: bool = False
    """Whether trying again would be in vain."""


def sign(secret: str, timestamp: int, body: str) -> str:
    """Return the value of ``X-X121-Signature``: ``t=UNIX_SECONDS,v1=HEX``.

    HEX is the HMAC-SHA256 (RFC 2104) of ``UNIX_SECONDS.BODY`` with the secret. Who checks it also refuses old
    timestamps, so that a recorded call can not be played back.
    """
    digest = hmac.new(secret.encode(), f"{timestamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def check_url(url: str, private_hosts: Collection[str]) -> str:
    """Return a receiver's address, or refuse it.

    Raises:
        InvalidInputError: not https (http only to hosts that the studio allowed), credentials, a fragment, or no host.
        BadAddressError: a host on a private address that was not allowed, or one that does not resolve.
    """
    text = url.strip()
    try:
        parts = urlsplit(text)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise InvalidInputError(f"The address {text[:200]!r} is not a URL.", hint="https://HOST/PATH.") from error
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not host or not text.isprintable():
        raise InvalidInputError(f"{text[:200]!r} is not an https address.", hint="Give https://HOST/PATH.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidInputError(
            f"The address at {host} holds credentials or a fragment.", hint="Leave them out; calls are signed instead."
        )
    if is_allowed(host, port, private_hosts):
        return text
    if parts.scheme != "https":
        raise InvalidInputError(
            f"The webhook at {host} would be called without encryption.",
            hint=f"Use https. {allow_hint(host, port, SETTING)}",
        )
    public_addresses(host, port, hint=allow_hint(host, port, SETTING))
    return text


def call(given: Call, private_hosts: Collection[str], now: datetime, timeout_s: float = TIMEOUT_S) -> Outcome:
    """Send one message and return how that ended; redirects are not followed. Never raises for what a receiver does.

    It is over after ``timeout_s`` seconds, also where the receiver says something every moment. A status that came in
    time counts, however slowly the rest of the answer drips.
    """
    headers = {
        "Content-Type": "application/json", "User-Agent": "x121", "X-X121-Event": given.about,
        "X-X121-Call": given.call_id,
        "X-X121-Signature": sign(given.secret, int(now.timestamp()), given.body),
    }  # fmt: skip
    began = time.monotonic()
    try:
        with (
            _Deadline(timeout_s) as deadline,
            httpx.Client(
                transport=PinnedTransport(private_hosts, SETTING, deadline.left_s), timeout=timeout_s, trust_env=False
            ) as client,
            client.stream(
                "POST", given.url, content=given.body.encode(), headers=headers, extensions={"trace": deadline.watch}
            ) as response,
        ):
            status = response.status_code
            answer = _beginning(response, deadline)
    except BadAddressError as error:
        return Outcome(False, time.monotonic() - began, error=str(error))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        late = isinstance(error, httpx.TimeoutException) or deadline.is_over
        words = f"Nothing was answered within {timeout_s:g} s." if late else _broke(error)
        return Outcome(False, time.monotonic() - began, error=words)
    ok = 200 <= status < 300
    words = "" if ok else f"The receiver answered with {status}."
    return Outcome(ok, time.monotonic() - began, status, answer, words, final=status == GONE)


def _broke(error: Exception) -> str:
    return f"The call broke: {error or type(error).__name__}."


class _Deadline:
    """Ends a call when its time is over: timeouts of httpx bound each read alone, and a receiver may drip."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._until = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def left_s(self) -> float:
        """Return the seconds that the call still has."""
        return max(0.0, self._until - time.monotonic())

    def watch(self, event: str, facts: Mapping[str, Any]) -> None:
        """Learn the call's socket, and go no step further when the time is over (httpx's extension `trace`)."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = facts["return_value"].get_extra_info("socket")
        if self.is_over and event.endswith(".started") and "closed" not in event:
            raise httpx.ReadTimeout("The time of the call is over.")

    def _end(self) -> None:
        self.is_over = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it was closed meanwhile
                self._socket.shutdown(socket.SHUT_RDWR)


def _beginning(response: httpx.Response, deadline: _Deadline) -> str:
    """Return the beginning of an answer; a receiver that drips or sends without end is cut off."""
    got = b""
    try:
        for part in response.iter_raw():
            got += part
            if len(got) >= ANSWER_BYTES:
                break
    except httpx.HTTPError as error:
        if not deadline.is_over and not isinstance(error, httpx.TimeoutException):
            raise
    return got[:ANSWER_BYTES].decode("utf-8", "replace").replace("\x00", "")
