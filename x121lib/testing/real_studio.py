"""A studio of real processes in a home of its own, for tests that kill them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.resources import resource_path
from x121lib.base.settings import Settings
from x121lib.qa import service as qa
from x121lib.scheduling import budgets
from x121lib.store.embedded import EmbeddedServer
from x121lib.store.server_setup import database_url
from x121lib.store.session import Database, DatabaseUnreachableError
from x121lib.studio import Studio
from x121lib.terms.roles import SYSTEM
from x121lib.terms.vocabulary import AttemptOutcome, SceneStatus, TakeStatus, TaskStatus
from x121lib.testing.small_studio import LENIENT, write_recipe

CONSOLE = Path(sys.executable).with_name("x121")
SCENE_TYPES = ("idle", "wave")
CHARACTER = "Aiko"
PATIENCE_S = 150.0
"""How long a test waits for what must happen, on a machine with other things to do."""


def wait_until(done: Callable[[], bool], what: str, *, timeout_s: float = PATIENCE_S) -> float:
    """Poll until ``done`` says so; returns the seconds it took.

    Raises:
        AssertionError: it does not within ``timeout_s`` seconds; names ``what``.
    """
    began = time.monotonic()
    while not done():
        if time.monotonic() - began > timeout_s:
            raise AssertionError(f"after {timeout_s:.0f} s still not: {what}")
        time.sleep(0.05)
    return time.monotonic() - began


class RealStudio:
    """Processes of the installed `x121` on one home, and what the database says of them."""

    def __init__(self, home: Path, *, engines: int = 2) -> None:
        self.home = home
        self.settings = Settings(home=home, web=False, engines=engines)
        self.outputs = home.parent / f"{home.name}-outputs"
        self.outputs.mkdir(parents=True, exist_ok=True)
        self._database: Database | None = None
        self._opened: Studio | None = None
        self._n_started = 0

    # Processes

    @property
    def environment(self) -> dict[str, str]:
        """Environment of every process of this studio."""
        engines = str(self.settings.engines)
        return {**os.environ, "X121_HOME": str(self.home), "X121_WEB": "0", "X121_ENGINES": engines, "COLUMNS": "200"}

    def start(self, *arguments: str) -> tuple[subprocess.Popen[bytes], Path]:
        """Start `x121 …` and return the process with the file that its output goes to."""
        self._n_started += 1
        output = self.outputs / f"{self._n_started}-{arguments[0]}.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [CONSOLE, *arguments], env=self.environment, stdin=subprocess.DEVNULL, stdout=file,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        return process, output

    def call(self, *arguments: str) -> str:
        """Run `x121 …` to its end and return what it printed; raises where it fails."""
        process, output = self.start(*arguments)
        code = process.wait(timeout=PATIENCE_S)
        assert code == 0, f"x121 {' '.join(arguments)} ended with {code}: {output.read_text()}"
        return output.read_text()

    @contextmanager
    def up(self) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
        """Run `x121 up` for the block, ready to work; ends it in order, whatever the block did."""
        process, output = self.start("up")
        try:
            wait_until(lambda: "Ctrl-C ends it" in output.read_text() or process.poll() is not None, "x121 up is ready")
            assert process.poll() is None, output.read_text()
            yield process, output
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=60)
            finally:
                self.kill_everything()

    def members(self, part: str = "") -> list[psutil.Process]:
        """Return this studio's living processes other than the database, by a part of their command line."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                    continue
                mine = process.environ().get("X121_HOME") == str(self.home)
                if mine and part in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def member(self, part: str) -> psutil.Process:
        """Return the one living process whose command line contains ``part``."""
        (found,) = self.members(part)
        return found

    def server_pid(self) -> int | None:
        """Return the process id of the database server; None when it is down."""
        return EmbeddedServer(self.settings).status().pid

    def is_quiet(self) -> bool:
        """Return whether nothing of this studio runs any more, the database included."""
        return not self.members() and self.server_pid() is None

    def kill_everything(self) -> None:
        """Kill what is left, so that no test leaves a process behind."""
        for process in self.members():
            process.kill()
        self.forget_database()

    # What the database says

    @property
    def database(self) -> Database:
        """The running database, reached without joining its users."""
        if self._database is None:
            port = EmbeddedServer(self.settings).status().port
            assert port is not None, "the database does not run"
            password = (self.settings.secrets_dir / "database-password").read_text().strip()
            self._database = Database(database_url(port, password), pool_size=1)
        return self._database

    def forget_database(self) -> None:
        """Close this process's connections."""
        if self._database is not None:
            self._database.dispose()
            self._database = None

    def ask(self, query: sa.Select[Any]) -> list[Any]:
        """Return the first column of a query; nothing while the database is away."""
        try:
            with self.database.transaction() as session:
                return list(session.scalars(query))
        except DatabaseUnreachableError:
            return []

    def running_tasks(self, *, progress: float = 0.05) -> list[m.GpuTask]:
        """Return the tasks that run and are past ``progress`` (0 to 1)."""
        query = sa.select(m.GpuTask).where(m.GpuTask.status_id == TaskStatus.RUNNING, m.GpuTask.progress > progress)
        return self.ask(query)

    def wait_mid_take(self) -> m.GpuTask:
        """Wait until a take is in the middle of its generation and return its task."""
        wait_until(lambda: bool(self.running_tasks()), "a take runs")
        return self.running_tasks(progress=0.0)[0]

    def scene_statuses(self) -> set[SceneStatus]:
        """Return every status in which a scene of the home stands; nothing while the database is away."""
        return set(self.ask(sa.select(m.Scene.status_id)))

    def wait_made(self) -> float:
        """Wait until every submitted scene is past generation; returns the seconds it took."""
        unmade = {SceneStatus.GENERATING, SceneStatus.PENDING}
        return wait_until(
            lambda: bool(found := self.scene_statuses()) and not found & unmade, "every scene is past generation"
        )

    # A small production

    @contextmanager
    def opened(self) -> Iterator[Studio]:
        """Open the studio in this process for the block; blocks inside share it."""
        if self._opened is not None:
            yield self._opened
            return
        with Studio.open(settings=self.settings) as studio:
            self._opened = studio
            try:
                yield studio
            finally:
                self._opened = None

    def prepare(self, project: str = "Storm") -> None:
        """Write a project with one synthetic character and two tiny scene types, whose takes last a few seconds."""
        types = self.outputs / "scene_types"
        with self.opened() as studio:
            studio.add_variant_kind("clothed", prefix="")
            with studio.transaction() as session:
                qa.store_profile(session, SYSTEM, LENIENT)
            for name in SCENE_TYPES:
                studio.load_scene_type(write_recipe(types, name, segments=2, fault="slow"))
            self._import_character(studio, project)

    def prepare_sample(self, project: str, scene_types: tuple[str, ...], duration_s: float) -> None:
        """Write a project with one synthetic character and the sample's scene types, segments of two seconds each."""
        types = self.outputs / "scene_types"
        types.mkdir(exist_ok=True)
        with self.opened() as studio:
            studio.add_variant_kind("clothed", prefix="")
            for name in scene_types:
                text = resource_path("data", "scene_types", f"{name}.toml").read_text()
                text = text.replace("target_duration_s = 6.0", f"target_duration_s = {duration_s}")
                text = text.replace('["clothed", "evening"]', '["clothed"]')
                text = text.replace(f'"{name}.json"', f'"{resource_path("data", "workflows", f"{name}.json")}"')
                (types / f"{name}.toml").write_text(text)
                studio.load_scene_type(types / f"{name}.toml")
            self._import_character(studio, project)

    @staticmethod
    def _import_character(studio: Studio, project: str) -> None:
        folder = resource_path("data", "sample", "characters")
        result = studio.create_project(project).import_folder(folder, synthetic=True, only=(CHARACTER,))
        assert not result.refused, result.refused

    def submit(self, project: str = "Storm") -> None:
        """Queue both scenes."""
        with self.opened() as studio:
            studio.project(project).submit()

    def set_budget(self, project: str) -> None:
        """Give the project a budget that its work fits into."""
        with self.opened() as studio:
            studio.budgets.set(100, project=project)

    def open_budget(self, project: str) -> tuple[list[str], float]:
        """Return counters that differ from their sums, and GPU hours reserved once what is over is settled."""
        with self.opened() as studio:
            with studio.transaction() as session:
                budgets.settle(session, studio.house.now())
            frame = studio.budgets.list().set_index("holder")
            assert frame["used_h"][project] > 0
            return studio.budgets.audit(), round(float(frame["reserved_h"][project]), 9)

    def deliver(self, project: str = "Storm") -> Path:
        """Approve what passed and write the ZIP; raises where anything is missing."""
        to = self.outputs / f"{project.lower()}.zip"
        with self.opened() as studio:
            handle = studio.project(project)
            handle.approve_passing()
            return Path(handle.deliver(to).path)

    def failing_findings(self) -> list[str]:
        """Return what the doctor finds wrong with the studio's database and files.

        GPU workers are down while `x121 up` is, and database folders of other homes are others' business.
        """
        aside = ("Worker ", "Database folder ")
        with self.opened() as studio:
            return [f.what for f in studio.doors.examine() if not f.ok and not f.what.startswith(aside)]

    def double_records(self) -> list[str]:
        """Return every sign of work that was recorded twice or in part, in words."""
        with self.opened() as studio, studio.transaction() as session:
            takes = session.execute(
                sa.select(m.Take.id, sa.func.count(m.GpuTask.id.distinct()), sa.func.count(m.GpuTaskAttempt.id))
                .join(m.GpuTask, m.GpuTask.take_id == m.Take.id)
                .outerjoin(m.GpuTaskAttempt, sa.and_(m.GpuTaskAttempt.task_id == m.GpuTask.id,
                                                     m.GpuTaskAttempt.outcome_id == AttemptOutcome.COMPLETE))
                .where(m.Take.status_id == TakeStatus.PASSED)
                .group_by(m.Take.id)
            ).all()  # fmt: skip
            found = [f"take {t}: {n} tasks, {k} complete attempts" for t, n, k in takes if (n, k) != (1, 1)]
            partial = sa.or_(m.Take.output_artifact_id.is_(None), m.Take.receipt_id.is_(None))
            query = sa.select(m.Take.id).where(m.Take.status_id == TakeStatus.PASSED, partial)
            found += [f"take {t} has no output or receipt" for t in session.scalars(query)]
            passed = sa.func.count().filter(m.Take.status_id == TakeStatus.PASSED)
            segments = session.execute(
                sa.select(m.Segment.id, passed).join(m.Take, m.Take.segment_id == m.Segment.id).group_by(m.Segment.id)
            ).all()
            found += [f"segment {s} has {n} good takes" for s, n in segments if n != 1]
            versions = session.execute(
                sa.select(m.SceneVersion.scene_id, sa.func.count()).group_by(m.SceneVersion.scene_id)
            ).all()
            return found + [f"scene {s} was joined {n} times" for s, n in versions if n != 1]


def zip_structure(path: Path) -> list[str]:
    """Return the sorted names in a ZIP."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return sorted(archive.namelist())


def decode_complaints(package: Path, folder: Path) -> str:
    """Return what ffmpeg has to say against the videos of a delivery; nothing when all is well."""
    complaints = ""
    with zipfile.ZipFile(package) as archive:
        videos = [name for name in archive.namelist() if name.endswith(".mp4")]
        assert videos, "the delivery has no video"
        for name in videos:
            video = archive.extract(name, folder)
            command = ["ffmpeg", "-v", "error", "-nostdin", "-i", video, "-f", "null", "-"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            complaints += done.stderr + ("" if done.returncode == 0 else f"{name}: exit code {done.returncode}\n")
    return complaints


def pss_bytes(processes: list[psutil.Process]) -> int:
    """Return the proportional set size of processes together (Linux's ``smaps_rollup``)."""
    total = 0
    for process in processes:
        try:
            text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        except (OSError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))
    return total
