"""A project as a handle: import, variants, matrix, submit, review, deliver."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from x121lib import model as m
from x121lib.access import rights
from x121lib.base.errors import InvalidInputError, NotFoundError, X121Error
from x121lib.catalogue import queries as catalogue
from x121lib.delivery import service as delivery
from x121lib.delivery.package import Package, write_zip
from x121lib.intake import queries as intake_queries
from x121lib.intake import service as intake
from x121lib.intake import variants
from x121lib.intake.scan import ScanOptions, ScanReport, scan_folder
from x121lib.pipeline import flow, redoing, retaking, submission
from x121lib.pipeline.redoing import Redone
from x121lib.pipeline.submission import Selection, Submission
from x121lib.review.service import DecisionInput
from x121lib.studio import display, drift
from x121lib.studio.batch import BatchHandle
from x121lib.studio.scene import SceneHandle
from x121lib.terms.roles import Permission
from x121lib.terms.vocabulary import DecisionOutcome, PriorityClass, ReleasePurpose, SceneStatus, VerdictOutcome

if TYPE_CHECKING:
    from x121lib.studio.core import Studio


@dataclass(frozen=True)
class ImportResult:
    """What an import did, or would do."""

    report: ScanReport
    """What the folder holds and what is wrong with it."""
    imported: tuple[intake.Imported, ...]
    """Characters that were imported; empty for a dry run."""
    refused: tuple[str, ...]
    """Reasons, one line each, why characters or files were not."""


class ProjectHandle:
    """One project.

    Attributes:
        project_id: its key.
        name: its name.
    """

    def __init__(self, studio: Studio, project_id: uuid.UUID, name: str) -> None:
        self._studio = studio
        self.project_id = project_id
        self.name = name

    def __repr__(self) -> str:
        return f"<Project {self.name}>"

    def _repr_html_(self) -> str:
        return display.project_html(self.name, self.summary())

    def summary(self) -> dict[str, int]:
        """Return how many scenes stand in each status, by the word people see."""
        with self._studio.transaction() as session:
            rows = session.execute(
                sa.select(m.Scene.status_id, sa.func.count())
                .where(m.Scene.project_id == self.project_id)
                .group_by(m.Scene.status_id)
            )
            return {status.label: int(n) for status, n in rows}

    def figure(self, name: str) -> pd.DataFrame:
        """Return a named figure of this project as a data frame, e.g. ``gate_pass_rates``."""
        return pd.DataFrame(self._studio.doors.figure(name, project=self.name))

    # Characters and their images

    def import_folder(
        self, folder: Path | str, *, performer: str | None = None, synthetic: bool = False, kind: str | None = None,
        dry_run: bool = False, only: Sequence[str] = (), faces: Mapping[str, int] | None = None,
        progress: Callable[[int, int, Any], None] | None = None,
    ) -> ImportResult:  # fmt: skip
        """Import a folder of portraits; each character whole or not at all.

        Args:
            folder: e.g. ``Jane/Bio/portrait.png`` below it makes the character *Jane*.
            performer: working name of the real performer behind all of these characters.
            synthetic: no real person stands behind them; exactly one of both must be given.
            kind: variant kind of files whose stem names none.
            dry_run: look only.
            only: names of the characters to import; all by default.
            faces: primary face of images that show several: path below the folder → 1 for the largest, 2, ….
            progress: called with (files done, files in all, path).
        """
        if synthetic == (performer is not None):
            raise InvalidInputError("Say whose likeness this is.", hint="Give --synthetic, or --performer NAME.")
        report = scan_folder(Path(folder), self._studio.house.faces, self._scan_options(kind, faces or {}), progress)
        refused = [str(p) for p in report.problems]
        refused += [f"{c.name}: {reason}" for c in report.refused for reason in c.reasons()]
        imported: list[intake.Imported] = []
        chosen = [c for c in report.importable if not only or c.name in only]
        for character in chosen if not dry_run else ():
            stored = intake.store_files(character, self._studio.house.artifacts)
            try:
                with self._studio.transaction() as session:
                    imported.append(self._import_one(session, stored, performer))
            except X121Error as error:
                refused.append(f"{character.name}: {error}")
        return ImportResult(report, tuple(imported), tuple(refused))

    def _scan_options(self, kind: str | None, faces: Mapping[str, int]) -> ScanOptions:
        with self._studio.transaction() as session:
            kinds = catalogue.variant_kinds(session)
            if kind is not None:
                catalogue.variant_kind(session, kind)
        default = next((k.name for k in kinds if k.is_source), kinds[0].name)
        return ScanOptions(
            kinds=tuple(k.name for k in kinds), default_kind=default, kind=kind, fields=self._studio.opened.fields,
            chosen_faces={path: number - 1 for path, number in faces.items()},
        )  # fmt: skip

    def _import_one(
        self, session: sa.orm.Session, stored: intake.StoredCharacter, performer: str | None
    ) -> intake.Imported:
        actor = self._studio.actor
        project = session.get_one(m.Project, self.project_id)
        if performer is None:
            key = rights.ensure_synthetic_performer(session, actor, f"{stored.scanned.name} ({self.name})")
        else:
            found = rights.find_performer(session, actor, performer)
            if found is None:
                raise NotFoundError(
                    f"There is no performer '{performer}'.", hint="Record the release first: 'x121 release add'."
                )
            key = found.performer_id
        return intake.import_character(session, actor, project, stored, key, self._studio.opened.fields)

    def characters(self) -> pd.DataFrame:
        """Return one row per character: name, performer, kind of likeness, approved variants."""
        approved = (
            sa.select(sa.func.count())
            .where(m.ImageVariant.character_id == m.Character.id, m.ImageVariant.approved_version_id.is_not(None))
            .scalar_subquery()
        )
        with self._studio.transaction() as session:
            rows = session.execute(
                sa.select(m.Character.name, m.Performer.name, m.Performer.kind_id, approved, m.Character.id)
                .join(m.Performer, m.Performer.id == m.Character.performer_id)
                .where(m.Character.project_id == self.project_id)
                .order_by(m.Character.name)
            ).all()
        columns = ["character", "performer", "likeness", "approved_variants", "character_id"]
        return pd.DataFrame([(c, p, k.label, n, i) for c, p, k, n, i in rows], columns=columns)

    def variants(self) -> pd.DataFrame:
        """Return one row per image variant: character, kind, status, versions, approved version, hash."""
        with self._studio.transaction() as session:
            rows = intake_queries.variant_rows(session, self.project_id)
        return pd.DataFrame(rows, columns=["character", "kind", "status", "versions", "approved_version", "sha256"])

    def image_checks(self) -> pd.DataFrame:
        """Return one row per check of each newest image version: character, kind, check, outcome, reason."""
        newest = (
            sa.select(m.ImageVersion.variant_id, sa.func.max(m.ImageVersion.number).label("number"))
            .group_by(m.ImageVersion.variant_id)
            .subquery()
        )
        with self._studio.transaction() as session:
            rows = session.execute(
                sa.select(m.Character.name, m.VariantKind.name, m.ImageVersion.number, m.ImageCheck)
                .join(m.ImageVariant, m.ImageVariant.character_id == m.Character.id)
                .join(m.VariantKind, m.VariantKind.id == m.ImageVariant.kind_id)
                .join(newest, newest.c.variant_id == m.ImageVariant.id)
                .join(m.ImageVersion, sa.and_(m.ImageVersion.variant_id == m.ImageVariant.id,
                                              m.ImageVersion.number == newest.c.number))
                .join(m.ImageCheck, m.ImageCheck.image_version_id == m.ImageVersion.id)
                .where(m.Character.project_id == self.project_id)
                .order_by(m.Character.name, m.VariantKind.sort_order, m.ImageCheck.name)
            ).all()  # fmt: skip
        columns = ["character", "kind", "version", "check", "outcome", "value", "threshold", "reason"]
        data = [(c, k, v, x.name, x.outcome_id.label, x.value, x.threshold, x.reason) for c, k, v, x in rows]
        return pd.DataFrame(data, columns=columns)

    def make_variants(self, kind: str, *, characters: Sequence[str] = ()) -> int:
        """Queue the generation of a variant kind for characters that lack it; returns how many."""
        with self._studio.transaction() as session:
            project = session.get_one(m.Project, self.project_id)
            now = self._studio.house.now()
            return len(variants.plan_variants(session, self._studio.actor, project, kind, list(characters), now))

    def approve_variants(self, kind: str, *, characters: Sequence[str] = (), version: int | None = None) -> list[str]:
        """Approve the newest (or a given) version of a kind as hero; returns the characters' names."""
        with self._studio.transaction() as session:
            project = session.get_one(m.Project, self.project_id)
            return variants.approve(session, self._studio.actor, project, kind, characters, version=version)

    # Scenes

    def cells(self, selection: Selection | None = None) -> list[submission.Cell]:
        """Return the cells of the matrix with what blocks each."""
        with self._studio.transaction() as session:
            project = session.get_one(m.Project, self.project_id)
            return submission.cells(session, project, selection or Selection(), self._studio.house.now())

    def matrix(self) -> display.Matrix:
        """Return characters × scene types with a status per variant; a styled table in notebooks."""
        return display.Matrix(self.name, self.cells())

    def submit(
        self, *, characters: Sequence[str] = (), scene_types: Sequence[str] = (), variants: Sequence[str] = (),
        tier: str | None = None, at: datetime | None = None, priority: str = "Normal", skip_blocked: bool = False,
        off_peak: bool = False,
    ) -> BatchHandle:  # fmt: skip
        """Queue the selected cells (all by default) and return the batch; `BatchHandle.watch` follows it."""
        selection = Selection(
            characters=tuple(characters), scene_types=tuple(scene_types), variants=tuple(variants), tier=tier,
            priority_class=PriorityClass(priority.capitalize()), not_before=at, skip_blocked=skip_blocked,
            off_peak=off_peak,
        )  # fmt: skip
        return self.batch(selection)

    def batch(self, selection: Selection, *, dry_run: bool = False) -> BatchHandle:
        """Queue a selection, or say what that would do, and return it as a batch."""
        return BatchHandle(self._studio, self, self.submit_selection(selection, dry_run=dry_run))

    def submit_selection(self, selection: Selection, *, dry_run: bool = False) -> Submission:
        """Queue a selection, or say what that would do."""
        with self._studio.transaction() as session:
            project = session.get_one(m.Project, self.project_id, with_for_update=True)
            return submission.submit(
                session, self._studio.actor, project, selection, self._studio.house.now(), dry_run=dry_run
            )

    def redo(self, selection: Selection | None = None) -> Redone:
        """Queue what failed or was rejected again, and nothing else; raises `RefusedError` where nothing did."""
        with self._studio.transaction() as session:
            project = session.get_one(m.Project, self.project_id, with_for_update=True)
            return redoing.redo(
                session, self._studio.actor, project, selection or Selection(), self._studio.house.now()
            )

    def cancel_scenes(self, selection: Selection | None = None) -> tuple[int, int]:
        """Cancel what is queued or running; returns (scenes, tasks). Raises `RefusedError` where nothing is."""
        with self._studio.transaction() as session:
            project = session.get_one(m.Project, self.project_id, with_for_update=True)
            return redoing.cancel(
                session, self._studio.actor, project, selection or Selection(), self._studio.house.now()
            )

    def scene(self, character: str, scene_type: str, variant: str) -> SceneHandle:
        """Return a scene by its three names; raises `NotFoundError`."""
        for cell in self.cells(Selection((character,), (scene_type,), (variant,))):
            if cell.scene_id is not None:
                return SceneHandle(self._studio, cell.scene_id)
        raise NotFoundError(f"{character} / {scene_type} / {variant} was never submitted.")

    def scenes(self) -> pd.DataFrame:
        """Return one row per scene: names, status, segments done, frames, reason of a failure."""
        return SceneHandle.frame(self._studio, self.project_id)

    def drift(self, progress: Callable[[int, int], None] | None = None) -> pd.DataFrame:
        """Return one row per scene whose chain drifts past a limit of its QA profile, or will: what, where, in words.

        Args:
            progress: is told after each part how many scenes of how many are done.
        """
        scenes = self.scenes()
        return drift.worst_first(scenes, drift.of_scenes(self._studio, list(scenes["scene_id"]), progress))

    def retakes(self) -> pd.DataFrame:
        """Return one row per segment that X121 retook by itself: what failed, what was changed, what was used."""
        self._studio.actor.require(Permission.VIEW)
        with self._studio.transaction() as session:
            rows = retaking.stories(session, project_id=self.project_id)
        return pd.DataFrame(rows, columns=["character", "scene_type", "variant", "story"])

    # Review and delivery

    def approve_passing(self) -> tuple[list[str], list[str]]:
        """Approve every scene in review of which no gate failed; returns (approved, left) in words.

        Borderline scenes are approved too: a gate that only warns lets a scene pass.
        """
        approved, left = [], []
        for row in self.scenes().itertuples():
            label = f"{row.character} / {row.scene_type} / {row.variant}"
            if row.status != SceneStatus.REVIEW.label:
                continue
            if row.worst == VerdictOutcome.FAIL.label:
                left.append(label)
                continue
            given = DecisionInput(row.scene_id, DecisionOutcome.APPROVE, "No gate failed")
            with self._studio.transaction() as session:
                flow.decide(session, self._studio.actor, given, self._studio.house.now())
            approved.append(label)
        return approved, left

    def deliver(
        self, to: Path | str, *, partial: bool = False, characters: Sequence[str] = (),
        progress: Callable[[str], None] | None = None,
    ) -> Package:  # fmt: skip
        """Write the delivery's ZIP; only approved scenes, named by the convention, each file verified.

        Raises:
            IncompleteDeliveryError: something is missing and ``partial`` was not asked for; nothing was written.
            ReleaseMissingError: a release does not cover the delivery of a character.
        """
        house = self._studio.house
        with self._studio.transaction() as session:
            project = session.get_one(m.Project, self.project_id)
            self._require_delivery_rights(session, project, list(characters))
            request = delivery.DeliveryRequest(Path(to).absolute(), partial, tuple(characters))
            order = delivery.prepare(session, self._studio.actor, project, request, house.artifacts)
        try:
            package = write_zip(order.to, delivery.files_of(order, house.artifacts), progress=progress)
        except BaseException:
            with self._studio.transaction() as session:
                delivery.record_failure(session, order)
            raise
        with self._studio.transaction() as session:
            delivery.record(session, self._studio.actor, order, package, house.now())
        return package

    def _require_delivery_rights(self, session: sa.orm.Session, project: m.Project, names: list[str]) -> None:
        ids = [c.id for c in catalogue.characters(session, project.id, names)]
        rows = session.execute(
            sa.select(m.Scene.character_id, m.Scene.variant_kind_id, m.Scene.transition_mode_id)
            .where(m.Scene.character_id.in_(ids))
            .distinct()
        )
        uses = [rights.Use(c, k, project.id, ReleasePurpose.DELIVER, t) for c, k, t in rows]
        images = session.execute(
            sa.select(m.ImageVariant.character_id, m.ImageVariant.kind_id).where(
                m.ImageVariant.character_id.in_(ids), m.ImageVariant.approved_version_id.is_not(None)
            )
        )
        uses += [rights.Use(c, k, project.id, ReleasePurpose.DELIVER) for c, k in images]
        rights.require_cover_of(session, uses, self._studio.house.now())

    def deliveries(self) -> pd.DataFrame:
        """Return one row per delivery, newest first."""
        with self._studio.transaction() as session:
            rows = session.scalars(
                sa.select(m.Delivery).where(m.Delivery.project_id == self.project_id).order_by(m.Delivery.id.desc())
            ).all()
        columns = ["created_at", "status", "path", "n_bytes", "sha256", "partial"]
        data = [(d.created_at, d.status_id.value, d.path, d.n_bytes, d.sha256, d.is_partial) for d in rows]
        return pd.DataFrame(data, columns=columns)

    def cancel(self) -> int:
        """Cancel every GPU task of this project that is not over; returns how many. Finished segments stay."""
        with self._studio.transaction() as session:
            ids = list(session.scalars(sa.select(m.GpuTask.id).where(m.GpuTask.project_id == self.project_id)))
        return self._studio.cancel(ids)
