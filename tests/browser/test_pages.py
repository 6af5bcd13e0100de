"""Every page opens, fits, changes in place and asks nothing of another host (the page fixture watches that)."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from dashboards.samples import SampleStudio

PAGES = {
    "pulse": "Active takes",
    "characters": "Mara Voss",
    "character?character=mara": "Likeness release",
    "matrix": "Not started",
    "queue": "Fair share",
    "review": "Approve, next scene",
    "deliveries": "Packages",
    "workers": "Health and power",
    "models": "Where is this used?",
    "workflows": "Where the time goes",
    "debugger": "Finished nodes come from the cache",
    "catalogue": "StatusBadge",
}
OVERFLOW = """() => {
  const root = document.documentElement;
  const texts = [...document.querySelectorAll('#app *')].filter(
    (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
  return [root.scrollWidth > innerWidth, root.scrollHeight > innerHeight,
    texts.filter((e) => parseFloat(getComputedStyle(e).fontSize) < 12).map((e) => e.textContent)];
}"""


@pytest.mark.parametrize("page", [{"width": 1440, "height": 900}, {"width": 390, "height": 844}], indirect=True)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_and_fits(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}")
    page.wait_for_selector(f"html[data-ready={name.partition('?')[0]}]")
    expect(page.get_by_text(PAGES[name]).first).to_be_attached()
    assert page.evaluate(OVERFLOW) == [False, False, []]


def test_pages_change_without_loading_again(page: Page) -> None:
    page.evaluate("window.kept = true")
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_selector("html[data-ready=matrix]")
    assert page.url.endswith("/matrix")
    page.go_back()
    page.wait_for_selector("html[data-ready=pulse]")
    assert page.evaluate("window.kept") is True


def test_live_figures_change_in_place(page: Page, studio: SampleStudio) -> None:
    page.evaluate("window.row = document.querySelector('[data-key=take-t2]')")
    studio.cancelled.add("t1")
    studio.events += 1
    expect(page.locator("[data-key=take-t1]")).to_have_count(0)
    assert page.evaluate("window.row === document.querySelector('[data-key=take-t2]')")
    expect(page.locator(".jobtray")).to_contain_text("2running")


def test_the_job_tray_opens_and_cancels(page: Page, studio: SampleStudio) -> None:
    page.locator(".jobtray").click()
    page.get_by_label("Cancel this take").last.click()
    expect(page.locator(".toast")).to_contain_text("1 take cancelled")
    assert studio.heard[-1][0] == "cancel"


def test_the_command_palette_finds_a_character(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("lena")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[data-ready=character]")
    expect(page.locator("h1")).to_have_text("Lena Sørensen")


def test_the_look_is_kept_and_painted_at_once(page: Page, address: str) -> None:
    page.get_by_label("Look").click()
    page.get_by_role("button", name="Light").click()
    page.get_by_role("button", name="Neon").click()
    page.reload(wait_until="commit")
    root = page.locator("html")
    expect(root).to_have_attribute("data-scheme", "light")
    expect(root).to_have_attribute("data-palette", "neon")


def test_an_empty_studio_says_what_to_do(page: Page, address: str, studio: SampleStudio) -> None:
    studio.empty = True
    for name in ("pulse", "matrix"):
        page.goto(f"{address}/{name}")
        expect(page.locator(".empty code")).to_contain_text("x121 import")


def test_a_missing_thing_is_a_message_not_a_crash(page: Page, address: str) -> None:
    page.goto(f"{address}/character")
    expect(page.locator(".problem")).to_contain_text("The address names no character.")


def test_selecting_in_the_matrix_by_keyboard_estimates_and_submits(
    page: Page, address: str, studio: SampleStudio
) -> None:
    page.goto(f"{address}/matrix")
    page.wait_for_selector("html[data-ready=matrix]")
    for _ in range(9):
        page.keyboard.press("ArrowDown")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator(".float")).to_contain_text("2 cells")
    expect(page.locator(".float")).to_contain_text("6 scenes")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("6 scenes submitted")
    expect(page.locator('[data-key="callum|walk"]')).to_contain_text("Queued")
    assert studio.heard[-1][0] == "submit"


@pytest.mark.capability("OVR/pre-run-workflow-health-check-of-loras-and-nodes")
def test_a_batch_is_checked_and_mended_on_the_matrix(page: Page, address: str, studio: SampleStudio) -> None:
    page.goto(f"{address}/matrix")
    page.wait_for_selector("html[data-ready=matrix]")
    page.keyboard.press("c")
    panel = page.get_by_role("region", name="Check")
    expect(panel).to_contain_text("No worker has model loras/aurora_motion_v3.safetensors.")
    expect(panel).to_contain_text("Runs on gpu-01, gpu-02, gpu-04")
    panel.get_by_role("button", name="Fix").click()
    expect(panel).to_contain_text("is on its way to gpu-02")
    expect(panel.get_by_role("button", name="Fix")).to_have_count(0)
    assert studio.heard[-1][0] == "fix_project"
    panel.get_by_label("Close").click()
    expect(panel).to_have_count(0)


def test_a_blocked_cell_says_what_it_lacks_and_how_to_solve_it(page: Page, address: str) -> None:
    page.goto(f"{address}/matrix")
    page.wait_for_selector("html[data-ready=matrix]")
    page.locator('[data-key="zuri|idle"]').click()
    told = page.locator(".mnow")
    expect(told).to_contain_text("Zuri Abara · idle")
    expect(told).to_contain_text("Evening: no approved image")
    expect(told.locator("code")).to_have_text("x121 variant approve Aurora --kind evening")
    assert told.get_by_role("link", name="Solve").get_attribute("href") == "/character?character=zuri"


def test_a_choice_whose_names_come_later_shows_what_is_chosen(page: Page, address: str, studio: SampleStudio) -> None:
    page.goto(f"{address}/queue")
    page.wait_for_selector("html[data-ready=queue]")
    page.keyboard.press("s")
    form = page.get_by_role("dialog", name="Add a schedule")
    expect(form.get_by_label("Project").locator("option")).to_have_count(2)
    expect(form.get_by_label("Project")).to_have_value("Aurora")
    form.get_by_label("Name", exact=True).fill("Nightly")
    form.get_by_label("How often").select_option("month")
    form.get_by_label("On day").fill("15")
    form.get_by_label("At", exact=True).fill("06:30")
    page.keyboard.press("Control+Enter")
    expect(form).to_have_count(0)
    given = studio.heard[-1][1]
    assert (given["project"], given["cron"], given["characters"]) == ("Aurora", "30 6 15 * *", [])
