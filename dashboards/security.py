"""Who is asking, and whether a page of ours asks: cookie, origin and headers for HTTP and WebSocket alike."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import quote

from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .contracts import SessionPerson

COOKIE = "x121_session"
PUBLIC = ("/sign-in", "/theme/", "/static/", "/scripts/", "/components/", "/healthz")
OWN_AUTH = ("/api/",)  # checks keys itself; the cookie works there too, with the same origin check
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True)
class Caller:
    """One request's facts.

    Attributes:
        person: who is signed in, if anybody.
        nonce: this response's word of honour for its own inline scripts.
        cookies: every cookie of the request.
    """

    person: SessionPerson | None
    nonce: str
    cookies: dict[str, str]


caller: ContextVar[Caller | None] = ContextVar("x121_caller", default=None)


def sign(token: str, key: bytes) -> str:
    """Return the cookie's value: the session token and its HMAC-SHA256."""
    return f"{token}.{hmac.new(key, token.encode(), hashlib.sha256).hexdigest()}"


def unsign(value: str, key: bytes) -> str | None:
    """Return the session token of a cookie, or ``None`` when anything in it was altered."""
    token, _, _ = value.rpartition(".")
    return token if token and hmac.compare_digest(sign(token, key), value) else None


def content_policy(nonce: str) -> str:
    """Return the Content-Security-Policy.

    ``unsafe-eval`` and ``blob:`` are for BokehJS, which compiles templates and loads component scripts from blobs;
    inline styles are used throughout Bokeh and our own markup. Everything else comes from this door only.
    """
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' blob:",
            "connect-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class Guard:
    """ASGI middleware that every request and every WebSocket passes."""

    def __init__(self, app: ASGIApp, *, person_for: Callable[[str], SessionPerson | None], key: bytes) -> None:
        """Take the lookup of session tokens and the key that cookies are signed with."""
        self.app = app
        self.person_for = person_for
        self.key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, send it to sign-in, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        who = self._caller(scope)
        scope.setdefault("state", {})["person"] = who.person
        token = caller.set(who)
        try:
            refused = self._refusal(scope, who)
            if refused is None:
                await self.app(scope, receive, _with_headers(send, who.nonce))
            elif scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 4403})
            else:
                await refused(scope, receive, _with_headers(send, who.nonce))
        finally:
            caller.reset(token)

    def _caller(self, scope: Scope) -> Caller:
        cookies = {name: morsel.value for name, morsel in SimpleCookie(_header(scope, b"cookie")).items()}
        token = unsign(cookies.get(COOKIE, ""), self.key)
        person = self.person_for(token) if token else None
        return Caller(person=person, nonce=secrets.token_urlsafe(16), cookies=cookies)

    def _refusal(self, scope: Scope, who: Caller) -> Response | None:
        path = scope["path"]
        if not _from_here(scope, bearer_only=path.startswith(OWN_AUTH) and COOKIE not in who.cookies):
            return JSONResponse({"code": "web.foreign_origin", "message": "This came from another site."}, 403)
        if who.person is not None or path.startswith((*PUBLIC, *OWN_AUTH)):
            return None
        if scope["type"] == "http" and scope["method"] in SAFE_METHODS and _wants_page(scope):
            target = path + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
            return RedirectResponse(f"/sign-in?next={quote(target)}", status_code=303)
        return JSONResponse({"code": "web.signed_out", "message": "Sign in first."}, 401)


def _from_here(scope: Scope, *, bearer_only: bool) -> bool:
    """Return whether a request that may change something comes from a page of this door.

    Browsers send ``Origin`` with every WebSocket and every POST; what carries no cookie needs no such proof.
    """
    origin = _header(scope, b"origin")
    if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
        return True
    if not origin:
        return scope["type"] == "http" and bearer_only
    return origin.partition("://")[2] == _header(scope, b"host")


def _wants_page(scope: Scope) -> bool:
    return "text/html" in _header(scope, b"accept")


def _header(scope: Scope, name: bytes) -> str:
    pairs: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return next((value.decode("latin-1") for key, value in pairs if key == name), "")


def _with_headers(send: Send, nonce: str) -> Send:
    fixed = {
        b"content-security-policy": content_policy(nonce).encode(),
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"same-origin",
        b"cross-origin-opener-policy": b"same-origin",
        b"cross-origin-resource-policy": b"same-origin",
        b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
    }

    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            present = {name.lower() for name, _ in headers}
            headers += [(name, value) for name, value in fixed.items() if name not in present]
            if any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers):
                headers.append((b"cache-control", b"no-store"))
            message["headers"] = headers
        await send(message)

    return sender
