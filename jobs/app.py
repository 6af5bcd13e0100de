"""The Huey application. It lives in a schema of its own; losing all of its messages loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from huey import Huey, RedisHuey
from huey.storage import RedisStorage

from jobs.storage import BulkPostgresHuey


def make_huey(url: str, redis_url: str | None = None) -> Huey:
    """Return the Huey on Redis where an address is given, else on the database.

    On the database it has the schema ``huey``, which it makes on first use. Its commits wait for no disk: a message
    that a crash of the database loses is sent again by the tick.
    """
    if redis_url is not None:
        return RedisHuey("x121", url=redis_url, results=False)
    _ensure_schema(url)
    separator = "&" if "?" in url else "?"
    options = "options=-csearch_path%3Dhuey%20-csynchronous_commit%3Doff"
    return BulkPostgresHuey("x121", dsn=f"{url}{separator}{options}", results=False)


def enqueue_all(huey: Huey, tasks: Sequence[Any]) -> None:
    """Put Huey's tasks into its queue, in this order, with one call to its storage."""
    messages = [huey.serialize_task(task) for task in tasks]
    if isinstance(huey.storage, RedisStorage):
        if messages:
            huey.storage.conn.lpush(huey.storage.queue_key, *messages)
    else:
        huey.storage.enqueue_many(messages)


def give_back(huey: Huey) -> None:
    """Put back what this process fetched and did not begin, because it ends."""
    if not isinstance(huey.storage, RedisStorage):
        huey.storage.give_back()


def _ensure_schema(url: str) -> None:
    import psycopg  # noqa: PLC0415  (the driver that Huey uses too)

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS huey")


def register(huey: Huey, work: Any) -> tuple[Any, Any]:
    """Register the two tasks on a Huey; each calls one method of `Studio.work` with an id."""

    @huey.task(name="run_attempt")
    def run_attempt(task_id: str, attempt_number: int, is_started: bool = False) -> None:
        """Run one attempt of a GPU task."""
        work.run_key(task_id, attempt_number, is_started)

    @huey.task(name="assemble_scene")
    def assemble_scene(scene_id: str) -> None:
        """Join a scene's takes into its cut."""
        work.assemble_key(scene_id)

    return run_attempt, assemble_scene
