"""The matrix in a real browser on a real studio: choosing cells by pointer and keyboard, and what is done with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP
from tests.browser.real import RealDoor, beside
from x121lib import Studio
from x121lib.testing.small_studio import drive, write_recipe

CHOSEN = """(places) => [...document.querySelectorAll('.cellbox[aria-selected=true]')]
  .map((cell) => cell.dataset.cell).sort().join(" ") === places"""
TYPES = ("jump", "sway", "turn", "wave")


@pytest.fixture(scope="module")
def door(door: RealDoor, tmp_path_factory: pytest.TempPathFactory) -> RealDoor:
    """Aurora with Aiko, Jonas and Lena × four scene types, of which *sway* of Aiko and Lena waits for review."""
    beside(finish_breeze, door.studio, tmp_path_factory.mktemp("matrix"))
    return door


def finish_breeze(studio: Studio, folder: Path) -> None:
    """Load the other scene types, and make and approve every scene of Breeze, which has Jonas only."""
    for name in TYPES:
        if name != "sway":
            studio.load_scene_type(write_recipe(folder, name, segments=1 + (name == "jump")))
    studio.work.check_workers()
    breeze = studio.project("Breeze")
    breeze.submit()
    drive(studio)
    breeze.approve_passing()


@pytest.fixture
def page(browser: Browser, door: RealDoor) -> Iterator[Page]:
    """Aurora's matrix, opened by Noor; fails when a script fails."""
    context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(door.link())
    page.goto(f"{door.address}/matrix")
    page.wait_for_selector("html[data-ready=matrix]")
    expect(page.locator(".cellbox")).to_have_count(12)
    yield page
    context.close()
    assert faults == []


def expect_chosen(page: Page, *places: str) -> None:
    """Wait until exactly the cells at these places, row and column, are selected."""
    page.wait_for_function(CHOSEN, arg=" ".join(places))


def drag(page: Page, start: str, end: str) -> None:
    """Drag from one cell to another with the mouse."""
    boxes = [page.locator(f'[data-cell="{place}"]').bounding_box() for place in (start, end)]
    for i, box in enumerate(boxes):
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
        if not i:
            page.mouse.down()
    page.mouse.up()


@pytest.mark.capability("PRD-57/matrix-visualization", "PRD-62/matrix-thumbnails")
def test_cells_show_status_and_thumbnail_and_open_their_scene(page: Page) -> None:
    sway = page.locator('[data-cell="0,1"]')
    expect(sway).to_contain_text("In review")
    page.wait_for_function("document.querySelector('[data-cell=\"0,1\"] img')?.naturalWidth > 0")
    expect(page.locator('[data-cell="1,1"]')).to_contain_text("Not started")
    expect(page.locator(".mbatch")).to_contain_text("of 12 scenes approved")
    sway.dblclick()
    page.wait_for_selector("html[data-ready=review]")
    expect(page.locator("h1")).to_have_text("Aiko")


@pytest.mark.capability("PRD-57/selective-submission")
def test_cells_are_chosen_by_drag_row_column_filter_and_keyboard(page: Page) -> None:
    drag(page, "0,0", "1,1")
    expect_chosen(page, "0,0", "0,1", "1,0", "1,1")
    page.keyboard.press("Escape")
    expect_chosen(page)
    page.get_by_title("Select the column").nth(3).click()
    expect_chosen(page, "0,3", "1,3", "2,3")
    page.get_by_label("Select the row Jonas").click(force=True)
    expect_chosen(page, "0,3", "1,0", "1,1", "1,2", "1,3", "2,3")
    page.keyboard.press("Escape")
    page.locator(".chip", has_text="In review").click()
    expect(page.locator(".cellbox")).to_have_count(8)
    page.keyboard.press("Control+a")
    expect(page.locator(".float")).to_contain_text("2 cells")
    page.locator(".chip", has_text="In review").click()
    expect_chosen(page, "0,1", "2,1")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".cellbox.sel")).to_have_count(4)
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator(".cellbox.sel")).to_have_count(2)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+a")
    expect(page.locator(".float")).to_contain_text("12 cells")
    page.keyboard.press("Escape")


@pytest.mark.capability("PRD-57/selective-submission", "PRD-57/progress-dashboard")
def test_a_selection_is_submitted_and_cancelled(page: Page, door: RealDoor) -> None:
    drag(page, "0,2", "1,3")
    expect(page.locator(".float")).to_contain_text("4 scenes")
    page.get_by_role("button", name="Submit 4 scenes").click()
    expect(page.locator(".toast")).to_contain_text("4 scenes submitted, 4 takes")
    for place in ("0,2", "0,3", "1,2", "1,3"):
        expect(page.locator(f'[data-cell="{place}"]')).to_contain_text("Queued")
    drag(page, "0,2", "1,3")
    page.get_by_role("button", name="Cancel 4").click()
    expect(page.locator('[data-cell="1,3"]')).to_contain_text("Not started")
    assert door.studio.queue().empty


@pytest.mark.capability("PRD-57/job-matrix-generation")
def test_sets_of_rows_and_columns_are_looked_over_and_submitted_by_keyboard_alone(page: Page, door: RealDoor) -> None:
    for key in ("Home", "PageUp", "ArrowRight", "ArrowRight", "l", "ArrowRight", "l"):  # columns *turn* and *wave*
        page.keyboard.press(key)
    expect(page.locator(".float")).to_contain_text("6 cells")
    page.keyboard.press("p")
    box = page.get_by_role("dialog", name="Submission")
    expect(box.locator("h3")).to_have_text("3 characters × 2 scene types × 1 variant: 6 scenes at Production")
    expect(box.locator(".psums")).to_contain_text("6 enter the queue, 6 takes")
    expect(box.locator("[data-key='prow-Jonas'] td").nth(1)).to_have_attribute(
        "title", "Jonas, turn: clothed enters the queue"
    )
    expect(box.locator(".pneed")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    expect(page.locator(".float")).to_contain_text("6 cells")
    assert door.studio.queue().empty
    page.keyboard.press("p")
    expect(box).to_have_count(1)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("6 scenes submitted, 6 takes")
    expect(box).to_have_count(0)
    drag(page, "0,2", "2,3")
    page.get_by_role("button", name="Cancel 6").click()
    expect(page.locator('[data-cell="1,3"]')).to_contain_text("Not started")


@pytest.mark.capability("PRD-57/selective-submission")
def test_only_what_was_rejected_is_made_again(page: Page, door: RealDoor) -> None:
    scenes = door.studio.project("Aurora").scenes()
    lena = scenes[(scenes["character"] == "Lena") & (scenes["scene_type"] == "sway")]["scene_id"].iloc[0]
    door.studio.decide(lena, "reject")
    expect(page.locator('[data-cell="2,1"]')).to_contain_text("Rejected")
    page.keyboard.press("Control+a")
    page.get_by_role("button", name="Redo failed 1").click()
    expect(page.locator(".toast")).to_contain_text("1 scene queued again")
    expect(page.locator('[data-cell="2,1"]')).to_contain_text("Queued")
    assert {row.character for row in door.studio.queue().itertuples()} == {"Lena"}


@pytest.mark.capability("PRD-57/batch-review-queue")
def test_review_goes_through_one_group(page: Page) -> None:
    page.keyboard.press("v")
    panel = page.get_by_role("region", name="Review in groups")
    expect(panel.locator(".mgroup")).to_contain_text(["Aiko"])
    panel.get_by_role("button", name="By scene type").click()
    panel.get_by_role("link", name="sway").click()
    page.wait_for_selector("html[data-ready=review]")
    expect(page.locator(".head")).to_contain_text("sway")
    expect(page.locator(".head")).to_contain_text("1 of 1")


@pytest.mark.capability("PRD-57/one-click-delivery")
def test_a_matrix_that_is_all_approved_is_delivered_by_one_action(page: Page, door: RealDoor) -> None:
    expect(page.get_by_role("button", name="Deliver all")).to_have_count(0)  # Aurora is not done
    breeze = str(door.studio.project("Breeze").project_id)
    page.context.add_cookies([{"name": "x121_project", "value": breeze, "url": door.address}])
    page.goto(f"{door.address}/matrix")
    page.wait_for_selector("html[data-ready=matrix]")
    expect(page.locator(".mbatch")).to_contain_text("4 of 4 scenes approved")
    page.get_by_role("button", name="Deliver all").click()
    expect(page.locator(".toast")).to_contain_text("The package is being written")
    page.goto(f"{door.address}/deliveries")
    expect(page.get_by_role("link", name="Download").first).to_be_visible()
