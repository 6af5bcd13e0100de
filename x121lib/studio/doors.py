"""What goes out of a studio besides deliveries: stored files, exports, and the doctor's findings."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from x121lib import model as m
from x121lib.access import rights
from x121lib.analytics import figures
from x121lib.analytics.export import ExportReport, export
from x121lib.base.errors import NotFoundError
from x121lib.scheduling import auditing
from x121lib.store import audit, migrations
from x121lib.store.artifacts import free_bytes
from x121lib.store.embedded import find_orphans
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import ArtifactKind, ReleasePurpose, WorkerStatus

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

LOW_DISK_BYTES = 500_000_000
"""Free space below which the doctor warns: some hundred takes, or one delivery."""


@dataclass(frozen=True)
class Finding:
    """One thing that the doctor looked at."""

    ok: bool
    """Whether it is well."""
    what: str
    """What was looked at, and what was found."""
    todo: str = ""
    """What to do; empty when well."""


class Doors:
    """Stored files with their rights, exports, figures, and the doctor."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def file(self, sha256: str) -> tuple[Path, str]:
        """Return (path, media type) of a stored file for showing it to the actor.

        Raises:
            NotFoundError: there is no such file.
            ReleaseMissingError: it shows a real performer whose release does not cover sharing any more.
        """
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            row = session.scalars(sa.select(m.Artifact).where(m.Artifact.sha256 == sha256)).one_or_none()
            if row is None:
                raise NotFoundError("There is no such file.")
            if row.kind_id == ArtifactKind.DOCUMENT:
                self._studio.actor.require(Permission.MANAGE_RIGHTS)
            rights.require_cover_of(session, _uses_of(session, row.id), self._studio.house.now())
        return self._studio.house.artifacts.path(sha256), row.media_type

    def export(self, to: Path, *, project: str | None = None) -> ExportReport:
        """Write a DuckDB file of clear tables, of one project or of all."""
        project_id = self._studio.project(project).project_id if project else None
        return export(self._studio.house.database, self._studio.actor, to, project_id=project_id)

    def figure(self, name: str, *, project: str | None = None) -> list[dict[str, object]]:
        """Return the rows of a named figure, e.g. ``production_summary``."""
        project_id = self._studio.project(project).project_id if project else None
        with self._studio.transaction() as session:
            return figures.figure(session, self._studio.actor, name, project_id)

    def examine(self) -> list[Finding]:
        """Look at database, schema, disk, files, workers and audit log; say what is well, what is not, what to do."""
        return [*self._database(), self._disk(), *self._files(), *self._workers(), *self._orphans()]

    def _database(self) -> Iterator[Finding]:
        status = migrations.status(self._studio.house.database)
        todo = "" if status.up_to_date else "Run 'x121 db upgrade'."
        yield Finding(status.up_to_date, f"Database schema {status.current}", todo)
        with self._studio.transaction() as session:
            version = session.scalar(sa.text("SHOW server_version"))
            yield Finding(True, f"PostgreSQL {version} answers")
            broken = audit.first_broken_entry(session)
            faults = auditing.audit(session, self._studio.house.now())
        yield Finding(
            not faults,
            f"The queue has {len(faults)} faults, first: {faults[0]}" if faults else "The queue's accounts are right",
            "" if not faults else "'x121 db audit' lists them all; keep a dump of the database.",
        )
        yield Finding(
            broken is None,
            "Audit log is whole" if broken is None else f"Audit log was changed at entry {broken}",
            "" if broken is None else "Compare with a backup: entries were altered or removed outside of X121.",
        )

    def _disk(self) -> Finding:
        folder = self._studio.settings.artifacts_dir
        free = free_bytes(folder)
        todo = "Free space there: finished takes are kept, and held ones go on by themselves."
        ok = free >= LOW_DISK_BYTES
        return Finding(ok, f"{free / 1e6:,.0f} MB are free in {folder}", "" if ok else todo)

    def _files(self) -> Iterator[Finding]:
        store = self._studio.house.artifacts
        with self._studio.transaction() as session:
            rows = session.execute(sa.select(m.Artifact.id, m.Artifact.sha256)).all()
            known = {sha256 for _, sha256 in rows}
            bad = 0
            for key, sha256 in rows:
                problem = store.verify(sha256)
                if problem is not None:
                    bad += 1
                    users = "; ".join(referrers(session, key)) or "nothing"
                    yield Finding(
                        False, f"{problem} Referred to by: {users}.",
                        "Restore the file from a backup, or retake what needs it.",
                    )  # fmt: skip
        stray = [sha256 for sha256 in store.iter_hashes() if sha256 not in known]
        yield Finding(bad == 0, f"{len(rows) - bad} of {len(rows)} stored files verified")
        yield Finding(True, f"{len(stray)} stored files belong to no row (left by interrupted work; harmless)")

    def _workers(self) -> Iterator[Finding]:
        with self._studio.transaction() as session:
            rows = session.scalars(sa.select(m.Worker).where(m.Worker.status_id != WorkerStatus.REMOVED)).all()
        if not rows:
            yield Finding(False, "No GPU worker is known", "Start the local engines with 'x121 up', or add a ComfyUI.")
        for row in rows:
            ok = row.status_id not in (WorkerStatus.OFFLINE, WorkerStatus.DEGRADED)
            todo = f"Start it, or 'x121 worker remove {row.name}'. Local engines run while 'x121 up' does."
            yield Finding(ok, f"Worker {row.name} ({row.url}) is {row.status_id.value}", "" if ok else todo)

    def _orphans(self) -> Iterator[Finding]:
        for path in find_orphans(self._studio.settings):
            yield Finding(False, f"Database folder {path} belongs to no X121_HOME any more", "Remove it if unneeded.")


def referrers(session: sa.orm.Session, artifact_id: uuid.UUID) -> list[str]:
    """Return everything that refers to an artifact, in words; reads the foreign keys of the whole schema."""
    found = []
    for table in m.Base.metadata.sorted_tables:
        columns = [c for c in table.columns if any(k.column.table.name == "artifact" for k in c.foreign_keys)]
        for column in columns:
            if table.name in ("artifact_image", "artifact_video"):
                continue
            first = next(iter(table.columns))
            keys = session.scalars(sa.select(first).where(column == artifact_id))
            found += [f"{table.name} {key} ({column.name})" for key in keys]
    return found


def _uses_of(session: sa.orm.Session, artifact_id: uuid.UUID) -> list[rights.Use]:
    """Return whose likeness a stored file shows, for the rights gate."""
    takes = (
        sa.select(m.Scene.character_id, m.Scene.variant_kind_id, m.Scene.project_id)
        .join(m.Segment, m.Segment.scene_id == m.Scene.id)
        .join(m.Take, m.Take.segment_id == m.Segment.id)
        .where(sa.or_(m.Take.output_artifact_id == artifact_id, m.Take.boundary_artifact_id == artifact_id,
                      m.Take.seed_frame_artifact_id == artifact_id))
    )  # fmt: skip
    cuts = (
        sa.select(m.Scene.character_id, m.Scene.variant_kind_id, m.Scene.project_id)
        .join(m.SceneVersion, m.SceneVersion.scene_id == m.Scene.id)
        .where(sa.or_(m.SceneVersion.artifact_id == artifact_id,
                      m.SceneVersion.filmstrip_artifact_id == artifact_id))
    )  # fmt: skip
    images = (
        sa.select(m.ImageVariant.character_id, m.ImageVariant.kind_id, m.Character.project_id)
        .join(m.ImageVersion, m.ImageVersion.variant_id == m.ImageVariant.id)
        .join(m.Character, m.Character.id == m.ImageVariant.character_id)
        .where(sa.or_(m.ImageVersion.artifact_id == artifact_id,
                      m.ImageVersion.original_artifact_id == artifact_id))
    )  # fmt: skip
    rows = {tuple(row) for query in (takes, cuts, images) for row in session.execute(query)}
    return [rights.Use(c, k, p, ReleasePurpose.SHARE) for c, k, p in rows]
