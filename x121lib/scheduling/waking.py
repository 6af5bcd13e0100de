"""How a sleeping host is woken: a Wake-on-LAN packet, a configured command, or an HTTP request."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Mapping, Sequence

import httpx

from x121lib.base.errors import InvalidInputError, X121Error
from x121lib.comfyui.addresses import check_worker_url
from x121lib.terms.vocabulary import WakeKind

_MAC = re.compile(r"((?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2})(?:@([^:@/\s]+)(?::(\d{1,5}))?)?")
COMMAND_S = 60.0
"""Seconds that a wake command may take."""


class WakeError(X121Error):
    """A wake-up could not be sent."""

    code = "scheduling.wake_failed"


def check_target(kind: WakeKind, target: str, commands: Mapping[str, Sequence[str]], allow_private: bool) -> None:
    """Refuse a target that does not fit its kind.

    Raises:
        InvalidInputError, BadAddressError: no MAC address, no command of that name in the settings, or an address
            that is not allowed.
    """
    if kind == WakeKind.HTTP:
        check_worker_url(target.partition("?")[0], allow_private)  # switches of power take their orders in a query
    elif kind == WakeKind.COMMAND and target not in commands:
        known = ", ".join(sorted(commands)) or "none"
        raise InvalidInputError(
            f"The settings have no wake command '{target}'; they have: {known}.", hint="Set X121_WAKE_COMMANDS."
        )
    elif kind == WakeKind.LAN and (not (found := _MAC.fullmatch(target)) or int(found[3] or 9) > 65535):
        raise InvalidInputError(f"'{target}' is no MAC address.", hint="Write AA:BB:CC:DD:EE:FF, or MAC@BROADCAST:9.")


def send(kind: WakeKind, target: str, commands: Mapping[str, Sequence[str]], allow_private: bool) -> None:
    """Send one wake-up; raises `WakeError` where it could not be sent."""
    check_target(kind, target, commands, allow_private)
    try:
        if kind == WakeKind.LAN:
            _magic_packet(target)
        elif kind == WakeKind.COMMAND:
            subprocess.run(
                list(commands[target]), check=True, timeout=COMMAND_S, stdin=subprocess.DEVNULL, capture_output=True
            )
        else:
            httpx.post(target, timeout=10.0, trust_env=False).raise_for_status()
    except (OSError, subprocess.SubprocessError, httpx.HTTPError) as error:
        raise WakeError(f"The wake-up could not be sent: {error}") from error


def _magic_packet(target: str) -> None:
    found = _MAC.fullmatch(target)
    if found is None:
        raise WakeError(f"'{target}' is no MAC address.")
    packet = b"\xff" * 6 + bytes.fromhex(re.sub("[:-]", "", found[1])) * 16
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.sendto(packet, (found[2] or "255.255.255.255", int(found[3] or 9)))
