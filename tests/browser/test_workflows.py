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


@pytest.mark.capability("M-03/visual-workflow-diff-graph-comparison")
def test_two_versions_are_compared_on_the_canvas(page: Page) -> None:
    page.keyboard.press("g")
    page.keyboard.press("w")
    page.wait_for_selector("html[data-ready=workflows]")
    page.get_by_label("Compare with").select_option("13")
    expect(page.locator(".cv.tl")).to_contain_text("Added 1")
    expect(page.locator(".cv.tl")).to_contain_text("Removed 1")
    expect(page.locator(".wfside")).to_contain_text("Against v13")
    expect(page).to_have_url(re.compile("against=13"))
    page.locator("[data-key='diff-10']").click()
    changes = page.locator(".wfside .chg")
    expect(changes.first).to_have_text(re.compile(r"steps\s*12 → 15"))
    expect(changes).to_have_count(2)
    expect(page.locator(".wfside .dmark").first).to_have_text("~")
    page.keyboard.press("Escape")
    page.locator("[data-key='diff-removed:13']").click()
    expect(page.locator(".wfside")).to_contain_text("RIFEInterpolate · node 13")
    expect(page.locator(".wfside .dmark").first).to_have_text("−")
    page.get_by_label("Compare with").select_option("")
    expect(page.locator(".cv.tl")).to_have_count(0)


@pytest.mark.capability("PRD-33/edit-mapped-parameters-on-the-canvas")
def test_slots_are_edited_on_the_node_with_faults_beside_them_and_undo(page: Page, studio: SampleStudio) -> None:
    page.keyboard.press("g")
    page.keyboard.press("w")
    page.wait_for_selector("html[data-ready=workflows]")
    page.locator("[data-key^='slot-frames']").click()
    card = page.locator("#ncard")
    expect(card).to_contain_text("Image to video")
    default = card.get_by_label("Default of frames")
    expect(default).to_have_value("97")
    default.fill("many")
    default.press("Enter")
    expect(card.get_by_role("alert")).to_have_text("Slot frames takes 1 to 241, not 'many'.")
    expect(default).to_have_attribute("aria-invalid", "true")
    default.fill("81")
    default.press("Enter")
    expect(card.get_by_role("alert")).to_have_count(0)
    expect(card.get_by_role("button", name="File's default")).to_be_visible()
    name = card.get_by_label("Name of frames")
    name.fill("length")
    name.press("Enter")
    expect(card.get_by_label("Name of length")).to_have_value("length")
    page.mouse.click(5, 5)
    page.get_by_role("button", name="Undo").last.click()
    expect(card.get_by_label("Name of frames")).to_have_value("frames")
    card.get_by_role("button", name="Hide").click()
    expect(card.locator(".sedit")).to_contain_text("hidden")
    card.get_by_role("button", name="Show").click()
    expect(card.get_by_role("button", name="Hide")).to_be_visible()
    edits = [what for did, what in studio.heard if did == "edit_slot"]
    assert edits == [
        ("frames", {"default": "81"}), ("frames", {"name": "length"}), ("length", {"name": "frames"}),
        ("frames", {"is_hidden": True}), ("frames", {"is_hidden": False}),
    ]  # fmt: skip
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator("[data-key^='slot-lora']").click()
    page.get_by_label("Make strength_model a slot").click()
    expect(page.locator(".toasts")).to_contain_text("strength_model is a slot")
