"""The page of the triggers, over the sample studio and over a real one with its consumer's work done live."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from dashboards.samples import SampleStudio
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.real import RealDoor
from x121lib import model as m


def opened(page: Page) -> None:
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_selector("html[data-ready=triggers]")


@pytest.mark.capability("PRD-97/condition-builder")
def test_a_rule_is_built_tried_and_added_beside_a_clear_fault(page: Page, studio: SampleStudio) -> None:
    opened(page)
    page.keyboard.press("a")
    form = page.get_by_role("dialog", name="Add a trigger")
    page.keyboard.press("Control+Enter")
    expect(form.locator(".callout")).to_contain_text("name: ")
    form.get_by_label("Name", exact=True).fill("faces")
    form.get_by_label("When this happens").select_option("variant.approved")
    form.get_by_label("Only where").get_by_role("button", name="Condition").click()
    form.get_by_label("Field of condition 1").select_option("variant")
    form.locator("select[aria-label='Value of condition 1']").select_option("clothed")
    form.locator("section[aria-label=If]").get_by_role("button", name="Condition").click()
    branch = form.locator("section[aria-label=If]")
    branch.get_by_label("Field of condition 1").select_option("faces")
    branch.get_by_label("Comparison of condition 1").select_option("above")
    branch.get_by_label("Value of condition 1").fill("1")
    form.locator("section[aria-label=Then]").get_by_label("Action 1", exact=True).select_option("submit")
    form.get_by_label("Scene types", exact=True).fill("dance, wave")
    form.get_by_role("button", name="Dry run").click()
    expect(form.locator(".dry1")).to_contain_text("would submit 6 scenes")
    page.keyboard.press("Control+Enter")
    expect(form).to_have_count(0)
    expect(page.locator(".ttable tbody tr")).to_have_count(4)
    ((_, rule),) = [heard for heard in studio.heard if heard[0] == "add_trigger"]
    assert rule == {
        "name": "faces", "on": "variant.approved", "project": "Aurora", "when": [{"field": "variant", "is": "clothed"}],
        "if": [{"field": "faces", "above": 1.0}], "do": [{"action": "submit", "scene_types": ["dance", "wave"]}],
        "otherwise": [{"action": "notify", "text": "{what}: {trigger}"}],
    }  # fmt: skip


@pytest.mark.capability("PRD-97/chain-visualization", "PRD-97/trigger-log")
def test_the_chain_tells_machine_person_and_trigger_apart_and_rules_are_switched_by_key(
    page: Page, studio: SampleStudio
) -> None:
    opened(page)
    steps = page.locator(".chbox .step")
    assert [step.get_attribute("class") for step in steps.all()] == [
        "step human", "step auto", "step trigger", "step auto", "step auto", "step trigger"
    ]  # fmt: skip
    assert [node.inner_text().split("\n")[0] for node in page.locator(".chnode.human").all()] == [
        "Variant approval", "Review"
    ]  # fmt: skip
    expect(page.locator(".chtrigger.off")).to_have_text("try again")
    words = page.locator(".chain").get_attribute("aria-label") or ""
    assert "Variant approval to Scenes: a trigger takes this step" in words
    assert "try again: from QA to Scenes, disabled" in words
    page.keyboard.press("ArrowDown")
    expect(page.locator(".a-tdetail")).to_contain_text("variant is clothed")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".a-tdetail")).to_contain_text("at most 2 times")
    page.keyboard.press("e")
    expect(page.get_by_role("switch", name="try again")).to_have_attribute("aria-checked", "true")
    assert ("switch_trigger", ("t2", True)) in studio.heard
    page.keyboard.press("d")
    expect(page.locator(".a-tdetail .dry1")).to_contain_text("would submit 6 scenes")
    expect(page.locator(".fire1")).to_have_count(1)
    expect(page.locator(".fire1")).to_contain_text("18 × task.queued")
    page.keyboard.press("Delete")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".ttable tbody tr")).to_have_count(2)


@pytest.mark.capability("PRD-71/auto-retry-policy")
def test_a_retake_policy_is_set_changed_and_taken_back_by_key(page: Page, studio: SampleStudio) -> None:
    opened(page)
    panel = page.locator(".a-tretakes")
    expect(panel).to_contain_text("up to 3 retakes of a segment; where face_similarity fails; a new seed, cfg ±0.5")
    page.keyboard.press("p")
    form = page.get_by_role("dialog", name="Set a retake policy")
    assert "scene type|wave" not in form.locator("option").evaluate_all("all => all.map((o) => o.value)")
    form.get_by_label("Whose takes").select_option("project|Aurora")
    form.get_by_label("Retakes at most").fill("many")
    page.keyboard.press("Control+Enter")
    expect(form.locator(".callout")).to_contain_text("Retakes at most: 'many' is no whole number")
    form.get_by_label("Retakes at most").fill("4")
    form.get_by_label("Vary").fill("cfg 0.5")
    page.keyboard.press("Control+Enter")
    expect(form.locator(".callout")).to_contain_text("Vary: 'cfg 0.5' is not SLOT=RANGE")
    form.get_by_label("Vary").fill("cfg=0.5, denoise=0.1")
    form.get_by_label("Best of").fill("2")
    form.get_by_label("Words for the prompt").fill("soft light\nslow movement")
    page.keyboard.press("Control+Enter")
    expect(panel).to_contain_text("up to 4 retakes of a segment, the best of 2 at a time; whichever gate fails")
    assert studio.heard[-1] == ("set_retakes", ("project", "Aurora", {
        "most": 4, "best_of": 2, "gates": [], "vary": ["cfg=0.5", "denoise=0.1"],
        "phrases": ["soft light", "slow movement"],
    }))  # fmt: skip
    page.keyboard.press("Control+z")
    expect(panel).not_to_contain_text("Aurora")
    panel.get_by_role("button", name="Edit…").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Retakes of wave").get_by_label("Gates").fill("sharpness")
    page.keyboard.press("Control+Enter")
    expect(panel).to_contain_text("where sharpness fails")
    page.keyboard.press("Control+z")
    expect(panel).to_contain_text("where face_similarity fails")


def test_a_webhook_is_added_tried_and_its_key_shown_once(page: Page, studio: SampleStudio) -> None:
    opened(page)
    page.locator(".a-thooks").get_by_role("button", name="Add…").click()
    page.get_by_label("Name", exact=True).fill("farm")
    page.get_by_label("Address").fill("http://x")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".dialog.form .callout")).to_contain_text("not an https address")
    page.get_by_label("Address").fill("https://farm.example.com")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".dialog.ask")).to_contain_text("k3y-that-is-shown-once")
    page.keyboard.press("Escape")
    expect(page.locator(".hook1")).to_have_count(2)
    page.locator(".hook1").last.get_by_role("button", name="Test").click()
    expect(page.locator(".toast").last).to_contain_text("farm answered with 200")
    page.locator(".hook1").first.get_by_role("button", name="Log").click()
    expect(page.get_by_role("dialog", name="Messages to studio-chat")).to_contain_text("scene.status_changed")
    before = len(studio.heard)
    for key in ("a", "ArrowDown", "e", "d", "Delete"):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_have_count(1)
    assert [name for name, _ in studio.heard[before:]] == [], "keys do nothing behind a dialog"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.capability("PRD-97/condition-builder")
def test_a_trigger_is_changed_in_the_form_and_the_change_undone(page: Page, studio: SampleStudio) -> None:
    opened(page)
    for name in ("clothed scenes", "try again", "deliver"):
        page.keyboard.press("ArrowDown")
        expect(page.locator(".a-tdetail h2")).to_have_text(name)
    page.keyboard.press("c")
    form = page.get_by_role("dialog", name="Change deliver")
    expect(form.get_by_label("Name", exact=True)).to_have_value("deliver")
    expect(form.get_by_label("Value of condition 1")).to_have_value("Approved, Rejected")
    expect(form.get_by_label("Comparison of condition 2")).to_have_value("at_most")
    expect(form.get_by_label("Also where something is missing")).to_have_value("yes")
    page.keyboard.press("Control+Enter")
    expect(form).to_have_count(0)
    same = studio.heard[-1]
    whole = {"name": "deliver", "on": "scene.status_changed", "project": "Aurora",
             "when": [{"field": "status", "is": ["Approved", "Rejected"]}, {"field": "open_scenes", "at_most": 0.0}],
             "do": [{"action": "deliver", "partial": True}, {"action": "webhook", "name": "studio-chat"}]}  # fmt: skip
    assert same == ("change_trigger", ("t3", whole)), "what was not touched is as it was"
    page.get_by_role("button", name="Change…").click()
    form.get_by_label("Name", exact=True).fill("deliver all")
    form.get_by_label("Value of condition 2").fill("3")
    form.get_by_label("For people").fill("for the client")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".a-tdetail h2")).to_have_text("deliver all")
    expect(page.locator(".a-tdetail")).to_contain_text("open_scenes at most 3")
    page.keyboard.press("z")
    expect(page.locator(".a-tdetail h2")).to_have_text("deliver")
    assert studio.heard[-1] == ("change_trigger", ("t3", whole))
    for name in ("try again", "clothed scenes"):
        page.keyboard.press("ArrowUp")
        expect(page.locator(".a-tdetail h2")).to_have_text(name)
    page.keyboard.press("c")
    expect(page.get_by_role("dialog", name="Change clothed scenes").get_by_label("Class")).to_have_value("Background")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.capability("PRD-97/trigger-rules")
def test_a_rule_that_cannot_be_read_is_shown_and_given_another_by_key(page: Page, studio: SampleStudio) -> None:
    why = "The trigger 'clothed scenes': do.1: action must be one of submit, retake."
    studio.triggers_[0] |= {"unreadable": why, "enabled": False, "do": [], "when": [],
                            "rule": {"name": "clothed scenes", "on": "moon.rose", "do": [{"action": "sing"}, "x"],
                                     "when": [{"field": "variant"}]}}  # fmt: skip
    opened(page)
    expect(page.locator(".ttable tbody tr").first).to_contain_text("cannot be read")
    expect(page.get_by_role("switch", name="clothed scenes")).to_be_disabled()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".a-tdetail .callout")).to_contain_text(why)
    page.keyboard.press("d")
    page.keyboard.press("e")
    page.keyboard.press("c")
    form = page.get_by_role("dialog", name="Change clothed scenes")
    expect(form.locator(".callout")).to_contain_text(why)
    expect(form.get_by_label("When this happens")).to_have_value("variant.approved")
    form.locator("section[aria-label=Then]").get_by_role("button", name="Action").press("Enter")
    page.keyboard.press("Control+Enter")
    expect(form).to_have_count(0)
    assert [name for name, _ in studio.heard] == ["change_trigger"]
    expect(page.locator(".a-tdetail .callout")).to_have_count(0)


def test_a_dry_run_that_is_answered_after_escape_breaks_nothing(
    page: Page, studio: SampleStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    opened(page)
    page.keyboard.press("a")
    form = page.get_by_role("dialog", name="Add a trigger")
    form.get_by_label("Name", exact=True).fill("late")
    answer, waits = threading.Event(), threading.Event()
    whole = studio.dry_run_trigger

    def late(*given: Any, **more: Any) -> dict[str, Any]:
        waits.set()
        answer.wait(20)
        return whole(*given, **more)

    monkeypatch.setattr(studio, "dry_run_trigger", late)
    form.get_by_role("button", name="Dry run").click()
    assert waits.wait(20)
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    answer.set()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".a-tdetail")).to_contain_text("variant is clothed")
    page.keyboard.press("a")
    form.get_by_label("Name", exact=True).fill("again")
    form.get_by_role("button", name="Dry run").click()
    expect(form.locator(".dry1")).to_contain_text("would submit 6 scenes")
    assert faults == []


@pytest.mark.parametrize("page", [DESKTOP, PHONE], ids=["desktop", "phone"], indirect=True)
def test_an_empty_page_says_what_to_do_and_nothing_overflows(page: Page, studio: SampleStudio) -> None:
    page.goto(page.url.rsplit("/", 1)[0] + "/triggers")
    page.wait_for_selector("html[data-ready=triggers]")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    studio.triggers_.clear()
    studio.events += 1
    expect(page.locator(".a-trows .empty")).to_contain_text("No trigger yet")
    expect(page.locator(".a-trows .empty")).to_contain_text("x121 trigger add FILE.toml")


@pytest.mark.capability(
    "PRD-97/trigger-rules", "PRD-97/safety-controls", "PRD-97/trigger-log",
    "OVR/direct-notification-of-execution-errors",
)  # fmt: skip
def test_a_rule_built_on_the_page_of_a_real_studio_fires_and_is_told_live(browser: Browser, real: RealDoor) -> None:
    page = browser.new_page(viewport=DESKTOP)  # type: ignore[arg-type]
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(real.link())
    page.wait_for_selector("html[data-ready=pulse]")
    opened(page)
    expect(page.locator(".a-trows .empty")).to_contain_text("No trigger yet")
    page.keyboard.press("a")
    form = page.get_by_role("dialog", name="Add a trigger")
    form.get_by_label("Name", exact=True).fill("clothed scenes")
    form.get_by_label("Project").select_option("Aurora")
    form.locator("section[aria-label=Then]").get_by_label("Action 1", exact=True).select_option("submit")
    page.keyboard.press("Control+Enter")
    row = page.locator(".ttable tbody tr")
    expect(row).to_contain_text("GPU time")
    switch = page.get_by_role("switch", name="clothed scenes")
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    real.studio.project("Aurora").approve_variants("clothed", characters=["Jonas"])
    while real.studio.reactions.run() or real.studio.reactions.fire():
        pass
    expect(page.locator(".fire1")).to_contain_text("1 scene: Jonas / sway / clothed.")
    expect(page.locator(".fire1")).to_contain_text("scene.status_changed to Generating")
    assert real.scene_status("Jonas", "sway") in ("Queued", "Generating")
    expect(page.locator(".step.trigger")).to_have_count(1)
    real.studio.project("Aurora").approve_variants("clothed", characters=["Jonas"])
    real.studio.reactions.run()
    with real.studio.transaction() as session:  # whoever enabled it is no Admin any more
        session.execute(sa.update(m.PersonRole).where(m.PersonRole.person_id == real.person).values(role_id="Creator"))
    while real.studio.reactions.run() or real.studio.reactions.fire():
        pass
    expect(page.locator(".toast").last).to_contain_text("The trigger 'clothed scenes' was refused")
    expect(page.get_by_role("button", name="Notifications, ")).to_be_visible()
    assert faults == []
    page.close()
