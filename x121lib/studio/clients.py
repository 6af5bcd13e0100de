"""What programs outside the studio need: who they are, API keys, events, and deliveries that they may fetch."""

from __future__ import annotations

import re
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from x121lib import model as m
from x121lib.access import api_keys, queries, rights
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.base.ids import new_id
from x121lib.base.secrets import ensure_private_dir
from x121lib.delivery.package import Package
from x121lib.events import outbox
from x121lib.events.outbox import EventRecord, Position
from x121lib.studio.scene import SceneHandle
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import DeliveryStatus, EventKind, ReleasePurpose

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

_POSITION = re.compile(r"(\d{1,18})-(\d{1,19})")
_NEEDED: dict[EventKind, Permission] = {
    EventKind.PERSON_ADDED: Permission.MANAGE_PEOPLE,
    EventKind.RELEASE_ADDED: Permission.MANAGE_RIGHTS,
    EventKind.RELEASE_REVOKED: Permission.MANAGE_RIGHTS,
}
"""Permission that seeing a kind of event needs; `VIEW` where none is named."""


class Clients:
    """A studio as programs outside of it use it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    # Who is calling

    def as_bearer(self, token: str) -> Studio:
        """Return the studio seen by whoever holds this API key or session token.

        Raises:
            SignedOutError: the key or token opens nothing (any more).
            ForbiddenError: the person may not even look.
        """
        actor = self._actor(token)
        actor.require(Permission.VIEW)
        return self._studio.as_actor(actor)

    def _actor(self, token: str) -> Actor:
        if not token.startswith(api_keys.PREFIX):
            return self._studio.people.actor_for_session(token)
        with self._studio.transaction() as session:
            return api_keys.actor_for_key(session, token)

    def add_key(self, name: str, *, email: str | None = None) -> str:
        """Make an API key for the actor, or for the person of that address; it cannot be shown again."""
        with self._studio.transaction() as session:
            person_id = self._studio.actor.person_id
            if email is not None:
                person = queries.find_person_by_email(session, email.strip().lower())
                if person is None:
                    raise NotFoundError(f"Nobody signs in as '{email}'.", hint="'x121 person list' shows everybody.")
                person_id = person.id
            if person_id is None:
                raise InvalidInputError("An API key acts as a person.", hint="Give the address of one.")
            return api_keys.create(session, self._studio.actor, person_id, name)

    def revoke_key(self, key_id: uuid.UUID) -> None:
        """Let an API key open nothing any more."""
        with self._studio.transaction() as session:
            api_keys.revoke(session, self._studio.actor, key_id)

    def keys(self) -> list[dict[str, Any]]:
        """Return one row per API key that the actor may manage."""
        with self._studio.transaction() as session:
            return [asdict(row) for row in api_keys.list_keys(session, self._studio.actor)]

    # Events

    def event_end(self) -> str:
        """Return the position after everything that happened so far, as `events_after` takes it."""
        with self._studio.transaction() as session:
            return _written(outbox.end(session))

    def events_after(self, position: str, *, limit: int = 500) -> list[tuple[str, EventRecord]]:
        """Return the committed events after a position that the actor may see, each with its own position.

        Raises:
            InvalidInputError: the position is none that was handed out.
        """
        found = _POSITION.fullmatch(position)
        numbers = Position(*map(int, found.groups())) if found else Position(0, 2**63)
        if numbers.event_id >= 2**63:
            raise InvalidInputError("This is no position in the stream of events.", hint="Begin without one.")
        actor = self._studio.actor
        kinds = [kind for kind in EventKind if actor.may(_NEEDED.get(kind, Permission.VIEW))]
        with self._studio.transaction() as session:
            rows = outbox.read_after(session, numbers, kinds=kinds, limit=limit)
        return [(_written(at), event) for at, event in rows]

    # Scenes and deliveries

    def scene(self, scene_id: uuid.UUID) -> SceneHandle:
        """Return a scene by its key; raises `NotFoundError`."""
        with self._studio.transaction() as session:
            if session.get(m.Scene, scene_id) is None:
                raise NotFoundError("There is no such scene.")
        return SceneHandle(self._studio, scene_id)

    @property
    def deliveries_dir(self) -> Path:
        """The folder of deliveries that were asked for from outside."""
        return self._studio.settings.home / "deliveries"

    def deliver(self, project: str, *, partial: bool, characters: list[str]) -> tuple[uuid.UUID, Package]:
        """Write a delivery into the studio's own folder; returns its key and what was written."""
        handle = self._studio.project(project)
        stem = re.sub(r"[^\w.-]+", "_", handle.name).strip("._")[:80] or "delivery"
        to = ensure_private_dir(self.deliveries_dir) / f"{stem}-{new_id().hex}.zip"
        package = handle.deliver(to, partial=partial, characters=characters)
        with self._studio.transaction() as session:
            key = session.scalars(sa.select(m.Delivery.id).where(m.Delivery.path == str(package.path))).one()
        return key, package

    def deliveries(self, project: str | None = None) -> list[dict[str, Any]]:
        """Return one row per delivery, newest first; ``fetchable`` says whether `delivery_file` has it."""
        query = sa.select(m.Delivery, m.Project.name).join(m.Project, m.Project.id == m.Delivery.project_id)
        if project is not None:
            query = query.where(m.Delivery.project_id == self._studio.project(project).project_id)
        with self._studio.transaction() as session:
            rows = session.execute(query.order_by(m.Delivery.id.desc())).all()
        return [
            {
                "delivery_id": d.id, "project": name, "created_at": d.created_at, "status": d.status_id.value,
                "file": Path(d.path).name, "n_bytes": d.n_bytes, "sha256": d.sha256, "partial": d.is_partial,
                "fetchable": self._fetchable(d),
            }
            for d, name in rows
        ]  # fmt: skip

    def delivery_file(self, delivery_id: uuid.UUID) -> tuple[Path, str]:
        """Return (path, SHA-256) of a complete delivery in the studio's own folder.

        Raises:
            ForbiddenError: the actor may not deliver.
            NotFoundError: no such delivery, or its file lies elsewhere.
            ReleaseMissingError: a release no longer covers the delivery of somebody in it.
        """
        self._studio.actor.require(Permission.DELIVER)
        with self._studio.transaction() as session:
            row = session.get(m.Delivery, delivery_id)
            if row is None or row.sha256 is None or not self._fetchable(row):
                raise NotFoundError("There is no such delivery to fetch.", hint="Ask for a new one.")
            rights.require_cover_of(session, _uses_of(session, delivery_id), self._studio.house.now())
            return Path(row.path), row.sha256

    def _fetchable(self, row: m.Delivery) -> bool:
        path = Path(row.path)
        return row.status_id == DeliveryStatus.COMPLETE and path.parent == self.deliveries_dir and path.is_file()


def _written(position: Position) -> str:
    return f"{position.transaction_id}-{position.event_id}"


def _uses_of(session: sa.orm.Session, delivery_id: uuid.UUID) -> list[rights.Use]:
    """Return whose likeness a delivery shows: its scenes and its images."""
    item = m.DeliveryItem
    scenes = session.execute(
        sa.select(m.Scene.character_id, m.Scene.variant_kind_id, m.Scene.project_id, m.Scene.transition_mode_id)
        .join(m.SceneVersion, m.SceneVersion.scene_id == m.Scene.id)
        .join(item, item.scene_version_id == m.SceneVersion.id)
        .where(item.delivery_id == delivery_id)
        .distinct()
    )
    uses = [rights.Use(c, k, p, ReleasePurpose.DELIVER, t) for c, k, p, t in scenes]
    images = session.execute(
        sa.select(m.ImageVariant.character_id, m.ImageVariant.kind_id, m.Character.project_id)
        .join(m.Character, m.Character.id == m.ImageVariant.character_id)
        .join(m.ImageVersion, m.ImageVersion.variant_id == m.ImageVariant.id)
        .join(item, item.artifact_id == m.ImageVersion.artifact_id)
        .join(m.Delivery, sa.and_(m.Delivery.id == item.delivery_id, m.Delivery.project_id == m.Character.project_id))
        .where(item.delivery_id == delivery_id)
        .distinct()
    )
    return uses + [rights.Use(c, k, p, ReleasePurpose.DELIVER) for c, k, p in images]
