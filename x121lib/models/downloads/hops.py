"""HTTP for downloads: every hop's address is checked and pinned, and a token goes only where it belongs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx

from x121lib.base.errors import InvalidInputError
from x121lib.comfyui.pinning import PinnedTransport
from x121lib.models.downloads.addresses import origin
from x121lib.models.downloads.errors import DownloadError, InterruptedTransferError

MOST_HOPS = 8
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Rules:
    """What requests may do."""

    private_hosts: tuple[str, ...] = ()
    """``HOST`` or ``HOST:PORT`` that may be asked although their addresses are private."""
    timeout_s: float = 30.0
    """Longest silence of a server."""


@dataclass(frozen=True)
class Token:
    """A secret and the one place that it belongs to."""

    value: str
    """What is sent as ``Authorization: Bearer``."""
    origin: tuple[str, str, int]
    """Scheme, host and port."""


@dataclass(frozen=True)
class Answer:
    """The last answer of a chain of redirects, its body not read yet."""

    response: httpx.Response
    """Open response."""
    headers: Mapping[str, str]
    """Headers of all answers of the site itself, lower-case; later ones win."""


@contextlib.contextmanager
def get(
    url: str, rules: Rules, token: Token | None = None, headers: Mapping[str, str] | None = None
) -> Iterator[Answer]:
    """Open an address, following redirects by hand: each hop is checked, the token stays with its origin.

    Raises:
        BadAddressError: a hop's address is private and not allowed.
        DownloadError: too many hops, a hop that leads nowhere, or one from https to http.
        InterruptedTransferError: nothing answers, or the connection breaks while the block reads.
    """
    seen: dict[str, str] = {}
    home = origin(url)
    sent = {"Accept-Encoding": "identity", "User-Agent": "x121", **(headers or {})}
    with httpx.Client(
        transport=PinnedTransport(rules.private_hosts, "X121_DOWNLOAD_PRIVATE_HOSTS"),
        timeout=rules.timeout_s,
        trust_env=False,
    ) as client:
        for _ in range(MOST_HOPS):
            place = origin(url)
            own = {"Authorization": f"Bearer {token.value}"} if token is not None and token.origin == place else {}
            with _mapped(place[1]), client.stream("GET", url, headers=sent | own) as response:
                if place == home:
                    seen.update({key.lower(): value for key, value in response.headers.items()})
                if response.status_code not in _REDIRECTS:
                    yield Answer(response, seen)
                    return
                url = _next(url, response)
    raise DownloadError("The address is redirected in circles.", hint="Give the file's own address.")


def _next(url: str, response: httpx.Response) -> str:
    to: str = urljoin(url, str(response.headers.get("location", "")))
    try:
        scheme = origin(to)[0]
    except InvalidInputError as error:
        raise DownloadError(f"{origin(url)[1]} redirects to no http address.") from error
    if to == url or (scheme == "http" and origin(url)[0] == "https"):
        raise DownloadError(f"{origin(url)[1]} redirects to an address without encryption, or to itself.")
    return to


@contextlib.contextmanager
def _mapped(host: str) -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as error:
        raise InterruptedTransferError(f"{host} has been silent for too long.") from error
    except httpx.HTTPError as error:
        raise InterruptedTransferError(f"The connection to {host} broke: {error or type(error).__name__}.") from error
    except httpx.InvalidURL as error:
        raise DownloadError(f"{host} names an address that is none.") from error
