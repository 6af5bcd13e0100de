"""Workers, models and the debugger in a browser, over the sample studio."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from dashboards.samples import SampleStudio
from x121lib.testing.real_studio import wait_until


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


@pytest.mark.capability("PRD-17/asset-inventory", "PRD-17/dependency-graph", "PRD-17/quality-ratings")
def test_models_are_filtered_scanned_stopped_rated_and_removed_with_what_follows(
    page: Page, studio: SampleStudio
) -> None:
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_selector("html[data-ready=models]")
    page.keyboard.press("f")
    page.keyboard.type("loras")
    expect(page.locator(".mtable tbody tr")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(page.locator(".side")).to_contain_text("In use by 4 things: it can not be removed.")
    page.keyboard.press("2")
    page.keyboard.press("s")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".wstrip")).to_contain_text("3 of 9 files, 33 %")
    page.locator(".wstrip").get_by_role("button", name="Stop").click()
    expect(page.locator(".wstrip")).to_contain_text("Nothing of it was stored.")
    page.keyboard.press("n")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".dialog.form .callout")).to_contain_text("A note has 1 to")
    page.keyboard.press("Escape")
    for name in ("soft_light", "film_grain"):
        page.keyboard.press("ArrowDown")
        expect(page.locator(".side h2").first).to_contain_text(name)
    page.get_by_role("button", name="Remove…").click()
    expect(page.locator(".dialog.form")).to_contain_text("receipts of takes stay")
    page.get_by_label("Its file").select_option("delete")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".dialog.form")).to_have_count(0)
    assert [name for name, _ in studio.heard] == ["rate_model", "scan_models", "stop_model_work", "remove_model"]
    assert studio.heard[-1][1] == ("m4", "delete")
    page.get_by_role("button", name="Downloads 3").click()
    expect(page.locator(".mtable tbody tr")).to_have_count(4)
    page.get_by_role("button", name="Go on").click()
    steered = ("steer_download", ("d2", "resume"))
    wait_until(lambda: studio.heard[-1] == steered, "the page's wish arrives", timeout_s=10)
    expect(page.locator(".toast").last).to_contain_text("Done")


@pytest.mark.capability(
    "PRD-34/change-parameters-mid-run", "PRD-34/see-intermediate-latents", "PRD-34/raw-data-inspector"
)
def test_a_take_is_changed_at_its_safe_point_and_paused(page: Page, studio: SampleStudio) -> None:
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_selector("html[data-ready=queue]")
    page.keyboard.press("b")
    page.wait_for_selector("html[data-ready=debugger]")
    expect(page.locator(".dfoot")).to_contain_text("takes effect at the next safe point, when KSamplerAdvanced")
    page.wait_for_function("document.querySelector('.dpic img')?.naturalWidth > 0")
    steps = page.get_by_label("steps", exact=True)
    steps.fill("many")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".params .callout")).to_contain_text("'many' is no number")
    steps.fill("24")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".params .callout")).to_contain_text("steps = 24")
    expect(steps).to_be_disabled()
    page.locator("h1").click()
    page.keyboard.press("2")
    expect(page.locator(".rawtext")).to_contain_text('"class_type": "KSamplerAdvanced"')
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert ("pause_task", (studio.heard[0][1][0], "node")) in studio.heard
    assert studio.heard[0][1][1:] == ({"steps": "24"}, True)
