"""What a server can do, read from itself; and whether an address is a ComfyUI server at all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from x121lib.comfyui.errors import (
    HTTPX_BASES,
    BadAddressError,
    ServerResponseError,
    UntrustedCertificateError,
    from_httpx,
)
from x121lib.comfyui.model_files import SUFFIXES
from x121lib.comfyui.tls import tls_context
from x121lib.comfyui.wire import SystemStats, parse_json, parse_system_stats

_FOR_PEOPLE = frozenset({"tooltip", "placeholder", "display_name"})
_LARGEST_BYTES = 64 * 1024 * 1024
"""Longest answer that is read; `/object_info` of a server with hundreds of packs is some megabytes."""


@dataclass(frozen=True)
class Capabilities:
    """What a server says of itself."""

    stats: SystemStats
    """Version and devices."""
    specs: Mapping[str, Mapping[str, Any]]
    """Its node classes, with the part of their description that a check of a graph needs."""
    models: frozenset[tuple[str, str]]
    """(folder, file) of each model file that it lists; the folder is empty where only a node's input names the file."""

    @property
    def node_classes(self) -> frozenset[str]:
        """Names of its node classes."""
        return frozenset(self.specs)


async def read_capabilities(url: str, *, timeout_s: float = 10.0) -> Capabilities:
    """Ask a server for its version, devices, node classes and model files.

    Raises:
        BadAddressError: something answers there that is not ComfyUI, or its TLS certificate is not trusted.
        ServerUnreachableError: nothing answers.
    """
    limits = httpx.Timeout(timeout_s, connect=min(timeout_s, 5.0))
    async with httpx.AsyncClient(base_url=url, timeout=limits, trust_env=False, verify=tls_context(url)) as http:
        stats = await _get(http, url, "/system_stats")
        if not isinstance(stats, Mapping) or not isinstance(stats.get("system"), Mapping) or "devices" not in stats:
            raise _not_comfyui(url, "/system_stats is not ComfyUI's")
        classes = await _get(http, url, "/object_info")
        if not isinstance(classes, Mapping) or not classes:
            raise _not_comfyui(url, "/object_info names no node class")
        models = await _models(http, url)
    specs = {str(name): trimmed(spec) for name, spec in classes.items()}
    known = {file for _, file in models}
    listed = {("", file) for spec in specs.values() for file in files_in(spec) if file not in known}
    return Capabilities(parse_system_stats(stats), specs, models | listed)


def trimmed(spec: Any) -> dict[str, Any]:
    """Return what a check of a graph needs of a class's description: inputs, outputs, module; no texts for people."""
    if not isinstance(spec, Mapping):
        return {}
    inputs = spec.get("input")
    groups = {
        group: {name: _declared(value) for name, value in inputs[group].items()}
        for group in ("required", "optional")
        if isinstance(inputs, Mapping) and isinstance(inputs.get(group), Mapping)
    }
    kept = {key: spec[key] for key in ("output", "output_node", "python_module") if key in spec}
    return dict(_storable({"input": groups, **kept}))


def _storable(value: Any) -> Any:
    """Return a value without what a database's JSON does not take: numbers that are none, and NUL in texts."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, Mapping):
        return {str(_storable(key)): _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value


def _declared(value: Any) -> Any:
    if isinstance(value, list) and len(value) > 1 and isinstance(value[1], Mapping):
        return [value[0], {key: option for key, option in value[1].items() if key not in _FOR_PEOPLE}, *value[2:]]
    return value


def files_in(spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield the model files that the lists of a class's inputs offer."""
    for group in spec["input"].values() if spec else ():
        for declared in group.values():
            if not isinstance(declared, list) or not declared:
                continue
            settings = declared[1] if len(declared) > 1 and isinstance(declared[1], Mapping) else {}
            options = declared[0] if isinstance(declared[0], list) else settings.get("options")
            for option in options if isinstance(options, list) else ():
                if isinstance(option, str) and option.lower().endswith(tuple(SUFFIXES)):
                    yield option


async def _models(http: httpx.AsyncClient, url: str) -> frozenset[tuple[str, str]]:
    try:
        folders = await _get(http, url, "/models")
    except BadAddressError:
        return frozenset()
    found: set[tuple[str, str]] = set()
    for folder in _texts(folders):
        if len(found) > 100_000 or not folder.isprintable() or "/" in folder:
            continue
        try:
            found.update((folder, name) for name in _texts(await _get(http, url, f"/models/{folder}")))
        except BadAddressError:
            continue
    return frozenset(found)


def _texts(answer: Any) -> Iterator[str]:
    if isinstance(answer, list):
        yield from (item for item in answer[:100_000] if isinstance(item, str))


async def _get(http: httpx.AsyncClient, url: str, path: str) -> Any:
    body = bytearray()
    try:
        async with http.stream("GET", path) as response:
            if response.status_code != 200:
                raise _not_comfyui(url, f"{path} answers with status {response.status_code}")
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _LARGEST_BYTES:
                    raise _not_comfyui(url, f"{path} is longer than {_LARGEST_BYTES // 1024**2} MB")
        return parse_json(bytes(body))
    except ServerResponseError as error:
        raise _not_comfyui(url, f"{path} is not JSON") from error
    except HTTPX_BASES as error:
        found = from_httpx(error, url)
        if isinstance(found, UntrustedCertificateError):
            raise BadAddressError(found.message, hint=found.hint) from error
        raise found from error


def _not_comfyui(url: str, why: str) -> BadAddressError:
    return BadAddressError(f"What answers at {url} is not a ComfyUI server: {why}.", hint="Write http://HOST:8188.")
