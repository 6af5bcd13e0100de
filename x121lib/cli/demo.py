"""`x121 demo`: from sample portraits to a delivered ZIP, on one machine."""

from __future__ import annotations

import threading
import tomllib
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from x121lib.base.errors import NotFoundError, RefusedError
from x121lib.base.log import setup_logging
from x121lib.base.resources import resource_path
from x121lib.base.settings import Settings, default_home
from x121lib.cli.output import note, refusals, say
from x121lib.cli.processes import Supervisor, stop_on_signals
from x121lib.pipeline.submission import Selection, Submission
from x121lib.studio import Studio
from x121lib.studio.batch import BatchHandle, Progress, follow
from x121lib.studio.database import uninstall
from x121lib.studio.project import ProjectHandle
from x121lib.terms.vocabulary import RoleName

PROJECT = "Aurora"
CHARACTERS = ("Aiko", "Lena", "Mara")
SCENE_TYPES = ("dance", "idle")


def demo(
    headless: Annotated[bool, typer.Option("--headless", help="No browser: approve what passed QA, deliver.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the ZIP.")] = Path("out"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the demo's studio and begin anew.")] = False,
) -> None:
    """Make, check, review and deliver a sample project; a second run goes on with the first one's.

    With --headless the exit code is 0 only when the ZIP was written; Ctrl-C before that is 1.
    """
    stopping = stop_on_signals()
    settings = Settings(home=default_home() / "demo")
    with refusals():
        if fresh and settings.home.exists():
            uninstall(settings, purge=True)
        setup_logging(settings.log_dir, "demo", settings.log_level)
        with Studio.open(settings=settings) as studio:
            supervisor = Supervisor(
                studio, engines=max(2, settings.engines), stopping=stopping, web=settings.web or not headless
            )
            try:
                _run(studio, supervisor, headless=headless, out=out)
            finally:
                supervisor.stop()


def _run(studio: Studio, supervisor: Supervisor, *, headless: bool, out: Path) -> None:
    note("Starting the studio: database, two local engines, consumer, web door …")
    supervisor.start()
    supervisor.wait_ready()
    project = prepare(studio, supervisor.stopping)
    if not headless and not supervisor.stopping.is_set():
        _open(studio, supervisor, project)
    _generate(studio, supervisor, project, headless=headless)
    if supervisor.stopping.is_set():
        if headless:
            raise RefusedError("The demo was stopped.", hint="'x121 demo --headless' goes on where it was.")
        return
    if headless:
        _deliver(project, out)
        return
    note(f"Scenes are waiting to be reviewed at {supervisor.web_url}/review. Ctrl-C ends the studio.")
    supervisor.run()


def prepare(studio: Studio, stopping: threading.Event) -> ProjectHandle:
    """Write the sample studio: variant kinds, scene types, project, characters. Idempotent."""
    for kind in tomllib.loads(resource_path("data", "sample", "variant_kinds.toml").read_text())["kind"]:
        workflow = resource_path("data", "workflows", kind["workflow"]) if "workflow" in kind else None
        studio.add_variant_kind(kind["name"], prefix=kind["prefix"], workflow=workflow)
    for name in SCENE_TYPES:
        studio.load_scene_type(resource_path("data", "scene_types", f"{name}.toml"))
    try:
        project = studio.project(PROJECT)
    except NotFoundError:
        project = studio.create_project(PROJECT)
    present = set(project.characters()["character"])
    for name in CHARACTERS:
        if name not in present and not stopping.is_set():
            _import(project, name)
    return project


def _import(project: ProjectHandle, name: str) -> None:
    folder = resource_path("data", "sample", "characters")
    result = project.import_folder(folder, synthetic=True, only=(name,))
    if result.refused:
        raise RefusedError(f"The sample character {name} could not be imported: {result.refused[0]}")
    note(f"Imported {name}.")


def _open(studio: Studio, supervisor: Supervisor, project: ProjectHandle) -> None:
    person = studio.people.ensure("Demo creator", "creator@demo.invalid", {RoleName.CREATOR})
    token = studio.people.make_sign_in_link(person, lifetime_s=24 * 3600)
    waiting = len(project.scenes().query("status == 'In review'"))
    where = "/review" if waiting else "/pulse"  # while takes are made, Pulse is where work is visible
    link = f"{supervisor.web_url}/sign-in/once/{token}?next={where}"
    say(f"Sign in once: {link}")
    webbrowser.open(link)


def _generate(studio: Studio, supervisor: Supervisor, project: ProjectHandle, *, headless: bool) -> None:
    if supervisor.stopping.is_set():
        return
    kinds = [k for k in ("evening",) if project.make_variants(k, characters=CHARACTERS)]
    if kinds:
        note("Making the evening variants …")
    _follow(studio, supervisor, project)
    waiting = project.variants().query("kind == 'evening' and approved_version.isna()")
    if len(waiting) and not supervisor.stopping.is_set():
        project.approve_variants("evening", characters=list(waiting["character"]))
    if supervisor.stopping.is_set():
        return
    done = project.submit_selection(Selection(characters=CHARACTERS, scene_types=SCENE_TYPES))
    if done.planned:
        note(f"{len(done.planned)} scenes are queued as {done.n_takes} takes.")
    last = _follow(studio, supervisor, project)
    if headless and not supervisor.stopping.is_set() and last is not None and last.scenes.get("Failed"):
        frame = project.scenes().query("status == 'Failed'")
        rows = frame.itertuples()
        reasons = " ".join(f"{r.character} / {r.scene_type} / {r.variant}: {r.failure_reason}" for r in rows)
        raise RefusedError(f"{len(frame)} scenes failed. {reasons}")


def _follow(studio: Studio, supervisor: Supervisor, project: ProjectHandle) -> Progress | None:
    """Show the progress until the work is over, keeping the processes alive meanwhile."""
    batch = BatchHandle(studio, project, Submission(None, (), (), (), 0))
    shown = batch.bar()
    last = None
    for last in follow(studio, project):
        shown(last)
        supervisor.keep_alive()
        if supervisor.stopping.is_set():
            break
    return last


def _deliver(project: ProjectHandle, out: Path) -> None:
    approved, left = project.approve_passing()
    note(f"{len(approved)} scenes approved, {len(left)} left for a person.")
    package = project.deliver(out / f"{project.name.lower()}.zip", characters=CHARACTERS)
    note(f"{package.n_files} files, {package.n_bytes} bytes, SHA-256 {package.sha256}")
    say(str(package.path))
