"""`up`, and one process of the studio each: `web`, `consumer`, `engine`."""

from __future__ import annotations

import os
import sys
import webbrowser
from typing import Annotated

import typer

from x121lib.base.log import setup_logging
from x121lib.base.settings import Settings
from x121lib.cli.output import note, refusals, say
from x121lib.cli.processes import Supervisor, free_port, stop_on_signals
from x121lib.studio import Studio


def up(
    engines: Annotated[int | None, typer.Option(help="Local CPU engines to start as GPU workers.")] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the sign-in link.")] = False,
) -> None:
    """Run the whole studio on this machine until Ctrl-C; a clean end is exit code 0."""
    stopping = stop_on_signals()
    settings = Settings()
    setup_logging(settings.log_dir, "up", settings.log_level)
    with refusals(), Studio.open(settings=settings) as studio:
        n_engines = settings.engines if engines is None else engines
        supervisor = Supervisor(studio, engines=n_engines, stopping=stopping, web=settings.web)
        try:
            supervisor.start()
            supervisor.wait_ready()
            if not stopping.is_set():
                _announce(studio, supervisor, open_browser=open_browser)
            supervisor.run()
        finally:
            supervisor.stop()
    note("X121 has ended.")


def _announce(studio: Studio, supervisor: Supervisor, *, open_browser: bool) -> None:
    if supervisor.web_url:
        link = sign_in_url(studio, supervisor.web_url)
        say(f"X121 runs at {supervisor.web_url}")
        say(f"Sign in once, within a day: {link}")
        if open_browser:
            webbrowser.open(link)
    else:
        say("X121 runs without its web door.")
    say("Ctrl-C ends it; what is queued goes on at the next start.")


def sign_in_url(studio: Studio, web_url: str) -> str:
    """Return a one-time sign-in link for the studio's own actor."""
    if studio.actor.person_id is None:
        return web_url
    token = studio.people.make_sign_in_link(studio.actor.person_id, lifetime_s=24 * 3600)
    return f"{web_url}/sign-in/once/{token}"


def web() -> None:
    """Run the web door alone (set X121_HOST, X121_PORT, X121_DATABASE_URL)."""
    settings = Settings()
    with refusals(), Studio.open(settings=settings) as studio:
        port = free_port(settings.host, settings.port)
        address = f"http://{settings.host}:{port}"
        say(f"The web door is at {address}")
        say(f"Sign in once, within a day: {sign_in_url(studio, address)}")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "dashboards", "--host", settings.host, "--port", str(port)])


def consumer() -> None:
    """Run a consumer alone: it drives takes on the GPU workers (set X121_DATABASE_URL)."""
    os.execv(sys.executable, [sys.executable, "-m", "jobs"])


def engine(context: typer.Context) -> None:
    """Run a local CPU engine alone; its options: --host, --port (8188), --root, --port-file.

    Without --root its files lie in X121_HOME, in a folder named after the port.
    """
    given = list(context.args)
    names = [argument.partition("=")[0] for argument in given]
    if "--root" not in names and not {"-h", "--help"} & set(names):
        given = ["--root", str(Settings().engine_dir / f"alone-{_option(given, '--port', '8188')}"), *given]
    os.execv(sys.executable, [sys.executable, "-m", "x121lib.comfyui.engine", *given])


def _option(arguments: list[str], name: str, default: str) -> str:
    """Return an option's value, given as ``--name value`` or ``--name=value``."""
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if argument == name and following:
            return following
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
    return default
