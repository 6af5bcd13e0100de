"""HTTP to addresses that people give: resolved once, checked, and connected to at the very address that was checked."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Collection

import httpx

from x121lib.comfyui.addresses import public_addresses


def is_allowed(host: str, port: int, private_hosts: Collection[str]) -> bool:
    """Return whether a host was allowed although its address may be private: as ``HOST`` or ``HOST:PORT``."""
    return host in private_hosts or f"{host}:{port}" in private_hosts


def allow_hint(host: str, port: int, setting: str) -> str:
    """Return how somebody allows a host of their own."""
    return f"If this host is the studio's own, add '{host}:{port}' to {setting}."


class PinnedTransport(httpx.HTTPTransport):
    """Connects to the very address that was checked, so that a name can not change its mind in between.

    Raises `BadAddressError` for a host on a private address that was not allowed.
    """

    def __init__(self, private_hosts: Collection[str], setting: str) -> None:
        """Take the hosts that are allowed and the setting that names them, for the message."""
        super().__init__()
        self._private_hosts = private_hosts
        self._setting = setting

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the checked address, with the name still in `Host` and in TLS."""
        host = request.url.host.lower()
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        if not is_allowed(host, port, self._private_hosts):
            address = public_addresses(host, port, hint=allow_hint(host, port, self._setting))[0]
            if not _is_address(host):
                request.extensions = {**request.extensions, "sni_hostname": host}
            request.url = request.url.copy_with(host=address)
        return super().handle_request(request)


def _is_address(host: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return True
    return False
