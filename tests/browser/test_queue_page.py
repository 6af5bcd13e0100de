"""The Queue page on a real studio: lanes, order by drag, menu, details, filters, days of the past, live."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP
from tests.browser.real import RealDoor, beside, opened_door
from x121lib import Studio
from x121lib import model as m
from x121lib.studio.schedules import NewSchedule
from x121lib.terms.vocabulary import PriorityClass
from x121lib.testing.small_studio import PORTRAITS, Kept, drive

ROWS = "tr[data-task]"


def prepare(studio: Studio, engine_url: str) -> None:
    """Make Aiko's scene on a real engine that stays; Lena's and Jonas's wait to be submitted."""
    studio.workers.add(engine_url, name="engine 1", engine=True)
    studio.work.check_workers()
    studio.project("Aurora").import_folder(PORTRAITS, synthetic=True, only=("Jonas",))
    studio.project("Aurora").submit(characters=["Aiko"])
    drive(studio)
    stretch(studio)


def stretch(studio: Studio) -> None:
    """Let the three takes have run for four minutes each, one after the other up to a minute ago."""
    now = studio.house.now()
    with studio.transaction() as session:
        attempts = session.scalars(sa.select(m.GpuTaskAttempt).order_by(m.GpuTaskAttempt.dispatched_at)).all()
        for back, attempt in zip((13, 9, 5), attempts, strict=True):
            attempt.started_at = now - timedelta(minutes=back)
            attempt.finished_at, attempt.run_s = attempt.started_at + timedelta(minutes=4), 240.0
        session.execute(sa.update(m.WorkerSpeed).values(mean_s=240.0))


@pytest.fixture(scope="module")
def door(
    server_url: str, stocked_studio: Kept, engine_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealDoor]:
    """One real studio for this module, and its web door; Noor is an Admin."""
    with opened_door(stocked_studio, server_url, tmp_path_factory.mktemp("queue"), role="Admin") as door:
        beside(prepare, door.studio, engine_url)
        yield door


def look_after_workers(door: RealDoor) -> None:
    """Do what a consumer does every few seconds: a worker of which nothing was heard for long counts as away."""
    beside(door.studio.work.check_workers)


@pytest.fixture
def page(browser: Browser, door: RealDoor) -> Iterator[Page]:
    """Noor's Queue page with Lena's and Jonas's takes waiting; fails when a script fails."""
    look_after_workers(door)
    door.studio.project("Aurora").submit(characters=["Lena"])
    door.studio.project("Aurora").submit(characters=["Jonas"])
    context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    page, faults = context.new_page(), list[str]()
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(door.link())
    page.goto(f"{door.address}/queue")
    page.wait_for_selector("html[data-ready=queue]")
    expect(page.locator(ROWS)).to_have_count(len(door.studio.queue()))
    yield page
    context.close()
    door.studio.cancel(list(door.studio.queue()["task_id"]))
    assert faults == []


def order(door: RealDoor) -> list[str]:
    """Return who is served in what order: a letter and the segment of each task."""
    return [f"{row.character[0]}{row.segment:.0f}" for row in door.studio.queue().itertuples()]


@pytest.mark.capability("PRD-90/gantt-layout")
@pytest.mark.capability("PRD-90/queue-depth")
@pytest.mark.capability("PRD-90/time-estimates")
@pytest.mark.capability("PRD-90/compact-mode")
def test_lanes_show_what_ran_and_what_will_and_when_the_queue_is_empty(page: Page, door: RealDoor) -> None:
    lane = page.locator(".gn", has_text="engine 1")
    expect(lane).to_contain_text("0 %")
    expect(page.locator(".gb.past")).to_have_count(3)
    expect(page.locator(".gb.plan")).to_have_count(6)
    assert "starts in" in (page.locator(".gb.plan").first.get_attribute("title") or "")
    expect(page.locator(".gover b")).to_contain_text("Now")
    expect(page.locator(".head .facts")).to_contain_text("drains in")
    expect(page.locator(ROWS).first).to_contain_text("Next to be sent")
    look_after_workers(door)
    page.goto(f"{door.address}/matrix")
    page.wait_for_selector("html[data-ready=matrix]")
    expect(page.locator(".jobtray")).to_contain_text("6queued")
    expect(page.locator(".jobtray")).to_contain_text(re.compile(r"\d left"))
    expect(page.locator(".jobtray .busyw")).to_have_attribute("title", "engine 1: Idle")


@pytest.mark.capability("PRD-90/interactive-controls")
def test_rows_are_dragged_and_the_drag_is_undone(page: Page, door: RealDoor) -> None:
    assert order(door) == ["L1", "L2", "L3", "J1", "J2", "J3"]
    rows = page.locator(ROWS)
    rows.nth(3).drag_to(rows.nth(0), target_position={"x": 300, "y": 3})
    expect(rows.first).to_contain_text("Jonas")
    assert order(door) == ["J1", "L1", "L2", "L3", "J2", "J3"]
    expect(page.locator(".toast")).to_contain_text("1 task moved before Lena")
    page.keyboard.press("z")
    expect(rows.first).to_contain_text("Lena")
    assert order(door) == ["L1", "L2", "L3", "J1", "J2", "J3"]


@pytest.mark.capability("PRD-90/interactive-controls")
def test_the_menu_pauses_orders_and_cancels_by_mouse_and_by_key(page: Page, door: RealDoor) -> None:
    rows, menu = page.locator(ROWS), page.locator(".ctxmenu")
    rows.nth(1).click(button="right")
    menu.get_by_role("menuitem", name="Pause", exact=True).click()
    expect(page.locator(ROWS, has_text="Paused by Noor Haddad")).to_have_count(1)
    page.locator("h1").click()
    page.keyboard.press("m")
    expect(menu).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    page.keyboard.press("m")
    menu.get_by_role("menuitem", name="Background").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".toast", has_text="1 task: Background")).to_be_visible()
    with door.studio.transaction() as session:
        query = sa.select(sa.func.count()).where(m.GpuTask.class_id == PriorityClass.BACKGROUND)
        assert session.scalar(query) == 1
    page.get_by_role("button", name="Undo").first.click()
    expect(page.locator(".toast", has_text="Undone")).to_be_visible()
    rows.first.click(button="right")
    menu.get_by_role("menuitem", name="Pause the project").click()
    expect(page.locator(".qhold")).to_contain_text("Paused with Aurora by Noor Haddad")
    page.locator(".qhold").get_by_role("button", name="Go on").click()
    expect(page.locator(".qhold")).to_have_count(0)
    page.locator(ROWS, has_text="Jonas").first.click(button="right")
    menu.get_by_role("menuitem", name="Cancel").click()
    expect(page.locator(ROWS, has_text="Jonas")).to_have_count(0)


def test_a_creator_moves_their_own_work_only(browser: Browser, page: Page, door: RealDoor) -> None:
    del page
    ben = door.studio.people.add("Ben Osei", "ben@example.test", ["Creator"])
    context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    theirs = context.new_page()
    theirs.goto(f"{door.address}/sign-in/once/{door.studio.people.make_sign_in_link(ben)}")
    theirs.goto(f"{door.address}/queue")
    theirs.wait_for_selector("html[data-ready=queue]")
    row = theirs.locator(ROWS).first
    expect(row).to_have_attribute("draggable", "false")
    row.click(button="right")
    expect(theirs.locator(".ctxmenu").get_by_role("menuitem", name="To the front")).to_be_disabled()
    context.close()


@pytest.mark.capability("PRD-90/interactive-controls")
def test_a_click_on_a_bar_opens_the_task_and_filters_narrow_the_list(page: Page) -> None:
    page.locator(".gb.plan").nth(1).click()
    panel = page.locator(".a-details")
    expect(panel).to_contain_text("Segment2 of 3, take")
    expect(panel).to_contain_text("Submitted by")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.locator("#queue-find").fill("jonas")
    expect(page.locator(ROWS)).to_have_count(3)
    page.get_by_label("Person").select_option("Local administrator")
    page.locator("#queue-find").fill("nobody")
    expect(page.get_by_text("No task fits the filter.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(page.locator(ROWS)).to_have_count(6)


@pytest.mark.capability("PRD-90/historical-view")
def test_a_day_of_the_past_shows_what_ran_and_when_nothing_did(page: Page, door: RealDoor) -> None:
    back = timedelta(hours=30)
    a, w = m.GpuTaskAttempt, m.Worker
    with door.studio.transaction() as session:
        done = a.finished_at.is_not(None)
        session.execute(
            sa.update(a).where(done).values(started_at=a.started_at - back, finished_at=a.finished_at - back)
        )
        session.execute(sa.update(w).values(added_at=w.added_at - timedelta(days=9)))
    page.locator("h1").click()
    page.keyboard.press("[")
    expect(page.locator(".crumbs")).to_contain_text("History")
    expect(page.locator(".gb.past")).to_have_count(3)
    expect(page.locator(".gb.plan")).to_have_count(0)
    expect(page.locator(".idle")).to_have_count(2)
    expect(page.locator(".idle").first).to_contain_text("idle 1")
    expect(page.locator(".gn").nth(1)).to_contain_text("1 %")
    page.keyboard.press("[")
    expect(page.locator(".gb.past")).to_have_count(0)
    page.keyboard.press("n")
    expect(page.locator(".gb.plan")).to_have_count(6)


@pytest.mark.capability("PRD-90/live-updates")
def test_new_work_appears_and_finished_work_goes_without_a_reload(page: Page, door: RealDoor) -> None:
    rows = page.locator(ROWS)
    door.studio.cancel([door.studio.queue()["task_id"].iloc[5]])
    expect(rows).to_have_count(5)
    for message in door.studio.work.tick()[:1]:
        beside(door.studio.work.run_key, message.key, message.attempt_number)
    expect(rows).to_have_count(4)
    expect(page.locator(".gb.past[title^='Lena']")).to_have_count(1)


@pytest.mark.capability("PRD-08/recurring-schedules")
def test_schedules_stand_beside_the_queue(page: Page, door: RealDoor) -> None:
    door.studio.schedules.add(NewSchedule("Nightly", "Aurora", "30 22 * * *", "Europe/Berlin"))
    line = page.locator(".sched", has_text="Nightly")
    expect(line).to_contain_text("30 22 * * * · Europe/Berlin")
    line.get_by_label("Run Nightly now").click()
    expect(page.locator(".toast", has_text="Nightly: nothing to do")).to_be_visible()
    line.get_by_label("Disable Nightly").click()
    expect(line).to_contain_text("off")
    line.get_by_label("Remove Nightly").click()
    page.keyboard.press("Control+Enter")
    expect(line).to_have_count(0)
    assert door.studio.schedules.list().empty


@pytest.mark.capability("PRD-08/recurring-schedules")
def test_a_schedule_is_added_by_keys_with_its_next_times_shown_before(page: Page, door: RealDoor) -> None:
    page.keyboard.press("s")
    form = page.get_by_role("dialog", name="Add a schedule")
    times = form.get_by_role("status", name="Next times")
    expect(times.locator(".mono")).to_have_count(5)
    page.keyboard.type("Nightly")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("M")
    expect(form.get_by_label("How often")).to_have_value("weekdays")
    form.get_by_label("At", exact=True).fill("02:30")
    form.get_by_label("Time zone").fill("Europe/Nowhere")
    expect(form.locator(".callout")).to_contain_text("There is no time zone 'Europe/Nowhere'")
    form.get_by_label("Time zone").fill("Europe/Berlin")
    expect(times.locator(".mono").first).to_have_text(re.compile(r"^(Mon|Tue|Wed|Thu|Fri) .* 02:30 CES?T$"))
    form.get_by_label("Times that were missed").select_option("yes")
    form.get_by_label("Characters").get_by_role("button", name="Aiko").focus()
    page.keyboard.press("Enter")
    expect(form.get_by_label("Characters")).to_contain_text("Characters: 1 of")
    form.get_by_label("Scenes", exact=True).select_option("yes")
    page.keyboard.press("Control+Enter")
    expect(form).to_have_count(0)
    expect(page.locator(".sched", has_text="Nightly")).to_contain_text("30 2 * * mon-fri · Europe/Berlin")
    (row,) = door.studio.schedules.list().to_dict("records")
    assert [row[c] for c in ("project", "person", "chosen", "missed", "failed_only", "tier")] == [
        "Aurora", "Noor Haddad", "Aiko", "run once", True, "the project's"
    ]  # fmt: skip
    page.keyboard.press("s")
    page.keyboard.type("nightly")
    form.get_by_label("How often").select_option("cron")
    form.get_by_label("Cron expression").fill("0 0 30 2 *")
    expect(form.locator(".callout")).to_contain_text("never comes: February has no day 30")
    form.get_by_label("Cron expression").fill("@weekly")
    expect(times.locator(".mono").first).to_contain_text("Sun")
    page.keyboard.press("Control+Enter")
    expect(form.locator(".callout")).to_contain_text("There is a schedule 'nightly' already")
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)


@pytest.mark.capability("PRD-08/recurring-schedules")
def test_a_schedule_is_changed_in_place_by_keys_and_a_conflict_is_told(page: Page, door: RealDoor) -> None:
    door.studio.schedules.add(NewSchedule("Mend", "Aurora", "30 22 * * mon-fri", "Europe/Berlin", ("Aiko",)))
    line = page.locator(".sched", has_text="Mend")
    line.get_by_label("Change Mend").focus()
    page.keyboard.press("Enter")
    form = page.get_by_role("dialog", name="Change Mend")
    expect(form.get_by_label("How often")).to_have_value("weekdays")
    expect(form.get_by_label("At", exact=True)).to_have_value("22:30")
    expect(form.get_by_label("Characters")).to_contain_text("Characters: 1 of")
    page.keyboard.type("Late")
    form.get_by_label("At", exact=True).fill("23:15")
    form.get_by_label("Times that were missed").select_option("yes")
    page.keyboard.press("Control+Enter")
    expect(form).to_have_count(0)
    late = page.locator(".sched", has_text="Late")
    expect(late).to_contain_text("15 23 * * mon-fri · Europe/Berlin")
    page.keyboard.press("Control+z")
    expect(line).to_contain_text("30 22 * * mon-fri")
    line.get_by_label("Change Mend").press("Enter")
    expect(form.get_by_label("Name", exact=True)).to_have_value("Mend")
    seen = door.studio.schedules.show("Mend")
    door.studio.schedules.change("Mend", replace(seen.given, cron="@daily"))
    page.keyboard.press("Control+Enter")
    expect(form.locator(".callout")).to_contain_text("'Mend' was changed meanwhile")
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    assert door.studio.schedules.show("Mend").given.cron == "@daily"
