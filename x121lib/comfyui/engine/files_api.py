"""The HTTP doors for files: ``/upload/image`` and ``/view``."""

from __future__ import annotations

import asyncio
import mimetypes
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import cast

from aiohttp import web
from PIL import Image as Pillow

from x121lib.comfyui.engine.engine import Engine
from x121lib.comfyui.engine.errors import UnsafePathError
from x121lib.comfyui.engine.folders import FOLDER_TYPES

_SCRIPT_TYPES = {
    "text/html",
    "application/xhtml+xml",
    "text/javascript",
    "text/css",
    "application/javascript",
    "image/svg+xml",
}
_PREVIEW_QUALITY = 90


def add_file_routes(routes: web.RouteTableDef, engine: Engine) -> None:
    """Add the doors for files."""
    _add_upload(routes, engine)
    _add_view(routes, engine)


def _add_upload(routes: web.RouteTableDef, engine: Engine) -> None:
    @routes.post("/upload/image")
    async def upload(request: web.Request) -> web.Response:
        form = await request.post()
        field = form.get("image")
        kind = str(form.get("type", "input"))
        if not isinstance(field, web.FileField) or not field.filename:
            return web.Response(status=400)
        if kind not in FOLDER_TYPES:
            raise web.HTTPInternalServerError(text=f"There is no folder type {kind}.")
        subfolder = str(form.get("subfolder", ""))
        overwrite = form.get("overwrite") in {"true", "1"}
        try:
            name = await asyncio.to_thread(
                engine.folders.upload,
                cast(BufferedReader, field.file),
                field.filename,
                subfolder,
                kind,
                overwrite=overwrite,
            )
        except UnsafePathError:
            return web.Response(status=400)
        return web.json_response({"name": name, "subfolder": subfolder, "type": kind})


def _add_view(routes: web.RouteTableDef, engine: Engine) -> None:
    @routes.get("/view")
    async def view(request: web.Request) -> web.StreamResponse:
        path = _viewed(engine, request)
        if not path.is_file():
            return web.Response(status=404)
        query = request.query
        headers = {"Content-Disposition": f'filename="{path.name}"'}
        if "preview" in query:
            body, kind = await asyncio.to_thread(_preview, path, query["preview"], query.get("channel", ""))
            return web.Response(body=body, content_type=kind, headers=headers)
        if query.get("channel") in {"rgb", "a"}:
            body = await asyncio.to_thread(_channel, path, query["channel"])
            return web.Response(body=body, content_type="image/png", headers=headers)
        guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        headers["Content-Type"] = "application/octet-stream" if guessed in _SCRIPT_TYPES else guessed
        return web.FileResponse(path, headers=headers)


def _viewed(engine: Engine, request: web.Request) -> Path:
    name = request.query.get("filename")
    if name is None:
        raise web.HTTPNotFound(text="")
    try:
        name, base = engine.folders.annotated(name, request.query.get("type", "output"))
        if not name or name.startswith("/") or ".." in name:
            raise web.HTTPBadRequest(text="")
        folder = engine.folders.inside(base, request.query.get("subfolder", ""))
    except UnsafePathError as error:
        raise web.HTTPBadRequest(text="") from error
    try:
        return engine.folders.inside(base, str(folder), name.rpartition("/")[2])
    except UnsafePathError as error:
        raise web.HTTPForbidden(text="") from error


def _preview(path: Path, wish: str, channel: str) -> tuple[bytes, str]:
    kind, _, quality = wish.partition(";")
    if kind not in {"webp", "jpeg"} or "a" in channel:
        kind = "webp"
    with Pillow.open(path) as image:
        picture = image.convert("RGB") if kind == "jpeg" or channel == "rgb" else image
        buffer = BytesIO()
        picture.save(
            buffer,
            format=kind,
            quality=int(quality) if quality.isdigit() else _PREVIEW_QUALITY,
        )
    return buffer.getvalue(), f"image/{kind}"


def _channel(path: Path, channel: str) -> bytes:
    with Pillow.open(path) as image:
        if channel == "rgb":
            picture = image.convert("RGB")
        else:
            picture = Pillow.new("RGBA", image.size)
            picture.putalpha(image.getchannel("A") if "A" in image.getbands() else Pillow.new("L", image.size, 255))
    buffer = BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()
