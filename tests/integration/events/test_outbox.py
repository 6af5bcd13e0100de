"""The outbox misses nothing, whatever order transactions commit in; NOTIFY wakes; the audit chain shows tampering."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from x121lib import model as m
from x121lib.base.ids import new_id
from x121lib.events import outbox
from x121lib.store import audit
from x121lib.store.session import Database, Listener
from x121lib.terms.roles import Actor
from x121lib.terms.vocabulary import EventKind


def publish(session: Session, number: int) -> None:
    outbox.publish(
        session, EventKind.TASK_QUEUED, entity="gpu_task", entity_id=new_id(), payload={"number": number}
    )  # fmt: skip
    session.flush()


def read(database: Database, consumer: str = "test", limit: int = 500) -> list[int]:
    with database.transaction() as session:
        return [event.payload["number"] for event in outbox.read(session, consumer, limit=limit)]


@pytest.mark.capability("PRD-02/live-event-stream-to-clients")
def test_an_event_that_commits_late_is_not_missed(database: Database) -> None:
    with Session(database.engine) as slow:
        publish(slow, 1)
        with database.transaction() as fast:
            publish(fast, 2)
        assert read(database) == [], "what commits later may sort before it"
        slow.commit()
    assert read(database) == [1, 2]
    assert read(database) == []


def test_a_later_number_in_an_earlier_transaction_is_not_missed(database: Database) -> None:
    with Session(database.engine) as early, Session(database.engine) as late:
        early.execute(sa.text("SELECT pg_current_xact_id()"))
        publish(late, 1)
        late.commit()
        publish(early, 2)
        read(database)
        early.commit()
    assert sorted([*read(database, "other"), *read(database, "third")]) == [1, 1, 2, 2]


def test_each_reader_goes_on_where_it_was(database: Database) -> None:
    with database.transaction() as session:
        for number in range(5):
            publish(session, number)
    assert read(database, limit=2) == [0, 1]
    assert read(database, "other") == [0, 1, 2, 3, 4]
    assert read(database, limit=2) == [2, 3]
    assert read(database) == [4]


def test_a_rolled_back_change_leaves_no_event(database: Database) -> None:
    with Session(database.engine) as session:
        publish(session, 1)
        session.rollback()
    assert read(database) == []


def test_notify_wakes_a_listener_when_the_change_commits(database: Database) -> None:
    listener = Listener(database.url, [outbox.CHANNEL])
    try:
        listener.wait(0)  # connects
        woken: list[str] = []
        thread = threading.Thread(target=lambda: woken.extend(listener.wait(20)))
        thread.start()
        with database.transaction() as session:
            publish(session, 1)
        thread.join(20)
        assert woken == ["task.queued"]
    finally:
        listener.close()


def test_a_listener_survives_the_loss_of_its_connection(database: Database) -> None:
    listener = Listener(database.url, [outbox.CHANNEL], name="x121-listener-test")
    try:
        listener.wait(0)
        kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'x121-listener-test'"
        with database.transaction() as session:
            session.execute(sa.text(kill))
        for _ in range(3):
            listener.wait(0.1)
        with database.transaction() as session:
            publish(session, 1)
        assert listener.wait(20) == ["task.queued"]
    finally:
        listener.close()


@pytest.fixture
def chain(database: Database, admin: Actor) -> list[int]:
    """Write four entries and return their ids."""
    with database.transaction() as session:
        for number in range(4):
            audit.record(session, admin, "test.step", ("project", None), after={"number": number})
    with database.transaction() as session:
        return list(session.scalars(sa.select(m.AuditEntry.id).order_by(m.AuditEntry.id)))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entry SET after = '{\"number\": 9}' WHERE id = :id",
        "UPDATE audit_entry SET actor_name = 'Somebody else' WHERE id = :id",
        "UPDATE audit_entry SET action = 'nothing' WHERE id = :id",
        "UPDATE audit_entry SET at = at - interval '1 day' WHERE id = :id",
        "DELETE FROM audit_entry WHERE id = :id",
    ],
)
def test_a_changed_or_removed_entry_breaks_the_audit_chain(database: Database, chain: list[int], change: str) -> None:
    with database.transaction() as session:
        assert audit.first_broken_entry(session) is None
        session.execute(sa.text(change), {"id": chain[1]})
    with database.transaction() as session:
        assert audit.first_broken_entry(session) in (chain[1], chain[2])


def test_writers_at_once_keep_the_chain_whole(database: Database, admin: Actor) -> None:
    def write() -> None:
        for _ in range(5):
            with database.transaction() as session:
                audit.record(session, admin, "test.step", ("project", None))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.transaction() as session:
        assert audit.first_broken_entry(session) is None
        assert session.scalar(sa.select(sa.func.count()).select_from(m.AuditEntry)) == 20
