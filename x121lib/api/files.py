"""Stored files and deliveries, with ranges."""

from __future__ import annotations

import uuid
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse

from x121lib.api import shapes
from x121lib.api.caller import Acting
from x121lib.api.errors import NOT_MODIFIED
from x121lib.api.route import ApiRoute
from x121lib.api.shapes import Limit, Offset, Page, page
from x121lib.studio.clients import Clients

router = APIRouter(route_class=ApiRoute, tags=["files"])
Hash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@router.head("/files/{sha256}", include_in_schema=False)
@router.get("/files/{sha256}", response_class=Response)
def get_file(studio: Acting, sha256: Hash, request: Request) -> Response:
    """Return a stored file, whole or in ranges, where the release of whom it shows covers that."""
    path, media_type = studio.doors.file(sha256)
    return _file(request, path, sha256, media_type=media_type)


@router.get("/deliveries", response_model=Page[shapes.Delivery])
def list_deliveries(
    studio: Acting,
    project: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """List the deliveries, newest first, of one project or of all."""
    return page(Clients(studio).deliveries(project), limit, offset)


@router.head("/deliveries/{delivery_id}/file", include_in_schema=False)
@router.get("/deliveries/{delivery_id}/file", response_class=Response)
def get_delivery(studio: Acting, delivery_id: uuid.UUID, request: Request) -> Response:
    """Return a delivery's ZIP, whole or in ranges; its releases are checked again."""
    path, sha256 = Clients(studio).delivery_file(delivery_id)
    return _file(request, path, sha256, media_type="application/zip", name=path.name)


def _file(request: Request, path: FilePath, sha256: str, *, media_type: str, name: str | None = None) -> Response:
    """Serve a file whose hash is its tag; every use asks again, because a release may have been revoked."""
    headers = {"ETag": f'"{sha256}"', "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=NOT_MODIFIED, headers=headers)
    return FileResponse(path, media_type=media_type, headers=headers, filename=name)
