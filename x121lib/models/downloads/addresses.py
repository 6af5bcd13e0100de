"""What people may give as the address of a model: a URL, a Hugging Face or a CivitAI address. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from x121lib.base.errors import InvalidInputError

HUGGINGFACE, CIVITAI, DIRECT = "huggingface", "civitai", "direct"
_FORMS = "Give an https address, hf:OWNER/REPO/PATH@REVISION, or a CivitAI page such as https://civitai.com/models/ID."
_HOST_AS_SECRET = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Sites:
    """Where the two sites are; other addresses only for mirrors and tests."""

    huggingface: str
    """Base address of Hugging Face, without a trailing slash."""
    civitai: str
    """Base address of CivitAI, without a trailing slash."""


@dataclass(frozen=True)
class Address:
    """An address that was understood."""

    site: str
    """`HUGGINGFACE`, `CIVITAI` or `DIRECT`."""
    given: str
    """The address as the person gave it, without credentials."""
    url: str = ""
    """Where the file is, for `DIRECT`."""
    repo: str = ""
    """``owner/repo`` on Hugging Face."""
    path: str = ""
    """Path of the file in the repository."""
    revision: str = "main"
    """Branch, tag or commit."""
    model: int | None = None
    """CivitAI's number of the model; None where only the version is known."""
    version: int | None = None
    """CivitAI's number of the version; None: the newest."""
    wanted: tuple[tuple[str, str], ...] = ()
    """CivitAI's ``type``, ``format``, ``size`` and ``fp``, where the address names them."""


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of an address: a token belongs to exactly one of these.

    Raises:
        InvalidInputError: not http or https, no host, an impossible port, or credentials in the address.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidInputError(f"The address {url[:200]!r} is not a URL.", hint=_FORMS) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInputError(f"{url[:200]!r} is not an http or https address.", hint=_FORMS)
    if parts.username is not None or parts.password is not None:
        raise InvalidInputError(
            f"The address at {parts.hostname} holds credentials; they would be stored in clear.",
            hint=f"Leave them out and keep the token: 'x121 secret set {parts.hostname}'.",
        )
    return parts.scheme, parts.hostname.lower(), port or (443 if parts.scheme == "https" else 80)


def secret_name(address: Address) -> str | None:
    """Return the name of the secret whose value is sent to the address's own host; None where no name can be."""
    if address.site != DIRECT:
        return address.site
    host = origin(address.url)[1]
    return host if _HOST_AS_SECRET.fullmatch(host) else None


def parse(text: str, sites: Sites) -> Address:
    """Return what an address means.

    Raises:
        InvalidInputError: it is none; the message says which forms there are.
    """
    text = text.strip()
    if text.startswith("hf:"):
        return _short_huggingface(text)
    if text.startswith("civitai:"):
        return _short_civitai(text)
    place = origin(text)
    if place == origin(sites.huggingface) or (place[1], place[2]) in (("hf.co", 443), ("www.huggingface.co", 443)):
        return _huggingface_page(text)
    if place == origin(sites.civitai) or (place[1], place[2]) == ("www.civitai.com", 443):
        return _civitai_page(text)
    return Address(DIRECT, text, url=text.split("#")[0])


def huggingface_url(address: Address, sites: Sites, revision: str | None = None) -> str:
    """Return where a file of a repository is, at its own revision or the one given."""
    rev = quote(revision or address.revision, safe="")
    return f"{sites.huggingface}/{address.repo}/resolve/{rev}/{quote(address.path)}"


def _short_huggingface(text: str) -> Address:
    body, _, revision = text[3:].partition("@")
    return _in_repository(text, body.split("/"), revision or "main")


def _huggingface_page(text: str) -> Address:
    parts = [unquote(part) for part in urlsplit(text).path.strip("/").split("/")]
    if len(parts) < 5 or parts[2] not in ("resolve", "blob", "raw"):
        raise InvalidInputError(
            f"{text[:200]!r} names no file of a repository.",
            hint="Give …/OWNER/REPO/resolve/REVISION/PATH, …/blob/… or hf:OWNER/REPO/PATH@REVISION.",
        )
    return _in_repository(text, [*parts[:2], *parts[4:]], parts[3])


def _in_repository(given: str, parts: list[str], revision: str) -> Address:
    bad = any(part in ("", ".", "..") or "/" in part or not part.isprintable() for part in parts)
    if len(parts) < 3 or bad or not revision.isprintable() or ".." in revision:
        raise InvalidInputError(
            f"{given[:200]!r} is no file on Hugging Face.", hint="Give hf:OWNER/REPO/PATH@REVISION."
        )
    return Address(HUGGINGFACE, given, repo="/".join(parts[:2]), path="/".join(parts[2:]), revision=revision)


def _short_civitai(text: str) -> Address:
    model, _, version = text.removeprefix("civitai:").partition("@")
    if not _is_number(model) or (version and not _is_number(version)):
        raise InvalidInputError(
            f"{text[:200]!r} is no model on CivitAI.", hint="Give civitai:MODEL or …:MODEL@VERSION."
        )
    return Address(CIVITAI, text, model=int(model), version=int(version) if version else None)


def _civitai_page(text: str) -> Address:
    parts = urlsplit(text)
    steps = parts.path.strip("/").split("/")
    query = dict(parse_qsl(parts.query))
    if steps[:3] == ["api", "download", "models"] and len(steps) == 4 and _is_number(steps[3]):
        return Address(CIVITAI, _without_token(text), version=int(steps[3]), wanted=_wanted(query))
    if steps[:3] == ["api", "v1", "model-versions"] and len(steps) == 4 and _is_number(steps[3]):
        return Address(CIVITAI, _without_token(text), version=int(steps[3]))
    if steps[0] == "models" and len(steps) in (2, 3) and _is_number(steps[1]):
        version = query.get("modelVersionId", "")
        return Address(
            CIVITAI, _without_token(text), model=int(steps[1]), version=int(version) if _is_number(version) else None
        )
    raise InvalidInputError(
        f"{text[:200]!r} is no model on CivitAI.", hint="Give …/models/ID, or …/api/download/models/VERSION."
    )


def _wanted(query: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((key, query[key]) for key in ("type", "format", "size", "fp") if key in query)


def _without_token(text: str) -> str:
    """Return the address without a token in its query; tokens are kept as secrets."""
    parts = urlsplit(text)
    kept = "&".join(item for item in parts.query.split("&") if not item.lower().startswith("token="))
    return parts._replace(query=kept, fragment="").geturl()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16
