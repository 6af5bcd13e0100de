"""The workflows that people saved on a ComfyUI server: listed and read through its `/userdata`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import httpx

from x121lib.comfyui.errors import HTTPX_BASES, GraphError, ServerResponseError, from_httpx
from x121lib.comfyui.graph import LARGEST_FILE_BYTES
from x121lib.comfyui.tls import tls_context
from x121lib.comfyui.wire import parse_json

MOST_FILES = 10_000
"""Files of one server that are looked at."""
_LARGEST_LIST_BYTES = 16 * 1024 * 1024
_LONGEST_PATH = 400


@dataclass(frozen=True)
class SavedWorkflow:
    """A workflow file on a server."""

    path: str
    """Below the server's folder of workflows, with ``/``."""
    n_bytes: int
    """Size, 0 where the server does not say."""


async def list_saved(url: str, *, timeout_s: float = 20.0) -> list[SavedWorkflow]:
    """Return the workflow files of a server's default user, by path; empty where nobody saved one.

    Names that are no plain path to a ``.json`` file are left out.

    Raises:
        ServerUnreachableError: no answer.
        ServerResponseError: the server does not have `/userdata`, or answers with something else than a list.
    """
    query = "/userdata?dir=workflows&recurse=true&split=false&full_info=true"
    status, body = await _get(url, query, _LARGEST_LIST_BYTES, timeout_s)
    if status == 404:
        return []
    listed = parse_json(body) if status == 200 else None
    if not isinstance(listed, list):
        raise ServerResponseError(
            f"The ComfyUI server at {url} does not list its workflows (status {status}).", status=status,
            hint="Save the workflow as a file and import that.",
        )  # fmt: skip
    found = [_saved(item) for item in listed[:MOST_FILES]]
    return sorted((item for item in found if item is not None), key=lambda item: item.path)


async def read_saved(url: str, path: str, *, timeout_s: float = 60.0) -> bytes:
    """Return a workflow file of a server.

    Raises:
        GraphError: no such file, a path that leads out of the folder, or a file that is too large.
        ServerUnreachableError: no answer.
    """
    if not is_plain(path):
        raise GraphError(f"{path!r} is no path to a .json file among a server's workflows.")
    place = "/userdata/" + quote(f"workflows/{path}", safe="")
    status, body = await _get(url, place, LARGEST_FILE_BYTES, timeout_s)
    if status == 404:
        raise GraphError(f"The ComfyUI server at {url} has no workflow '{path}'.", hint="--list shows those it has.")
    if status != 200:
        raise ServerResponseError(f"The ComfyUI server at {url} answered {path} with status {status}.", status=status)
    return body


def is_plain(path: str) -> bool:
    """Tell whether a path stays below its folder and names a ``.json`` file."""
    parts = PurePosixPath(path).parts
    return (
        0 < len(path) <= _LONGEST_PATH and path.isprintable() and "\\" not in path and path.endswith(".json")
        and not path.startswith("/") and ".." not in parts and not any(part.startswith(".") for part in parts)
    )  # fmt: skip


def _saved(item: Any) -> SavedWorkflow | None:
    path = item.get("path") if isinstance(item, Mapping) else item
    size = item.get("size") if isinstance(item, Mapping) else 0
    if not isinstance(path, str) or not is_plain(path):
        return None
    return SavedWorkflow(path, size if isinstance(size, int) and not isinstance(size, bool) else 0)


async def _get(url: str, place: str, most_bytes: int, timeout_s: float) -> tuple[int, bytes]:
    limits = httpx.Timeout(timeout_s, connect=min(timeout_s, 5.0))
    body = bytearray()
    try:
        async with (
            httpx.AsyncClient(base_url=url, timeout=limits, trust_env=False, verify=tls_context(url)) as http,
            http.stream("GET", place) as response,
        ):
            async for part in response.aiter_bytes():
                body += part
                if len(body) > most_bytes:
                    raise GraphError(f"{place} of the server at {url} has more than {most_bytes // 1024**2} MB.")
            return response.status_code, bytes(body)
    except HTTPX_BASES as error:
        raise from_httpx(error, url) from error
