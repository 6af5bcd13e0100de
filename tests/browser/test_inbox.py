"""The bell: what came in, what was read, what somebody wants to be told."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from dashboards.samples import SampleStudio

from .conftest import DESKTOP, PHONE


@pytest.mark.parametrize("page", [DESKTOP, PHONE], ids=["desktop", "phone"], indirect=True)
def test_the_inbox_opens_is_read_and_leads_to_the_page(page: Page, studio: SampleStudio) -> None:
    bell = page.get_by_role("button", name="Notifications, 2 unread")
    expect(bell).to_be_visible()
    page.keyboard.press("Shift+N")
    panel = page.get_by_role("dialog", name="Notifications")
    expect(panel).to_contain_text("Idris · dance · clothed, segment 2 failed")
    box = panel.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    panel.get_by_role("button", name="A budget is running out").click()
    page.wait_for_url("**/pulse")
    expect(page.get_by_role("button", name="Notifications, 1 unread")).to_be_visible()
    assert ("read_notifications", ["m2"]) in studio.heard
    page.keyboard.press("Shift+N")
    page.get_by_role("button", name="Mark all read").click()
    expect(page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()


def test_what_one_is_told_is_chosen_per_kind(page: Page, studio: SampleStudio) -> None:
    page.keyboard.press("Shift+N")
    page.get_by_role("button", name="What you are told").click()
    budget = page.get_by_role("group", name="A budget is running out")
    budget.get_by_role("button", name="None").click()
    expect(budget.get_by_role("button", name="None")).to_have_attribute("aria-pressed", "true")
    assert ("prefer_notification", ("budget", "none")) in studio.heard
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
