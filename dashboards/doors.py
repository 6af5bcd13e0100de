"""The small routes of the web door: sign-in, sign-out, one-time links, media, theme and scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response

from .contracts import SessionPerson, StudioDoor
from .security import COOKIE, sign
from .template import script_version, sign_in_page

HERE = Path(__file__).parent
SESSION_S = 12 * 3600
FOREVER = "public, max-age=31536000, immutable"
NEVER_KEPT = "no-store"  # Chromium makes a second reader of a video that it caches wait for the first
ASK_EACH_TIME = "private, no-cache"  # a revoked release hides a file at once; unchanged ones cost a 304


def build_router(door: StudioDoor, key: bytes, *, secure: bool) -> APIRouter:
    """Return the routes; ``secure`` marks the cookie for HTTPS only."""
    router = APIRouter(include_in_schema=False)

    def welcome(person: SessionPerson, destination: str) -> Response:
        return _welcome(sign(person.session, key), destination, secure=secure)

    @router.get("/sign-in")
    def show_sign_in(next: str = "/pulse") -> HTMLResponse:
        return HTMLResponse(sign_in_page(destination=local_path(next)))

    @router.post("/sign-in")
    def sign_in(
        request: Request,
        email: Annotated[str, Form(max_length=320)],
        password: Annotated[str, Form(max_length=1024)],
        next: Annotated[str, Form(max_length=2000)] = "/pulse",
    ) -> Response:
        person = door.sign_in(email, password, request.client.host if request.client else "")
        if person is None:
            fault = "Email and password do not match. Nothing else was changed."
            return HTMLResponse(sign_in_page(fault=fault, destination=local_path(next)), status_code=401)
        return welcome(person, next)

    @router.get("/sign-in/once/{token}")
    def sign_in_once(token: str, next: str = "/pulse") -> Response:
        person = door.redeem_once(token)
        if person is None:
            fault = "This link was used already or has expired. Ask for a new one, or sign in."
            return HTMLResponse(sign_in_page(fault=fault), status_code=401)
        return welcome(person, next)

    _add_sign_out(router, door)
    _add_files(router, door)
    return router


def _welcome(cookie: str, destination: str, *, secure: bool) -> Response:
    response = RedirectResponse(local_path(destination), status_code=303)
    response.set_cookie(COOKIE, cookie, max_age=SESSION_S, httponly=True, samesite="lax", secure=secure, path="/")
    return response


def _add_sign_out(router: APIRouter, door: StudioDoor) -> None:
    @router.post("/sign-out")
    def sign_out(request: Request) -> Response:
        person: SessionPerson = request.state.person
        door.sign_out(person.session)
        response = RedirectResponse("/sign-in", status_code=303)
        response.delete_cookie(COOKIE, path="/")
        return response

    @router.get("/")
    def root() -> Response:
        return RedirectResponse("/pulse", status_code=303)

    @router.get("/healthz")
    def health() -> Response:
        return JSONResponse({"ok": True})


def _add_files(router: APIRouter, door: StudioDoor) -> None:
    @router.api_route("/media/{key:path}", methods=["GET", "HEAD"])
    def media(key: str, request: Request) -> Response:
        file = door.media(request.state.person, key)
        if file is None:
            return JSONResponse({"code": "web.no_media", "message": "There is no such file for you."}, 404)
        cache = NEVER_KEPT if file.mime.startswith("video/") else ASK_EACH_TIME
        headers = {"ETag": f'"{file.etag}"', "Cache-Control": cache}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        if file.content is not None:
            return Response(file.content, media_type=file.mime, headers=headers)
        return FileResponse(file.path, media_type=file.mime, headers=headers, filename=file.name)

    @router.get("/scripts/{version}/{name}")
    def script(version: str, name: str) -> Response:
        cache = FOREVER if version == script_version() else "no-cache"
        return _static(HERE / "components" / "js", name, ".js", cache)

    @router.get("/theme/{name:path}")
    def theme(name: str) -> Response:
        return _static(HERE / "theme", name, (".css", ".svg", ".woff2", ".txt"), FOREVER)


def _static(folder: Path, name: str, suffixes: str | tuple[str, ...], cache: str) -> Response:
    """Serve one file of ours; anything outside the folder or of another kind does not exist."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder) or not path.name.endswith(suffixes) or not path.is_file():
        return JSONResponse({"code": "web.no_file", "message": "There is no such file."}, 404)
    kinds = {".js": "text/javascript", ".woff2": "font/woff2"}
    return FileResponse(path, media_type=kinds.get(path.suffix), headers={"Cache-Control": cache})


def local_path(target: str) -> str:
    """Return a path of this door: anything that could lead elsewhere becomes Pulse."""
    fine = target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target
    return target if fine and not any(ord(letter) < 32 for letter in target) else "/pulse"
