"""The canvas of a workflow: nodes chosen by keyboard and pointer, moved and zoomed without losing the place."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from dashboards.samples import SampleStudio


@pytest.mark.capability("PRD-33/workflow-graph-canvas")
def test_the_canvas_is_walked_moved_and_zoomed(page: Page, studio: SampleStudio) -> None:
    page.keyboard.press("g")
    page.keyboard.press("w")
    page.wait_for_selector("html[data-ready=workflows]")
    canvas = page.locator("#fcanvas")
    expect(canvas).to_have_attribute("data-live-view", re.compile(r"\d"))
    page.keyboard.press("ArrowRight")
    expect(page.locator(".wfside h2").first).to_have_text("Hand-off frame")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".wfside h2").first).to_have_text("Image to video")
    page.get_by_label("Sampler, steps 0–15: 68.4 s").click()
    expect(page.locator(".wfside")).to_contain_text("noise_seed")
    box, fitted = canvas.bounding_box(), canvas.get_attribute("data-live-view")
    assert box is not None
    assert fitted is not None
    x, y, zoom = (float(part) for part in fitted.split())
    person = studio.redeem_once(studio.issue_once())
    assert person is not None
    drawing = studio.workflows(person, None, {})["chosen"]
    (decode,) = [node for node in drawing["nodes"] if node["name"] == "Decode"]
    page.mouse.click(box["x"] + x + (decode["x"] + 40) * zoom, box["y"] + y + (decode["y"] + 40) * zoom)
    expect(page.locator(".wfside h2").first).to_have_text("Decode")
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 140, box["y"] + 80, steps=4)
    page.mouse.up()
    moved = f"{x + 120:.3f} {y + 60:.3f} {zoom:.3f}"
    expect(canvas).to_have_attribute("data-live-view", moved)
    expect(page.locator(".wfside h2").first).to_have_text("Decode")
    page.mouse.wheel(0, -300)
    expect(canvas).not_to_have_attribute("data-live-view", moved)
    page.keyboard.press("Escape")
    expect(page.locator(".wfside")).to_contain_text("what X121 fills in")
    page.keyboard.press("0")
    expect(canvas).to_have_attribute("data-live-view", fitted)
    page.get_by_label("Version").select_option("13")
    expect(page.locator(".crumbs")).to_contain_text("v13")


@pytest.mark.capability("PRD-75/dry-run-test")
def test_a_version_is_tried_and_a_dry_run_stopped(page: Page, studio: SampleStudio) -> None:
    page.keyboard.press("g")
    page.keyboard.press("w")
    page.wait_for_selector("html[data-ready=workflows]")
    side = page.locator(".wfside")
    expect(side).to_contain_text("832×480 h264, 9 frames")
    side.get_by_role("button", name="Try").click()
    expect(page.locator(".toast")).to_contain_text("is being tried on gpu-02")
    side.get_by_label("Stop this dry run").click()
    expect(page.locator(".toast").last).to_contain_text("The dry run stops")
    assert [name for name, _ in studio.heard[-2:]] == ["try_workflow", "cancel_try"]
