"""Which addresses X121 will talk to as workers."""

from __future__ import annotations

import ipaddress
import socket
import threading
from concurrent.futures import Future
from urllib.parse import urlsplit

from x121lib.comfyui.errors import BadAddressError

LOOKUP_S = 10.0
"""Longest time of one name lookup, where nobody gives less."""
_Lookup = tuple[str, int]
_running: dict[_Lookup, Future[list[str]]] = {}
_lock = threading.Lock()


def check_worker_url(url: str, allow_private: bool) -> str:
    """Return a worker's address without a trailing slash, or refuse it.

    With ``allow_private`` false, every address that the host's name resolves to must be a public one,
    so that a worker's address cannot be used to reach services inside the studio's network.

    Raises:
        BadAddressError: not http or https, no host, credentials, a query or fragment in the URL, a name
            that does not resolve, or a private, loopback, link-local or reserved address.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https"):
        raise BadAddressError(f"{url!r} is not an http or https address.", hint="Write http://HOST:8188.")
    if parts.username is not None or parts.password is not None:
        raise BadAddressError(
            f"The worker address for {parts.hostname} holds credentials.",
            hint="Leave them out; give a proxy's token as a header instead.",
        )
    host, port = _host_and_port(url)
    if parts.query or parts.fragment:
        raise BadAddressError(f"{url!r} has a query or fragment.", hint="Write only http://HOST:PORT.")
    if not allow_private:
        hint = "Allow private worker addresses in the settings if this worker is your own."
        public_addresses(host, port or (443 if parts.scheme == "https" else 80), hint=hint)
    return url.strip().rstrip("/")


def _host_and_port(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url.strip())
    try:
        port = parts.port
    except ValueError as error:
        raise BadAddressError(f"{url!r} has an invalid port.", hint="Ports are 1 to 65535.") from error
    if not parts.hostname:
        raise BadAddressError(f"{url!r} names no host.", hint="Write http://HOST:8188.")
    return parts.hostname, port


def public_addresses(host: str, port: int, *, hint: str, within_s: float = LOOKUP_S) -> list[str]:
    """Return the addresses of a host, all of them public; resolve once and connect to one of these.

    Raises:
        BadAddressError: the name does not resolve within ``within_s`` seconds, or an address is private, loopback,
            link-local or reserved.
    """
    addresses = [text.split("%")[0] for text in resolve(host, port, within_s)]
    for text in addresses:
        ip = ipaddress.ip_address(text)
        mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
        if not (mapped or ip).is_global or (mapped or ip).is_multicast:
            raise BadAddressError(f"The host {host} is at {ip}, which is not a public address.", hint=hint)
    return addresses


def resolve(host: str, port: int, within_s: float = LOOKUP_S) -> list[str]:
    """Return the addresses of a host, in the order in which they are to be tried.

    The system's lookup can not be interrupted: it is left to end in a thread of its own when the time is over, and
    whoever asks for the same name meanwhile waits for that one, so that a name server that hangs costs one thread a
    name.

    Raises:
        BadAddressError: the name does not resolve, or not within ``within_s`` seconds.
    """
    try:
        return list(dict.fromkeys(_lookup(host, port).result(timeout=max(0.0, within_s))))
    except TimeoutError as error:
        raise BadAddressError(
            f"The host {host} was not resolved in time.", hint="Check the name, and the name server."
        ) from error
    except (OSError, UnicodeError) as error:
        raise BadAddressError(f"The host {host} cannot be resolved.", hint="Check the name.") from error


def _lookup(host: str, port: int) -> Future[list[str]]:
    """Return the lookup of a name that runs, else begin one."""
    key = host, port
    with _lock:
        found = _running.get(key)
        if found is None:
            found = _running[key] = Future()
            threading.Thread(target=_look_up, args=(key, found), name=f"lookup-{host[:60]}", daemon=True).start()
        return found


def _look_up(key: _Lookup, into: Future[list[str]]) -> None:
    try:
        found = socket.getaddrinfo(*key, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        outcome: list[str] | Exception = error
    else:
        outcome = [str(address[0]) for *_ignored, address in found]
    with _lock:
        del _running[key]
    if isinstance(outcome, Exception):
        into.set_exception(outcome)
    else:
        into.set_result(outcome)
