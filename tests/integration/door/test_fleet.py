"""The page of the workers on a real studio, with a real agent behind one of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboards import contracts as c
from tests.integration.agent.test_agent import made, running
from tests.integration.door.conftest import person
from tests.integration.door.shapes import problems
from x121lib.base.errors import ForbiddenError, InvalidInputError, RefusedError, X121Error
from x121lib.scheduling import workers
from x121lib.studio.door import Door
from x121lib.studio.pages import SessionPerson
from x121lib.studio.pages.vitals import together
from x121lib.testing.fake_nvml import Card, FakeNvml

NOWHERE = "http://127.0.0.1:9"


def answers(door: Door, name: str) -> None:
    """Store that a worker answers."""
    with door.studio.transaction() as session:
        key = workers.find(session, name).id
        workers.record_health(session, workers.HealthReport(key, True, "0.25.1", "RTX"), door.studio.house.now())


@pytest.mark.capability("PRD-46/worker-dashboard", "PRD-46/worker-registration", "PRD-46/capability-tags")
def test_a_worker_is_added_watched_held_and_removed(empty: tuple[Door, SessionPerson], tmp_path: Path) -> None:
    door, admin = empty
    assert problems(door.workers(admin, None, None), c.WorkersView) == []
    for given, fault in ((("", "", "1", ""), "address"), ((NOWHERE, "", "many", ""), "'many' is no whole number")):
        with pytest.raises(InvalidInputError, match=fault):
            door.add_worker(admin, *given)
    key = door.add_worker(admin, NOWHERE, "far", "2", "fast, high-vram,")["worker_id"]
    answers(door, "far")
    with running(made(tmp_path), FakeNvml([Card(), Card()])) as (url, secret):
        assert door.attach_agent(admin, key, url, secret)["text"] == "The agent answers: 2 GPUs"
        for _ in range(2):
            door.sample()
            door.studio.agents.look()
        view = door.workers(admin, None, key)
        assert problems(view, c.WorkersView) == []
        assert door.worker_services(admin, key) == {"services": ["broken", "comfyui"]}
        with pytest.raises(RefusedError, match="exit code -1"):
            door.restart_service(admin, key, "broken")
        with pytest.raises(X121Error, match="No service 'x'"):
            door.restart_service(admin, key, "x")
    (row,) = view["workers"]
    assert (row["status"], row["word"], row["tags"], row["slots"]) == ("approved", "Idle", ["fast", "high-vram"], 2)
    assert (row["gpu"]["n_gpus"], row["gpu"]["utilisation"], row["gpu"]["power_w"]) == (2, 0.5, 600.0)
    assert view["chosen"]["series"]["temperature_c"] == [60.0, 60.0]
    door.hold_worker(admin, key, "maintenance", "new fan")
    held = door.workers(admin, None, key)
    assert held["workers"][0]["word"] == "Maintenance"
    assert (held["chosen"]["history"][0]["to"], held["chosen"]["history"][0]["reason"]) == ("Maintenance", "new fan")
    assert "return" in held["chosen"]["can"]
    door.hold_worker(admin, key, "return")
    door.remove_worker(admin, key)
    assert door.workers(admin, None, key)["workers"] == []


@pytest.mark.capability("PRD-87/graceful-shutdown")
def test_the_power_plan_and_who_may_change_it(empty: tuple[Door, SessionPerson]) -> None:
    door, admin = empty
    key = door.add_worker(admin, NOWHERE, "far", "1", "")["worker_id"]
    with pytest.raises(InvalidInputError, match="no MAC address"):
        door.set_power(admin, key, "15", "lan", "here", "")
    with pytest.raises(InvalidInputError, match="'soon' is no number"):
        door.set_power(admin, key, "soon", "lan", "aa:bb:cc:dd:ee:ff@127.0.0.1:9", "")
    door.set_power(admin, key, "15", "lan", "aa:bb:cc:dd:ee:ff@127.0.0.1:9", "mon-tue 08:00-22:00")
    chosen = door.workers(admin, None, key)["chosen"]
    assert (chosen["power"]["idle_minutes"], chosen["power"]["wake"]) == (15.0, "lan")
    assert chosen["power"]["windows"] == "mon 08:00-22:00, tue 08:00-22:00"
    assert "sent" in door.switch_worker(admin, key, on=True)
    answers(door, "far")
    with pytest.raises(X121Error, match="No agent of worker 'far'"):
        door.switch_worker(admin, key, on=False)
    creator = person(door.studio, door, "Noor", "Creator")
    seen = door.workers(creator, None, key)
    assert (seen["may_manage"], seen["chosen"]["can"]) == (False, [])
    for forbidden in (
        lambda: door.remove_worker(creator, key), lambda: door.add_worker(creator, NOWHERE, "x", "1", ""),
        lambda: door.hold_worker(creator, key, "drain"), lambda: door.switch_worker(creator, key, on=True),
        lambda: door.set_power(creator, key, "", "", "", ""), lambda: door.worker_services(creator, key),
    ):  # fmt: skip
        with pytest.raises(ForbiddenError):
            forbidden()


def test_gpus_of_one_worker_are_shown_together() -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)

    class Row:
        def __init__(self, utilisation: float | None, heat: float | None, why: str, at: datetime) -> None:
            self.utilisation, self.temperature_c, self.throttled, self.measured_at = utilisation, heat, why, at
            self.vram_used_bytes, self.vram_total_bytes, self.power_w = 10, 40, None

    found = together([Row(0.2, 50.0, "", early), Row(None, 70.0, "heat", late), Row(0.4, None, "heat", early)])
    assert found.utilisation == pytest.approx(0.3)
    assert (found.vram, found.temperature_c, found.power_w, found.throttled) == (0.25, 70.0, None, "heat")
    assert (found.n_gpus, found.measured_at) == (3, late)
