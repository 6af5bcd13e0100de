"""Errors and limits: one form, one table."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator

import httpx
import pytest

import dashboards
import x121lib
from tests.integration.api.conftest import House
from x121lib.api.errors import UNKNOWN, status_code
from x121lib.api.route import LARGEST_BODY_BYTES
from x121lib.base.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError, X121Error


def all_errors() -> set[type[X121Error]]:
    """Return every error class of the package and its surfaces."""
    for package in (x121lib, dashboards):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)
    open_, seen = [X121Error], set()
    while open_:
        subclasses = open_.pop().__subclasses__()
        seen.update(subclasses)
        open_ += subclasses
    return {c for c in seen if c.__module__.startswith(("x121lib.", "dashboards."))}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_error_has_a_status_of_its_own_or_of_a_named_base() -> None:
    errors = all_errors()
    assert len(errors) > 40
    assert [c.__name__ for c in errors if status_code(c)[0] == UNKNOWN] == []
    for base, status in ((NotFoundError, 404), (ConflictError, 409), (RefusedError, (403, 409, 429, 503))):
        allowed = {status} if isinstance(status, int) else set(status)
        assert {status_code(c)[1] for c in errors if issubclass(c, base)} <= allowed
    assert {status_code(c)[1] for c in errors if issubclass(c, InvalidInputError)} == {422}


def test_a_code_given_when_raised_counts_and_an_unknown_one_falls_to_its_class() -> None:
    assert status_code(RefusedError("x", code="rights.no_cover"))[1] == 403
    assert status_code(RefusedError("x", code="pipeline.blocked"))[1] == 409


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("method", "path", "sent", "expected"),
    [
        ("GET", "/projects/Nowhere", {}, (404, "x121.not_found")),
        ("GET", "/scenes/not-a-key", {}, (422, "api.invalid_request")),
        ("GET", "/scenes/00000000-0000-7000-8000-000000000000", {}, (404, "x121.not_found")),
        ("GET", "/scenes/00000000-0000-7000-8000-000000000000/receipt", {}, (404, "x121.not_found")),
        ("GET", "/projects?limit=1001", {}, (422, "api.invalid_request")),
        ("GET", "/projects?offset=-1", {}, (422, "api.invalid_request")),
        ("GET", f"/files/{'0' * 64}", {}, (404, "x121.not_found")),
        ("GET", "/files/..%2F..%2Fetc%2Fpasswd", {}, (404, "x121.not_found")),
        ("GET", "/events?after=yesterday", {}, (422, "x121.invalid_input")),
        ("GET", f"/events?after=1-{2**63}", {}, (422, "x121.invalid_input")),
        ("GET", "/nothing", {}, (404, "x121.not_found")),
        ("POST", "/projects", {"json": {"name": "Spring"}}, (409, "x121.conflict")),
        ("POST", "/projects", {"json": {"name": "A", "colour": 1}}, (422, "api.invalid_request")),
        ("POST", "/projects", {"content": b"{"}, (422, "api.invalid_request")),
        ("POST", "/projects/Spring/deliver", {"json": {"to": "/tmp/x.zip"}}, (422, "api.invalid_request")),
        ("POST", "/workers", {"json": {"url": "file:///etc/passwd"}}, (422, "comfyui.bad_address")),
        ("POST", "/tasks/cancel", {"json": {"task_ids": ["7"]}}, (422, "api.invalid_request")),
        ("DELETE", "/projects", {}, (404, "x121.not_found")),
    ],
)
async def test_refusals_have_one_form(
    house: House, client: httpx.AsyncClient, method: str, path: str, sent: dict[str, object], expected: tuple[int, str]
) -> None:
    answer = await client.request(method, path, headers=house.key("admin"), **sent)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == expected, answer.text
    assert answer.json().keys() == {"code", "message", "hint", "retryable"}


@pytest.mark.asyncio
async def test_a_body_is_bounded_also_when_its_length_is_not_said(house: House, client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY_BYTES // 65536 + 1):
            yield b" " * 65536

    answer = await client.post("/projects", content=endless(), headers=house.key("admin"))
    assert (answer.status_code, answer.json()["code"]) == (413, "api.body_too_large")


@pytest.mark.asyncio
async def test_a_database_that_is_gone_is_worth_another_try(house: House, client: httpx.AsyncClient) -> None:
    headers = house.key("admin")
    house.database.dispose()
    engine = house.studio.house.database
    broken = type(engine)(engine.url.rsplit("/", 1)[0].rsplit(":", 1)[0] + ":1/none")
    object.__setattr__(house.studio.house, "database", broken)
    try:
        answer = await client.get("/projects", headers=headers)
    finally:
        object.__setattr__(house.studio.house, "database", engine)
    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (503, "store.unreachable", True)
