"""One open browser window: what it shows, what it asks for, and how changes reach it."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from x121lib.base.errors import X121Error

from ..components.changes import changes
from ..components.page import StudioPage
from ..contracts import SessionPerson, StudioDoor
from .views import LIVE, answer, page_of, perform, read_view

log = logging.getLogger(__name__)

WATCH_S = 0.25
TICK_S = 5.0
LIVE_S = 1.0
FAULT = {
    "title": "This page has a fault", "text": "The studio could not put this page together.",
    "hint": "The other pages are not affected. The log of the web door, web.log, names the cause.", "code": "web.fault",
    "safe": "Nothing was changed.",
}  # fmt: skip


def problem_of(error: X121Error) -> dict[str, str]:
    """Return what a page tells a person about an error."""
    safe = "Nothing was changed."
    return {"title": "This did not work", "text": error.message, "hint": error.hint, "code": error.code, "safe": safe}


def pinned(page: str, state: Any) -> dict[str, str]:
    """Return what keeps a page on what it shows: a scene under review stays when it no longer waits."""
    scene = state.get("scene") if page == "review" else None
    return {"scene": scene["id"]} if scene else {}


class Window:
    """Connects one ``StudioPage`` with the studio; lives as long as its Bokeh session."""

    def __init__(self, door: StudioDoor, person: SessionPerson, project: str | None, path: str) -> None:
        """Read the first view; ``path`` is the address that was opened, its query apart (see ``open``)."""
        self.door = door
        self.person = person
        self.project = project
        self.page_name = "pulse"
        self.params: dict[str, str] = {}
        self.state: Any = {}
        self.shell: Any = {}
        self.problem: dict[str, str] | None = None
        self.path = path
        self.greeted = False
        self.busy = asyncio.Lock()
        self.order = asyncio.Lock()
        self.tasks: set[asyncio.Task[None]] = set()

    def build(self, query: dict[str, str]) -> StudioPage:
        """Return the component with its first state; called while the page itself is being served."""
        self._read(self.path, query)
        self.page = StudioPage(
            page=self.page_name,
            params=self.params,
            shell=self.shell,
            state=self.state,
            problem=self.problem,
            now=_now(),
        )
        self.page.listener = self.hear
        return self.page

    def _read(self, path: str, query: dict[str, str]) -> None:
        """Read shell and view of an address; an error becomes the page's problem."""
        self.problem = None
        try:
            self.shell = self.door.shell(self.person, self.project)
            self.page_name = page_of(path)
            self.params = query
            self.state = read_view(self.door, self.person, self.project, self.page_name, query)
            self.params = query | pinned(self.page_name, self.state)
        except X121Error as error:
            self.problem = problem_of(error)
        except Exception:  # the edge of the page: a fault of ours must not leave a blank window
            log.exception("The page %s could not be read.", path)
            self.problem = FAULT

    # ------------------------------------------------------------ from the browser
    def hear(self, message: dict[str, Any]) -> None:
        """Start the work that a message asks for; never blocks."""
        handler = getattr(self, f"_on_{message.get('type')}", None)
        if handler is not None:
            self.start(handler(message))

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work in the background and keep it from being collected."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("A page's request failed.", exc_info=error)
            self._toast("This did not work", "The error is in the log; nothing else is affected.", "failed")

    async def _on_hello(self, _: dict[str, Any]) -> None:
        """Begin to send what changes: the page stood before it was connected, and what went before would be lost."""
        self.greeted = True
        await self.refresh()

    async def _on_open(self, message: dict[str, Any]) -> None:
        async with self.busy:
            await asyncio.to_thread(self._read, message["path"], dict(message.get("query") or {}))
            self._send_page()

    async def _on_project(self, message: dict[str, Any]) -> None:
        self.project = message["id"]
        async with self.busy:
            await asyncio.to_thread(self._read, f"/{self.page_name}", {})
            self._send_page()

    async def _on_act(self, message: dict[str, Any]) -> None:
        try:
            async with self.order:  # a person's actions happen in the order in which they were made
                text = await self._call(perform, message)
        except X121Error as error:
            self._toast(error.message, error.hint, "failed")
            return
        if isinstance(text, str) and text:
            self._toast(text, "", "approved")
        await self.refresh()

    async def _on_ask(self, message: dict[str, Any]) -> None:
        try:
            async with self.order:
                value = await self._call(answer, message)
        except X121Error as error:
            value = {"problem": {"text": error.message, "hint": error.hint, "code": error.code}}
        self.page.tell({"type": "answer", "id": message["id"], "value": value})

    async def _call(self, function: Callable[..., Any], message: dict[str, Any]) -> Any:
        if await asyncio.to_thread(self.door.person_for, self.person.session) is None:
            self.page.tell({"type": "leave", "href": "/sign-in"})
            raise X121Error("You were signed out.", hint="Sign in again.", code="web.signed_out")
        args = message.get("args") or {}
        return await asyncio.to_thread(function, self.door, self.person, self.project, message["name"], args)

    # ------------------------------------------------------------ to the browser
    async def refresh(self) -> None:
        """Read the views again and send what changed."""
        async with self.busy:
            if self.problem is not None or not self.greeted:
                return
            page, params = self.page_name, self.params
            try:
                shell = await asyncio.to_thread(self.door.shell, self.person, self.project)
                state = await asyncio.to_thread(read_view, self.door, self.person, self.project, page, params)
            except X121Error as error:
                self.problem = problem_of(error)
                self._send_page()
                return
            for target, new in (("shell", shell), ("state", state)):
                ops = changes(getattr(self, target), new)
                setattr(self, target, new)
                if ops:
                    self.page.tell({"type": "patch", "target": target, "ops": ops})

    @property
    def is_live(self) -> bool:
        """Whether what it shows changes without an event at the moment."""
        return isinstance(self.state, dict) and bool(self.state.get("live"))

    def tick(self) -> None:
        """Tell the browser that the door is alive, and what time it is."""
        self.page.tell({"type": "tick", "now": _now()})

    def close(self) -> None:
        """Stop what still runs for this window."""
        for task in self.tasks:
            task.cancel()

    def _send_page(self) -> None:
        self.page.tell(
            {
                "type": "page",
                "page": self.page_name,
                "params": self.params,
                "state": self.state,
                "shell": self.shell,
                "problem": self.problem,
            }
        )

    def _toast(self, text: str, more: str, status: str) -> None:
        self.page.tell({"type": "toast", "toast": {"text": text, "more": more, "status": status}})


class Watcher:
    """One task per process: sees that something happened and lets every open window read again."""

    def __init__(self, door: StudioDoor) -> None:
        """Take the studio whose position is watched."""
        self.door = door
        self.windows: weakref.WeakSet[Window] = weakref.WeakSet()

    async def run(self) -> None:
        """Watch until cancelled; a studio that can not be reached is asked again, and pages say how old they are."""
        loop = asyncio.get_running_loop()
        seen: int | None = None
        next_tick, next_live = loop.time() + TICK_S, loop.time() + LIVE_S
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                position = await asyncio.to_thread(self.door.position)
            except X121Error as error:
                log.warning("The studio does not answer: %s", error)
                continue
            if seen is not None and position != seen:
                self._refresh(lambda _: True)
            elif loop.time() >= next_live:
                self._refresh(lambda window: window.page_name in LIVE or window.is_live)
            next_live = loop.time() + LIVE_S if loop.time() >= next_live else next_live
            seen = position
            if loop.time() >= next_tick:
                next_tick = loop.time() + TICK_S
                await self._tick()

    def _refresh(self, which: Callable[[Window], bool]) -> None:
        for window in list(self.windows):
            if which(window):
                window.start(window.refresh())

    async def _tick(self) -> None:
        try:
            await asyncio.to_thread(self.door.sample)
        except X121Error as error:
            log.warning("The studio does not answer: %s", error)
        for window in list(self.windows):
            window.tick()


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="milliseconds")
