"""Watching one submitted prompt until the server's history has it, or until it is certain that it never will."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from x121lib.base.log import get_logger
from x121lib.comfyui.api import ComfyApi
from x121lib.comfyui.errors import (
    InterruptRefusedError,
    PromptInterruptedError,
    PromptLostError,
    ServerResponseError,
    ServerUnreachableError,
    StalledError,
)
from x121lib.comfyui.events import Event, ProgressTracker
from x121lib.comfyui.generations import Cancelling
from x121lib.comfyui.live import LiveRun
from x121lib.comfyui.results import Progress, PromptState
from x121lib.comfyui.wire import HistoryEntry

_log = get_logger(__name__)
_QUICK_LOOKS = 5
"""Looks into the history alone, after the server said that the prompt is over."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for what, in seconds.

    Attributes:
        hearing_poll_s: between polls while events come in.
        first_poll_s: the first wait between polls without events; doubles up to ``longest_poll_s``.
        longest_poll_s: the longest.
        late_history_s: the first wait after the server said that the prompt is over and the history did
            not have it yet (it follows 2 to 5 ms later); doubles.
        unreachable_s: how long the server may be away before that counts as an error.
        cancel_s: how long a cancelled prompt may take to end.
        blind_factor: the stall limit's multiple where no events can be heard, for then a long node
            cannot be told from a dead one.
    """

    hearing_poll_s: float = 5.0
    first_poll_s: float = 0.25
    longest_poll_s: float = 1.0
    late_history_s: float = 0.005
    unreachable_s: float = 60.0
    cancel_s: float = 60.0
    blind_factor: float = 4.0


class Watch:
    """One prompt's watch. Events wake it and give progress; ``/history`` and ``/queue`` decide."""

    def __init__(self, api: ComfyApi, tracker: ProgressTracker, prompt_id: str, *, patience: Patience) -> None:
        self._api = api
        self._prompt_id = prompt_id
        self._patience = patience
        self._wake = asyncio.Event()
        self.tracker = tracker
        self.hearing: Callable[[], bool] = lambda: False
        self.on_progress: Callable[[Progress], None] | None = None
        self.live: LiveRun | None = None
        self.cancel: asyncio.Event | None = None
        self.stall_s = 600.0
        self.queued_s: float | None = None
        self.just_sent = False
        """Whether the prompt was submitted in this call, so that its events are for us."""
        self._began_s = self._moved_s = time.monotonic()
        self._place: int | None = None
        self._absent = 0
        self._looks_after_end = 0
        self._poll_s = patience.first_poll_s
        self._away_since_s: float | None = None
        self._cancelled_s: float | None = None
        self._next_cancel_s = 0.0
        self._unstoppable = False
        self._reported: Progress | None = None

    def receive(self, event: Event) -> None:
        """Take an event in (called by the listener)."""
        if event.kind == "connection_lost":
            self._poll_s = self._patience.first_poll_s
        else:
            self.tracker.apply(event)
            if self.live is not None:
                self.live.hear(event)
        self._wake.set()

    async def until_ended(self) -> HistoryEntry:
        """Return the prompt's history entry.

        Raises:
            PromptLostError: neither queue nor history has it.
            PromptInterruptedError: it was cancelled while it waited.
            StalledError: nothing moved for the stall limit; it was interrupted.
            ServerUnreachableError: the server stayed away too long.
        """
        if self.just_sent and self.hearing():
            # Events come at once; a look now would only find what was sent.
            await self._rest(self._patience.first_poll_s)
        while True:
            entry = await self._look()
            if entry is not None:
                if entry.succeeded:
                    self.tracker.complete()
                self._report()
                return entry
            await self._obey_cancel()
            await self._check_stall()
            await self._rest()

    async def _look(self) -> HistoryEntry | None:
        try:
            entry = await self._api.history(self._prompt_id)
            self._looks_after_end += self.tracker.ended
            if entry is None and not 1 <= self._looks_after_end <= _QUICK_LOOKS:
                entry = await self._look_into_queue()
        except (ServerUnreachableError, ServerResponseError) as error:
            self._bear(error)
            return None
        self._away_since_s = None
        return entry

    async def _look_into_queue(self) -> HistoryEntry | None:
        place = (await self._api.queue()).place(self._prompt_id)
        if place != self._place:
            self._moved_s, self._place = time.monotonic(), place
        if place is not None:
            self._absent = 0
            if place == 0:
                self.tracker.state = PromptState.RUNNING
            return None
        # It may have ended between the two looks: only the history after the queue proves the loss.
        entry = await self._api.history(self._prompt_id)
        self._absent += 1
        if entry is None and self._absent >= 2:
            self._gone()
        return entry

    def _gone(self) -> None:
        if self._cancelled_s is not None:
            raise PromptInterruptedError(
                f"Prompt {self._prompt_id} was cancelled before it ran.", prompt_id=self._prompt_id
            )
        raise PromptLostError(
            f"The server no longer knows prompt {self._prompt_id}: it was restarted, or the prompt was deleted.",
            prompt_id=self._prompt_id,
            hint="Nothing was recorded; submit it again.",
        )

    def _bear(self, error: ServerUnreachableError | ServerResponseError) -> None:
        now = time.monotonic()
        if not error.retryable:
            raise error
        if self._away_since_s is None:
            self._away_since_s = now
        elif now - self._away_since_s > self._patience.unreachable_s:
            raise error

    async def _obey_cancel(self) -> None:
        if self.cancel is None or not self.cancel.is_set():
            return
        now = time.monotonic()
        if self._cancelled_s is None:
            self._cancelled_s = now
        if self._unstoppable:
            return
        if now - self._cancelled_s > self._patience.cancel_s:
            raise StalledError(
                f"Prompt {self._prompt_id} was cancelled and does not end.",
                prompt_id=self._prompt_id,
                hint="Restart the worker.",
            )
        if now >= self._next_cancel_s:  # again after a while: it may have moved from waiting to running meanwhile
            self._next_cancel_s = now + 2.0
            try:
                await cancel_prompt(self._api, self._prompt_id)
            except InterruptRefusedError as error:
                _log.warning("%s", error)
                self._unstoppable = True
            except (ServerUnreachableError, ServerResponseError) as error:
                self._bear(error)

    def _quiet_left_s(self) -> float:
        limit = self.stall_s if self.hearing() else self.stall_s * self._patience.blind_factor
        return max(self._moved_s, self.tracker.last_event_s) + limit - time.monotonic()

    async def _check_stall(self) -> None:
        if self.tracker.state is not PromptState.RUNNING or self._away_since_s is not None:
            return
        if self._quiet_left_s() > 0:
            return
        # A hung server may not even answer that; the stall is the news.
        with contextlib.suppress(ServerUnreachableError, ServerResponseError, InterruptRefusedError):
            await cancel_prompt(self._api, self._prompt_id)
        raise StalledError(
            f"Prompt {self._prompt_id} has been running without any sign of life for {self.stall_s:g} s.",
            prompt_id=self._prompt_id,
            hint="It was interrupted; if the worker does not recover, restart it.",
        )

    async def _rest(self, most_s: float = math.inf) -> None:
        until = time.monotonic() + min(most_s, self._interval_s())
        while True:
            self._report()
            left = until - time.monotonic()
            if left <= 0 or (self.tracker.ended and self._looks_after_end == 0):
                return
            if not await self._woken(left):
                return
            if self._wake.is_set() and not self.hearing():
                self._wake.clear()
                return
            self._wake.clear()

    def _interval_s(self) -> float:
        patience = self._patience
        if self.tracker.ended:
            return min(patience.longest_poll_s, patience.late_history_s * 2.0 ** min(self._looks_after_end, 20))
        if self._cancelled_s is not None or self._absent:
            return min(0.1, patience.first_poll_s)
        if self.hearing() and self._away_since_s is None:
            left = self._quiet_left_s() if self.tracker.state is PromptState.RUNNING else patience.hearing_poll_s
            return max(0.01, min(patience.hearing_poll_s, left))
        current, self._poll_s = self._poll_s, min(patience.longest_poll_s, self._poll_s * 2)
        return current

    async def _woken(self, timeout_s: float) -> bool:
        """Wait for an event or a cancellation; false where the time is up or the cancellation is new."""
        waits = [asyncio.ensure_future(self._wake.wait())]
        if self.cancel is not None and self._cancelled_s is None:
            waits.append(asyncio.ensure_future(self.cancel.wait()))
        try:
            done, _ = await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return waits[0] in done and not (len(waits) > 1 and waits[1] in done)

    def _report(self) -> None:
        if self.queued_s is None and self.tracker.state is PromptState.RUNNING:
            self.queued_s = time.monotonic() - self._began_s
        progress = self.tracker.progress
        if self.on_progress is not None and progress != self._reported:
            self._reported = progress
            self.on_progress(progress)


async def cancel_prompt(api: ComfyApi, prompt_id: str) -> None:
    """Delete a waiting prompt or stop a running one, in the way of the server's generation; never any other prompt.

    Raises:
        InterruptRefusedError: it runs, and the server could only interrupt whatever runs by then.
    """
    place = (await api.queue()).place(prompt_id)
    if place is None:
        return
    generation = await api.generation()
    if generation.cancelling is Cancelling.JOB and await api.cancel_job(prompt_id):
        return
    if place > 0:
        await api.delete_pending(prompt_id)
        place = (await api.queue()).place(prompt_id)  # it may have started in between
    if place != 0:
        return
    if generation.cancelling is Cancelling.NONE:
        raise InterruptRefusedError(
            f"Prompt {prompt_id} runs on ComfyUI {generation.version} at {api.base_url}, which cannot interrupt one "
            "prompt alone; it goes on to its end.",
            hint="Update that server to 0.3.57 or later.",
        )
    await api.interrupt(prompt_id)
