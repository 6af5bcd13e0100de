"""The demo as its user meets it: one command, one link, twelve scenes watched and approved, a ZIP from the page."""

from __future__ import annotations

import os
import re
import signal
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from x121lib.testing.real_studio import RealStudio, decode_complaints, wait_until, zip_structure

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif("X121_TEST_DEMO" not in os.environ, reason="takes minutes: set X121_TEST_DEMO=1"),
    pytest.mark.filterwarnings(r"ignore:The .*HTTPServerRequest:DeprecationWarning"),
]
LINK = re.compile(r"Sign in once: (http://\S+)")
N_SCENES = 12


def _watch_the_work(page: Page, link: str) -> None:
    """Sign in by the link, see takes run live on Pulse, and wait until every scene is in review."""
    page.goto(link)
    page.wait_for_selector("html[data-ready=pulse]")
    expect(page.locator(".panel", has_text="Active takes")).to_contain_text("Segment", timeout=180_000)
    queue = page.locator(".panel", has_text="Review queue")
    expect(queue).to_contain_text(f"{N_SCENES}scenes wait for you", timeout=300_000)


def _review_all(page: Page) -> None:
    """Step through a scene, play it, and approve everything with Enter alone."""
    page.keyboard.press("r")
    page.wait_for_selector("html[data-ready=review]")
    for number in range(N_SCENES):
        page.wait_for_function("document.querySelector('video')?.readyState >= 2 && !window.x121.local.player.busy")
        page.keyboard.press("ArrowRight")
        page.wait_for_function("window.x121.local.player.shown === 1 && !window.x121.local.player.busy")
        if number == 0:
            page.keyboard.press("l")
            page.wait_for_function("window.x121.local.player.shown > 24")
            page.keyboard.press("k")
        source = page.evaluate("document.querySelector('video').src")
        page.keyboard.press("Enter")
        if number < N_SCENES - 1:
            page.wait_for_function("(old) => document.querySelector('video')?.src !== old", arg=source)
    expect(page.get_by_text("Nothing waits for review").first).to_be_visible()


def _deliver(page: Page, to: Path) -> Path:
    """Write the package from the page and fetch it."""
    page.goto(page.url.partition("/review")[0] + "/deliveries")
    page.wait_for_selector("html[data-ready=deliveries]")
    page.get_by_role("button", name="Deliver").click()
    link = page.locator("a[download]")
    expect(link).to_be_visible(timeout=120_000)
    with page.expect_download() as waiting:
        link.click()
    waiting.value.save_as(to)
    return to


def test_the_demo_ends_in_a_zip_fetched_from_the_page(
    new_studio: RealStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROWSER", "/bin/true")
    monkeypatch.setattr(RealStudio, "environment", new_studio.environment | {"X121_WEB": "1"})
    process, output = new_studio.start("demo")
    wait_until(lambda: LINK.search(output.read_text()) is not None, "the link is printed")
    link = LINK.search(output.read_text())
    assert link is not None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        _watch_the_work(page, link.group(1))
        _review_all(page)
        package = _deliver(page, tmp_path / "package.zip")
        browser.close()
    assert faults == []
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    assert "Traceback" not in output.read_text()
    assert len([name for name in zip_structure(package) if name.endswith(".mp4")]) == N_SCENES
    assert zipfile.is_zipfile(package)
    assert decode_complaints(package, tmp_path / "videos") == ""
