"""The door's guard: signed cookies, foreign pages refused, headers on every answer, no open redirect."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from dashboards.app import create_app
from dashboards.doors import local_path
from dashboards.samples import SampleStudio
from dashboards.samples.serving import served
from dashboards.security import COOKIE, sign, unsign
from dashboards.template import chosen_look

# Panel 1.9.4 still calls Tornado the old way; Tornado says so from 6.6 on.
pytestmark = pytest.mark.filterwarnings(r"ignore:The .*HTTPServerRequest:DeprecationWarning")

HTML = {"accept": "text/html"}


@pytest.fixture
def studio() -> SampleStudio:
    """A studio of fixed figures."""
    return SampleStudio()


@pytest.fixture
def client(studio: SampleStudio) -> Iterator[httpx.Client]:
    """A browser-like client that follows no redirect."""
    with served(create_app(studio, secret="s" * 32)) as address, httpx.Client(base_url=address) as client:
        yield client


def own(client: httpx.Client) -> dict[str, str]:
    """Headers that a page of this door sends."""
    return {"origin": str(client.base_url).rstrip("/")}


def signed_in(client: httpx.Client, studio: SampleStudio) -> httpx.Response:
    """Use a one-time link."""
    return client.get(f"/sign-in/once/{studio.issue_once()}")


def test_cookie_survives_signing_and_no_alteration() -> None:
    value = sign("token", b"key")
    assert unsign(value, b"key") == "token"
    assert unsign(value, b"other") is None
    assert unsign("tokem" + value[5:], b"key") is None
    assert unsign("", b"key") is None


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("/matrix?x=1", "/matrix?x=1"),
        ("//evil.test", "/pulse"),
        ("/\\evil.test", "/pulse"),
        ("http://evil.test", "/pulse"),
        ("/a\nb", "/pulse"),
        ("", "/pulse"),
    ],
)
def test_redirects_stay_here(target: str, safe: str) -> None:
    assert local_path(target) == safe


def test_pages_lead_to_sign_in_and_back(client: httpx.Client) -> None:
    answer = client.get("/matrix?variant=a", headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/matrix%3Fvariant%3Da"


def test_signing_in_sets_a_guarded_cookie(client: httpx.Client, studio: SampleStudio) -> None:
    form = {"email": "ines@example.test", "password": "aurora", "next": "//evil.test"}
    answer = client.post("/sign-in", data=form, headers=own(client))
    assert answer.headers["location"] == "/pulse"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert client.get("/pulse", headers=HTML).status_code == 200


def test_a_wrong_password_says_so_and_signs_nobody_in(client: httpx.Client) -> None:
    form = {"email": "ines@example.test", "password": "wrong"}
    answer = client.post("/sign-in", data=form, headers=own(client))
    assert answer.status_code == 401
    assert "do not match" in answer.text
    assert "set-cookie" not in answer.headers


def test_a_one_time_link_works_once(client: httpx.Client, studio: SampleStudio) -> None:
    token = studio.issue_once()
    assert client.get(f"/sign-in/once/{token}").status_code == 303
    client.cookies.clear()
    assert client.get(f"/sign-in/once/{token}").status_code == 401


@pytest.mark.parametrize(
    ("asked", "landed"),
    [("/review?scene=7", "/review?scene=7"), ("//evil.test", "/pulse"), ("/\\evil.test", "/pulse"),
     ("https://evil.test/", "/pulse"), ("review", "/pulse"), ("/\n/evil.test", "/pulse")],
)  # fmt: skip
def test_a_one_time_link_leads_only_to_our_own_pages(
    client: httpx.Client, studio: SampleStudio, asked: str, landed: str
) -> None:
    answer = client.get(f"/sign-in/once/{studio.issue_once()}", params={"next": asked})
    assert answer.headers["location"] == landed


def test_signing_out_ends_the_session(client: httpx.Client, studio: SampleStudio) -> None:
    signed_in(client, studio)
    kept = client.cookies[COOKIE]
    assert client.post("/sign-out", headers=own(client)).status_code == 303
    client.cookies.set(COOKIE, kept)
    assert client.get("/pulse", headers=HTML).status_code == 303


@pytest.mark.parametrize("headers", [{"origin": "http://evil.test"}, {}])
def test_a_form_of_another_site_is_refused(client: httpx.Client, studio: SampleStudio, headers: dict[str, str]) -> None:
    signed_in(client, studio)
    assert client.post("/sign-out", headers=headers).status_code == 403
    assert studio.sessions


@pytest.mark.parametrize("origin", ["http://evil.test", None])
def test_a_socket_of_another_site_is_refused(client: httpx.Client, studio: SampleStudio, origin: str | None) -> None:
    signed_in(client, studio)
    headers = {"origin": origin} if origin else {}
    headers["cookie"] = f"{COOKIE}={client.cookies[COOKIE]}"
    address = str(client.base_url).replace("http", "ws").rstrip("/") + "/pulse/ws"
    with pytest.raises(InvalidStatus) as refusal, connect(address, additional_headers=headers):
        pass
    assert refusal.value.response.status_code == 403


def test_every_answer_forbids_foreign_content(client: httpx.Client, studio: SampleStudio) -> None:
    signed_in(client, studio)
    for path in ("/pulse", "/sign-in", "/theme/tokens.css", "/nowhere"):
        headers = client.get(path, headers=HTML).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "http" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_the_session_cookie_never_reaches_the_page(client: httpx.Client, studio: SampleStudio) -> None:
    signed_in(client, studio)
    page = client.get("/pulse", headers=HTML).text
    token = next(iter(studio.sessions))
    assert token not in page
    assert "cdn" not in page.lower()


def test_media_answers_ranges_and_only_to_people(client: httpx.Client, studio: SampleStudio) -> None:
    assert client.get("/media/mara-wave.mp4").status_code == 401
    signed_in(client, studio)
    part = client.get("/media/mara-wave.mp4", headers={"range": "bytes=0-99"})
    assert part.status_code == 206
    assert len(part.content) == 100
    assert client.get("/media/..%2Fstudio.py").status_code == 404


@pytest.mark.parametrize(
    "path", ["/theme/../security.py", "/theme/tokens.json", "/theme/..%2fsecurity.py", "/scripts/x/..%2f..%2fapp.py"]
)
def test_static_routes_give_nothing_else(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code in (401, 404)


def test_an_unknown_look_is_the_default() -> None:
    assert chosen_look("light.neon.high") == ("light", "neon", "high")
    assert chosen_look('"><script>') == ("dark", "obsidian", "normal")
