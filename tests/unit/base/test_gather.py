"""Calls of many threads made as one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from x121lib.base.gather import Gather


def test_who_comes_meanwhile_is_answered_together() -> None:
    calls: list[list[int]] = []
    entered, go_on = threading.Event(), threading.Event()

    def double(values: Sequence[int]) -> list[int]:
        calls.append(list(values))
        entered.set()
        assert go_on.wait(10)
        return [2 * value for value in values]

    gather = Gather(double)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(gather, 1)
        assert entered.wait(10)
        others = [pool.submit(gather, n) for n in range(2, 9)]
        while len(gather._waiting) < 7:
            assert not first.done()
        go_on.set()
        assert first.result(10) == 2
        assert [each.result(10) for each in others] == [2 * n for n in range(2, 9)]
    assert calls[0] == [1]
    assert sorted(calls[1]) == list(range(2, 9))
    assert len(calls) == 2


def test_an_answer_that_is_an_error_is_raised_where_it_belongs() -> None:
    def halve(values: Sequence[int]) -> list[int | BaseException]:
        return [ValueError(f"{value} is odd") if value % 2 else value // 2 for value in values]

    gather = Gather(halve)
    assert gather(4) == 2
    with pytest.raises(ValueError, match="3 is odd"):
        gather(3)


def test_a_call_that_fails_fails_for_all_and_the_next_one_is_made() -> None:
    broken = [True]

    def answer(values: Sequence[int]) -> list[int]:
        if broken[0]:
            raise OSError("away")
        return list(values)

    gather = Gather(answer)
    with pytest.raises(OSError, match="away"):
        gather(1)
    broken[0] = False
    assert gather(2) == 2
