"""64 claimants and 10,000 tasks: each is claimed exactly once; and the dispatch's plan, which no history slows down."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from x121lib.pipeline.claims import begin
from x121lib.pipeline.house import House
from x121lib.scheduling import auditing, fitness, reading, recording, sending, window
from x121lib.scheduling import service as queue
from x121lib.store.artifacts import ArtifactStore
from x121lib.store.direct import fetch
from x121lib.store.session import Database
from x121lib.studio import Studio

CLAIMANTS, PROCESSES, TASKS, OFFERS = 64, 4, 10_000, 2
"""Threads, connections that they share as four processes would, tasks, and how often each task is offered."""
ROWS = """
INSERT INTO gpu_task (id, kind_id, take_id, project_id, class_id, priority, status_id, queued_at, finished_at,
                      attempt_number, failed_attempts, progress, version, is_ready, is_off_peak, submitted_by_id)
SELECT gen_random_uuid(), 1, (SELECT id FROM take ORDER BY id LIMIT 1), p.id, 2, (ARRAY[50, 80, 20])[1 + n % 3],
       :status, now() - make_interval(secs => n), CASE WHEN :status = 9 THEN now() - interval '3 days' END,
       0, 0, 0, 1, true, false, CASE WHEN :shared AND n % 2 = 0 THEN (SELECT id FROM person ORDER BY id LIMIT 1) END
FROM generate_series(1, :n) AS n, project p WHERE p.name = 'Aurora'"""


def fill(studio: Studio, n: int, status: int, *, shared: bool = False) -> None:
    """Write tasks of one status; where they are shared, every other one is a person's and the others nobody's."""
    with studio.transaction() as session:
        session.execute(sa.text(ROWS), {"n": n, "status": status, "shared": shared})


@pytest.fixture
def studio(stocked: Studio) -> Studio:
    """Return the stocked studio with takes and without waiting tasks."""
    stocked.project("Aurora").submit()
    with stocked.transaction() as session:
        session.execute(sa.text("UPDATE gpu_task SET status_id = 7, finished_at = now()"))
    return stocked


def dispatch_all(studio: Studio) -> list[tuple[Any, int]]:
    with studio.transaction() as session:
        session.execute(
            sa.text(
                "INSERT INTO worker (id, name, url, kind_id, status_id, slots, server_version, device, error_streak, "
                "version) SELECT gen_random_uuid(), 'gpu ' || n, 'http://127.0.0.1:9/' || n, 1, 1, :slots, '', '', "
                "0, 1 FROM generate_series(1, 10) AS n"
            ),
            {"slots": TASKS // 10},
        )
        sent = queue.dispatch(session, studio.house.now(), 600.0)
    assert len(sent) == TASKS
    return [(each.task_id, each.attempt_number) for each in sent]


def at_once(studio: Studio, work: Callable[[House, int], None]) -> None:
    """Let all claimants work at once, each with its number, on the houses of a few processes; wait for their end."""
    settings = studio.settings
    houses = [House(settings, Database(studio.house.database.url), ArtifactStore(settings.artifacts_dir))
              for _ in range(PROCESSES)]  # fmt: skip
    threads = [threading.Thread(target=work, args=(houses[n % PROCESSES], n)) for n in range(CLAIMANTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    for house in houses:
        house.database.dispose()


@pytest.mark.capability("PRD-07/several-jobs-in-parallel")
def test_64_claimants_claim_each_of_10000_tasks_once(studio: Studio) -> None:
    fill(studio, TASKS, 3)
    offered = dispatch_all(studio) * OFFERS
    random.Random(64).shuffle(offered)
    claimed: Counter[Any] = Counter()
    refused: Counter[Any] = Counter()

    def claim(house: House) -> None:
        while offered:
            try:
                token = offered.pop()
            except IndexError:
                return
            try:
                begin(house, *token)
                claimed[token] += 1
            except queue.LeaseLostError:
                refused[token] += 1

    at_once(studio, lambda house, _: claim(house))
    assert len(claimed) == TASKS
    assert set(claimed.values()) == {1}
    assert sum(refused.values()) == TASKS * (OFFERS - 1)
    with studio.transaction() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM gpu_task WHERE status_id = 5")) == TASKS
        assert [fault for fault in auditing.audit(session, studio.house.now()) if "is made by" not in fault] == []


@pytest.mark.capability("PRD-07/several-jobs-in-parallel")
def test_64_claimants_take_each_of_10000_dispatched_rows_once(studio: Studio) -> None:
    fill(studio, TASKS, 3)
    sent = dispatch_all(studio)
    taken: list[list[tuple[Any, int]]] = []

    def take(house: House, most: int) -> None:
        while tokens := house.claim(most):
            taken.append(tokens)

    at_once(studio, lambda house, n: take(house, 1 + n % 16))
    places = {token: n for n, token in enumerate(sent)}
    assert sorted(token for tokens in taken for token in tokens) == sorted(sent), "each once"
    assert all([*map(places.get, tokens)] == sorted(map(places.__getitem__, tokens)) for tokens in taken), "in order"
    with studio.transaction() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM gpu_task WHERE status_id = 5")) == TASKS
        assert [fault for fault in auditing.audit(session, studio.house.now()) if "is made by" not in fault] == []


def scans(studio: Studio) -> tuple[list[dict[str, Any]], int]:
    """Return the scans of tasks in the plan of dispatch's query, run with EXPLAIN, and the pages they touched."""
    _, (text, values), _ = window.reading(studio.house.now(), 8, {})
    with studio.transaction() as session:
        session.execute(sa.text("SET LOCAL plan_cache_mode = force_custom_plan"))
        (((plan,),),) = fetch(session, (f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}", values))
    found, todo = [], [plan[0]["Plan"]]
    pages = todo[0]["Shared Hit Blocks"] + todo[0]["Shared Read Blocks"]
    while todo:
        node = todo.pop()
        todo += node.get("Plans", [])
        if node.get("Relation Name") == "gpu_task":
            found.append(node)
    return found, pages


def test_the_dispatch_reads_the_index_of_waiting_tasks_and_no_finished_row(studio: Studio) -> None:
    fill(studio, 3000, 3, shared=True)
    _analyse(studio)
    _, pages_without = scans(studio)
    fill(studio, 60_000, 9, shared=True)
    _analyse(studio)
    with_history, pages = scans(studio)
    used = {node.get("Index Name", node["Node Type"]) for node in with_history if node["Actual Loops"]}
    assert used == {"ix_gpu_task_turns"}, "shares and their first tasks come from the index of ready, waiting tasks"
    wasted = sum(node.get("Rows Removed by Filter", 0) * node["Actual Loops"] for node in with_history)
    assert wasted == 0, "no finished row was looked at"
    assert max(node["Actual Rows"] for node in with_history) <= 8, "nor one behind the first of its share"
    assert pages <= pages_without * 1.5 + 20, (pages_without, pages)


def test_a_plan_that_is_kept_for_any_value_reads_the_same_index(studio: Studio) -> None:
    fill(studio, 3000, 3, shared=True)
    fill(studio, 20_000, 9, shared=True)
    _analyse(studio)
    _, (text, values), _ = window.reading(studio.house.now(), 8, {})
    for n, name in enumerate(values, 1):
        text = text.replace(f"%({name})s", f"${n}")
    claim = re.sub(r"%\((\w+)\)s", "NULL", recording.FIRST).replace("LIMIT NULL", "LIMIT $1")
    with studio.transaction() as session:
        asked = [f"EXPLAIN (GENERIC_PLAN) {each}" for each in (text, f"{claim} SELECT * FROM held")]
        plans = [fetch(session, (each, {})) for each in asked]
    for (lines,), index in zip(plans, ("ix_gpu_task_turns", "ix_gpu_task_open"), strict=True):
        shown = "\n".join(line for (line,) in lines)
        assert index in shown, shown
        assert "Seq Scan on gpu_task" not in shown, shown


STATEMENTS = {
    "send": sending.SEND,
    "claim": recording.claim_text(),
    "start": recording.start_statement([], datetime.now(UTC), 1.0)[0],
    "complete": recording.COMPLETE,
    "what tasks ask": fitness.ASKED.text,
    "loads": reading.LOADS,
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_step_of_a_task_reads_what_is_over(studio: Studio, name: str) -> None:
    """Each look at the two growing tables has a condition on an index, in the plan that is kept."""
    fill(studio, 50, 3)
    numbers: dict[str, str] = {}
    text = re.sub(r"%\((\w+)\)s", lambda found: numbers.setdefault(found[1], f"${len(numbers) + 1}"), STATEMENTS[name])
    with studio.transaction() as session:
        session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        ((plan,),) = fetch(session, (f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {text}", {}))[0]
    todo = [plan[0]["Plan"]]
    while todo:
        node = todo.pop()
        todo += node.get("Plans", [])
        if node.get("Relation Name") in ("gpu_task", "gpu_task_attempt") and "Scan" in node["Node Type"]:
            assert "Index Cond" in node or node["Node Type"] == "Bitmap Heap Scan", node


def _analyse(studio: Studio) -> None:
    engine = studio.house.database.engine
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE gpu_task"))
