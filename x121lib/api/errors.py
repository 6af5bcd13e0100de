"""The one place of X121 that knows HTTP statuses: what each error becomes for a program that calls."""

from __future__ import annotations

from http import HTTPStatus as S

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from x121lib.base.errors import X121Error

UNKNOWN = X121Error.code
"""Only of an error whose class nobody thought of; a test keeps that from happening."""
STATUS: dict[str, S] = {
    "access.forbidden": S.FORBIDDEN,
    "access.sign_in": S.UNAUTHORIZED,
    "access.too_many_attempts": S.TOO_MANY_REQUESTS,
    "agent.error": S.BAD_GATEWAY,
    "analytics.export_failed": S.INTERNAL_SERVER_ERROR,
    "api.body_too_large": S.REQUEST_ENTITY_TOO_LARGE,
    "cli.not_ready": S.SERVICE_UNAVAILABLE,
    "comfyui.bad_address": S.UNPROCESSABLE_ENTITY,
    "comfyui.engine": S.INTERNAL_SERVER_ERROR,
    "comfyui.engine.unsafe_path": S.UNPROCESSABLE_ENTITY,
    "comfyui.error": S.BAD_GATEWAY,
    "comfyui.graph_invalid": S.UNPROCESSABLE_ENTITY,
    "comfyui.interrupt_refused": S.CONFLICT,
    "comfyui.slot": S.UNPROCESSABLE_ENTITY,
    "comfyui.unreachable": S.SERVICE_UNAVAILABLE,
    "identity.backend_unavailable": S.SERVICE_UNAVAILABLE,
    "identity.error": S.INTERNAL_SERVER_ERROR,
    "media.cancelled": S.CONFLICT,
    "media.error": S.INTERNAL_SERVER_ERROR,
    "media.unreadable_image": S.UNPROCESSABLE_ENTITY,
    "media.unreadable_video": S.UNPROCESSABLE_ENTITY,
    "models.download": S.BAD_GATEWAY,
    "rights.no_cover": S.FORBIDDEN,
    "scheduling.over_budget": S.CONFLICT,
    "scheduling.lease_lost": S.CONFLICT,
    "scheduling.wake_failed": S.BAD_GATEWAY,
    "store.database": S.INTERNAL_SERVER_ERROR,
    "store.disk_full": S.INSUFFICIENT_STORAGE,
    "store.error": S.INTERNAL_SERVER_ERROR,
    "store.server_busy": S.SERVICE_UNAVAILABLE,
    "store.unreachable": S.SERVICE_UNAVAILABLE,
    "studio.report_failed": S.INTERNAL_SERVER_ERROR,
    "studio.too_many_readers": S.SERVICE_UNAVAILABLE,
    "web.unsigned_sessions": S.INTERNAL_SERVER_ERROR,
    "x121.conflict": S.CONFLICT,
    "x121.invalid_input": S.UNPROCESSABLE_ENTITY,
    "x121.not_found": S.NOT_FOUND,
    "x121.refused": S.CONFLICT,
    UNKNOWN: S.INTERNAL_SERVER_ERROR,
}
"""Code → status. A code that is not here has the status of the nearest base class whose code is."""

CREATED = int(S.CREATED)
NO_CONTENT = int(S.NO_CONTENT)
NOT_MODIFIED = int(S.NOT_MODIFIED)


class BodyTooLargeError(X121Error):
    """The request's body is longer than any that the API takes."""

    code = "api.body_too_large"


def status_code(error: X121Error | type[X121Error]) -> tuple[str, int]:
    """Return (the code that decided, the status) of an error or a class of errors."""
    classes = type(error).__mro__ if isinstance(error, X121Error) else error.__mro__
    codes = [error.code, *(c.code for c in classes if issubclass(c, X121Error))]
    deciding = next(code for code in codes if code in STATUS)
    return deciding, int(STATUS[deciding])


def error_response(error: X121Error) -> JSONResponse:
    """Return an error as every route answers it: code, message, hint, retryable."""
    status = status_code(error)[1]
    return _response(status, error.code, error.message, hint=error.hint, retryable=error.retryable)


def invalid_response(error: RequestValidationError) -> JSONResponse:
    """Return what is wrong with a request: places and reasons, never the values sent."""
    found = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5]]
    message = "The request is not valid. " + "; ".join(found) + "."
    return _response(int(S.UNPROCESSABLE_ENTITY), "api.invalid_request", message, hint="GET /api/openapi.json")


def http_response(error: HTTPException) -> JSONResponse:
    """Return the framework's own refusals, such as a method that a path does not know, in the same form."""
    return _response(error.status_code, "api.refused_request", f"{error.detail}.")


def _response(status: int, code: str, message: str, *, hint: str = "", retryable: bool = False) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == S.UNAUTHORIZED else {}
    body = {"code": code, "message": message, "hint": hint, "retryable": retryable}
    return JSONResponse(body, status, headers=headers)
