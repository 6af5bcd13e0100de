"""The three repairs of bokeh-fastapi, each seen from outside: sessions end, foreign sockets fail, tokens are signed."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from bokeh.util.token import generate_jwt_token, generate_session_id
from bokeh_fastapi import BokehFastAPI
from bokeh_fastapi.handler import WSHandler
from fastapi import FastAPI
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from dashboards.bokeh_repairs import UnsignedSessionsError, apply_repairs, require_signed, same_origin
from dashboards.samples.serving import served

# Panel 1.9.4 still calls Tornado the old way; Tornado says so from 6.6 on.
pytestmark = pytest.mark.filterwarnings(r"ignore:The .*HTTPServerRequest:DeprecationWarning")

KEY = b"k" * 32


def empty(doc: Any) -> None:
    """Make a page with nothing on it."""


@pytest.fixture
def page() -> Iterator[tuple[BokehFastAPI, str]]:
    """One empty page behind the repaired handler, and its address."""
    apply_repairs()
    app = FastAPI()
    application = BokehFastAPI({"/page": empty}, app=app, secret_key=KEY, sign_sessions=True)
    with served(app) as address:
        yield application, address


def token_of(address: str) -> str:
    """Open the page and return the session token in it."""
    found = re.search(r'"token":"([^"]+)"', httpx.get(f"{address}/page").text)
    assert found
    return found[1]


def socket(address: str, token: str, origin: str) -> Any:
    """Open the page's socket."""
    target = address.replace("http", "ws") + "/page/ws"
    return connect(target, subprotocols=["bokeh", token], additional_headers={"origin": origin}, open_timeout=5)  # type: ignore[list-item]


def wait_for(condition: Callable[[], bool]) -> bool:
    """Return whether the condition came true within 5 s."""
    end = time.monotonic() + 5
    while not condition() and time.monotonic() < end:
        threading.Event().wait(0.01)
    return condition()


def test_a_closed_page_loses_its_session(page: tuple[BokehFastAPI, str]) -> None:
    application, address = page
    context = application._applications["/page"]
    with socket(address, token_of(address), address) as opened:
        opened.recv()
        assert [session.connection_count for session in context.sessions] == [1]
    assert wait_for(lambda: [session.connection_count for session in context.sessions] == [0])
    assert not application._clients


def test_a_foreign_origin_is_refused(page: tuple[BokehFastAPI, str]) -> None:
    _, address = page
    with pytest.raises(InvalidStatus), socket(address, token_of(address), "http://evil.test"):
        pass


def test_a_forged_token_opens_nothing(page: tuple[BokehFastAPI, str]) -> None:
    application, address = page
    forged = generate_jwt_token(generate_session_id(signed=False), signed=False, expiration=300)
    with pytest.raises(InvalidStatus), socket(address, forged, address):
        pass
    assert not application._clients


def test_an_unsigned_door_does_not_open() -> None:
    with pytest.raises(UnsignedSessionsError):
        require_signed(BokehFastAPI({"/page": empty}, app=FastAPI(), sign_sessions=False))


def test_repairing_twice_changes_nothing() -> None:
    apply_repairs()
    once = WSHandler.ws_connect
    apply_repairs()
    assert WSHandler.ws_connect is once


@pytest.mark.parametrize(
    ("origin", "allowed", "fine"),
    [
        ("http://a:1", [], True),
        ("https://b", [], False),
        ("", [], False),
        ("https://b", ["b"], True),
        ("null", [], False),
    ],
)
def test_same_origin(origin: str, allowed: list[str], fine: bool) -> None:
    opened: Any = SimpleNamespace(headers={"origin": origin, "host": "a:1"})
    assert same_origin(opened, allowed) is fine
