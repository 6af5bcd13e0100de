"""Workers, models and the debugger in a browser, over the sample studio."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from dashboards.samples import SampleStudio


@pytest.mark.capability("PRD-46/worker-dashboard", "PRD-46/worker-registration")
def test_a_worker_is_added_beside_a_clear_fault_chosen_and_held(page: Page, studio: SampleStudio) -> None:
    page.keyboard.press("g")
    page.keyboard.press("f")
    page.wait_for_selector("html[data-ready=workers]")
    expect(page.locator(".wtable tbody tr")).to_have_count(5)
    page.keyboard.press("a")
    page.keyboard.type("gpu-9")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".dialog.form .callout")).to_contain_text("'gpu-9' is no http address.")
    page.get_by_label("Address of its ComfyUI").fill("http://gpu-9:8188")
    page.get_by_label("Tags").fill("fast")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".dialog.form")).to_have_count(0)
    assert ("add_worker", ("http://gpu-9:8188", "", "1", "fast")) in studio.heard
    expect(page.locator(".toast").last).to_contain_text("done")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".wbench")).to_contain_text("http://gpu-02:8188")
    page.keyboard.press("m")
    page.keyboard.type("new fan")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".toast").last).to_contain_text("gpu-02: done")
    assert ("hold_worker", ("gpu-02", "maintenance", "new fan")) in studio.heard
    assert page.url.endswith("worker=gpu-02")
