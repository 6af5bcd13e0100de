"""A worker that nobody asked for long is not shown as online, whatever its status still says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from x121lib import model as m
from x121lib.base.ids import new_id
from x121lib.store.session import Database
from x121lib.studio.pages import presence
from x121lib.terms.vocabulary import WorkerKind, WorkerStatus

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "silent_s", "gone"),
    [(WorkerStatus.ONLINE, 14, False), (WorkerStatus.ONLINE, 16, True), (WorkerStatus.DRAINING, 16, True),
     (WorkerStatus.OFFLINE, 1, True), (WorkerStatus.DEGRADED, 10, False)],
)  # fmt: skip
def test_silence_outweighs_the_status(database: Database, status: WorkerStatus, silent_s: int, gone: bool) -> None:
    with database.transaction() as session:
        seen = NOW - timedelta(seconds=silent_s)
        worker = m.Worker(
            id=new_id(), name="engine 1", url="http://127.0.0.1:1", slots=1, status_id=status,
            kind_id=WorkerKind.LOCAL_ENGINE, last_seen_at=seen,
        )  # fmt: skip
        session.add(worker)
        session.flush()
        (view,) = presence.worker_views(session, NOW)
        assert presence.is_gone(worker, NOW) is gone
        assert view.available is (status == WorkerStatus.ONLINE and not gone)
