"""How every route answers: a bounded body, and errors in one form."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from x121lib.api.errors import BodyTooLargeError, error_response, http_response, invalid_response
from x121lib.base.errors import X121Error

LARGEST_BODY_BYTES = 1024 * 1024
"""Longest body of a request; the API takes names, keys and words, never files."""


class ApiRoute(APIRoute):
    """A route of the API."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the body's bound before it and the forms of errors around it."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                body = await _read(request)
                return await handle(Request(request.scope, _replay(body, request.receive)))
            except X121Error as error:
                return error_response(error)
            except RequestValidationError as error:
                return invalid_response(error)
            except HTTPException as error:
                return http_response(error)

        return handler


async def _read(request: Request) -> bytes:
    parts: list[bytes] = []
    n_bytes = 0
    async for part in request.stream():
        n_bytes += len(part)
        if n_bytes > LARGEST_BODY_BYTES:
            raise BodyTooLargeError(f"The body is longer than {LARGEST_BODY_BYTES} bytes.")
        parts.append(part)
    return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return what gives the body that was read, then whatever the server says: that the client has gone."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
