"""The page of the budgets, over the sample studio with the keyboard alone, and over a real one."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboards.samples import SampleStudio
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.real import RealDoor
from x121lib.scheduling.budgets import BudgetError


def opened(page: Page) -> None:
    page.keyboard.press("g")
    page.keyboard.press("b")
    page.wait_for_selector("html[data-ready=budgets]")


@pytest.mark.capability("PRD-93/budget-dashboard")
def test_a_budget_is_seen_with_its_forecast_and_its_limit_changed_in_place_and_taken_back(
    page: Page, studio: SampleStudio
) -> None:
    opened(page)
    expect(page.locator(".a-bdetail .bsays")).to_have_text(
        "At the current rate of 7.0 GPU h a day, Aurora will exhaust this budget in 6 days, on Thu 26 Nov."
    )
    meter = page.locator(".a-bdetail .meter")
    expect(meter).to_have_attribute("aria-valuenow", "80")
    assert [mark.get_attribute("title") for mark in meter.locator("b").all()] == ["Warning at 75 %", "Warning at 90 %"]
    assert [round(float(part.evaluate("e => parseFloat(e.style.width)"))) for part in meter.locator("i").all()] == [
        70, 9
    ]  # fmt: skip
    expect(page.locator(".bbars > span")).to_have_count(14)
    expect(page.locator(".bbars")).to_have_attribute("aria-label", re.compile("Thu 19 Nov 2.0, Fri 20 Nov 4.4$"))
    page.keyboard.press("e")
    page.keyboard.type("300")
    page.keyboard.press("Enter")
    expect(page.locator("[data-key='limit-b1:aurora']")).to_have_text("300")
    page.keyboard.press("Control+z")
    expect(page.locator("[data-key='limit-b1:aurora']")).to_have_text("240")
    page.keyboard.press("e")
    page.keyboard.type("100")
    page.keyboard.press("Enter")
    expect(page.locator(".dialog.ask")).to_contain_text("168 are used and 22.5 reserved: new work is refused")
    page.keyboard.press("Escape")
    assert [what for name, what in studio.heard if name == "change_budget"] == [
        ("b1", 300.0, None),
        ("b1", 240.0, {"warn_at": [75, 90], "hard": True, "rolls_over": True, "exempt": ["Draft"]}),
    ]


def test_a_slip_is_told_beside_the_form_and_a_conflict_changes_nothing(page: Page, studio: SampleStudio) -> None:
    opened(page)
    page.keyboard.press("a")
    form = page.get_by_role("dialog", name="Set a budget")
    for hours, fault in (("-5", "0 to 1,000,000"), ("many", "'many' is no number"), ("1,5", "'1,5' is no number")):
        form.get_by_label("GPU hours").fill(hours)
        page.keyboard.press("Control+Enter")
        expect(form.locator(".callout")).to_contain_text(fault)
    form.get_by_label("GPU hours").fill("40")
    form.get_by_label("Warnings at percent").fill("half")
    page.keyboard.press("Control+Enter")
    expect(form.locator(".callout")).to_contain_text("Warnings: 'half' is no whole percentage")
    form.get_by_label("Warnings at percent").fill("50, 80%")
    page.keyboard.press("Control+Enter")
    expect(form.locator(".callout")).to_contain_text("There is such a budget already")
    form.get_by_label("Whose").select_option("p2")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".btable tbody tr")).to_have_count(4)
    expect(page.locator(".a-bdetail h2")).to_have_text("Ben Osei, per month")
    expect(page.locator(".a-bdetail")).to_contain_text("50 %, 80 %")
    page.keyboard.press("Control+z")
    expect(page.locator(".btable tbody tr")).to_have_count(3)
    studio.budgets_[0]["version"] = 7  # somebody else was faster, and the page did not hear of it yet
    page.keyboard.press("e")
    page.keyboard.type("250")
    page.keyboard.press("Enter")
    expect(page.locator(".toast").last).to_contain_text("changed by somebody else")
    assert studio.budgets_[0]["limit_h"] == 240.0


@pytest.mark.capability("PRD-61/historical-calibration")
def test_estimates_are_put_to_the_test_and_no_history_is_said(page: Page, studio: SampleStudio) -> None:
    opened(page)
    expect(page.locator(".a-bcal .bsays")).to_contain_text("90 % of 10 batches that are over needed what the 80 %")
    expect(page.locator(".a-bcal .bsays")).to_contain_text("9 of 10; 95 % sure of 60 % to 98 %")
    outside = page.locator(".trial", has=page.locator("b.st-failed"))
    expect(outside).to_have_count(1)
    expect(outside).to_have_attribute("title", re.compile("needed 2.2 GPU h, outside$"))
    draft = page.locator("[data-key='speed-i2v-chain v14-Draft-480×272'] td")
    expect(draft.nth(1)).to_contain_text("31.0 s")
    expect(draft.nth(3)).to_have_text("no history")


@pytest.mark.parametrize("page", [DESKTOP, PHONE], ids=["desktop", "phone"], indirect=True)
def test_an_empty_page_says_what_to_do_and_nothing_overflows(page: Page, studio: SampleStudio) -> None:
    page.goto(page.url.rsplit("/", 1)[0] + "/budgets")
    page.wait_for_selector("html[data-ready=budgets]")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    studio.budgets_.clear()
    studio.events += 1
    expect(page.locator(".a-budgets .empty")).to_contain_text("No budget yet")
    expect(page.locator(".a-budgets .empty")).to_contain_text("x121 budget set 200 --project NAME")


@pytest.mark.capability("PRD-93/budget-dashboard", "PRD-93/hard-limits")
def test_a_limit_set_on_the_page_of_a_real_studio_holds_at_once(browser: Browser, real: RealDoor) -> None:
    page = browser.new_page(viewport=DESKTOP)  # type: ignore[arg-type]
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(real.link())
    page.wait_for_selector("html[data-ready=pulse]")
    opened(page)
    expect(page.locator(".a-budgets .empty")).to_contain_text("No budget yet")
    expect(page.locator(".free1")).to_contain_text(["Aurora", "Breeze"])
    expect(page.locator(".a-bcal .empty")).to_contain_text("No history yet")
    expect(page.locator(".a-bspeed")).to_contain_text("engine 1")
    page.keyboard.press("a")
    form = page.get_by_role("dialog", name="Set a budget")
    form.get_by_label("Whose").select_option(label="Aurora (project)")
    form.get_by_label("GPU hours").fill("200")
    page.keyboard.press("Control+Enter")
    row = page.locator(".btable tbody tr")
    expect(row).to_contain_text("Aurora")
    expect(row).to_contain_text("On track")
    expect(page.locator(".a-bdetail .bsays")).to_contain_text("when it begins anew")
    page.keyboard.press("e")
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    expect(row).to_contain_text("Used up")
    frame = real.studio.budgets.list()
    assert list(frame["limit_h"]) == [0.0]
    real.studio.project("Aurora").approve_variants("clothed", characters=["Jonas"])
    with pytest.raises(BudgetError, match=r"The budget of Aurora has 0\.0 GPU h of 0\.0 GPU h left this month"):
        real.studio.project("Aurora").submit(characters=["Jonas"])
    page.keyboard.press("Control+z")
    expect(row).to_contain_text("On track")
    assert list(real.studio.budgets.list()["limit_h"]) == [200.0]
    assert faults == []
    page.close()
