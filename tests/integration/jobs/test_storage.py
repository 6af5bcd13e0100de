"""Huey's queue on PostgreSQL in bulk: order, many readers, a reader that comes back, and what is left is put back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from jobs.app import enqueue_all, give_back, make_huey


@pytest.fixture
def url(database_url: str) -> str:
    return database_url


@pytest.fixture
def huey(url: str) -> Iterator[object]:
    made = make_huey(url)
    yield made
    give_back(made)


def _messages(first: int, last: int) -> list[bytes]:
    return [str(n).encode() for n in range(first, last)]


def test_messages_come_out_in_their_order_and_each_once(huey, url: str) -> None:  # type: ignore[no-untyped-def]
    huey.storage.enqueue_many(_messages(0, 500))
    assert [huey.storage.dequeue() for _ in range(500)] == _messages(0, 500)
    assert huey.storage.queue_size() == 0


def test_readers_in_many_threads_and_two_processes_share_them(huey, url: str) -> None:  # type: ignore[no-untyped-def]
    other = make_huey(url)
    found: list[bytes] = []

    def read(storage) -> None:  # type: ignore[no-untyped-def]
        while (data := storage.dequeue()) is not None:
            found.append(data)

    threads = [threading.Thread(target=read, args=(each.storage,)) for each in (huey, other) for _ in range(8)]
    huey.storage.enqueue_many(_messages(0, 2000))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    give_back(other)
    assert sorted(found, key=int) == _messages(0, 2000)


def test_a_message_wakes_a_reader_that_waits(huey) -> None:  # type: ignore[no-untyped-def]
    assert huey.storage.dequeue() is None, "nothing came within a second"
    sent: list[float] = []

    def send() -> None:
        sent.append(time.monotonic())
        huey.storage.enqueue_many([b"late"])

    threading.Timer(0.3, send).start()
    while (data := huey.storage.dequeue()) is None:
        pass
    assert data == b"late"
    assert time.monotonic() - sent[0] < 0.9, "woken, not found by looking once a second"


def test_what_was_fetched_ahead_is_put_back(huey, url: str) -> None:  # type: ignore[no-untyped-def]
    storage = huey.storage
    storage.enqueue_many(_messages(0, 50))
    taken = [storage.dequeue() for _ in range(20)]
    give_back(huey)
    again = make_huey(url)
    rest = [again.storage.dequeue() for _ in range(30)]
    give_back(again)
    assert sorted([*taken, *rest], key=int) == _messages(0, 50)


def test_a_killed_connection_costs_nothing(huey, url: str) -> None:  # type: ignore[no-untyped-def]
    huey.storage.enqueue_many(_messages(0, 10))
    assert huey.storage.dequeue() == b"0"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND datname = current_database()"
        )
    found: list[bytes] = []
    deadline = time.monotonic() + 20
    while len(found) < 9 and time.monotonic() < deadline:
        data = huey.storage.dequeue()
        found += [data] if data is not None else []
    assert found == _messages(1, 10)


def test_tasks_keep_their_arguments(huey) -> None:  # type: ignore[no-untyped-def]
    say = huey.task(name="say")(lambda word, n: None)
    enqueue_all(huey, [say.s("a", 1), say.s("b", 2)])
    assert [huey.dequeue().data for _ in range(2)] == [(("a", 1), {}), (("b", 2), {})]
