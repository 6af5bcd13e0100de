"""An open studio with two projects and its API, asked over ASGI."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx
import pytest
import pytest_asyncio
import sqlalchemy as sa
from fastapi import FastAPI

from x121lib import model as m
from x121lib.api import make_router
from x121lib.base.settings import Settings
from x121lib.store.session import Database
from x121lib.studio import Studio
from x121lib.studio.clients import Clients
from x121lib.terms.vocabulary import SceneStatus
from x121lib.testing import production

PASSWORD = "a quiet walk by the sea"
VIDEO = bytes(range(256)) * 8


@dataclass
class House:
    """A studio, its app, and what was stored in it."""

    studio: Studio
    database: Database
    app: FastAPI
    made: production.Studio
    keys: dict[str, str] = field(default_factory=dict)
    video: str = ""

    def key(self, role: str) -> dict[str, str]:
        """Return the headers of a person of that role, with an API key of their own."""
        if role not in self.keys:
            address = f"{role}@example.com"
            self.studio.people.add(role.capitalize(), address, [role], PASSWORD)
            self.keys[role] = Clients(self.studio).add_key("tests", email=address)
        return {"Authorization": f"Bearer {self.keys[role]}"}

    def scene(self, project: uuid.UUID) -> uuid.UUID:
        """Return the first scene of a project."""
        with self.database.transaction() as session:
            query = sa.select(m.Scene.id).where(m.Scene.project_id == project).order_by(m.Scene.index_number)
            return session.scalars(query.limit(1)).one()

    def set_status(self, scene_id: uuid.UUID, status: SceneStatus) -> None:
        """Put a scene where a test wants it, with nothing decided yet."""
        with self.database.transaction() as session:
            session.execute(sa.delete(m.Decision))
            session.execute(sa.update(m.Scene).where(m.Scene.id == scene_id).values(status_id=status))


def make_app(studio: Studio) -> FastAPI:
    """Return an app with nothing but the API."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(make_router(lambda _: studio))
    return app


@pytest.fixture
def house(settings: Settings, database: Database) -> Iterator[House]:
    """Return an open studio whose one cut in *Autumn* is a real stored file."""
    with Studio.open(settings=settings) as studio:
        made = production.make_studio(database)
        house = House(studio, database, make_app(studio), made)
        house.video = studio.house.artifacts.put_bytes(VIDEO).sha256
        cut = sa.select(m.SceneVersion.artifact_id).where(m.SceneVersion.scene_id == house.scene(made.autumn))
        with database.transaction() as session:
            changed = sa.update(m.Artifact).where(m.Artifact.id.in_(cut))
            session.execute(changed.values(sha256=house.video, n_bytes=len(VIDEO)))
        yield house


@pytest_asyncio.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of the API that nobody has signed in."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(house.app), base_url="http://x121/api") as client:
        yield client
