"""One HTTP call to a webhook: signed, bounded in time and size, never to a private address that was not allowed."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from x121lib.base.errors import InvalidInputError
from x121lib.comfyui.addresses import public_addresses
from x121lib.comfyui.errors import BadAddressError
from x121lib.comfyui.pinning import PinnedTransport, allow_hint, is_allowed

SETTING = "X121_WEBHOOK_PRIVATE_HOSTS"
TIMEOUT_S = 10.0
"""Longest time of one call, connecting and answering each."""
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


def call(given: Call, private_hosts: Collection[str], now: datetime) -> Outcome:
    """Send one message and return how that ended; redirects are not followed. Never raises for what a receiver does."""
    headers = {
        "Content-Type": "application/json", "User-Agent": "x121", "X-X121-Event": given.about,
        "X-X121-Call": given.call_id,
        "X-X121-Signature": sign(given.secret, int(now.timestamp()), given.body),
    }  # fmt: skip
    began = time.monotonic()
    try:
        with (
            httpx.Client(
                transport=PinnedTransport(private_hosts, SETTING), timeout=TIMEOUT_S, trust_env=False
            ) as client,
            client.stream("POST", given.url, content=given.body.encode(), headers=headers) as response,
        ):
            answer = _beginning(response, began + TIMEOUT_S)
            status = response.status_code
    except BadAddressError as error:
        return Outcome(False, time.monotonic() - began, error=str(error))
    except httpx.TimeoutException:
        return Outcome(False, time.monotonic() - began, error=f"Nothing was answered within {TIMEOUT_S:g} s.")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Outcome(False, time.monotonic() - began, error=f"The call broke: {error or type(error).__name__}.")
    ok = 200 <= status < 300
    words = "" if ok else f"The receiver answered with {status}."
    return Outcome(ok, time.monotonic() - began, status, answer, words, final=status == GONE)


def _beginning(response: httpx.Response, until: float) -> str:
    """Return the beginning of an answer; a receiver that drips or sends without end is cut off."""
    got = b""
    for part in response.iter_raw(ANSWER_BYTES):
        got += part
        if len(got) >= ANSWER_BYTES or time.monotonic() > until:
            break
    return got[:ANSWER_BYTES].decode("utf-8", "replace").replace("\x00", "")
