"""Budgets on a real database: reserved, settled, warned of, held; submissions at once, exemptions, grants, periods."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.integration.scheduling.conftest import Queue
from x121lib import model as m
from x121lib.base.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, X121Error
from x121lib.pipeline.submission import Selection
from x121lib.scheduling import auditing
from x121lib.scheduling.accounts import UNMEASURED_S
from x121lib.scheduling.budgets import BudgetError
from x121lib.studio import Studio
from x121lib.studio.budgets import Terms
from x121lib.terms.roles import ROLE_PERMISSIONS, Actor
from x121lib.terms.vocabulary import EventKind, RoleName
from x121lib.testing.small_studio import Clock

TAKE_H = UNMEASURED_S / 3600
"""What a take of a workflow without history reserves."""
RAN_H = 1.0 / 3600
"""What a take of these tests runs."""


@pytest.fixture
def creator(stocked: Studio) -> Studio:
    """Return the studio as a creator sees it, a person of the database."""
    person = stocked.people.add("Kim", "kim@example.com", ["Creator"], "a quiet walk by the sea")
    return stocked.as_actor(Actor(person, "Kim", ROLE_PERMISSIONS[RoleName.CREATOR]))


def line_of(studio: Studio, holder: str = "Aurora") -> dict[str, Any]:
    frame = studio.budgets.list()
    return dict(frame[frame["holder"] == holder].iloc[0])


def told(studio: Studio, kind: EventKind) -> list[str]:
    with studio.transaction() as session:
        events = session.scalars(sa.select(m.Event).where(m.Event.kind_id == kind).order_by(m.Event.id))
        return [str(e.payload["message"]) for e in events]


def n_tasks(studio: Studio) -> int:
    with studio.transaction() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(m.GpuTask)) or 0


def run_all(queue: Queue) -> None:
    while sent := queue.dispatch():
        for each in sent:
            queue.run(each)


@pytest.mark.capability("PRD-93/project-budgets", "PRD-93/hard-limits", "PRD-93/warning-thresholds")
def test_a_submission_is_reserved_settled_and_refused_at_the_limit(stocked: Studio) -> None:
    project, queue = stocked.project("Aurora"), Queue(stocked)
    stocked.budgets.set(4 * TAKE_H, project="Aurora", terms=Terms(warn_at=(50, 75)))
    assert line_of(stocked)["used_h"] == line_of(stocked)["reserved_h"] == 0
    done = project.submit(characters=["Aiko"]).submission
    assert done.n_takes == 3
    assert done.budgets == ("Aurora has used or reserved 0.2 GPU h of 0.3 GPU h (75 %) in all.",)
    assert told(stocked, EventKind.BUDGET_WARNED) == list(done.budgets)
    assert line_of(stocked)["reserved_h"] == pytest.approx(3 * TAKE_H)
    refusal = r"Aurora has 0\.1 GPU h of 0\.3 GPU h left in all, 0\.2 GPU h of it reserved; this needs about 0\.2 GPU h"
    asked = project.submit_selection(Selection(("Lena",)), dry_run=True)
    assert len(asked.budgets) == 1
    before = n_tasks(stocked)
    with pytest.raises(BudgetError, match=refusal) as refused:
        project.submit(characters=["Lena"])
    assert str(refused.value).startswith(asked.budgets[0])
    assert n_tasks(stocked) == before
    queue.add_worker("one")
    run_all(queue)
    found = line_of(stocked)
    assert (found["used_h"], found["reserved_h"]) == (pytest.approx(3 * RAN_H), pytest.approx(0, abs=1e-9))
    assert stocked.budgets.audit() == []
    project.submit(characters=["Lena"])  # now measured, and there is room
    assert line_of(stocked)["reserved_h"] == pytest.approx(3 * RAN_H)


@pytest.mark.capability("PRD-93/hard-limits")
def test_what_waits_is_held_once_the_budget_is_used_up_and_an_admin_may_grant(stocked: Studio, creator: Studio) -> None:
    queue = Queue(stocked)
    key = stocked.budgets.set(6 * TAKE_H, project="Aurora")
    stocked.project("Aurora").submit()
    queue.add_worker("one")
    (first,) = queue.dispatch()
    queue.run(first)
    stocked.budgets.set(RAN_H / 2, project="Aurora")
    assert queue.dispatch() == []
    waiting = stocked.queue()
    assert set(waiting["why"]) >= {"Held: the budget of Aurora is used up."}
    assert told(stocked, EventKind.BUDGET_USED_UP)
    with pytest.raises(ForbiddenError):
        creator.budgets.grant(key, 1.0, "please")
    with pytest.raises(InvalidInputError, match="Say why"):
        stocked.budgets.grant(key, 1.0, " ")
    stocked.budgets.grant(key, 1.0, "the director's cut")
    assert queue.dispatch()
    with pytest.raises(ForbiddenError):
        creator.project("Aurora").submit_selection(Selection(("Lena",), over_budget=True))


def test_an_admin_may_pass_a_budget_and_what_lacks_is_granted(stocked: Studio) -> None:
    stocked.budgets.set(TAKE_H, project="Aurora")
    stocked.project("Aurora").submit_selection(Selection(("Aiko",), over_budget=True))
    found = line_of(stocked)
    assert (found["limit_h"], found["allowed_h"]) == (pytest.approx(TAKE_H), pytest.approx(3 * TAKE_H))
    with stocked.transaction() as session:
        entry = session.scalars(sa.select(m.AuditEntry).where(m.AuditEntry.action == "budget.grant")).one()
    assert entry.after is not None
    assert entry.after["reason"] == "submitted over the budget"


def test_submissions_at_the_same_time_never_pass_a_limit_together(stocked: Studio) -> None:
    stocked.budgets.set(3 * TAKE_H, project="Aurora")
    start, outcomes = threading.Barrier(2), []

    def submit(character: str) -> None:
        start.wait()
        try:
            stocked.project("Aurora").submit(characters=[character])
            outcomes.append("queued")
        except BudgetError:
            outcomes.append("refused")

    threads = [threading.Thread(target=submit, args=(name,)) for name in ("Aiko", "Lena")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["queued", "refused"]
    assert line_of(stocked)["reserved_h"] == pytest.approx(3 * TAKE_H)
    with stocked.transaction() as session:
        assert auditing.audit(session, stocked.house.now()) == []
        lost = "UPDATE budget_reservation SET allowed_s = :s, reserved_s = reserved_s + 1"  # as if two had been let in
        session.execute(sa.text(lost), {"s": 3 * UNMEASURED_S})
        assert "Aurora from 1970-01-01 was passed: 903.0" in " ".join(auditing.audit(session, stocked.house.now()))
        session.rollback()


@pytest.mark.capability("PRD-93/user-quotas", "PRD-93/rollover-reset")
def test_each_persons_quota_begins_anew_and_carries_over_once(stocked: Studio, creator: Studio, clock: Clock) -> None:
    stocked.budgets.set(4 * TAKE_H, each_person=True, period="day", terms=Terms(rolls_over=True))
    creator.project("Aurora").submit(characters=["Aiko"])
    with pytest.raises(BudgetError, match="The budget of Kim has"):
        creator.project("Aurora").submit(characters=["Lena"])
    queue = Queue(stocked)
    queue.add_worker("one")
    run_all(queue)
    assert line_of(stocked, "Kim")["used_h"] == pytest.approx(3 * RAN_H)
    clock.advance(timedelta(days=1).total_seconds())
    found = line_of(stocked, "Kim")
    assert found["used_h"] == 0
    assert found["allowed_h"] == pytest.approx(8 * TAKE_H - 3 * RAN_H)
    assert found["days_left"] == pytest.approx(found["left_h"] / (3 * RAN_H / 7))
    clock.advance(timedelta(days=1).total_seconds())
    assert line_of(stocked, "Kim")["allowed_h"] == pytest.approx(8 * TAKE_H)
    stocked.budgets.set(9 * TAKE_H, person="kim@example.com", period="day")
    creator.project("Aurora").submit(characters=["Lena"])
    frame = stocked.budgets.list()
    kims = frame[frame["holder"] == "Kim"].set_index("scope")
    assert kims["reserved_h"]["person"] == pytest.approx(3 * RAN_H)
    assert kims["reserved_h"]["each person"] == pytest.approx(0, abs=1e-9)


@pytest.mark.capability("PRD-93/budget-exemptions")
def test_exempt_tiers_and_kinds_do_not_count_and_a_soft_budget_only_warns(stocked: Studio) -> None:
    stocked.budgets.set(0, project="Aurora", terms=Terms(exempt=("Draft", "variant")))
    stocked.project("Aurora").submit(characters=["Aiko"], tier="Draft")
    assert line_of(stocked)["reserved_h"] == 0
    with pytest.raises(BudgetError):
        stocked.project("Aurora").submit(characters=["Lena"])
    stocked.budgets.set(0, project="Aurora", terms=Terms(hard=False))
    done = stocked.project("Aurora").submit(characters=["Lena"]).submission
    assert done.budgets == ("Aurora has used or reserved 0.2 GPU h of 0.0 GPU h (100 %) in all.",)


def test_a_new_budget_counts_what_was_used_and_what_waits(stocked: Studio) -> None:
    project, queue = stocked.project("Aurora"), Queue(stocked)
    project.submit()
    queue.add_worker("one")
    (first,) = queue.dispatch()
    queue.run(first)
    (second,) = queue.dispatch()
    queue.start(second)
    queue.fail(second, machine=True)
    stocked.budgets.set(1, project="Aurora", period="month")
    found = line_of(stocked)
    assert (found["used_h"], found["reserved_h"]) == (pytest.approx(RAN_H), pytest.approx(5 * RAN_H))
    stocked.cancel([t.id for t in queue.chain("Aiko")[1:]])
    queue.dispatch()
    assert line_of(stocked)["reserved_h"] == pytest.approx(3 * RAN_H)
    assert stocked.budgets.audit() == []


def test_what_is_no_budget_is_refused_and_nothing_is_changed(stocked: Studio, creator: Studio) -> None:
    with pytest.raises(ForbiddenError):
        creator.budgets.set(1, project="Aurora")
    cases: list[tuple[dict[str, Any], type[X121Error], str]] = [
        ({"hours": -1, "project": "Aurora"}, InvalidInputError, "0 to 1,000,000"),
        ({"hours": float("nan"), "project": "Aurora"}, InvalidInputError, "0 to 1,000,000"),
        ({"hours": 1}, InvalidInputError, "whose"),
        ({"hours": 1, "project": "Aurora", "each_person": True}, InvalidInputError, "whose"),
        ({"hours": 1, "project": "Aurora", "period": "year"}, InvalidInputError, "day, week, month or total"),
        ({"hours": 1, "project": "None"}, NotFoundError, "Aurora"),
        ({"hours": 1, "person": "x@example.com"}, NotFoundError, "x@example.com"),
        ({"hours": 1, "project": "Aurora", "terms": Terms(exempt=("Gold",))}, X121Error, "Gold"),
        ({"hours": 1, "project": "Aurora", "terms": Terms(warn_at=(0,))}, InvalidInputError, "1 to 100 percent"),
    ]
    for given, kind, words in cases:
        with pytest.raises(kind, match=words):
            stocked.budgets.set(**given)
    assert stocked.budgets.list().empty
    with pytest.raises(NotFoundError):
        stocked.budgets.remove("00000000-0000-0000-0000-000000000000")
    with pytest.raises(InvalidInputError, match="no key"):
        stocked.budgets.remove("x")


@pytest.mark.capability("PRD-93/budget-dashboard")
def test_use_per_day_the_day_it_runs_out_and_who_has_no_limit(stocked: Studio, clock: Clock) -> None:
    queue = Queue(stocked)
    stocked.budgets.set(8, each_person=True, period="day")
    stocked.project("Aurora").submit(characters=["Aiko"], scene_types=["sway"])
    queue.add_worker("one")
    run_all(queue)
    stocked.budgets.set(70 * RAN_H, project="Aurora")
    line = next(x for x in stocked.budgets.lines() if x.scope == "project")
    assert list(line.days) == pytest.approx([0.0] * 13 + [3.0])
    today = stocked.house.now().astimezone().date()
    assert line.days_left == pytest.approx(67 * 7 / 3)  # 67 s are left at 3 s in 7 days
    assert (line.runs_out_on, line.resets_on) == (today + timedelta(days=156), None)
    clock.advance(24 * 3600)
    line = next(x for x in stocked.budgets.lines() if x.scope == "project")
    assert list(line.days[-2:]) == pytest.approx([3.0, 0.0])
    everybody = next(x for x in stocked.budgets.lines() if x.scope == "each person")
    assert (everybody.holder, everybody.runs_out_on) == ("Local administrator", None)
    assert everybody.resets_on == today + timedelta(days=2)
    free = {(one.scope, one.holder): sum(one.days) for one in stocked.budgets.unlimited()}
    assert ("project", "Aurora") not in free
    stocked.budgets.remove(line.budget_id)
    free = {(one.scope, one.holder): sum(one.days) for one in stocked.budgets.unlimited()}
    assert free["project", "Aurora"] == pytest.approx(3.0)


def test_a_budget_that_somebody_else_changed_is_not_overwritten(stocked: Studio, creator: Studio) -> None:
    with stocked.transaction() as session:
        aurora = session.scalars(sa.select(m.Project.id).where(m.Project.name == "Aurora")).one()
    key = stocked.budgets.add(10, aurora, period="week", terms=Terms((50,), exempt=("variant",)))
    with pytest.raises(ConflictError, match="such a budget already"):
        stocked.budgets.add(20, aurora, period="week")
    assert stocked.budgets.change(key, 20, expected=1) == 2
    with pytest.raises(ConflictError, match="changed by somebody else"):
        stocked.budgets.change(key, 30, expected=1)
    with pytest.raises(InvalidInputError, match="0 to 1,000,000"):
        stocked.budgets.change(key, float("nan"))
    with pytest.raises(ForbiddenError):
        creator.budgets.change(key, 30)
    with pytest.raises(NotFoundError, match="no such project or person"):
        stocked.budgets.add(1, uuid.uuid4())
    (line,) = stocked.budgets.lines()
    assert (line.account.limit_s, line.version, line.warn_percents, line.exempt) == (72_000, 2, (50,), ("variant",))
