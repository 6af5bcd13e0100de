"""Every view has the shape that the pages expect, on an empty studio and on one at work, and says what is true."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from dashboards import contracts as c
from tests.integration.door.conftest import Stage
from tests.integration.door.shapes import problems
from x121lib import model as m
from x121lib.base.errors import InvalidInputError, NotFoundError, RefusedError
from x121lib.store.session import Database
from x121lib.studio.door import Door
from x121lib.studio.pages import SessionPerson
from x121lib.terms.vocabulary import PerformerKind, TaskStatus, WorkerStatus
from x121lib.testing.production import make_studio

SHAPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "shell": (c.ShellView, ()), "pulse": (c.PulseView, ()), "characters": (c.CharactersView, ()),
    "matrix": (c.MatrixView, ()), "queue": (c.QueueView, ()), "review": (c.ReviewView, (None,)),
    "deliveries": (c.DeliveriesView, ()), "budgets": (c.BudgetsView, ({},)), "estimate": (c.Estimate, ([], None)),
}  # fmt: skip
INNER: list[tuple[str, str, Any]] = [
    ("pulse", "review.cards", c.ReviewCard), ("pulse", "disk.parts", c.Share), ("queue", "lanes", c.Lane),
]  # fmt: skip


def check(door: Door, person: SessionPerson, name: str, project: str | None = None) -> Any:
    """Return a view after its shape was compared, and that it is plain JSON."""
    shape, more = SHAPES[name]
    view = getattr(door, name)(person, project, *more)
    assert problems(view, shape) == []
    assert json.loads(json.dumps(view)) == view
    return view


@pytest.mark.parametrize("name", SHAPES)
def test_a_view_of_an_empty_studio_has_its_shape(empty: tuple[Door, SessionPerson], name: str) -> None:
    door, person = empty
    check(door, person, name)


@pytest.mark.parametrize("name", SHAPES)
def test_a_view_of_a_studio_at_work_has_its_shape(reviewed: Stage, name: str) -> None:
    with reviewed.studio.transaction() as session:  # so that takes of Ada's wait in the queue
        session.execute(sa.update(m.Performer).values(kind_id=PerformerKind.SYNTHETIC))
    reviewed.door.submit(reviewed.creator, None, [reviewed.cell(reviewed.cast.ada_character)], None)
    view = check(reviewed.door, reviewed.admin, name)
    for page, path, shape in INNER:
        value = view
        for part in path.split(".") if page == name else ():
            value = value[part]
        assert page != name or [p for each in value for p in problems(each, shape)] == []


@pytest.mark.parametrize("name", SHAPES)
def test_foreign_data_has_its_shape(database: Database, empty: tuple[Door, SessionPerson], name: str) -> None:
    made = make_studio(database)
    door, person = empty
    for project in (str(made.spring), str(made.autumn)):
        check(door, person, name, project)


def test_a_character_has_its_shape(reviewed: Stage) -> None:
    for character in (reviewed.cast.lena_character, reviewed.cast.ada_character):
        view = reviewed.door.character(reviewed.admin, None, str(character))
        assert problems(view, c.CharacterView) == []
        assert problems(view["variants"], list[c.VariantCard]) == []
    assert view["name"] == "Captain Ada"
    assert view["release"]["needed"]
    assert view["release"]["word"] == "Missing"


@pytest.mark.parametrize("key", ["nonsense", str(uuid.uuid4()), ""], ids=["nonsense", "unknown", "empty"])
def test_an_unknown_key_is_not_found(stage: Stage, key: str) -> None:
    with pytest.raises(NotFoundError):
        stage.door.character(stage.admin, None, key)
    with pytest.raises(NotFoundError):
        stage.door.review(stage.admin, None, key or "x")


def test_the_matrix_says_what_stands_where(reviewed: Stage) -> None:
    view = reviewed.door.matrix(reviewed.admin, None)
    rows = {row["name"]: letters for row, letters in zip(view["characters"], view["statuses"], strict=True)}
    assert [v["name"] for v in view["variants"]] == ["clothed", "evening"]
    assert rows == {"Captain Ada": "bb", "Lena": "rb"}
    assert view["counts"] == {"review": 1, "blocked": 3}
    told = [(p["status"], p["text"].split(",")[0]) for p in view["prerequisites"]]
    assert told == [
        ("blocked", "Captain Ada"),
        ("blocked", "Lena"),
        ("warning", "Captain Ada and 1 more: no 'display_name'"),
    ]


def test_a_window_of_the_matrix_has_pictures_and_what_is_missing(reviewed: Stage) -> None:
    view = reviewed.door.matrix(reviewed.admin, None)
    characters, types = ([row["id"] for row in view[axis]] for axis in ("characters", "scene_types"))
    found = reviewed.door.matrix_cells(reviewed.admin, None, characters, types)
    assert problems(found, c.MatrixCells) == []
    ada, lena = (found["cells"][f"{key}|{types[0]}"]["scenes"] for key in characters)
    assert "release" in ada[0]["lacks"]
    assert lena[0]["id"] is not None
    assert (lena[0]["lacks"], lena[1]["id"]) == ("", None)
    assert lena[1]["lacks"] == "no approved 'evening' image: make or import one and approve it"
    assert lena[1]["command"].endswith(' --kind evening -c "Lena"')
    assert lena[1]["href"] == f"/character?character={reviewed.cast.lena_character}"
    with pytest.raises(InvalidInputError, match="at most 4000 cells, not 4002"):
        reviewed.door.matrix_cells(reviewed.admin, None, characters, types * 2001)


def test_the_review_shows_the_cut(reviewed: Stage) -> None:
    view = reviewed.door.review(reviewed.admin, None, None)
    scene = view["scene"]
    assert (view["position"], view["total"]) == (1, 1)
    assert [(s["start"], s["end"]) for s in scene["segments"]] == [(0, 48), (48, 95), (95, 142)]
    assert scene["frames"] == 142
    assert scene["fps"] == [24, 1]
    gate = scene["gates"][0]
    assert (gate["name"], gate["status"], gate["frame"], gate["segment"]) == ("Face similarity", "warning", 10, 1)
    assert {"frame": 48, "end": None, "status": "info", "text": "Seam 1 to 2"} in scene["marks"]
    assert problems(scene["gates"], list[c.Gate]) == []


def test_an_estimate_comes_from_past_takes(reviewed: Stage) -> None:
    with reviewed.studio.transaction() as session:
        session.execute(sa.update(m.Performer).values(kind_id=PerformerKind.SYNTHETIC))
    cells = [reviewed.cell(reviewed.cast.ada_character)]
    found = reviewed.door.estimate(reviewed.admin, None, cells, None)
    assert (found["cells"], found["scenes"], found["takes"]) == (1, 1, 3)
    assert (found["gpu_s"], found["basis"]) == (30.0, "from 3 past takes")
    assert found["done_at"] is not None


def test_without_history_an_estimate_says_so(stage: Stage) -> None:
    found = stage.door.estimate(stage.admin, None, [stage.cell(stage.cast.lena_character)], None)
    assert (found["takes"], found["gpu_s"], found["basis"], found["done_at"]) == (3, 0.0, "no history", None)


def test_position_grows_with_every_event(stage: Stage) -> None:
    before = stage.door.position()
    stage.door.submit(stage.creator, None, [stage.cell(stage.cast.lena_character)], None)
    assert stage.door.position() > before


def test_the_trays_bar_counts_retakes_too(reviewed: Stage) -> None:
    reviewed.studio.work.retake(reviewed.only_scene(), 2)
    assert reviewed.door.shell(reviewed.admin, None)["jobs"]["progress"] == 0.0
    with reviewed.studio.transaction() as session:
        first = session.scalars(
            sa.select(m.GpuTask).where(m.GpuTask.status_id == TaskStatus.QUEUED).order_by(m.GpuTask.id).limit(1)
        ).one()
        first.status_id, first.progress = TaskStatus.COMPLETE, 1.0
    jobs = reviewed.door.shell(reviewed.admin, None)["jobs"]
    assert (jobs["queued"], jobs["progress"]) == (1, 0.5)


@pytest.mark.capability("PRD-90/time-estimates")
def test_the_queue_is_empty_when_what_is_not_on_hold_is_done(reviewed: Stage) -> None:
    door, admin, studio = reviewed.door, reviewed.admin, reviewed.studio
    studio.work.retake(reviewed.only_scene(), 2)
    with studio.transaction() as session:
        session.execute(sa.update(m.Worker).values(status_id=WorkerStatus.ONLINE, last_seen_at=studio.house.now()))

    def told() -> tuple[int, int, bool, bool]:
        page, strip = door.queue(admin, None), door.shell(admin, None)["jobs"]
        assert page["held"] == strip["held"]
        return page["queued"], page["held"], page["empty_at"] is None, strip["left_s"] is None

    assert told() == (2, 0, False, False)
    all_of_it = datetime.fromisoformat(door.queue(admin, None)["empty_at"])
    last = door.queue(admin, None)["tasks"][-1]
    door.hold_work(admin, "tasks", [last["id"]])
    assert told() == (2, 1, False, False)
    assert datetime.fromisoformat(door.queue(admin, None)["empty_at"]) < all_of_it
    assert ["Takes waiting", "2, 1 of them on hold"] in door.queue(admin, None)["plan"]
    studio.pauses.pause()
    assert told() == (2, 2, True, True)


def test_a_full_disk_is_said_in_the_status_bar_and_beside_each_task(
    reviewed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewed.studio.work.retake(reviewed.only_scene(), 3)
    assert reviewed.door.queue(reviewed.admin, None)["tasks"][0]["why"] != ""
    monkeypatch.setattr(reviewed.studio.settings, "disk_reserve_mb", 10**9)
    assert reviewed.door.shell(reviewed.admin, None)["status_items"][0]["label"] == "Held: the disk is full"
    assert "work goes on by itself" in reviewed.door.queue(reviewed.admin, None)["tasks"][0]["why"]
    assert reviewed.studio.work.tick() == []
    monkeypatch.setattr(reviewed.studio.settings, "disk_reserve_mb", 0)
    assert [message.kind for message in reviewed.studio.work.tick()] == ["task"]


def test_pulse_draws_the_projects_budget_and_the_estimate_says_what_it_refuses(reviewed: Stage) -> None:
    with reviewed.studio.transaction() as session:
        session.execute(sa.update(m.Performer).values(kind_id=PerformerKind.SYNTHETIC))
        project = session.scalars(sa.select(m.Project.name)).first()
    assert check(reviewed.door, reviewed.admin, "pulse")["budget"] is None
    cells = [reviewed.cell(reviewed.cast.ada_character)]
    for period, n_days in (("day", 2), ("week", 7), ("total", 30), ("month", None)):
        reviewed.studio.budgets.set(0.001, project=project, period=period)
        drawn = check(reviewed.door, reviewed.creator, "pulse")["budget"]
        assert drawn["of"] == n_days or (n_days is None and 28 <= drawn["of"] <= 31)
        assert 1 <= len(drawn["days"]) <= drawn["of"]
        assert drawn["used_h"] == pytest.approx(drawn["days"][-1])
    asked = reviewed.door.estimate(reviewed.creator, None, cells, None)
    assert "The budget of" in asked["blocked"][0]
    with pytest.raises(RefusedError, match="Nothing was submitted"):
        reviewed.door.submit(reviewed.creator, None, cells, None)
