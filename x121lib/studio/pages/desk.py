"""What every view stands on: one transaction, one actor, one project, one moment."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError
from x121lib.studio.core import Studio
from x121lib.studio.pages.people import SessionPerson
from x121lib.terms.roles import Actor, Permission

View = dict[str, Any]
"""One view, in the shape that the web door's contract gives."""


@dataclass(frozen=True)
class Desk:
    """Where a view is made."""

    studio: Studio
    """The studio as the person sees it."""
    session: Session
    """The view's transaction."""
    person: SessionPerson
    """Who asks."""
    project: m.Project | None
    """The project asked for, else the first one; None where there is none."""
    now: datetime
    """Moment of the view."""

    @property
    def actor(self) -> Actor:
        """Who asks, with their permissions."""
        return self.studio.actor

    @property
    def project_id(self) -> uuid.UUID | None:
        """Key of the project."""
        return self.project.id if self.project else None

    def may(self, permission: Permission) -> bool:
        """Return whether the person holds a permission."""
        return self.actor.may(permission)


def choose_project(session: Session, wanted: str | None) -> m.Project | None:
    """Return the project of that key or name, else the first by name: a cookie may name one that is gone."""
    projects = list(session.scalars(sa.select(m.Project).order_by(m.Project.name)))
    found = next((p for p in projects if wanted in (str(p.id), p.name)), None)
    return found or (projects[0] if projects else None)


def need_project(session: Session, wanted: str | None) -> m.Project:
    """Return the project that a change is for; raises `NotFoundError` where a named one does not exist."""
    found = choose_project(session, wanted)
    if found is None or (wanted and wanted not in (str(found.id), found.name)):
        raise NotFoundError("There is no such project.", hint="Choose a project, or make one: 'x121 project create'.")
    return found


def key_of(text: str, what: str) -> uuid.UUID:
    """Return a key from its text; raises `NotFoundError`: what is no key names nothing."""
    try:
        return uuid.UUID(text)
    except (ValueError, AttributeError, TypeError) as error:
        raise NotFoundError(f"There is no such {what}.", hint="Open it from its list.") from error


def keys_of(texts: list[str], what: str) -> list[uuid.UUID]:
    """Return keys from their texts; raises `InvalidInputError` for none at all."""
    if not texts:
        raise InvalidInputError(f"No {what} was chosen.")
    return [key_of(text, what) for text in texts]
