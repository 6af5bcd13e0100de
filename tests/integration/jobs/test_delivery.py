"""How decided work reaches threads: claimed for those that wait, never more; reserved ones get what the tick starts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from jobs.app import give_back, make_huey
from jobs.delivery import Delivery
from jobs.storage import BulkPostgresStorage
from x121lib.scheduling.sending import SENT_CHANNEL
from x121lib.studio.work import Message


class Rows:
    """Stands for the queue's table: how many dispatched rows there are, and how many were asked for at once."""

    def __init__(self) -> None:
        self.left = 0
        self.asked: list[int] = []

    def claim(self, most: int) -> list[Message]:
        self.asked.append(most)
        n = min(most, self.left)
        self.left -= n
        return [Message("task", f"row {self.left + i}", 1, is_started=True) for i in range(n)]


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def delivery(database_url: str, rows: Rows) -> Iterator[tuple[Delivery, BulkPostgresStorage]]:
    huey = make_huey(database_url)

    @huey.task(name="run_attempt")  # type: ignore[untyped-decorator]
    def run_attempt(key: str, number: int, is_started: bool) -> None:
        """Never run."""

    @huey.task(name="assemble_scene")  # type: ignore[untyped-decorator]
    def assemble_scene(key: str) -> None:
        """Never run."""

    yield Delivery(huey, rows, (run_attempt, assemble_scene)), huey.storage
    give_back(huey)


def readers(storage: BulkPostgresStorage, n: int, got: list[bytes]) -> list[threading.Thread]:
    """Start threads that each take one message."""

    def read() -> None:
        while (data := storage.dequeue()) is None:
            pass
        got.append(data)

    threads = [threading.Thread(target=read, daemon=True) for _ in range(n)]
    for thread in threads:
        thread.start()
    return threads


def until(true: object, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_rows_are_claimed_for_threads_that_wait_and_never_more(
    delivery: tuple[Delivery, BulkPostgresStorage], rows: Rows, database_url: str
) -> None:
    _, storage = delivery
    got: list[bytes] = []
    first = readers(storage, 4, got)
    until(lambda: rows.asked)
    rows.left = 100
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"NOTIFY {SENT_CHANNEL}")
    for thread in first:
        thread.join(timeout=20)
    time.sleep(0.3)
    assert rows.left == 96, "what runs no thread has time for is left to others"
    for thread in readers(storage, 3, got):
        thread.join(timeout=20)
    assert len(got) == 7
    assert rows.left == 93
    assert max(rows.asked) <= 4


def test_reserved_threads_get_what_the_tick_started_and_the_others_are_let_go(
    delivery: tuple[Delivery, BulkPostgresStorage], rows: Rows
) -> None:
    door, storage = delivery
    got: list[bytes] = []
    threads = readers(storage, 8, got)
    until(lambda: rows.asked)
    until(lambda: storage._waiting == 8)
    reserved: list[int] = []

    def half() -> bool:
        """Reserve; while the feeder asks for all of them there is nothing to reserve."""
        reserved.append(door.reserve())
        if reserved[-1] != 4:
            door.deliver(reserved[-1], [])
        return reserved[-1] == 4

    until(half)
    rows.left = 100
    started = Message("task", "here", 1, is_started=True)
    elsewhere = Message("task", "somewhere", 1)
    door.deliver(4, [started, elsewhere, Message("assemble", "scene")])
    for thread in threads:
        thread.join(timeout=20)
    assert sum(b"here" in data for data in got) == 1
    assert sum(b"scene" in data for data in got) <= 1
    assert not any(b"somewhere" in data for data in got), "its row is its message"
    until(lambda: storage._coming == 0)
    assert len(got) == 8


def test_a_scene_to_assemble_comes_as_a_message(delivery: tuple[Delivery, BulkPostgresStorage], rows: Rows) -> None:
    door, storage = delivery
    door.deliver(door.reserve(), [Message("assemble", "scene")])
    got: list[bytes] = []
    readers(storage, 1, got)[0].join(timeout=20)
    assert b"scene" in got[0]
    assert rows.asked, "rows were asked for first"
