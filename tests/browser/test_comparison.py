"""Two cuts of a scene in step under one transport, judged by the numbers that their pictures show themselves."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboards.samples import SampleStudio
from tests.browser.conftest import DESKTOP
from tests.browser.pictures import NUMBER
from tests.browser.real import RealDoor, beside
from x121lib.studio import Studio
from x121lib.testing.small_studio import DATA, drive

SHORTER = 4
"""Frames by which each segment of the sample's draft is shorter than 96."""
BOTH = f"""async () => {{
  {NUMBER}
  const {{ player, follower }} = window.x121.local;
  return [
    numberOf(player.video), numberOf(follower.video), document.querySelector('[data-live=other4]').textContent,
  ];
}}"""


def in_draft(frame: int) -> int:
    """Return the draft's frame of the same moment: in the same segment, as far from its start."""
    segment, offset = divmod(frame, 96)
    return segment * (96 - SHORTER) + min(offset, 95 - SHORTER)


@pytest.fixture
def stage(page: Page, address: str) -> Page:
    """The review page, compared with the draft by key."""
    page.goto(f"{address}/review")
    page.wait_for_selector("html[data-ready=review]")
    page.wait_for_function("document.querySelector('video')?.readyState >= 2 && !window.x121.local.player.busy")
    page.keyboard.press("c")
    page.wait_for_function(
        "window.x121.local.follower?.inStep && document.querySelector('[data-other]').readyState >= 2"
    )
    return page


def shown(page: Page) -> list[object]:
    """Number that the lead's picture shows, number that the follower's shows, number written on the follower."""
    page.wait_for_function("window.x121.local.follower.inStep")
    return page.evaluate(BOTH)


@pytest.mark.capability("PRD-59/quality-comparison")
def test_both_tiers_show_the_same_moment_after_every_key(stage: Page) -> None:
    expect(stage.locator(".hud.cmpl.a")).to_contain_text("Production v3")
    expect(stage.locator(".hud.cmpl.b")).to_contain_text("Draft v1")
    expect(stage.locator(".cmpbar")).to_contain_text("960×540 against 480×272 (× 4.0)")
    at = 0
    steps = [("ArrowRight", 1), ("Shift+ArrowRight", 10), ("Shift+ArrowRight", 10), ("ArrowLeft", -1), ("End", 287)]
    for key, by in steps:
        stage.keyboard.press(key)
        at = 287 if key == "End" else at + by
        assert shown(stage) == [at, in_draft(at), f"{in_draft(at):04d}"]
    for frame in (95, 96, 93, 191, 192, 250):  # on both sides of the seams, and where the draft has no such frame
        stage.evaluate("(frame) => window.x121.local.player.seek(frame)", frame)
        assert shown(stage) == [frame, in_draft(frame), f"{in_draft(frame):04d}"]


@pytest.mark.capability("PRD-59/quality-comparison")
def test_playing_keeps_both_within_two_frames_and_stopping_makes_them_equal(stage: Page) -> None:
    stage.evaluate("""() => {
      window.apart = [];
      const { player, follower } = window.x121.local;
      player.addEventListener("frame", () => {
        const apart = Math.abs(follower.wanted - follower.player.shown);
        if (player.direction > 0 && player.shown > 24) window.apart.push(apart);
      });
    }""")
    stage.keyboard.press("Space")
    stage.wait_for_function("window.apart.length > 40")
    stage.keyboard.press("k")
    apart = sorted(stage.evaluate("window.apart"))
    assert apart[len(apart) * 9 // 10] <= 2, apart
    lead, follower, _ = shown(stage)
    assert isinstance(lead, int)
    assert follower == in_draft(lead)
    stage.keyboard.press("j")
    stage.wait_for_function("window.x121.local.player.shown < 20")
    stage.keyboard.press("k")
    lead, follower, _ = shown(stage)
    assert isinstance(lead, int)
    assert follower == in_draft(lead)


def test_wipe_difference_and_the_next_cut_by_key(stage: Page) -> None:
    stage.keyboard.press("w")
    line = stage.locator(".wipeline")
    expect(line).to_have_attribute("aria-valuenow", "50")
    for _ in range(5):
        stage.keyboard.press(".")
    expect(line).to_have_attribute("aria-valuenow", "60")
    box = stage.locator(".pair").bounding_box()
    assert box
    stage.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    expect(line).to_have_attribute("aria-valuenow", "25")
    lead, other = stage.locator(".pair > .video:not(.other)").bounding_box(), stage.locator(".other").bounding_box()
    assert lead == other
    stage.keyboard.press("d")
    expect(stage.locator(".pair.diff .amp")).to_have_count(1)
    stage.keyboard.press("v")
    expect(stage.locator(".hud.cmpl.b")).to_contain_text("Production v2")
    assert shown(stage)[1] == 0
    expect(stage.locator(".othergate").first).to_contain_text(".49")
    stage.keyboard.press("Escape")
    expect(stage.locator(".other")).to_have_count(0)
    assert stage.evaluate("window.x121.local.follower") is None


@pytest.mark.capability("PRD-59/upscale-trigger")
def test_u_makes_the_scene_again_at_a_higher_tier_with_its_cost_told(stage: Page, studio: SampleStudio) -> None:
    stage.keyboard.press("u")
    form = stage.get_by_role("dialog", name="Make this scene again at a higher tier")
    expect(form).to_contain_text("All 3 segments with the same workflow, seeds, prompts and parameters")
    expect(form.get_by_label("Tier")).to_have_value("Cinema")
    expect(form.locator("option")).to_have_text(["Master: about 27:00 GPU time, 24:50 to 29:10", "Cinema: no history"])
    form.get_by_label("Tier").select_option("Master")
    stage.keyboard.press("Control+Enter")
    expect(form).to_have_count(0)
    assert studio.heard[-1] == ("raise_scene", ("mara-wave-0", "Master"))
    expect(stage.locator(".toast")).to_contain_text("Queued at Master, 3 takes; what is made stays")


@pytest.fixture
def real(real: RealDoor) -> RealDoor:
    """A real studio whose engine runs, with Aiko's *idle* of the sample made at Draft."""
    real.studio.load_scene_type(DATA / "scene_types" / "idle.toml")
    beside(make, real.studio)
    return real


def make(studio: Studio) -> None:
    """Make Aiko's *idle* at Draft."""
    studio.work.check_workers()
    studio.project("Aurora").submit(characters=["Aiko"], scene_types=["idle"], variants=["clothed"], tier="Draft")
    drive(studio)


@pytest.mark.capability("PRD-59/quality-comparison", "PRD-59/resolution-tiers", "PRD-59/upscale-trigger")
def test_a_draft_of_the_sample_is_smaller_raised_by_key_and_compared(browser: Browser, real: RealDoor) -> None:
    scene = real.studio.project("Aurora").scene("Aiko", "idle", "clothed")
    draft = real.studio.tiers.compare(scene.scene_id)
    assert set(zip(draft["tier"], draft["width"], draft["height"], strict=True)) == {("Draft", 256, 320)}
    page = browser.new_page(viewport=DESKTOP)  # type: ignore[arg-type]
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(real.link())
    page.wait_for_selector("html[data-ready=pulse]")
    page.goto(f"{real.address}/review?scene={scene.scene_id}")
    page.wait_for_selector("html[data-ready=review]")
    expect(page.locator(".meta")).to_contain_text("256 × 320")
    page.keyboard.press("u")
    expect(page.get_by_role("dialog").locator("option")).to_have_text(["Preview: no history", "Production: no history"])
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast").last).to_contain_text("Queued at Production, 3 takes")
    beside(drive, real.studio)
    both = real.studio.tiers.compare(scene.scene_id)
    assert set(zip(both["tier"], both["width"], both["height"], strict=True)) == {
        ("Draft", 256, 320), ("Production", 512, 640)
    }  # fmt: skip
    assert list(both[both["tier"] == "Draft"]["seed"]) == list(both[both["tier"] == "Production"]["seed"])
    expect(page.locator(".meta")).to_contain_text("512 × 640")
    page.keyboard.press("c")
    page.wait_for_function("window.x121.local.follower?.inStep")
    expect(page.locator(".hud.cmpl.a")).to_contain_text("Production v2")
    expect(page.locator(".hud.cmpl.b")).to_contain_text("Draft v1")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function("window.x121.local.player.shown === 10 && window.x121.local.follower.inStep")
    sizes = "[...document.querySelectorAll('.pair video')].map((v) => [v.videoWidth, v.videoHeight])"
    assert page.evaluate(sizes) == [[512, 640], [256, 320]]
    assert faults == []
    page.close()
