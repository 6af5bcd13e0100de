"""Who is calling: an API key or session token in ``Authorization: Bearer``, else the web door's own session."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from x121lib.access.sign_in import SignedOutError
from x121lib.studio import Studio
from x121lib.studio.clients import Clients
from x121lib.studio.feed import Feed


def token_of(request: Request) -> str:
    """Return the key or token that a request carries; a bearer's comes before the browser's.

    The web door unsigns its cookie, checks the origin and puts the person into ``request.state.person``.

    Raises:
        SignedOutError: there is none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    session = getattr(getattr(request.state, "person", None), "session", None)
    if scheme or not isinstance(session, str):
        raise SignedOutError("Sign in first.", hint="Send 'Authorization: Bearer KEY', or POST /api/sign-in.")
    return session


def opened(request: Request) -> Studio:
    """Return the studio of this door, seen by nobody in particular: for signing in only."""
    studio = request.state.x121_studio
    assert isinstance(studio, Studio)
    return studio


def acting(request: Request, studio: Annotated[Studio, Depends(opened)]) -> Studio:
    """Return the studio seen by whoever is calling; every route but the open ones stands on it."""
    return Clients(studio).as_bearer(token_of(request))


def feed_of(request: Request) -> Feed:
    """Return what wakes the streams of this door."""
    feed = request.state.x121_feed
    assert isinstance(feed, Feed)
    return feed


Acting = Annotated[Studio, Depends(acting)]
Opened = Annotated[Studio, Depends(opened)]
"""For `POST /sign-in` alone."""
EventFeed = Annotated[Feed, Depends(feed_of)]
