"""Dialogs of every page by keyboard alone: the focus goes in, stays in, and goes back where it was."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from dashboards.samples import SampleStudio

INSIDE = "document.querySelector('[role=dialog][aria-modal=true]')?.contains(document.activeElement)"
DIALOGS = [
    ("q", "queue", ["s"], "Add a schedule"),
    ("t", "triggers", ["a"], "Add a trigger"),
    ("t", "triggers", ["ArrowDown", "c"], "Change clothed scenes"),
    ("t", "triggers", ["p"], "Set a retake policy"),
    ("t", "triggers", ["ArrowDown", "Delete"], "Remove clothed scenes?"),
    ("b", "budgets", ["a"], "Set a budget"),
    ("m", "matrix", ["Control+a", "p"], "Submission"),
    ("m", "matrix", ["?"], "Keyboard shortcuts"),
]


@pytest.mark.parametrize(("key", "name", "keys", "title"), DIALOGS, ids=[title for *_, title in DIALOGS])
def test_a_dialog_keeps_the_keyboard(
    page: Page, studio: SampleStudio, key: str, name: str, keys: list[str], title: str
) -> None:
    del studio
    page.keyboard.press("g")
    page.keyboard.press(key)
    page.wait_for_selector(f"html[data-ready={name}]")
    for one in keys:
        page.keyboard.press(one)
        if one == "ArrowDown":
            expect(page.locator(".a-tdetail h2")).to_have_text("clothed scenes")
    dialog = page.get_by_role("dialog", name=title, exact=True)
    expect(dialog).to_be_visible()
    reachable = dialog.locator("a[href], button:enabled, input:enabled, select:enabled, textarea:enabled").count()
    assert page.evaluate(INSIDE), "it has the focus at once"
    for step in ["Tab"] * (reachable + 2) + ["Shift+Tab"] * 3:
        page.keyboard.press(step)
        assert page.evaluate(INSIDE)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_the_focus_goes_back_to_the_button_that_opened_the_dialog(page: Page, studio: SampleStudio) -> None:
    del studio
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_selector("html[data-ready=queue]")
    page.get_by_label("Change Nightly").press("Enter")
    form = page.get_by_role("dialog", name="Change Nightly")
    expect(form.get_by_label("How often")).to_have_value("weekdays")
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    expect(page.get_by_label("Change Nightly")).to_be_focused()


def test_a_schedule_is_changed_from_the_command_palette(page: Page, studio: SampleStudio) -> None:
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_selector("html[data-ready=queue]")
    page.keyboard.press("Control+k")
    page.keyboard.type("change the schedule")
    expect(page.get_by_role("dialog").locator(".menu button")).to_have_text(["Change the schedule Nightly⏎"])
    page.keyboard.press("Enter")
    form = page.get_by_role("dialog", name="Change Nightly")
    expect(form.get_by_label("At", exact=True)).to_have_value("22:30")
    page.keyboard.press("Control+Enter")
    expect(form).to_have_count(0)
    ((_, (key, given, version)),) = [heard for heard in studio.heard if heard[0] == "change_schedule"]
    assert (key, given["cron"], version) == ("s1", "30 22 * * mon-fri", 1), "what was not touched is as it was"
