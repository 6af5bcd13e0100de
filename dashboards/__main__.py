"""Run the web door: ``python -m dashboards`` (``--sample`` shows fixed figures without a studio)."""

from __future__ import annotations

import argparse
import importlib
import secrets
import sys
from typing import cast

from x121lib.base.loading import without_collections

with without_collections():
    import uvicorn
    from fastapi import APIRouter

    from x121lib.api import make_router
    from x121lib.base.log import setup_logging
    from x121lib.base.process import die_with_parent
    from x121lib.base.settings import Settings

    from .app import create_app
    from .contracts import StudioDoor
    from .samples import SampleStudio


def open_door(*, sample: bool) -> tuple[StudioDoor, str]:
    """Return what pages stand on, and the secret that cookies are signed with."""
    if sample:
        return cast(StudioDoor, SampleStudio()), secrets.token_urlsafe(32)
    factory = importlib.import_module("x121lib.studio.door").open_door
    door, secret = factory()
    return door, secret


def api_routers(door: StudioDoor) -> list[APIRouter]:
    """Return the API of the studio behind a door; fixed figures have none."""
    studio = getattr(door, "studio", None)
    return [] if studio is None else [make_router(lambda _: studio)]


def main(arguments: list[str] | None = None) -> int:
    """Serve until the process is told to stop; returns the exit code."""
    die_with_parent()
    settings = Settings()
    parser = argparse.ArgumentParser(prog="python -m dashboards", description="X121's web door.")
    parser.add_argument("--host", default=settings.host)
    parser.add_argument("--port", type=int, default=settings.port)
    parser.add_argument("--sample", action="store_true", help="fixed figures instead of a studio")
    options = parser.parse_args(arguments)
    if not options.sample:
        setup_logging(settings.log_dir, "web", settings.log_level)
    door, secret = open_door(sample=options.sample)
    if isinstance(door, SampleStudio):
        sys.stdout.write(f"http://{options.host}:{options.port}/sign-in/once/{door.issue_once()}\n")
        sys.stdout.flush()
    app = create_app(door, secret=secret, routers=api_routers(door))
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning", timeout_graceful_shutdown=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
