"""The review page: the number shown is the frame shown, and every key does what it says."""

from __future__ import annotations

import random
import shutil

import pytest
from playwright.sync_api import Page, expect

from dashboards.samples import SampleStudio
from tests.browser.pictures import NUMBER

FRAMES = 288
READ = f"""async (frame) => {{
  {NUMBER}
  const player = window.x121.local.player;
  if (frame !== null) await player.seek(frame);
  return [player.shown, numberOf(player.video), document.querySelector('.hud [data-live=frame4]').textContent];
}}"""


@pytest.fixture
def stage(page: Page, address: str) -> Page:
    """The review page with its video ready."""
    page.goto(f"{address}/review")
    page.wait_for_selector("html[data-ready=review]")
    page.wait_for_function("document.querySelector('video')?.readyState >= 2 && !window.x121.local.player.busy")
    return page


def shown(page: Page) -> list[object]:
    """Frame that the player claims, frame that the picture itself shows, number on screen."""
    page.wait_for_function("!window.x121.local.player.busy")
    return page.evaluate(READ, None)


def exactly(frame: int) -> list[object]:
    return [frame, frame, f"{frame:04d}"]


def test_every_seek_shows_the_frame_it_names(stage: Page) -> None:
    rnd = random.Random(121)
    wanted = [0, 1, 95, 96, 97, 191, 192, FRAMES - 1, *(rnd.randrange(FRAMES) for _ in range(52))]
    wrong = [(frame, got) for frame in wanted if (got := stage.evaluate(READ, frame)) != exactly(frame)]
    assert wrong == []


def test_keys_step_by_one_and_by_ten(stage: Page) -> None:
    for key, frame in (
        ("ArrowRight", 1), ("ArrowRight", 2), ("Shift+ArrowRight", 12), ("ArrowLeft", 11), ("Shift+ArrowLeft", 1),
        ("End", FRAMES - 1), ("ArrowRight", FRAMES - 1), ("Home", 0), ("ArrowLeft", 0),
    ):  # fmt: skip
        stage.keyboard.press(key)
        assert shown(stage) == exactly(frame)


def test_a_step_in_the_moment_of_loading_is_kept(stage: Page) -> None:
    found = stage.evaluate("""async () => {
      const first = window.x121.local.player, video = document.createElement("video");
      video.muted = true;
      document.body.append(video);
      const player = new first.constructor(video, { fps: first.fps, frames: first.frames });
      const stepped = new Promise((done) => video.addEventListener("loadeddata", () => done(player.step(7)), true));
      video.src = first.video.src;
      await stepped;
      return player.shown;
    }""")
    assert found == 7


def test_the_drift_of_the_chain_stands_beside_its_gates(stage: Page) -> None:
    rows = stage.locator(".drifts .gate")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("Colour drift")
    expect(rows.first).to_have_attribute("title", "Colour drift is 1.6 ΔE2000 at segment 3: too few takes for a trend.")
    lines = rows.first.locator("svg.curve path")
    expect(lines).to_have_count(2)  # the values, and the limit that they go towards
    heights = "[...document.querySelectorAll('.drifts svg.curve')].map((each) => each.getBoundingClientRect().height)"
    assert stage.evaluate(heights) == [16, 16, 16]
    rows.first.click()
    assert shown(stage) == exactly(192), "the last segment's first frame"


def test_fast_repeated_steps_lose_none(stage: Page) -> None:
    for _ in range(30):
        stage.keyboard.press("ArrowRight")
    assert shown(stage) == exactly(30)


def test_timecode_follows(stage: Page) -> None:
    stage.evaluate(READ, 143)
    expect(stage.locator(".transport [data-live=timecode]")).to_have_text("00:00:05:23")


def test_play_pause_speed_and_loop(stage: Page) -> None:
    stage.keyboard.press("+")
    stage.keyboard.press("+")
    stage.keyboard.press("i")
    for _ in range(2):
        stage.keyboard.press("Shift+ArrowRight")
    assert shown(stage) == exactly(20)
    stage.keyboard.press("o")
    assert stage.evaluate("window.x121.local.range") == [0, 21]
    stage.keyboard.press("Space")
    stage.wait_for_function("window.x121.local.player.shown > 15")
    stage.wait_for_function("window.x121.local.player.shown < 8")
    stage.keyboard.press("k")
    assert stage.evaluate("window.x121.local.player.speed") == 2
    frame, picture, _ = shown(stage)
    assert frame == picture


def test_reverse_shuttle_goes_back(stage: Page) -> None:
    stage.evaluate(READ, 60)
    stage.keyboard.press("j")
    stage.wait_for_function("window.x121.local.player.shown < 50")
    stage.keyboard.press("k")
    frame, picture, _ = shown(stage)
    assert frame == picture


def test_a_click_on_the_timeline_moves_the_playhead(stage: Page) -> None:
    box = stage.locator(".bounds").bounding_box()
    assert box
    stage.mouse.click(box["x"] + box["width"] / 2, box["y"] + 30)
    assert shown(stage) == exactly(FRAMES // 2)


def test_enter_approves_and_opens_the_next(stage: Page, studio: SampleStudio) -> None:
    stage.keyboard.press("Enter")
    expect(stage.locator("h1")).to_have_text("Ravi Menon")
    assert studio.heard[-1] == ("decide", ("mara-wave-0", "approve", 0))
    expect(stage.locator(".toast")).to_contain_text("Mara Voss · wave · Studio approved")


def test_reject_asks_why_and_undo_takes_it_back(stage: Page, studio: SampleStudio) -> None:
    stage.evaluate(READ, 100)
    stage.keyboard.press("2")
    expect(stage.locator(".reasons")).to_contain_text("Seam visible")
    assert studio.heard[-1] == ("decide", ("mara-wave-0", "reject", 100))
    stage.keyboard.press("5")
    expect(stage.locator(".reasons .chip.on")).to_contain_text("Face drifts")
    expect(stage.locator(".toast").first).to_contain_text("Undo")
    stage.keyboard.press("Control+z")
    expect(stage.locator(".toast").last).to_contain_text("is back in review")  # later than what the page does itself
    expect(stage.locator(".reasons")).to_have_count(0)
    assert studio.decisions == {}
    assert [name for name, _ in studio.heard[-2:]] == ["give_reason", "undo"]


def test_anothers_decision_is_a_conflict(stage: Page, studio: SampleStudio) -> None:
    studio.decisions["mara-wave-0"] = {"id": "x", "outcome": "reject", "by": "Ben Osei"}
    stage.keyboard.press("1")
    expect(stage.locator(".toast")).to_contain_text("Ben Osei decided this scene")


def test_note_and_retake_name_the_frame(stage: Page, studio: SampleStudio) -> None:
    stage.evaluate(READ, 200)
    stage.keyboard.press("n")
    stage.keyboard.type("hand")
    stage.keyboard.press("Control+Enter")
    expect(stage.locator(".note").first).to_contain_text("hand")
    stage.keyboard.press("t")
    expect(stage.locator(".dialog")).to_contain_text("Retake from segment 3?")
    stage.keyboard.press("Control+Enter")
    expect(stage.locator(".toast").last).to_contain_text("Retake planned from segment 3")
    assert [what for _, what in studio.heard[-2:]] == [("mara-wave-0", "hand", 200), ("mara-wave-0", 200)]


def test_the_preview_says_that_it_is_made_by_a_machine(stage: Page) -> None:
    expect(stage.locator(".stage .ai")).to_contain_text("AI-generated")


def test_question_mark_lists_the_keys(stage: Page) -> None:
    stage.keyboard.press("?")
    expect(stage.get_by_role("dialog")).to_contain_text("Approve and open the next scene")
    stage.keyboard.press("Escape")
    expect(stage.get_by_role("dialog")).to_have_count(0)


def test_an_unplayable_video_says_so(page: Page, address: str, studio: SampleStudio) -> None:
    bad = studio.media_folder.parent / "bad"
    shutil.copytree(studio.media_folder, bad)
    (bad / "mara-wave.mp4").write_bytes(b"not a video")
    studio.media_folder = bad
    page.goto(f"{address}/review")
    expect(page.locator(".novideo")).to_contain_text("can not be played")
