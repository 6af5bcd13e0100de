"""The pages on a real studio: a web door of its own process, real cuts, and a person who uses the keyboard."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import DESKTOP
from tests.browser.real import RealDoor, add_mara

JONAS = "Jonas"
QUEUED = "(yes) => document.querySelectorAll('.cellbox')[1].textContent.includes('Queued') === yes"
PIXELS = """() => {
  const video = window.x121.local.player.video, canvas = document.createElement('canvas');
  canvas.width = 64; canvas.height = 80;
  const ink = canvas.getContext('2d');
  ink.drawImage(video, 0, 0, 64, 80);
  const data = ink.getImageData(0, 0, 64, 80).data;
  return Array.from({ length: 64 * 80 }, (_, i) => data[4 * i + 1]);
}"""


@pytest.fixture(scope="module")
def signed_in(browser: Browser, door: RealDoor) -> Iterator[BrowserContext]:
    """A browser in which Noor is signed in."""
    context = browser.new_context(viewport=DESKTOP, accept_downloads=True)  # type: ignore[arg-type]
    context.new_page().goto(door.link())
    yield context
    context.close()


@pytest.fixture
def page(signed_in: BrowserContext, door: RealDoor) -> Iterator[Page]:
    """A page of Noor's; fails when a script fails, the console complains or another host is asked."""
    page = signed_in.new_page()
    faults: list[str] = []
    here = (door.address, door.address.replace("http", "ws"), "data:", "blob:")
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda asked: None if asked.url.startswith(here) else faults.append(asked.url))
    yield page
    page.close()
    assert faults == []


def opened(page: Page, door: RealDoor, name: str) -> Page:
    """Open a page and wait until it is drawn."""
    page.goto(f"{door.address}/{name}")
    page.wait_for_selector(f"html[data-ready={name.partition('?')[0]}]")
    return page


def on_stage(page: Page, door: RealDoor, character: str) -> Page:
    """Open a character's scene in review and wait until its video can be watched."""
    opened(page, door, f"review?scene={scene_id(door, character)}")
    page.wait_for_function("document.querySelector('video')?.readyState >= 2 && !window.x121.local.player.busy")
    return page


def scene_id(door: RealDoor, character: str) -> str:
    rows = door.studio.project("Aurora").scenes()
    return str(rows[rows["character"] == character]["scene_id"].iloc[0])


def test_a_one_time_link_opens_pulse_with_the_real_figures_and_only_once(browser: Browser, door: RealDoor) -> None:
    context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    page, link = context.new_page(), door.link()
    page.goto(link)
    page.wait_for_selector("html[data-ready=pulse]")
    expect(page.locator(".head .facts")).to_contain_text("characters")
    expect(page.get_by_text("engine 1").first).to_be_visible()
    expect(page.locator(".panel", has_text="Review queue")).to_contain_text("Lena")
    context.clear_cookies()
    again = page.goto(link)
    assert again is not None
    assert again.status == 401
    expect(page.get_by_text("used already")).to_be_visible()
    context.close()


@pytest.mark.capability("PRD-24/progress-tracking")
def test_the_matrix_submits_by_keyboard_and_follows_the_database_within_a_second(page: Page, door: RealDoor) -> None:
    opened(page, door, "matrix")
    assert page.locator(".cellbox").count() >= 3
    width = page.locator(".cellbox").first.bounding_box()
    assert width is not None
    assert width["width"] <= 321
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(page.locator(".float")).to_contain_text("1 scene")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast")).to_contain_text("1 scene")
    cell = page.locator(".cellbox").nth(1)
    expect(cell).to_contain_text("Queued")
    aurora, times = door.studio.project("Aurora"), []
    for change, queued in ((aurora.cancel, False), (aurora.submit, True), (aurora.cancel, False)):
        change()
        began = time.monotonic()
        page.wait_for_function(QUEUED, arg=queued)
        times.append(time.monotonic() - began)
    assert min(times) < 1.0, times


@pytest.mark.capability("PRD-54/tray-icon")
@pytest.mark.capability("PRD-54/expandable-panel")
def test_the_queue_says_why_takes_wait_and_cancels_them(page: Page, door: RealDoor) -> None:
    aurora = door.studio.project("Aurora")
    aurora.submit(characters=[JONAS])
    opened(page, door, "queue")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("Needs the last frame of segment 1")
    expect(page.locator(".jobtray")).to_contain_text("3queued")
    page.locator(".jobtray").click()
    expect(page.locator(".pop.jobs .job")).to_have_count(3)
    expect(page.locator(".pop.jobs .job").first).to_contain_text(JONAS)
    page.keyboard.press("Escape")
    page.locator("h1").click()
    for _ in range(3):
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Backspace")
    expect(page.get_by_text("The queue is empty")).to_be_visible()
    assert door.studio.queue().empty


def test_a_character_shows_its_images_rights_and_metadata(page: Page, door: RealDoor) -> None:
    opened(page, door, "characters")
    page.get_by_text("Aiko").first.click()
    page.wait_for_selector("html[data-ready=character]")
    expect(page.locator("h1")).to_have_text("Aiko")
    expect(page.get_by_text("Likeness release")).to_be_visible()
    page.wait_for_function("[...document.querySelectorAll('.main img')].every((i) => i.complete && i.naturalWidth)")


@pytest.mark.capability("PRD-83/frame-accurate-seeking")
@pytest.mark.capability("PRD-83/playback-speed-control")
def test_a_real_cut_plays_and_steps_exactly(page: Page, door: RealDoor) -> None:
    on_stage(page, door, "Lena")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("window.x121.local.player.shown === 10 && !window.x121.local.player.busy")
    expect(page.locator(".hud [data-live=frame4]")).to_have_text("0010")
    expect(page.locator(".transport [data-live=timecode]")).to_have_text("00:00:00:10")
    expect(page.locator(".drifts .gate", has_text="Colour drift")).to_have_count(1)
    video = door.studio.project("Aurora").scene("Lena", "sway", "clothed").video()
    assert video is not None
    assert nearest(video, page.evaluate(PIXELS)) == 10
    page.keyboard.press("+")
    assert page.evaluate("window.x121.local.player.speed") > 1
    page.keyboard.press("Space")
    page.wait_for_function("window.x121.local.player.shown > 14")
    page.keyboard.press("k")
    assert page.evaluate("window.x121.local.player.playing") is False


def nearest(video: Path, shown: list[int]) -> int:
    """Return the frame of a video that looks most like the green channel of a 64 × 80 picture of it."""
    picture = np.array(shown, dtype=float).reshape(80, 64)
    with av.open(str(video)) as container:
        frames = [f.reformat(64, 80, "rgb24").to_ndarray()[..., 1].astype(float) for f in container.decode(video=0)]
    return int(np.argmin([np.abs(frame - picture).mean() for frame in frames]))


@pytest.mark.capability("PRD-35/enter-approves-and-finalises")
@pytest.mark.capability("PRD-35/next-item-opens-at-once")
def test_enter_alone_approves_and_opens_the_next(page: Page, door: RealDoor) -> None:
    on_stage(page, door, "Aiko")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Lena")
    expect(page.locator(".toast")).to_contain_text("Aiko")
    assert door.scene_status("Aiko", "sway") == "Approved"
    page.wait_for_function("document.querySelector('video')?.readyState >= 2")


def test_a_rejection_takes_a_reason_and_undo_takes_it_back(page: Page, door: RealDoor) -> None:
    on_stage(page, door, "Lena")
    page.keyboard.press("2")
    expect(page.locator(".reasons .chip").first).to_be_visible()
    assert door.scene_status("Lena", "sway") == "Rejected"
    page.keyboard.press("4")
    expect(page.locator(".reasons .chip.on")).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(page.locator(".toast").last).to_contain_text("back in review")
    expect(page.locator(".reasons")).to_have_count(0)
    assert door.scene_status("Lena", "sway") == "In review"
    assert door.studio.queue().empty


def test_a_flag_and_a_note_stay_with_the_scene(page: Page, door: RealDoor) -> None:
    on_stage(page, door, "Lena")
    page.keyboard.press("3")
    expect(page.locator(".toast").last).to_contain_text("flagged")
    assert door.scene_status("Lena", "sway") == "In review"
    page.keyboard.press("n")
    page.keyboard.type("The light changes here")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".note").first).to_contain_text("The light changes here")
    page.reload()
    expect(page.locator(".note").first).to_contain_text("Noor Haddad")


@pytest.mark.capability("PRD-39/project-zip-export")
def test_deliver_writes_a_package_that_unpacks(page: Page, door: RealDoor, tmp_path: Path) -> None:
    opened(page, door, "deliveries")
    page.locator(".switcher").click()
    page.get_by_role("button", name="Breeze").last.click()
    expect(page.locator(".panel", has_text="Next package")).to_contain_text("Complete")
    page.get_by_role("button", name="Deliver").click()
    link = page.locator("a[download]")
    expect(link).to_be_visible(timeout=30_000)
    with page.expect_download() as waiting:
        link.click()
    package = tmp_path / "package.zip"
    waiting.value.save_as(package)
    with zipfile.ZipFile(package) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
    assert any(name.endswith(".mp4") and JONAS in name for name in names), names
    assert any(name.endswith("metadata.json") for name in names), names


def test_a_performers_pictures_end_with_the_release(page: Page, door: RealDoor, tmp_path: Path) -> None:
    sha256, release = add_mara(door.studio, tmp_path)
    for key in (sha256, f"small/{sha256}"):
        assert page.request.get(f"{door.address}/media/{key}").status == 200
    door.studio.people.revoke_release(release, "The performer asked for it.")
    for key in (sha256, f"small/{sha256}", f"strip/{sha256}"):
        assert page.request.get(f"{door.address}/media/{key}").status in (403, 404)
