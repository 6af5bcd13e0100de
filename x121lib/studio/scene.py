"""A scene as a handle: its takes, scores, receipt and cut."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import X121Error
from x121lib.delivery.queries import receipts
from x121lib.pipeline import retaking
from x121lib.review import queries as review_queries
from x121lib.studio import display, drift
from x121lib.studio.filmstrip import cut_strip
from x121lib.terms.vocabulary import VerdictOutcome

if TYPE_CHECKING:
    from x121lib.studio.core import Studio


class SceneHandle:
    """One scene.

    Attributes:
        scene_id: its key.
    """

    def __init__(self, studio: Studio, scene_id: uuid.UUID) -> None:
        self._studio = studio
        self.scene_id = scene_id

    def __repr__(self) -> str:
        head = self.head()
        return f"<Scene {head['character']} / {head['scene_type']} / {head['variant']}: {head['status']}>"

    def _repr_html_(self) -> str:
        segments, note = self.segments(), ""
        try:
            strip = self.strips()
        except X121Error as error:
            strip, note = None, str(error)
        pictures: list[bytes] = []
        if strip is not None:
            pictures = cut_strip(strip, [int(s.stop_frame - s.start_frame) for s in segments.itertuples()])
        return display.scene_html(self.head(), _views(segments, self.scores(), pictures), note)

    def head(self) -> dict[str, Any]:
        """Return names, status and progress as a dict."""
        with self._studio.transaction() as session:
            row = session.execute(_scene_rows().where(m.Scene.id == self.scene_id)).mappings().one()
        return _plain(dict(row))

    def takes(self) -> pd.DataFrame:
        """Return one row per take: segment, number, status, seed, frames, chosen."""
        with self._studio.transaction() as session:
            rows = session.execute(
                sa.select(m.Segment.sequence_index, m.Take, m.Segment.chosen_take_id)
                .join(m.Take, m.Take.segment_id == m.Segment.id)
                .where(m.Segment.scene_id == self.scene_id)
                .order_by(m.Segment.sequence_index, m.Take.number)
            ).all()
        columns = ["segment", "take", "status", "seed", "frames", "chosen", "take_id"]
        data = [(i, t.number, t.status_id.value, int(t.seed), t.n_frames, t.id == c, t.id) for i, t, c in rows]
        return pd.DataFrame(data, columns=columns)

    def scores(self) -> pd.DataFrame:
        """Return one row per take and metric: value, unit, outcome and reason of its gate where it has one."""
        gated = (
            sa.select(m.Verdict.take_id, m.QaGate.metric_id, m.Verdict.outcome_id, m.Verdict.threshold,
                      m.Verdict.reason)
            .join(m.QaGate, m.QaGate.id == m.Verdict.gate_id)
            .subquery()
        )  # fmt: skip
        on = sa.and_(gated.c.take_id == m.Score.take_id, gated.c.metric_id == m.Score.metric_id)
        with self._studio.transaction() as session:
            rows = session.execute(
                sa.select(m.Segment.sequence_index, m.Take.number, m.Metric.name, m.Score.value, m.Metric.unit,
                          gated.c.outcome_id, gated.c.threshold, gated.c.reason, m.Score.note)
                .join(m.Take, m.Take.id == m.Score.take_id)
                .join(m.Segment, m.Segment.id == m.Take.segment_id)
                .join(m.Metric, m.Metric.id == m.Score.metric_id)
                .outerjoin(gated, on)
                .where(m.Segment.scene_id == self.scene_id)
                .order_by(m.Segment.sequence_index, m.Take.number, m.Metric.name)
            ).all()  # fmt: skip
        columns = ["segment", "take", "metric", "value", "unit", "outcome", "threshold", "reason", "note"]
        data = [(s, t, n, v, u, o.label if o else "", h, r or "", x) for s, t, n, v, u, o, h, r, x in rows]
        return pd.DataFrame(data, columns=columns)

    def drift(self) -> pd.DataFrame:
        """Return one row per quantity of the drift meter: how the chain moves away from the scene's first frame.

        Values, trend a segment with its interval, the verdict of the QA profile's gate, the segment that passed the
        limit or will pass it, all of it in words. `drift_points` has the values of each segment.
        """
        return drift.frame(drift.of_scenes(self._studio, [self.scene_id])[self.scene_id])

    def drift_points(self) -> pd.DataFrame:
        """Return one row per quantity and segment of the drift meter: metric, segment, value."""
        return drift.points(drift.of_scenes(self._studio, [self.scene_id])[self.scene_id])

    def timings(self) -> pd.DataFrame:
        """Return one row per take, attempt and node: seconds on the server, whether it came from its cache.

        ``queue_s``, ``run_s`` and ``download_s`` are the whole attempt's, empty where it did not complete.
        """
        with self._studio.transaction() as session:
            rows = session.execute(
                sa.select(m.Segment.sequence_index, m.Take.number, m.GpuTaskAttempt.number, m.Worker.name,
                          m.AttemptNodeTime.node_id, m.AttemptNodeTime.node_class, m.AttemptNodeTime.seconds,
                          m.AttemptNodeTime.is_cached, m.GpuTaskAttempt.queue_s, m.GpuTaskAttempt.run_s,
                          m.GpuTaskAttempt.download_s)
                .join(m.GpuTaskAttempt, m.GpuTaskAttempt.id == m.AttemptNodeTime.attempt_id)
                .join(m.GpuTask, m.GpuTask.id == m.GpuTaskAttempt.task_id)
                .join(m.Take, m.Take.id == m.GpuTask.take_id)
                .join(m.Segment, m.Segment.id == m.Take.segment_id)
                .outerjoin(m.Worker, m.Worker.id == m.GpuTaskAttempt.worker_id)
                .where(m.Segment.scene_id == self.scene_id)
                .order_by(m.Segment.sequence_index, m.Take.number, m.GpuTaskAttempt.number,
                          m.AttemptNodeTime.seconds.desc(), m.AttemptNodeTime.node_id)
            ).all()  # fmt: skip
        columns = ["segment", "take", "attempt", "worker", "node", "class", "seconds", "cached", "queue_s", "run_s",
                   "download_s"]  # fmt: skip
        return pd.DataFrame([tuple(row) for row in rows], columns=columns)

    def retakes(self) -> list[str]:
        """Return a sentence for each segment that X121 retook by itself: what failed, what changed, what is used."""
        with self._studio.transaction() as session:
            return [row[-1] for row in retaking.stories(session, scene_id=self.scene_id)]

    def segments(self) -> pd.DataFrame:
        """Return one row per segment: status, the take in the newest cut (else the newest), its frames in the cut.

        ``start_frame`` and ``stop_frame`` count in the cut, half-open; planned frames where there is no cut.
        """
        with self._studio.transaction() as session:
            version = review_queries.newest_version(session, self.scene_id)
            cuts = _cuts(session, version.id) if version is not None else {}
            rows = session.execute(
                sa.select(m.Segment, sa.func.max(m.Take.number))
                .outerjoin(m.Take, m.Take.segment_id == m.Segment.id)
                .where(m.Segment.scene_id == self.scene_id)
                .group_by(m.Segment.id)
                .order_by(m.Segment.sequence_index)
            ).all()
        data, at = [], 0
        for segment, newest in rows:
            take, length = cuts.get(segment.id, (newest, segment.planned_frames))
            data.append((segment.sequence_index, segment.status_id.label, take, at, at + length, bool(cuts)))
            at += length
        columns = ["segment", "status", "take", "start_frame", "stop_frame", "in_cut"]
        return pd.DataFrame(data, columns=columns)

    def receipt(self) -> dict[str, Any]:
        """Return everything that made the newest cut."""
        with self._studio.transaction() as session:
            version = review_queries.newest_version(session, self.scene_id)
            return receipts(session, version.id) if version is not None else {}

    def video(self) -> Path | None:
        """Return the path of the newest cut's video in the artifact store (read-only), or None."""
        return self._file("artifact_id")

    def strips(self) -> Path | None:
        """Return the path of the newest cut's filmstrip, or None."""
        return self._file("filmstrip_artifact_id")

    def _file(self, column: str) -> Path | None:
        with self._studio.transaction() as session:
            version = review_queries.newest_version(session, self.scene_id)
            key = getattr(version, column) if version is not None else None
            sha256 = session.scalar(sa.select(m.Artifact.sha256).where(m.Artifact.id == key)) if key else None
        return self._studio.doors.file(sha256)[0] if sha256 else None

    @staticmethod
    def frame(studio: Studio, project_id: uuid.UUID) -> pd.DataFrame:
        """Return one row per scene of a project."""
        with studio.transaction() as session:
            query = _scene_rows().where(m.Scene.project_id == project_id)
            rows = session.execute(query.order_by(m.Character.name, m.SceneType.name, m.VariantKind.sort_order))
            data = [_plain(dict(r)) for r in rows.mappings()]
        return pd.DataFrame(data, columns=list(_COLUMNS))


_COLUMNS = (
    "character", "scene_type", "variant", "tier", "status", "worst", "segments_done", "segments", "frames", "version",
    "failure_reason", "scene_id",
)  # fmt: skip


def _cuts(session: sa.orm.Session, version_id: uuid.UUID) -> dict[uuid.UUID, tuple[int, int]]:
    """Return (number of the take, frames) of each segment in a cut, by the segment's key."""
    cut = m.SceneVersionCut
    rows = session.execute(
        sa.select(m.Take.segment_id, m.Take.number, cut.stop_frame - cut.start_frame)
        .join(cut, cut.take_id == m.Take.id)
        .where(cut.scene_version_id == version_id)
    )
    return {segment_id: (number, frames) for segment_id, number, frames in rows}


def _views(segments: pd.DataFrame, scores: pd.DataFrame, pictures: list[bytes]) -> list[display.SegmentView]:
    views = []
    for at, row in enumerate(segments.itertuples()):
        own = scores[(scores["segment"] == row.segment) & (scores["take"] == row.take)]
        values = own[["metric", "value", "outcome", "reason"]].itertuples(index=False, name=None)
        views.append(
            display.SegmentView(
                index=int(row.segment), take=None if pd.isna(row.take) else int(row.take), status=row.status,
                start=int(row.start_frame), stop=int(row.stop_frame), scores=tuple(values),
                picture=pictures[at] if at < len(pictures) else None,
            )
        )  # fmt: skip
    return views


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    row["status"] = row["status"].label
    row["worst"] = VerdictOutcome.from_number(int(row["worst"])).label if row["worst"] is not None else ""
    return row


def _scene_rows() -> sa.Select[Any]:
    newest = (
        sa.select(m.SceneVersion.scene_id, sa.func.max(m.SceneVersion.number).label("number"))
        .group_by(m.SceneVersion.scene_id)
        .subquery()
    )
    segments = sa.select(sa.func.count()).where(m.Segment.scene_id == m.Scene.id).scalar_subquery()
    done = (
        sa.select(sa.func.count())
        .where(m.Segment.scene_id == m.Scene.id, m.Segment.chosen_take_id.is_not(None))
        .scalar_subquery()
    )
    newer = sa.orm.aliased(m.Take)
    worst = (
        sa.select(sa.func.max(sa.cast(m.Verdict.outcome_id, sa.SmallInteger)))
        .join(m.Take, m.Take.id == m.Verdict.take_id)
        .join(m.Segment, m.Segment.id == m.Take.segment_id)
        .where(m.Segment.scene_id == m.Scene.id)
        .where(~sa.exists().where(newer.segment_id == m.Take.segment_id, newer.number > m.Take.number))
        .scalar_subquery()
    )
    return (
        sa.select(
            m.Character.name.label("character"), m.SceneType.name.label("scene_type"),
            m.VariantKind.name.label("variant"), m.Tier.name.label("tier"), m.Scene.status_id.label("status"),
            worst.label("worst"), done.label("segments_done"), segments.label("segments"),
            m.SceneVersion.n_frames.label("frames"), m.SceneVersion.number.label("version"),
            m.Scene.failure_reason, m.Scene.id.label("scene_id"),
        )
        .join(m.Character, m.Character.id == m.Scene.character_id)
        .join(m.SceneType, m.SceneType.id == m.Scene.scene_type_id)
        .join(m.VariantKind, m.VariantKind.id == m.Scene.variant_kind_id)
        .join(m.Tier, m.Tier.id == m.Scene.tier_id)
        .outerjoin(newest, newest.c.scene_id == m.Scene.id)
        .outerjoin(
            m.SceneVersion,
            sa.and_(m.SceneVersion.scene_id == m.Scene.id, m.SceneVersion.number == newest.c.number),
        )
    )  # fmt: skip
