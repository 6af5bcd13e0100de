"""Deliveries: what the next package lacks, the packages, and writing one in the background."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from x121lib import model as m
from x121lib.access import rights
from x121lib.base.errors import X121Error
from x121lib.base.log import get_logger
from x121lib.catalogue import queries as catalogue
from x121lib.delivery import manifest
from x121lib.delivery import queries as delivery_queries
from x121lib.delivery import service as delivery
from x121lib.delivery.package import write_zip
from x121lib.studio.core import Studio
from x121lib.studio.pages.desk import Desk, View
from x121lib.studio.pages.words import iso, many
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import DeliveryStatus, ReleasePurpose, SceneStatus

_log = get_logger(__name__)
_WAITS = {
    SceneStatus.REVIEW: ("review", "{} for review", "/review"),
    SceneStatus.GENERATING: ("generating", "{} made now", "/queue"),
    SceneStatus.PENDING: ("none", "{} not started", "/matrix"),
    SceneStatus.REJECTED: ("rejected", "{} rejected", "/matrix"),
    SceneStatus.FAILED: ("failed", "{} failed", "/queue"),
}
_STATES = {
    DeliveryStatus.WRITING: ("generating", "Writing"), DeliveryStatus.COMPLETE: ("approved", "Complete"),
    DeliveryStatus.FAILED: ("failed", "Failed"),
}  # fmt: skip


class Packer:
    """Writes packages in threads of this process; `wait` is for whoever ends it."""

    def __init__(self, told: Callable[[], None]) -> None:
        self._told = told
        self._threads: dict[uuid.UUID, threading.Thread] = {}
        self._lock = threading.Lock()

    def start(self, studio: Studio, project: m.Project, *, partial: bool) -> uuid.UUID:
        """Check a delivery and begin to write it below the studio's home; returns its key.

        Raises:
            ForbiddenError: the actor may not deliver.
            IncompleteDeliveryError: something is missing and ``partial`` was not asked for.
            ReleaseMissingError: a release does not cover the delivery of a character.
        """
        studio.actor.require(Permission.DELIVER)
        now = studio.house.now()
        folder = studio.settings.home / "deliveries"
        to = folder / f"{_file_name(project.name)}-{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:4]}.zip"
        with studio.transaction() as session:
            rights.require_cover_of(session, _uses(session, project), now)
            request = delivery.DeliveryRequest(to, partial)
            order = delivery.prepare(session, studio.actor, project, request, studio.house.artifacts)
        thread = threading.Thread(target=self._write, args=(studio, order), name=f"x121-delivery-{order.delivery_id}")
        thread.daemon = True
        with self._lock:
            self._threads[order.delivery_id] = thread
        thread.start()
        return order.delivery_id

    def _write(self, studio: Studio, order: delivery.DeliveryOrder) -> None:
        written = False
        try:
            package = write_zip(order.to, delivery.files_of(order, studio.house.artifacts))
            with studio.transaction() as session:
                delivery.record(session, studio.actor, order, package, studio.house.now())
            written = True
        except (X121Error, OSError):
            _log.exception("delivery %s could not be written", order.delivery_id)
        finally:
            if not written:
                with studio.transaction() as session:
                    delivery.record_failure(session, order)
            with self._lock:
                self._threads.pop(order.delivery_id, None)
            self._told()

    def is_writing(self, delivery_id: uuid.UUID) -> bool:
        """Return whether a thread of this process writes that delivery."""
        with self._lock:
            return delivery_id in self._threads

    def wait(self, timeout_s: float = 60.0) -> None:
        """Wait until every package that is being written is done."""
        with self._lock:
            threads = list(self._threads.values())
        for thread in threads:
            thread.join(timeout_s)


def _file_name(name: str) -> str:
    safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
    return safe.strip("_") or "project"


def _uses(session: sa.orm.Session, project: m.Project) -> list[rights.Use]:
    """Return every likeness that the project's package would hand out: of its scenes and of its images."""
    scenes = sa.select(m.Scene.character_id, m.Scene.variant_kind_id, m.Scene.transition_mode_id).where(
        m.Scene.project_id == project.id
    )
    images = (
        sa.select(m.ImageVariant.character_id, m.ImageVariant.kind_id, sa.null())
        .join(m.Character, m.Character.id == m.ImageVariant.character_id)
        .where(m.Character.project_id == project.id, m.ImageVariant.approved_version_id.is_not(None))
    )
    found = {tuple(row) for query in (scenes, images) for row in session.execute(query)}
    return [rights.Use(c, k, project.id, ReleasePurpose.DELIVER, t) for c, k, t in found]


def deliveries(desk: Desk, packer: Packer) -> View:
    """Return the packages and what the next one lacks."""
    if desk.project is None:
        return {"ready": 0, "total": 0, "missing": [], "deliveries": [], "may_deliver": False}
    ids = list(desk.session.scalars(sa.select(m.Character.id).where(m.Character.project_id == desk.project.id)))
    scenes = delivery_queries.scene_facts(desk.session, desk.project.id, ids)
    wanted = {s.variant_kind for s in scenes}
    kinds = [k.name for k in catalogue.variant_kinds(desk.session) if k.name in wanted]
    images = delivery_queries.image_facts(desk.session, ids, kinds)
    return {
        "ready": sum(s.status == SceneStatus.APPROVED for s in scenes), "total": len(scenes),
        "missing": [*_missing_scenes(scenes), *_missing_images(images), *_missing_rights(desk)],
        "deliveries": _packages(desk, packer), "may_deliver": desk.may(Permission.DELIVER),
    }  # fmt: skip


def _missing_scenes(scenes: list[manifest.SceneFacts]) -> list[dict[str, str]]:
    counts = Counter(s.status for s in scenes)
    found = []
    for status, (shape, text, href) in _WAITS.items():
        if n := counts.get(status, 0):
            verb = {SceneStatus.REVIEW: " wait" if n > 1 else " waits"}.get(status, " are" if n > 1 else " is")
            found.append({"status": shape, "text": text.format(many(n, "scene") + verb), "href": href})
    rough = sum(s.status == SceneStatus.APPROVED and not s.tier_deliverable for s in scenes)
    if rough:
        text = f"{many(rough, 'approved scene')} of a tier that is not delivered"
        found.append({"status": "warning", "text": text, "href": "/matrix"})
    return found


def _missing_images(images: list[manifest.ImageFacts]) -> list[dict[str, str]]:
    lacking = [f"{i.character}: no approved '{i.variant_kind}' image" for i in images if i.sha256 is None]
    shown = [{"status": "blocked", "text": text, "href": "/characters"} for text in lacking[:12]]
    if len(lacking) > 12:
        shown.append({"status": "blocked", "text": f"{len(lacking) - 12} more images", "href": "/characters"})
    return shown


def _missing_rights(desk: Desk) -> list[dict[str, str]]:
    if desk.project is None:
        return []
    gaps = rights.uncovered(desk.session, _uses(desk.session, desk.project), desk.now)
    found = dict.fromkeys((use.character_id, gap.reason) for use, gap in gaps.items())
    return [{"status": "blocked", "text": text, "href": f"/character?character={key}"} for key, text in found][:12]


def _packages(desk: Desk, packer: Packer) -> list[dict[str, Any]]:
    scenes = (
        sa.select(sa.func.count())
        .where(m.DeliveryItem.delivery_id == m.Delivery.id, m.DeliveryItem.scene_version_id.is_not(None))
        .scalar_subquery()
    )
    rows = desk.session.execute(
        sa.select(m.Delivery, m.Person.name, scenes)
        .outerjoin(m.Person, m.Person.id == m.Delivery.created_by_id)
        .where(m.Delivery.project_id == desk.project_id)
        .order_by(m.Delivery.created_at.desc(), m.Delivery.id.desc())
        .limit(100)
    )
    return [_package(desk, packer, row, by or "", int(n)) for row, by, n in rows]


def _package(desk: Desk, packer: Packer, row: m.Delivery, by: str, n_scenes: int) -> dict[str, Any]:
    path = Path(row.path)
    status, word = _STATES[row.status_id]
    here = row.status_id == DeliveryStatus.COMPLETE and path.is_file()
    if row.status_id == DeliveryStatus.WRITING and _is_abandoned(desk, packer, row, path):
        status, word = "failed", "Interrupted"
    elif row.status_id == DeliveryStatus.COMPLETE and not here:
        status, word = "warning", "File is gone"
    files = len((row.manifest or {}).get("files", []))
    note = f"{many(files, 'file')}, SHA-256 {row.sha256[:12]}…" if row.sha256 else ""
    return {
        "id": str(row.id), "name": path.name, "status": status, "word": word, "at": iso(row.created_at), "by": by,
        "scenes": n_scenes, "size_bytes": row.n_bytes or 0,
        "download": f"/media/delivery/{row.id}" if here and desk.may(Permission.DELIVER) else None,
        "note": ("partial, " if row.is_partial else "") + note if note else "partial" if row.is_partial else "",
    }  # fmt: skip


def _is_abandoned(desk: Desk, packer: Packer, row: m.Delivery, path: Path) -> bool:
    """Return whether nobody writes a package any more: this process started all that lie in this folder."""
    ours = path.parent == desk.studio.settings.home / "deliveries"
    return ours and not packer.is_writing(row.id) and not any(path.parent.glob(f".{path.name}.*.part"))
