"""HTTP to addresses that people give: resolved once, checked, and connected to at the very address that was checked."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Callable, Collection

import httpx

from x121lib.comfyui.addresses import LOOKUP_S, public_addresses, resolve
from x121lib.comfyui.errors import BadAddressError


def is_allowed(host: str, port: int, private_hosts: Collection[str]) -> bool:
    """Return whether a host was allowed although its address may be private: as ``HOST`` or ``HOST:PORT``."""
    return host in private_hosts or f"{host}:{port}" in private_hosts


def allow_hint(host: str, port: int, setting: str) -> str:
    """Return how somebody allows a host of their own."""
    return f"If this host is the studio's own, add '{host}:{port}' to {setting}."


class PinnedTransport(httpx.HTTPTransport):
    """Connects to the very addresses that were checked, so that a name can not change its mind in between.

    Looking the name up and connecting are bounded by what is left of the call. Raises `BadAddressError` for a host on a
    private address that was not allowed, and for a name that does not resolve in time.
    """

    def __init__(
        self, private_hosts: Collection[str], setting: str, left_s: Callable[[], float] = lambda: LOOKUP_S
    ) -> None:
        """Take the hosts that are allowed, the setting that names them for the message, and what time a call has."""
        super().__init__()
        self._private_hosts = private_hosts
        self._setting = setting
        self._left_s = left_s

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the checked address, with the name still in `Host` and in TLS.

        Where a name has several addresses, one that refuses the connection is followed by the next.
        """
        host = request.url.host.lower()
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        if is_allowed(host, port, self._private_hosts):
            try:
                addresses = resolve(host, port, self._left_s())
            except BadAddressError as error:  # of a host that is known to be right: the network's fault
                raise httpx.ConnectError(error.message, request=request) from error
        else:
            hint = allow_hint(host, port, self._setting)
            addresses = public_addresses(host, port, hint=hint, within_s=self._left_s())
        if not _is_address(host):
            request.extensions = {**request.extensions, "sni_hostname": host}
        for n, address in enumerate(addresses, start=1):
            request.url = request.url.copy_with(host=address)
            request.extensions = {**request.extensions, "timeout": self._timeout(request)}
            try:
                return super().handle_request(request)
            except httpx.ConnectError:
                if n == len(addresses):
                    raise
        raise httpx.ConnectError(f"The host {host} has no address.", request=request)

    def _timeout(self, request: httpx.Request) -> dict[str, float | None]:
        """Return the request's timeouts, connecting bounded by what is left of the call."""
        given: dict[str, float | None] = dict(request.extensions.get("timeout", {}))
        usual = given.get("connect")
        left_s = max(0.001, self._left_s())
        return given | {"connect": left_s if usual is None else min(usual, left_s)}


def _is_address(host: str) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return True
    return False
