"""Quality assurance's use cases: register metrics and profiles, judge a take, record scores and verdicts."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.qa import queries
from x121lib.qa.analysis import Analysis
from x121lib.qa.gates import judge, overall
from x121lib.qa.metrics import METRICS
from x121lib.qa.profiles import Profile, load_profile
from x121lib.terms.quality import Outcome, Verdict
from x121lib.terms.roles import Actor, Permission
from x121lib.terms.vocabulary import EventKind, MetricDirection, VerdictOutcome


def register_metrics(session: Session) -> None:
    """Write (or refresh) the row of every metric that this X121 measures."""
    rows = [
        {
            "id": new_id(), "name": metric.name, "unit": metric.unit,
            "direction_id": MetricDirection(str(metric.direction)), "source": metric.source,
            "description": metric.description,
        }
        for metric in METRICS
    ]  # fmt: skip
    statement = insert(m.Metric).values(rows)
    update = {c: statement.excluded[c] for c in ("unit", "direction_id", "source", "description")}
    session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=update))


def load_profiles(session: Session, actor: Actor, folder: Path) -> None:
    """Store every profile file of a folder; see `load_profile_file`."""
    for path in sorted(folder.glob("*.toml")):
        store_profile(session, actor, load_profile(path))


def store_profile(session: Session, actor: Actor, profile: Profile) -> uuid.UUID:
    """Store a profile as a new version unless the newest one has the same gates; returns the version's key."""
    actor.require(Permission.MANAGE_RECIPES)
    digest = hashlib.sha256(json.dumps([asdict(g) for g in profile.gates], sort_keys=True).encode()).hexdigest()
    row = session.scalars(sa.select(m.QaProfile).where(m.QaProfile.name == profile.name)).first()
    if row is None:
        row = m.QaProfile(name=profile.name)
        session.add(row)
        session.flush()
    last = session.scalars(
        sa.select(m.QaProfileVersion)
        .where(m.QaProfileVersion.profile_id == row.id)
        .order_by(m.QaProfileVersion.number.desc())
        .limit(1)
    ).first()
    if last is not None and last.content_hash == digest:
        return last.id
    version = m.QaProfileVersion(profile_id=row.id, number=(last.number if last else 0) + 1, content_hash=digest)
    session.add(version)
    session.flush()
    metrics = queries.metric_ids(session)
    session.add_all(
        m.QaGate(
            profile_version_id=version.id, metric_id=metrics[g.metric], warn_below=g.warn_below,
            fail_below=g.fail_below, warn_above=g.warn_above, fail_above=g.fail_above,
        )
        for g in profile.gates
    )  # fmt: skip
    session.flush()
    return version.id


def record(
    session: Session, take_id: uuid.UUID, analysis: Analysis, profile_version_id: uuid.UUID
) -> tuple[Outcome, tuple[Verdict, ...]]:
    """Write a take's scores and its verdicts under a profile; returns the overall outcome with the verdicts."""
    metrics = queries.metric_ids(session)
    session.execute(sa.delete(m.Score).where(m.Score.take_id == take_id))
    session.execute(sa.delete(m.Verdict).where(m.Verdict.take_id == take_id))
    session.add_all(
        m.Score(
            take_id=take_id, metric_id=metrics[s.metric], value=float(s.value), note=s.note,
            start_frame=s.frames.start if s.frames else None, stop_frame=s.frames.stop if s.frames else None,
        )
        for s in analysis.scores
    )  # fmt: skip
    gates = queries.gates(session, profile_version_id)
    verdicts = judge(
        analysis.scores, list(gates.values()), not_applicable=analysis.not_applicable, unmeasured=analysis.unmeasured
    )
    key_of = {gate.metric: key for key, gate in gates.items()}
    session.add_all(
        m.Verdict(
            take_id=take_id, gate_id=key_of[v.metric], outcome_id=VerdictOutcome(v.outcome.value), value=v.value,
            threshold=v.threshold, reason=v.reason,
        )
        for v in verdicts
    )  # fmt: skip
    outcome = overall(verdicts)
    outbox.publish(session, EventKind.TAKE_SCORED, entity="take", entity_id=take_id,
                   payload={"outcome": outcome.value})  # fmt: skip
    return outcome, verdicts


def failures(verdicts: Iterable[Verdict]) -> str:
    """Return the reasons of the failed gates in one line."""
    return " ".join(v.reason for v in verdicts if v.outcome == Outcome.FAIL)
