"""The open routes: health and sign-in. Everything else asks who is calling."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from x121lib.access.sign_in import SESSION_LIFETIME_S
from x121lib.api import shapes
from x121lib.api.caller import Opened
from x121lib.api.route import ApiRoute

router = APIRouter(route_class=ApiRoute, tags=["sign-in"])


@router.get("/health", response_model=shapes.Health)
def health() -> Any:
    """Say that the door answers, and nothing else."""
    return {"ok": True}


@router.post("/sign-in", response_model=shapes.Session)
def sign_in(request: Request, studio: Opened, given: shapes.SignIn) -> Any:
    """Return a session token of 12 hours for an address and its password; failures slow down."""
    source = request.client.host if request.client else ""
    actor, token = studio.people.sign_in(given.email, given.password, source)
    return {"token": token, "expires_in_s": SESSION_LIFETIME_S, "name": actor.name}
