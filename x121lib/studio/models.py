"""The library of models, as the façade offers it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from x121lib.base.errors import InvalidInputError, RefusedError
from x121lib.models import drawing, queries, repair, service, usage
from x121lib.models.repair import Repair
from x121lib.models.scan import check_root, file_hash, scan
from x121lib.models.service import ScanReport
from x121lib.models.usage import Warned
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import ModelStatus

if TYPE_CHECKING:
    from x121lib.studio.core import Studio

LIST_COLUMNS = [
    "kind", "name", "version", "status", "rating", "base_model", "n_bytes", "sha256", "path", "root", "model_id",
]  # fmt: skip


class Models:
    """Models and LoRAs: scan, list, verify, repair, rate, note, remove, and where each is used."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def root(self, folder: Path | str | None = None) -> Path:
        """Return the folder of models: the one given, else `X121_MODELS_DIR`; raises `InvalidInputError`."""
        given = folder if folder is not None else self._studio.settings.models_dir
        if given is None:
            raise InvalidInputError("No folder of models is known.", hint="Give one, or set X121_MODELS_DIR.")
        return check_root(Path(given))

    def scan(
        self, folder: Path | str | None = None, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> ScanReport:
        """Register what lies in a folder; files of known size and time are not read again.

        Raises:
            InvalidInputError: no folder.
        """
        root = self.root(folder)
        with self._studio.transaction() as session:
            known = service.known_files(session, self._studio.actor, root)
        found = scan(root, known, progress)
        with self._studio.transaction() as session:
            return service.record_scan(session, self._studio.actor, root, found, self._studio.house.now())

    def list(self, kind: str | None = None) -> pd.DataFrame:
        """Return one row per model: kind, name, newest version, status, rating, base model, size, hash, place."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            rows = queries.listing(session)
        data = [
            {
                "kind": row.kind_id.label, "name": row.name, "version": version.number, "status": row.status_id.value,
                "rating": row.rating, "base_model": version.base_model, "n_bytes": row.n_bytes,
                "sha256": version.sha256, "path": row.path, "root": root, "model_id": row.id,
            }
            for row, version, root in rows
            if kind is None or kind.lower() in (row.kind_id.label.lower(), row.kind_id.value)
        ]  # fmt: skip
        return pd.DataFrame(data, columns=LIST_COLUMNS)

    def show(self, name: str) -> dict[str, Any]:
        """Return everything known of one model: versions, trigger words, notes, duplicates; raises `NotFoundError`."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            row = queries.model(session, name)
            versions = queries.versions(session, row.id)
            notes = queries.notes(session, row.id)
            same = [x.path for x in queries.same_content(session, versions[0].sha256) if x.id != row.id]
            words = queries.trigger_words(session, versions[0].id)
        return {
            "model_id": row.id, "kind": row.kind_id.label, "name": row.name, "path": row.path,
            "status": row.status_id.value, "rating": row.rating, "n_bytes": row.n_bytes,
            "base_model": versions[0].base_model, "trigger_words": words, "verified_at": row.verified_at,
            "duplicates": same,
            "versions": [
                {"number": v.number, "sha256": v.sha256, "n_bytes": v.n_bytes, "since": v.created_at} for v in versions
            ],
            "notes": [
                {"text": n.text, "with": other, "warning": n.is_warning, "by": by, "at": n.created_at}
                for n, other, by in notes
            ],
        }  # fmt: skip

    def verify(
        self, names: tuple[str, ...] = (), progress: Callable[[int, int], None] = lambda done, total: None
    ) -> Sequence[tuple[str, ModelStatus]]:
        """Read every file (or those named) again and compare its hash; returns (path, status) of each."""
        with self._studio.transaction() as session:
            wanted = service.to_verify(session, self._studio.actor, names)
        found: dict[uuid.UUID, ModelStatus] = {}
        for done, (key, path, sha256) in enumerate(wanted):
            progress(done, len(wanted))
            found[key] = _status(path, sha256)
        progress(len(wanted), len(wanted))
        with self._studio.transaction() as session:
            return service.record_verified(session, self._studio.actor, found, self._studio.house.now())

    def repair(self) -> Sequence[Repair]:
        """Point each missing model at a file with the same content that a scan has found elsewhere."""
        with self._studio.transaction() as session:
            return repair.repair(session, self._studio.actor)

    def rate(self, name: str, rating: int | None) -> None:
        """Rate a model from 1 to 5 stars; None takes the rating away."""
        with self._studio.transaction() as session:
            service.rate(session, self._studio.actor, name, rating)

    def note(self, name: str, text: str, *, other: str | None = None, is_warning: bool = False) -> uuid.UUID:
        """Write a note on a model, or on a pair; a warning is said before work is queued."""
        with self._studio.transaction() as session:
            return service.add_note(session, self._studio.actor, name, text, other=other, is_warning=is_warning)

    def remove(self, name: str, *, keep_file: bool = False) -> None:
        """Take a model out of the inventory and delete its file, unless ``keep_file``; refused while it is used.

        Raises:
            RefusedError: it is in use, or its file could not be deleted (the next scan lists it again).
        """
        with self._studio.transaction() as session:
            file = repair.remove(session, self._studio.actor, name, keep_file=keep_file)
        if file is not None:
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise RefusedError(
                    f"{file.name} could not be deleted ({error.strerror}).", hint="Delete it."
                ) from error

    def uses(self, name: str) -> pd.DataFrame:
        """Return one row per use of a model: what, name, version, weight, whether it forbids removing the model."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            rows = usage.uses_of(session, queries.model(session, name))
        columns = ["what", "name", "version", "weight", "is_current", "key"]
        return pd.DataFrame([asdict(row) for row in rows], columns=columns)

    def graph(self, name: str) -> str:
        """Return the dependency graph of a model as an SVG picture; raises `NotFoundError`."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            row = queries.model(session, name)
            uses = usage.uses_of(session, row)
            parents = usage.parents_of(session, uses)
        return drawing.draw(row.path, uses, parents)

    def stale(self, name: str | None = None) -> pd.DataFrame:
        """Return one row per chosen take that an updated model (or any) makes stale, with the reason."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            key = queries.model(session, name).id if name is not None else None
            rows = usage.stale_takes(session, key)
        columns = ["scene", "segment", "take", "reason", "scene_id"]
        return pd.DataFrame([asdict(row) for row in rows], columns=columns)

    def warnings(self, scene_type: str) -> Sequence[Warned]:
        """Return what people warned of for the models that a scene type loads."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            return usage.warnings_of(session, scene_type)


def _status(path: Path, sha256: str) -> ModelStatus:
    try:
        return ModelStatus.PRESENT if file_hash(path) == sha256 else ModelStatus.ALTERED
    except FileNotFoundError:
        return ModelStatus.MISSING
    except OSError:
        return ModelStatus.ALTERED
