"""The Huey application. It lives in a schema of its own; losing all of its messages loses nothing."""

from __future__ import annotations

from typing import Any

from huey import Huey, PostgresHuey, RedisHuey


def make_huey(url: str, redis_url: str | None = None) -> Huey:
    """Return the Huey on Redis where an address is given, else on the database.

    On the database it has the schema ``huey``, which it makes on first use.
    """
    if redis_url is not None:
        return RedisHuey("x121", url=redis_url, results=False)
    _ensure_schema(url)
    separator = "&" if "?" in url else "?"
    return PostgresHuey("x121", dsn=f"{url}{separator}options=-csearch_path%3Dhuey", results=False)


def _ensure_schema(url: str) -> None:
    import psycopg  # noqa: PLC0415  (the driver that Huey uses too)

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS huey")


def register(huey: Huey, work: Any) -> tuple[Any, Any]:
    """Register the two tasks on a Huey; each calls one method of `Studio.work` with an id."""

    @huey.task(name="run_attempt")
    def run_attempt(task_id: str, attempt_number: int) -> None:
        """Run one attempt of a GPU task."""
        work.run_key(task_id, attempt_number)

    @huey.task(name="assemble_scene")
    def assemble_scene(scene_id: str) -> None:
        """Join a scene's takes into its cut."""
        work.assemble_key(scene_id)

    return run_attempt, assemble_scene
