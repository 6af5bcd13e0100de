"""Who may call: sessions, keys, and nobody else."""

from __future__ import annotations

import uuid

import httpx
import jwt
import pytest

from tests.integration.api.conftest import PASSWORD, House
from x121lib.api.route import ApiRoute
from x121lib.api.router import OPEN, PARTS, PREFIX
from x121lib.studio.clients import Clients

pytestmark = pytest.mark.asyncio


@pytest.mark.capability("PRD-03/jwt-login")
async def test_a_password_buys_a_signed_token_that_acts_as_the_person(house: House, client: httpx.AsyncClient) -> None:
    house.key("creator")
    answer = await client.post("/sign-in", json={"email": "Creator@example.com", "password": PASSWORD})
    assert answer.status_code == 200
    token = answer.json()["token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert {"sub", "exp", "epoch"} <= claims.keys()
    headers = {"Authorization": f"Bearer {token}"}
    made = await client.post("/projects", json={"name": "Winter"}, headers=headers)
    assert made.status_code == 201
    forged = jwt.encode(claims, "another key of thirty-two characters", algorithm="HS256")
    refused = await client.get("/projects", headers={"Authorization": f"Bearer {forged}"})
    assert (refused.status_code, refused.json()["code"]) == (401, "access.signed_out")


async def test_wrong_passwords_are_refused_alike_and_then_slowed_down(house: House, client: httpx.AsyncClient) -> None:
    house.key("reviewer")
    address = f"{uuid.uuid4().hex}@example.com"
    known = await client.post("/sign-in", json={"email": "reviewer@example.com", "password": "not the right one"})
    answers = [await client.post("/sign-in", json={"email": address, "password": "wrong"}) for _ in range(7)]
    assert known.status_code == 401
    assert known.json() == answers[0].json()
    assert known.headers["www-authenticate"] == "Bearer"
    assert [a.status_code for a in answers] == [401] * 5 + [429] * 2
    assert answers[-1].json()["retryable"] is True


async def test_a_revoked_key_opens_nothing_and_is_stored_as_a_hash(house: House, client: httpx.AsyncClient) -> None:
    headers = house.key("creator")
    assert (await client.get("/projects", headers=headers)).status_code == 200
    rows = Clients(house.studio).keys()
    key = house.keys["creator"]
    assert key.startswith("x121_")
    assert key not in str(rows)
    assert rows[0]["last_used_at"] is not None
    Clients(house.studio).revoke_key(rows[0]["key_id"])
    refused = await client.get("/projects", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (401, "access.signed_out")
    longer = await client.get("/projects", headers={"Authorization": f"Bearer {key}x"})
    assert longer.json() == refused.json()


async def test_every_route_but_the_open_ones_asks_who_is_calling(house: House, client: httpx.AsyncClient) -> None:
    listed = [route for part in PARTS for route in part.routes]
    routes = {(method, f"{PREFIX}{r.path}") for r in listed if isinstance(r, ApiRoute) for method in r.methods or ()}
    assert all(isinstance(route, ApiRoute) for route in listed)
    assert len(routes) > 25
    assert routes >= OPEN
    for method, path in [*sorted(routes - OPEN), ("GET", "/api/openapi.json"), ("GET", "/api/nothing")]:
        filled = path.replace("{sha256}", "0" * 64).replace("{name}", "Spring")
        for place in ("{scene_id}", "{decision_id}", "{delivery_id}"):
            filled = filled.replace(place, str(house.scene(house.made.spring)))
        answer = await client.request(method, f"http://x121{filled}", json={} if method == "POST" else None)
        assert answer.status_code == 401, (method, path, answer.text)
        basic = await client.request(method, f"http://x121{filled}", headers={"Authorization": "Basic eDp5"})
        assert basic.status_code == 401, (method, path)
    assert (await client.get("/health")).json() == {"ok": True}


@pytest.mark.capability("PRD-03/permission-enforced-in-services")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/projects", {"name": "Mine"}),
        ("/projects/Spring/submit", {}),
        ("/projects/Spring/deliver", {}),
        ("/tasks/cancel", {"task_ids": [str(uuid.UUID(int=1))]}),
        ("/tasks/pause", {"task_ids": [str(uuid.UUID(int=1))]}),
        ("/tasks/resume", {"task_ids": [str(uuid.UUID(int=1))]}),
        ("/workers", {"url": "http://127.0.0.1:8188"}),
    ],
)
async def test_a_reviewer_may_look_and_not_change(
    house: House, client: httpx.AsyncClient, path: str, body: dict[str, object]
) -> None:
    headers = house.key("reviewer")
    assert (await client.get("/projects", headers=headers)).status_code == 200
    refused = await client.post(path, json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "access.forbidden")
    allowed = await client.post(path, json=body, headers=house.key("admin"))
    assert allowed.status_code != 403


async def test_a_deactivated_person_and_their_keys_are_out_at_once(house: House, client: httpx.AsyncClient) -> None:
    from x121lib.access import queries, service  # noqa: PLC0415

    headers = house.key("creator")
    with house.database.transaction() as session:
        person = queries.find_person_by_email(session, "creator@example.com")
        assert person is not None
        service.deactivate(session, house.studio.actor, person.id)
    assert (await client.get("/projects", headers=headers)).status_code == 401
