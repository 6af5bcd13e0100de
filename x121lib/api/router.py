"""Every route of the API, gathered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.openapi.utils import get_openapi

from x121lib.api import (
    budgets,
    checks,
    debugger,
    downloads,
    estimates,
    events,
    files,
    fleet,
    models,
    notifications,
    projects,
    quality,
    retakes,
    scenes,
    schedules,
    sign_in,
    tiers,
    trials,
    triggers,
    work,
    workflows,
)
from x121lib.api.caller import Acting
from x121lib.api.route import ApiRoute
from x121lib.base.errors import NotFoundError
from x121lib.studio import Studio
from x121lib.studio.feed import Feed

PREFIX = "/api"
OPEN = frozenset({("GET", f"{PREFIX}/health"), ("POST", f"{PREFIX}/sign-in")})
"""The only routes that answer somebody unknown."""
PARTS = tuple(
    part.router
    for part in (
        sign_in,
        projects,
        retakes,
        quality,
        tiers,
        work,
        budgets,
        schedules,
        fleet,
        debugger,
        estimates,
        scenes,
        files,
        models,
        downloads,
        checks,
        trials,
        workflows,
        notifications,
        triggers,
        events,
    )
)
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def make_router(studio_for: Callable[[Request], Studio]) -> APIRouter:
    """Return the API under ``/api``; ``app.include_router(make_router(lambda request: studio))``.

    Args:
        studio_for: the open studio of a request. Whose eyes it is seen by does not matter: each request acts as
            whoever its key or token belongs to. Where a middleware has put the signed-in person into
            ``request.state.person`` (with a ``session`` token), that session counts too; that middleware answers
            for the cookie and for where the request comes from.
    """
    feeds = _Feeds()

    def provide(request: Request) -> None:
        studio = studio_for(request)
        request.state.x121_studio = studio
        request.state.x121_feed = feeds.of(studio)

    router = APIRouter(prefix=PREFIX, route_class=ApiRoute, dependencies=[Depends(provide)])
    for part in PARTS:
        router.include_router(part)
    _add_description(router)
    _add_rest(router)
    return router


class _Feeds:
    """One feed for all streams of a studio."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._feed: Feed | None = None

    def of(self, studio: Studio) -> Feed:
        with self._lock:
            self._feed = self._feed or Feed(studio)
            return self._feed


def _add_description(router: APIRouter) -> None:
    @router.get("/openapi.json", include_in_schema=False)
    def describe(_: Acting) -> dict[str, Any]:
        """Return the OpenAPI description; there is no page around it, which would have to come from elsewhere."""
        described = get_openapi(title="X121", version="1", routes=router.routes)
        described["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        described["security"] = [{"bearer": []}]
        return described


def _add_rest(router: APIRouter) -> None:
    @router.api_route("/{rest:path}", methods=_METHODS, include_in_schema=False)
    def refuse(_: Acting, rest: str) -> None:
        """Answer for every path that is none, so that it does not fall through to the pages."""
        raise NotFoundError(f"There is no '{PREFIX}/{rest}'.", hint=f"GET {PREFIX}/openapi.json lists what there is.")
