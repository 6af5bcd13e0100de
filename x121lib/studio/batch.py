"""A batch as a handle: what was submitted, how far it is, and watching it."""

from __future__ import annotations

import atexit
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from x121lib import model as m
from x121lib.base.errors import RefusedError
from x121lib.events.outbox import CHANNEL
from x121lib.pipeline.hold import hold_reason
from x121lib.pipeline.submission import Submission
from x121lib.scheduling import holding, queries
from x121lib.store.session import DatabaseUnreachableError, Listener
from x121lib.studio.display import Html, progress_html
from x121lib.terms.transitions import ENDED_STATUSES, LEASED_STATUSES, WAITING_STATUSES
from x121lib.terms.vocabulary import SceneStatus, TaskStatus

if TYPE_CHECKING:
    from x121lib.studio.core import Studio
    from x121lib.studio.project import ProjectHandle

LOST_S = 60.0
"""Seconds that `follow` waits for a database that was lost."""


@dataclass(frozen=True)
class Progress:
    """How far a project's work is."""

    tasks: int
    """GPU tasks in all."""
    done: float
    """Of these, complete, with running ones counted by their progress."""
    running: int
    """Dispatched or running."""
    failed: int
    """Failed for good, and not made good by a later task."""
    open: int
    """Not over yet."""
    scenes: dict[str, int]
    """Scenes by the word people see."""
    assembling: int
    """Scenes whose takes are done and whose cut is being made."""
    held: str = ""
    """Why nothing new starts, in a sentence; empty while work goes on."""

    @property
    def fraction(self) -> float:
        """0 to 1."""
        return self.done / self.tasks if self.tasks else 1.0

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self.open == 0 and self.assembling == 0

    def __str__(self) -> str:
        scenes = ", ".join(f"{n} {label.lower()}" for label, n in sorted(self.scenes.items()))
        tasks = f"{self.fraction:4.0%}  {self.running} running, {self.open} open, {self.failed} failed"
        words = f"{tasks} · {scenes}" if scenes else tasks
        return f"{words} · {self.held}" if self.held and not self.over else words


def progress_of(studio: Studio, project: ProjectHandle) -> Progress:
    """Return how far a project's work is."""
    with studio.transaction() as session:
        rows = session.execute(
            sa.select(m.GpuTask.status_id, sa.func.count(), sa.func.sum(m.GpuTask.progress))
            .where(m.GpuTask.project_id == project.project_id, m.GpuTask.status_id != TaskStatus.CANCELLED)
            .group_by(m.GpuTask.status_id)
        ).all()
        failed = int(session.scalar(_failed_tasks(project.project_id)) or 0)
    by_status = {status: (int(n), float(p or 0)) for status, n, p in rows}
    summary = project.summary()
    open_tasks = sum(n for s, (n, _) in by_status.items() if s not in ENDED_STATUSES)
    return Progress(
        tasks=sum(n for n, _ in by_status.values()),
        done=sum(float(n) if s in ENDED_STATUSES else p for s, (n, p) in by_status.items()),
        running=sum(n for s, (n, _) in by_status.items() if s in LEASED_STATUSES),
        failed=failed,
        open=open_tasks,
        scenes=summary,
        assembling=summary.get(SceneStatus.GENERATING.label, 0) if open_tasks == 0 else 0,
        held=hold_reason(studio.house)
        or paused_words(studio, project.project_id)
        or _stuck(studio, project.project_id, by_status),
    )


def paused_words(studio: Studio, project_id: uuid.UUID) -> str:
    """Return by whom, since when and why a project is paused; empty where it is not."""
    with studio.transaction() as session:
        hold = holding.read(session).of_project(project_id)
    return hold.words if hold is not None else ""


def _stuck(studio: Studio, project_id: uuid.UUID, by_status: Mapping[TaskStatus, Any]) -> str:
    """Return why nothing of a project goes on: all that is left waits for what no worker has; else empty."""
    if any(status in LEASED_STATUSES for status in by_status) or not set(by_status) & WAITING_STATUSES:
        return ""
    with studio.transaction() as session:
        return queries.why_nothing_starts(session, project_id, studio.house.now())


def _failed_tasks(project_id: uuid.UUID) -> sa.Select[int]:
    """Count failed tasks of failed scenes, and of image variants that nothing was queued for since."""
    later = sa.orm.aliased(m.GpuTask)
    again = sa.exists().where(later.image_variant_id == m.GpuTask.image_variant_id, later.id > m.GpuTask.id)
    variant = sa.and_(m.GpuTask.image_variant_id.is_not(None), ~again)
    return (
        sa.select(sa.func.count())
        .select_from(m.GpuTask)
        .outerjoin(m.Take, m.Take.id == m.GpuTask.take_id)
        .outerjoin(m.Segment, m.Segment.id == m.Take.segment_id)
        .outerjoin(m.Scene, m.Scene.id == m.Segment.scene_id)
        .where(m.GpuTask.project_id == project_id, m.GpuTask.status_id == TaskStatus.FAILED)
        .where(sa.or_(variant, m.Scene.status_id == SceneStatus.FAILED))
    )


def follow(studio: Studio, project: ProjectHandle, *, every_s: float = 1.0) -> Iterator[Progress]:
    """Yield the progress, again whenever something changed and at least every few seconds, until all is over.

    A database that is being started again is waited for; the last known progress is yielded meanwhile.

    Raises:
        DatabaseUnreachableError: it does not come back within `LOST_S`.
    """
    listener = Listener(studio.house.database.url, [CHANNEL])
    progress = progress_of(studio, project)
    answered = time.monotonic()
    try:
        while True:
            yield progress
            if progress.over:
                return
            started = time.monotonic()
            listener.wait(every_s)
            time.sleep(max(0.0, 0.2 - (time.monotonic() - started)))
            try:
                progress = progress_of(studio, project)
                answered = time.monotonic()
            except DatabaseUnreachableError:
                if time.monotonic() - answered > LOST_S:
                    raise
    finally:
        listener.close()


class BatchHandle:
    """What one submission asked for.

    Attributes:
        submission: scenes planned, present and blocked.
    """

    def __init__(self, studio: Studio, project: ProjectHandle, submission: Submission) -> None:
        self._studio = studio
        self._project = project
        self.submission = submission

    def __repr__(self) -> str:
        planned = len(self.submission.planned)
        return f"<Batch of {planned} scenes, {self.submission.n_takes} takes in {self._project.name}>"

    def _repr_html_(self) -> str:
        done = self.submission
        line = f"{len(done.planned)} scenes queued as {done.n_takes} takes"
        if done.present:
            line += f", {len(done.present)} were there already"
        if done.blocked:
            line += f", {len(done.blocked)} blocked"
        return f"<p><b>{escape(self._project.name)}</b>: {line}.</p>{html_of(self.progress()).html}"

    @property
    def scenes(self) -> pd.DataFrame:
        """One row per scene that was asked for: names, result (queued, there already, blocked), reason."""
        done = self.submission
        groups = (("queued", done.planned), ("there already", done.present), ("blocked", done.blocked))
        rows = [(c.character, c.scene_type, c.variant_kind, word, c.blocked) for word, cells in groups for c in cells]
        return pd.DataFrame(rows, columns=["character", "scene_type", "variant", "result", "reason"])

    def progress(self) -> Progress:
        """Return how far the project's work is."""
        return progress_of(self._studio, self._project)

    def watch(self, *, show: Callable[[Progress], None] | None = None) -> Progress:
        """Follow the work to its end with a progress bar, in a notebook and in a terminal; returns the last state.

        Interrupting it stops the watching, not the work. Without a consumer it waits for one; `wait` refuses instead.
        """
        shown = show or self.bar()
        last = self.progress()
        for last in follow(self._studio, self._project):
            shown(last)
        return last

    def wait(self) -> Progress:
        """Follow the work as `watch` does, for scheduled runs, where nobody would start a missing consumer.

        Raises:
            RefusedError: there is work left and no consumer runs.
        """
        if not self.progress().over and not self._studio.work.has_consumer():
            raise RefusedError("No consumer runs, so nothing would start.", hint="Run 'x121 up' (or 'x121 consumer').")
        return self.watch()

    def bar(self) -> Callable[[Progress], None]:
        """Return what shows progress here: a widget in a notebook, a bar on a terminal, plain lines elsewhere."""
        return _bar()


def _bar() -> Callable[[Progress], None]:
    return _notebook_bar() if _in_notebook() else _terminal_bar()


def _in_notebook() -> bool:
    """Return whether this code runs in a kernel, whose front end shows HTML."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def _notebook_bar() -> Callable[[Progress], None]:
    from IPython.display import display  # noqa: PLC0415  (only inside a notebook)

    # One output that is replaced, instead of a widget: the bar stays in an exported page, which has no kernel.
    shown = display(html_of(None), display_id=True)

    def show(progress: Progress) -> None:
        shown.update(html_of(progress))

    return show


def html_of(progress: Progress | None) -> Html:
    """Return the progress as a bar; None is the moment before it is known."""
    if progress is None:
        return Html(progress_html(0.0, "…"), "…")
    failed = progress.failed > 0 or SceneStatus.FAILED.label in progress.scenes
    return Html(progress_html(progress.fraction, str(progress).strip(), failed=failed), str(progress))


def _terminal_bar() -> Callable[[Progress], None]:
    from rich.console import Console  # noqa: PLC0415  (not needed inside a notebook)
    from rich.progress import BarColumn, TextColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    console = Console(stderr=True)
    if not console.is_terminal:
        return _plain_lines(console)
    bar = Bar(BarColumn(bar_width=40), TextColumn("{task.description}"), console=console)
    task = bar.add_task("", total=1.0)
    bar.start()
    atexit.register(bar.stop)  # whoever stops watching early gets the cursor back

    def show(progress: Progress) -> None:
        bar.update(task, completed=progress.fraction, description=str(progress))
        if progress.over:
            bar.stop()

    return show


def _plain_lines(console: Any) -> Callable[[Progress], None]:
    last: dict[str, Any] = {"at": -10.0, "text": ""}

    def show(progress: Progress) -> None:
        text = str(progress)
        if text != last["text"] and (progress.over or time.monotonic() - last["at"] >= 3.0):
            console.print(text, highlight=False, soft_wrap=True)
            last.update(at=time.monotonic(), text=text)

    return show
