"""The HTTP doors for what people save on a server: ``/userdata``, as ComfyUI has it for its default user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import web

from x121lib.comfyui.engine.engine import Engine
from x121lib.comfyui.engine.errors import UnsafePathError


def add_userdata_routes(routes: web.RouteTableDef, engine: Engine) -> None:
    """Add listing, reading, writing and deleting of a user's files."""
    base = engine.folders.root / "user" / "default"
    _add_listing(routes, engine, base)
    _add_changes(routes, engine, base)

    @routes.get("/userdata/{file}")
    async def get_file(request: web.Request) -> web.StreamResponse:
        path = _inside(engine, base, request.match_info["file"])
        if path is None:
            return web.Response(status=403)
        return web.FileResponse(path) if path.is_file() else web.Response(status=404)


def _add_listing(routes: web.RouteTableDef, engine: Engine, base: Path) -> None:
    @routes.get("/userdata")
    async def list_files(request: web.Request) -> web.Response:
        directory = request.query.get("dir", "")
        if not directory:
            return web.Response(status=400, text="Directory not provided")
        folder = _inside(engine, base, directory)
        if folder is None:
            return web.Response(status=403, text="Invalid directory")
        if not folder.exists():
            return web.Response(status=404, text="Directory not found")
        asked = {key: request.query.get(key, "").lower() == "true" for key in ("recurse", "full_info", "split")}
        found = folder.rglob("*") if asked["recurse"] else folder.glob("*")
        files = sorted(path for path in found if path.is_file() and not _is_hidden(path, folder))
        return web.json_response([_shown(path, folder, asked) for path in files])


def _add_changes(routes: web.RouteTableDef, engine: Engine, base: Path) -> None:
    @routes.post("/userdata/{file}")
    async def put_file(request: web.Request) -> web.Response:
        path = _inside(engine, base, request.match_info["file"])
        if path is None:
            return web.Response(status=403)
        if path.exists() and request.query.get("overwrite") == "false":
            return web.Response(status=409, text="File already exists")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(await request.read())
        return web.json_response(path.relative_to(base).as_posix())

    @routes.delete("/userdata/{file}")
    async def delete_file(request: web.Request) -> web.Response:
        path = _inside(engine, base, request.match_info["file"])
        if path is None:
            return web.Response(status=403)
        if not path.is_file():
            return web.Response(status=404)
        path.unlink()
        return web.Response(status=204)


def _inside(engine: Engine, base: Path, name: str) -> Path | None:
    try:
        path = engine.folders.inside(base, name)
    except UnsafePathError:
        return None
    return path


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _shown(path: Path, folder: Path, asked: dict[str, bool]) -> Any:
    place = path.relative_to(folder).as_posix()
    if asked["full_info"]:
        facts = path.stat()
        modified, created = int(facts.st_mtime * 1000), int(facts.st_ctime * 1000)
        return {"path": place, "size": facts.st_size, "modified": modified, "created": created}
    return [place, *place.split("/")] if asked["split"] else place
