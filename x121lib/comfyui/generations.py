"""Which generation of ComfyUI a server is, from what it says of itself, and what that decides for the bridge.

What generations do in different ways is decided here. The versions are those of the first release with the change,
read in ComfyUI's own history: `/interrupt` obeys a prompt id since 0.3.57 (pull request 9607, September 2025),
`/api/jobs` exists since 0.6.0 (11054), a missing node class has an error type of its own since 0.12.0 (12194), and
`/api/jobs/{id}/cancel` exists since 0.26.0 (14493). Prompt ids must be canonical UUIDs since 0.25.0, and since about
then a fully cached prompt without a client id shows no outputs: every prompt of ours has both, whatever the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Version = tuple[int, int, int]

AIMED_INTERRUPT: Version = (0, 3, 57)
JOB_CANCEL: Version = (0, 26, 0)


class Cancelling(StrEnum):
    """How a running prompt is stopped without hitting anybody else's."""

    JOB = "job"
    """`POST /api/jobs/{id}/cancel`: the server looks and acts in one step."""
    AIMED = "aimed"
    """`POST /interrupt` with the prompt's id."""
    NONE = "none"
    """Not at all: the server would interrupt whatever runs by then, so the prompt goes on to its end."""


@dataclass(frozen=True)
class Generation:
    """A server's generation.

    Attributes:
        version: as the server writes it; ``unknown`` where it does not say.
        number: the version as a number; None where it is no number (a fork, a build from source).
        has_jobs: whether it answers `/api/jobs`.
        upload_bytes: the largest request that it takes; None where it does not say.
    """

    version: str
    number: Version | None
    has_jobs: bool = False
    upload_bytes: int | None = None

    @property
    def cancelling(self) -> Cancelling:
        """How to stop a running prompt; a server without a number is judged by what it answers."""
        if self.has_jobs:
            return Cancelling.JOB if self.number is None or self.number >= JOB_CANCEL else Cancelling.AIMED
        return Cancelling.AIMED if self.number is not None and self.number >= AIMED_INTERRUPT else Cancelling.NONE


def read_generation(version: str, features: Any, *, has_jobs: bool) -> Generation:
    """Return the generation that a server's own words mean.

    Args:
        version: ``comfyui_version`` of `/system_stats`.
        features: the answer of `/features`, None where there is none (before July 2025).
        has_jobs: whether `/api/jobs` was answered.
    """
    told = re.match(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?![\d.])", version)
    number = (int(told[1]), int(told[2]), int(told[3] or 0)) if told else None
    limit = features.get("max_upload_size") if isinstance(features, Mapping) else None
    return Generation(version, number, has_jobs, limit if type(limit) is int and limit > 0 else None)


def missing_class(error: Mapping[str, Any], classes: Mapping[str, str]) -> tuple[str, str] | None:
    """Return (node id, class) of the one missing class that a refusal names, in either generation's form.

    Args:
        error: the refusal's ``error``.
        classes: ``class_type`` by node id of the refused graph; the older form gives the class in its text alone.
    """
    kind, extra = error.get("type"), error.get("extra_info")
    if kind == "missing_node_type" and isinstance(extra, Mapping) and extra.get("class_type"):
        return str(extra.get("node_id") or ""), str(extra["class_type"])
    named = re.fullmatch(r"Node ID '#(.*)'", str(error.get("details") or ""))
    if kind in ("missing_node_type", "invalid_prompt") and named and named[1] in classes:
        return named[1], classes[named[1]]
    return None
