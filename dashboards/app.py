"""The web door: one FastAPI application with sign-in, media, API routers and the Panel pages."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any
from urllib.parse import unquote

# Bokeh reads these when it is first imported: everything is served from here, nothing from a CDN.
os.environ.setdefault("BOKEH_RESOURCES", "server")
os.environ.setdefault("BOKEH_ALLOW_WS_ORIGIN", "")

import panel as pn
from fastapi import APIRouter, FastAPI
from panel.io.fastapi import add_applications

from .bokeh_repairs import apply_repairs, require_signed
from .components.page import StudioPage
from .contracts import StudioDoor
from .doors import build_router
from .pages.views import VIEWS
from .pages.window import Watcher, Window
from .security import Guard, caller
from .template import first_state, page_template

UNUSED_MS = 15_000


def create_app(
    door: StudioDoor, *, secret: str, secure_cookie: bool = False, routers: Sequence[APIRouter] = ()
) -> FastAPI:
    """Return the whole web door.

    Args:
        door: everything that pages read and do.
        secret: the studio's own secret; cookie and session keys are derived from it.
        secure_cookie: whether the door stands behind HTTPS.
        routers: further routes, such as the API under ``/api/``, which checks its keys itself.
    """
    apply_repairs()
    cookie_key, session_key = (_derive(secret, purpose) for purpose in ("cookie", "bokeh"))
    watcher = Watcher(door)

    app = FastAPI(title="X121", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan(watcher))
    app.include_router(build_router(door, cookie_key, secure=secure_cookie))
    for router in routers:
        app.include_router(router)
    pages: dict[str, Any] = {f"/{name}": _page_factory(door, watcher, f"/{name}") for name in VIEWS}
    panel = add_applications(
        pages,
        app=app,
        title="X121",
        location=False,
        secret_key=session_key,
        sign_sessions=True,
        include_headers=[],
        include_cookies=[],
        check_unused_sessions_milliseconds=UNUSED_MS,
        unused_session_lifetime_milliseconds=UNUSED_MS,
    )
    require_signed(panel)
    app.add_middleware(Guard, person_for=door.person_for, key=cookie_key)
    return app


def _lifespan(watcher: Watcher) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(watcher.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return lifespan


def _page_factory(door: StudioDoor, watcher: Watcher, path: str) -> Callable[[], StudioPage]:
    def page() -> StudioPage:
        who = caller.get()
        if who is None or who.person is None:
            raise PermissionError("A page was asked for without a signed-in person.")
        query = {key: values[0].decode() for key, values in pn.state.session_args.items() if values}
        project = unquote(who.cookies.get("x121_project", "")) or None
        window = Window(door, who.person, project, path)
        component = window.build(query)
        document = pn.state.curdoc
        if document is not None:
            document.template = page_template()
            document.template_variables["first"] = first_state(component.first())
        watcher.windows.add(window)
        component.window = window
        pn.state.on_session_destroyed(lambda _: _end(watcher, window))
        return component

    return page


def _end(watcher: Watcher, window: Window) -> None:
    watcher.windows.discard(window)
    window.close()


def _derive(secret: str, purpose: str) -> bytes:
    """Return a key of its own for one purpose (SHA-256 of secret and purpose, in hex)."""
    return hashlib.sha256(f"{purpose}:{secret}".encode()).hexdigest().encode()
