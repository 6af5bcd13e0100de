"""Stored files and small pictures made from them; the likeness rights are asked at each download."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from PIL import Image

from x121lib import media
from x121lib import model as m
from x121lib.access import rights
from x121lib.base.errors import ForbiddenError, NotFoundError
from x121lib.studio.core import Studio
from x121lib.studio.pages.desk import key_of
from x121lib.studio.pages.people import MediaFile
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import ArtifactKind, DeliveryStatus, ReleasePurpose

SMALL_PX = 160
"""Width of a small picture, in pixels."""
STRIP_TILES = 5
"""Frames in the filmstrip of one take."""
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class MediaRoom:
    """Files by key: ``HASH``, ``small/HASH``, ``strip/HASH``, ``delivery/KEY``, ``preview/TASK``. Thread-safe."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._lock = threading.Lock()

    def file(self, studio: Studio, key: str) -> MediaFile:
        """Return the file behind a key for the studio's actor.

        Raises:
            NotFoundError: there is no such file, or it is a document: those never leave by this door.
            ReleaseMissingError: it shows a real performer whose release does not cover this use now.
            ForbiddenError: the actor lacks the permission.
        """
        form, _, name = key.rpartition("/")
        if form == "delivery":
            return self._delivery(studio, name)
        if form == "preview":
            content, mime = studio.debugger.preview(key_of(name, "task"))
            return MediaFile(self._cache, mime, hashlib.sha256(content).hexdigest(), content=content)
        if form not in ("", "small", "strip") or not _SHA256.fullmatch(name):
            raise NotFoundError("There is no such file.")
        self._refuse_documents(studio, name)
        path, mime = studio.doors.file(name)
        if form == "":
            return MediaFile(path, mime, name)
        return self._derived(form, path, mime, name)

    def _refuse_documents(self, studio: Studio, sha256: str) -> None:
        with studio.transaction() as session:
            kind = session.scalar(sa.select(m.Artifact.kind_id).where(m.Artifact.sha256 == sha256))
        if kind is None or kind in (ArtifactKind.DOCUMENT, ArtifactKind.SERIES):
            raise NotFoundError("There is no such file.")

    def _derived(self, form: str, path: Path, mime: str, sha256: str) -> MediaFile:
        make: dict[str, Callable[[Path, Path], object]] = {"strip": _strip, "small": _small_video}
        if mime.startswith("image/"):
            if form == "strip":
                raise NotFoundError("There is no filmstrip of a picture.")
            make["small"] = _small_image
        target = self._cache / form / sha256[:2] / f"{sha256}.webp"
        if not target.is_file():
            with self._lock:  # two windows ask for the same pictures at once: make each of them once
                if not target.is_file():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    make[form](path, target)
        return MediaFile(target, "image/webp", f"{form}-{sha256}")

    def _delivery(self, studio: Studio, name: str) -> MediaFile:
        if not studio.actor.may(Permission.DELIVER):
            raise ForbiddenError("Only who may deliver may fetch a delivery.", hint="Ask a Creator.")
        with studio.transaction() as session:
            row = session.get(m.Delivery, key_of(name, "delivery"))
            if row is None or row.status_id != DeliveryStatus.COMPLETE or row.sha256 is None:
                raise NotFoundError("There is no such delivery.")
            rights.require_cover_of(session, delivery_uses(session, row), studio.house.now())
        path = Path(row.path)
        if not path.is_file():
            raise NotFoundError("The delivery's file was moved or removed.", hint="Deliver again.")
        return MediaFile(path, "application/zip", row.sha256, path.name)


def delivery_uses(session: sa.orm.Session, row: m.Delivery) -> list[rights.Use]:
    """Return whose likeness a delivery hands out: of its videos and of its images."""
    item = m.DeliveryItem
    videos = (
        sa.select(m.Scene.character_id, m.Scene.variant_kind_id, m.Scene.transition_mode_id)
        .join(m.SceneVersion, m.SceneVersion.scene_id == m.Scene.id)
        .join(item, item.scene_version_id == m.SceneVersion.id)
        .where(item.delivery_id == row.id)
    )
    images = (
        sa.select(m.ImageVariant.character_id, m.ImageVariant.kind_id, sa.null())
        .join(m.ImageVersion, m.ImageVersion.variant_id == m.ImageVariant.id)
        .join(m.Character, m.Character.id == m.ImageVariant.character_id)
        .join(item, item.artifact_id == m.ImageVersion.artifact_id)
        .where(item.delivery_id == row.id, item.scene_version_id.is_(None), m.Character.project_id == row.project_id)
    )
    found = {tuple(use) for query in (videos, images) for use in session.execute(query)}
    return [rights.Use(c, k, row.project_id, ReleasePurpose.DELIVER, t) for c, k, t in found]


def _small_image(path: Path, to: Path) -> None:
    with Image.open(path) as picture:
        small = picture.convert("RGB")
    small.thumbnail((SMALL_PX, SMALL_PX * 4), Image.Resampling.LANCZOS)
    part = to.with_suffix(".part")
    small.save(part, format="WEBP", quality=82)
    part.replace(to)


def _small_video(path: Path, to: Path) -> None:
    media.thumbnail(path, to, frame=0, width=2 * SMALL_PX)


def _strip(path: Path, to: Path) -> None:
    media.filmstrip(path, to, n=STRIP_TILES, height=96)
