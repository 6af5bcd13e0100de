"""A workflow of 300 nodes panned and zoomed in headless Chromium: frames per second."""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Page, sync_playwright

from dashboards.app import create_app
from dashboards.contracts import SessionPerson
from dashboards.samples import SampleStudio
from dashboards.samples.serving import served
from tests.browser.conftest import CHROMIUM, DESKTOP, FLAGS
from x121lib.comfyui.layout import lay_out

NODES = 300
LIMIT = 30.0
"""Frames per second that the page owes."""
FRAMES = 240
Row = dict[str, object]
PAN = """frames => new Promise(done => {
  const box = document.getElementById("fcanvas"), r = box.getBoundingClientRect(), gaps = [];
  const send = (type, x, y) => box.dispatchEvent(new PointerEvent(type, { pointerId: 1, bubbles: true, clientX: x, clientY: y }));
  box.setPointerCapture = () => {};
  send("pointerdown", r.left + 500, r.top + 300);
  let n = 0, last = performance.now();
  const step = (now) => {
    gaps.push(now - last); last = now; n += 1;
    if (n > frames) { send("pointerup", r.left, r.top); done(gaps.slice(1)); return; }
    send("pointermove", r.left + 500 + 300 * Math.sin(n / 20), r.top + 300 + 200 * Math.cos(n / 27));
    box.dispatchEvent(new WheelEvent("wheel", { bubbles: true, cancelable: true, deltaY: 60 * Math.sin(n / 15), clientX: r.left + 500, clientY: r.top + 300 }));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""  # noqa: E501


class _Large(SampleStudio):
    """The sample studio with one workflow of many nodes."""

    def workflows(self, person: SessionPerson, project: str | None, params: Mapping[str, str]) -> Any:
        view = super().workflows(person, project, params)
        rng = random.Random(121)
        graph = {
            str(i): {"class_type": "KSampler", "inputs": {
                f"in{j}": [str(rng.randrange(max(0, i - 12), i)), 0] for j in range(2 if i > 5 else 0)}}
            for i in range(NODES)
        }  # fmt: skip
        drawing = lay_out(graph)
        nodes = [view["chosen"]["nodes"][i % 14] | {"id": key, "x": x, "y": y}
                 for i, (key, (x, y)) in enumerate(drawing.places.items())]  # fmt: skip
        links = [[x.source, x.target, x.input_name, [list(p) for p in x.bends]] for x in drawing.lines]
        view["chosen"] |= {"nodes": nodes, "links": links, "width": drawing.size[0], "height": drawing.size[1]}
        return view


def bench() -> list[Row]:
    """Return the row ``workflow_canvas_fps``."""
    studio = _Large()
    with served(create_app(studio, secret="s" * 32)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport=DESKTOP)  # type: ignore[arg-type]
        page.goto(f"{address}/sign-in/once/{studio.issue_once()}")
        page.wait_for_selector("html[data-ready]")
        page.goto(f"{address}/workflows")
        page.wait_for_selector("#fcanvas[data-live-view]")
        rates = [_rate(page) for _ in range(3)]
        browser.close()
    fps = statistics.median(rates)
    row: Row = {
        "name": "workflow_canvas_fps", "value": round(fps, 1), "unit": "frames/s", "against": f"limit {LIMIT:g}",
        "ratio": round(fps / LIMIT, 2),
        "note": f"{NODES} nodes panned and zoomed at once, {FRAMES} frames, median of 3 runs; "
        "software rendering; higher is better",
    }  # fmt: skip
    return [row]


def _rate(page: Page) -> float:
    """Return frames per second over one run, from the whole time that its frames took."""
    gaps = page.evaluate(PAN, FRAMES)
    return 1000 * len(gaps) / sum(gaps)
