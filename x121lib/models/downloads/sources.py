"""What a site says of a file before it is fetched: name, length, hash, kind, base model. Asks, writes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from x121lib.base.errors import InvalidInputError
from x121lib.models.downloads import hops
from x121lib.models.downloads.addresses import CIVITAI, HUGGINGFACE, Address, Sites, huggingface_url
from x121lib.models.downloads.errors import DownloadError, InterruptedTransferError
from x121lib.models.downloads.placement import kind_of_path
from x121lib.terms.vocabulary import ModelKind

LARGEST_ANSWER_BYTES = 8 * 1024 * 1024
"""Longest description of a model that is read."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CIVITAI_KINDS = {
    "checkpoint": ModelKind.CHECKPOINT, "lora": ModelKind.LORA, "locon": ModelKind.LORA, "dora": ModelKind.LORA,
    "vae": ModelKind.VAE, "textualinversion": ModelKind.EMBEDDING, "controlnet": ModelKind.CONTROLNET,
    "upscaler": ModelKind.UPSCALE_MODEL,
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A file that can be fetched."""

    url: str
    """Where it is, before any redirect; a Hugging Face file is named by its commit."""
    name: str
    """Name of the file, as the site gives it: not yet safe."""
    sha256: str | None = None
    """Hash that the site promises."""
    n_bytes: int | None = None
    """Length that the site promises."""
    kind: ModelKind | None = None
    """What it is, where the site says."""
    base_model: str = ""
    """Family that it belongs to, where the site says."""
    trigger_words: tuple[str, ...] = ()
    """Words that it was trained on, where the site says."""


def find(address: Address, sites: Sites, rules: hops.Rules, token: hops.Token | None, secret: str | None) -> Source:
    """Ask the site for the file.

    Raises:
        DownloadError: there is no such file, or it needs a token; the hint names the secret.
        InterruptedTransferError: the site does not answer.
        BadAddressError: a private address.
    """
    if address.site == CIVITAI:
        return _civitai(address, sites, rules, token)
    url = huggingface_url(address, sites) if address.site == HUGGINGFACE else address.url
    with hops.get(url, rules, token) as answer:
        check_answer(answer, secret)
        headers, last = answer.headers, answer.response.headers
        if address.site == HUGGINGFACE:
            return _huggingface(address, sites, headers, last)
        name = _named(last.get("content-disposition", "")) or unquote(urlsplit(url).path.rsplit("/", 1)[-1])
        return Source(url, name, n_bytes=_length(last))


def check_answer(answer: hops.Answer, secret: str | None) -> None:
    """Raise what an answer's status means, unless it brings a file.

    Raises:
        DownloadError: refused, gone, or a page for people instead of a file.
        InterruptedTransferError: the server is busy or broken.
    """
    response = answer.response
    host, status = response.request.headers.get("host", response.url.host), response.status_code
    is_page = "text/html" in response.headers.get("content-type", "")
    if status in (401, 403) or (status == 200 and is_page):
        hint = "The address needs no token of ours, or another address is needed."
        if secret is not None:
            hint = f"Keep a token that may read it: 'x121 secret set {secret}'; and accept the model's terms there."
        said = "sent a page instead of the file" if status == 200 else f"does not give this file ({status})"
        raise DownloadError(f"{host} {said}.", hint=hint)
    if status in (404, 410):
        raise DownloadError(f"There is no such file at {host} ({status}).", hint="Check the address and the revision.")
    if status in (408, 425, 429) or status >= 500:
        raise InterruptedTransferError(f"{host} answered {status}.")
    if status not in (200, 206, 416):
        raise DownloadError(f"{host} answered {status}.", hint="Check the address.")
    if response.headers.get("content-encoding", "identity") not in ("", "identity"):
        raise DownloadError(f"{host} sends the file compressed although that was not asked for.")


def _huggingface(address: Address, sites: Sites, headers: Mapping[str, str], last: Mapping[str, str]) -> Source:
    commit = headers.get("x-repo-commit", "")
    pinned = commit if re.fullmatch(r"[0-9a-f]{40}", commit) else None
    etag = headers.get("x-linked-etag", "").removeprefix("W/").strip('"').lower()
    size = headers.get("x-linked-size", "")
    return Source(
        huggingface_url(address, sites, pinned), address.path.rsplit("/", 1)[-1],
        sha256=etag if _SHA256.fullmatch(etag) else None,
        n_bytes=int(size) if size.isascii() and size.isdigit() else _length(last),
        kind=kind_of_path(f"{address.repo}/{address.path}"),
    )  # fmt: skip


def _civitai(address: Address, sites: Sites, rules: hops.Rules, token: hops.Token | None) -> Source:
    version = address.version
    if version is None:
        model = _json(f"{sites.civitai}/api/v1/models/{address.model}", rules, token)
        versions = model.get("modelVersions") or [{}]
        version = versions[0].get("id") if isinstance(versions[0], dict) else None
        if not isinstance(version, int):
            raise DownloadError(f"CivitAI knows no version of model {address.model}.")
    about = _json(f"{sites.civitai}/api/v1/model-versions/{version}", rules, token)
    model_id = about.get("modelId")
    if address.model is not None and address.model != model_id:
        raise InvalidInputError(f"Version {version} belongs to model {model_id}, not {address.model}.")
    file = _file(about, dict(address.wanted), version)
    sha256 = str(file.get("hashes", {}).get("SHA256") or "").lower()
    query = f"?{urlencode(address.wanted)}" if address.wanted else ""
    model_kind = str((about.get("model") or {}).get("type", "")).lower()
    words = about.get("trainedWords") or []
    return Source(
        f"{sites.civitai}/api/download/models/{version}{query}", str(file.get("name", "")),
        sha256=sha256 if _SHA256.fullmatch(sha256) else None, kind=_CIVITAI_KINDS.get(model_kind),
        base_model=str(about.get("baseModel") or "")[:200],
        trigger_words=tuple(str(word)[:200] for word in words if isinstance(word, str))[:50],
    )  # fmt: skip


def _file(about: Mapping[str, Any], wanted: Mapping[str, str], version: int) -> dict[str, Any]:
    files = [f for f in about.get("files") or [] if isinstance(f, dict)]
    fitting = [f for f in files if _fits(f, wanted)]
    chosen = next((f for f in fitting if f.get("primary")), fitting[0] if fitting else None)
    if chosen is None:
        names = ", ".join(str(f.get("name")) for f in files) or "none"
        raise DownloadError(f"No file of version {version} is what the address asks for.", hint=f"There are: {names}.")
    return chosen


def _fits(file: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    known = {"type": file.get("type"), **(file.get("metadata") or {})}
    return all(str(known.get(key, "")).lower() == value.lower() for key, value in wanted.items())


def _json(url: str, rules: hops.Rules, token: hops.Token | None) -> dict[str, Any]:
    with hops.get(url, rules, token, {"Accept": "application/json"}) as answer:
        check_answer(answer, CIVITAI)
        raw = b""
        for block in answer.response.iter_raw():
            raw += block
            if len(raw) > LARGEST_ANSWER_BYTES:
                raise DownloadError("CivitAI's description of the model is too long.")
    try:
        found = json.loads(raw)
    except ValueError as error:
        raise DownloadError("CivitAI's description of the model is not JSON.") from error
    if not isinstance(found, dict):
        raise DownloadError("CivitAI's description of the model is none.")
    return found


def _named(disposition: str) -> str:
    extended = re.search(r"filename\*=(?:UTF-8|utf-8)''([^;]+)", disposition)
    plain = re.search(r'filename="?([^";]+)"?', disposition)
    return unquote(extended.group(1)) if extended else plain.group(1) if plain else ""


def _length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() else None
