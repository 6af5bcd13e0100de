"""Calls of many threads that meet are made as one: whoever comes first makes it for all who came meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")


class _Call(Generic[Given, Found]):
    """A value that somebody waits for the answer to."""

    __slots__ = ("answer", "given", "turn")

    def __init__(self, given: Given) -> None:
        self.given = given
        self.answer: list[Found | BaseException] = []
        self.turn = threading.Lock()
        self.turn.acquire()


class Gather(Generic[Given, Found]):
    """Hands values to a function of many values, and each caller the answer to its own.

    A caller who finds it free calls at once, with its value alone. Those who come meanwhile wait, and one of them calls
    for all of them next: nobody waits for more than two calls.
    """

    def __init__(self, answer_all: Callable[[Sequence[Given]], Sequence[Found | BaseException]]) -> None:
        """Take the function: it returns one answer for each value, in their order; an exception is raised there."""
        self._answer_all = answer_all
        self._lock = threading.Lock()
        self._waiting: list[_Call[Given, Found]] = []
        self._is_busy = False

    def __call__(self, given: Given) -> Found:
        """Return the answer to a value; raises what the function raised, or returned in its place."""
        call: _Call[Given, Found] = _Call(given)
        with self._lock:
            self._waiting.append(call)
            leads = not self._is_busy
            self._is_busy = True
        if not leads:
            call.turn.acquire()  # released when it is answered, or when it is its turn to call
        if not call.answer:
            self._lead(call)
        (found,) = call.answer
        if isinstance(found, BaseException):
            raise found
        return found

    def _lead(self, mine: _Call[Given, Found]) -> None:
        with self._lock:
            calls, self._waiting = self._waiting, []
        answers: Sequence[Found | BaseException]
        try:
            answers = self._answer_all([call.given for call in calls])
        except BaseException as error:  # noqa: BLE001 - each caller raises it
            answers = [error] * len(calls)
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._is_busy = following is not None
        for call, answer in zip(calls, answers, strict=True):
            call.answer.append(answer)
            if call is not mine:
                call.turn.release()
        if following is not None:
            following.turn.release()
