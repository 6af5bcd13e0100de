"""Every error of httpx has its own row in the one table."""

from __future__ import annotations

import httpx
import pytest

from x121lib.comfyui.errors import (
    HTTPX_BASES,
    HTTPX_ERRORS,
    ServerResponseError,
    ServerUnreachableError,
    from_httpx,
    rejection,
)

ALL = [kind for kind in vars(httpx).values() if isinstance(kind, type) and issubclass(kind, Exception)]
NEVER_SENT = {httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError}


def make(kind: type[Exception]) -> Exception:
    """Return an instance, whatever its constructor wants."""
    error = kind.__new__(kind)
    Exception.__init__(error, "made for a test")
    return error


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_each_httpx_error_has_a_row_and_is_caught(kind: type[Exception]) -> None:
    assert kind in HTTPX_ERRORS
    assert issubclass(kind, HTTPX_BASES)
    error = from_httpx(make(kind), "http://h")
    assert isinstance(error, ServerUnreachableError | ServerResponseError)
    assert "http://h" in error.message


@pytest.mark.parametrize("kind", [kind for kind in ALL if issubclass(kind, httpx.TransportError)])
def test_only_errors_before_sending_are_sure_not_to_have_arrived(kind: type[Exception]) -> None:
    error = from_httpx(make(kind), "http://h")
    if isinstance(error, ServerUnreachableError):
        assert error.retryable
        assert error.may_have_arrived == (kind not in NEVER_SENT)
    else:
        assert kind in {httpx.LocalProtocolError, httpx.UnsupportedProtocol}


def test_the_table_has_no_row_for_what_httpx_does_not_have() -> None:
    assert set(HTTPX_ERRORS) == set(ALL)


def test_rejection_without_node_errors_tells_the_server_s_own_message() -> None:
    error = rejection("p", {"error": {"type": "missing_node_type", "message": "Node 'X' not found"}}, {})
    assert error.message == "ComfyUI refused the workflow: Node 'X' not found"
    assert error.error_type == "missing_node_type"


@pytest.mark.parametrize("body", [{}, {"error": "text"}, {"node_errors": {"1": "odd"}}, {"node_errors": {"1": {}}}])
def test_rejection_survives_odd_bodies(body: dict[str, object]) -> None:
    assert rejection("p", body, {"1": "LoadImage"}).message


@pytest.mark.parametrize(("status", "retryable"), [(500, False), (502, True), (503, True), (504, True), (404, False)])
def test_only_gateway_statuses_are_worth_a_retry(status: int, retryable: bool) -> None:
    assert ServerResponseError("x", status=status).retryable is retryable
