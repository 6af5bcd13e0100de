"""The matrix page of 200 characters × 50 scene types in a real browser: opening, scrolling, following a change."""

from __future__ import annotations

import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import CHROMIUM, DESKTOP, FLAGS
from tests.browser.real import web_door
from x121lib import Studio
from x121lib import model as m
from x121lib.base.settings import Settings
from x121lib.pipeline import flow
from x121lib.store.embedded import EmbeddedServer, remove
from x121lib.terms.vocabulary import SceneStatus
from x121lib.testing.large_studio import Large, make_large
from x121lib.testing.small_studio import open_studio

ROUNDS = 5
SCROLL_S = 4.0
FIRST_CELLS = "() => document.querySelectorAll('.cellbox .vl').length >= 40"
PICTURES = (
    "() => [...document.querySelectorAll('.cellbox img')].filter((i) => i.complete && i.naturalWidth).length >= 8"
)
QUEUED = "(place) => document.querySelector(`[data-cell='${place}']`).textContent.includes('Queued')"
SCROLL = """(seconds) => new Promise((done) => {
  const box = document.querySelector('.mscroll'), gaps = [], began = performance.now();
  let last = began, down = 1, right = 1;
  const step = (now) => {
    gaps.push(now - last); last = now;
    const passed = (now - began) / 1000;
    if (passed >= seconds) { done({ frames: gaps.length - 1, seconds: passed, gaps }); return; }
    box.scrollTop += 34 * down; box.scrollLeft += 11 * right;
    if (box.scrollTop + box.clientHeight >= box.scrollHeight - 2 || box.scrollTop <= 0) down = -down;
    if (box.scrollLeft + box.clientWidth >= box.scrollWidth - 2 || box.scrollLeft <= 0) right = -right;
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""
Row = dict[str, object]


class Stage(NamedTuple):
    """What is measured."""

    studio: Studio
    """The studio, opened in this process."""
    large: Large
    """Its large project."""
    address: str
    """Address of its web door."""
    links: list[str]
    """Sign-in links, unused."""


def bench() -> list[Row]:
    """Return the rows ``matrix_page_10k_s``, ``matrix_scroll_fps`` and ``matrix_live_s``."""
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder)) as on, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_context(viewport=DESKTOP).new_page()  # type: ignore[arg-type]
        page.goto(on.links[0])
        page.wait_for_selector("html[data-ready=pulse]")
        page.context.add_cookies([{"name": "x121_project", "value": str(on.large.project_id), "url": on.address}])
        opened, pictured = open_times(page, on)
        rates, slowest = scroll(page)
        followed = follow(page, on)
        browser.close()
    shown = (
        f"median of {ROUNDS}, signed in, warm; navigation to first cells of 200 characters × 50 scene types; the first "
        f"8 pictures after {pictured:.2f} s; lower is better"
    )
    slow = (
        f"median of {ROUNDS} scrolls of {SCROLL_S:.0f} s down and across, requestAnimationFrame; 95 % of the frames "
        f"within {slowest:.0f} ms; higher is better"
    )
    live = f"median of {ROUNDS}, commit to the cell's new word; lower is better"
    return [
        _row("matrix_page_10k_s", opened, "s", (1.0, opened / 1.0), shown),
        _row("matrix_scroll_fps", rates, "frames/s", (30.0, rates / 30.0), slow),
        _row("matrix_live_s", followed, "s", (1.0, followed / 1.0), live),
    ]


def _row(name: str, value: float, unit: str, limit: tuple[float, float], note: str) -> Row:
    return {"name": name, "value": round(value, 3), "unit": unit, "against": f"limit {limit[0]:g} {unit}",
            "ratio": round(limit[1], 2), "note": note}  # fmt: skip


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Serve a studio with the large project."""
    settings = Settings(home=folder / "home")
    server = EmbeddedServer(settings)
    given = settings.model_copy(update={"database_url": type(settings)(database_url=server.acquire()).database_url})
    try:
        with open_studio(given) as studio:
            large = make_large(studio, folder / "recipes")
            with studio.transaction() as session:
                session.connection().exec_driver_sql("ANALYZE")
            person = studio.people.add("Noor Haddad", "noor@example.test", ["Creator"])
            tokens = [studio.people.make_sign_in_link(person) for _ in range(2)]
            with web_door(given, folder / "web.txt") as address:
                yield Stage(studio, large, address, [f"{address}/sign-in/once/{token}" for token in tokens])
    finally:
        server.release()
        remove(settings)


def open_times(page: Page, on: Stage) -> tuple[float, float]:
    """Return the median seconds from navigation to the first cells, and to their first thumbnails."""
    first, pictures = [], []
    for _ in range(ROUNDS + 1):
        page.goto("about:blank")
        began = time.perf_counter()
        page.goto(f"{on.address}/matrix", wait_until="commit")
        page.wait_for_function(FIRST_CELLS)
        first.append(time.perf_counter() - began)
        page.wait_for_function(PICTURES)
        pictures.append(time.perf_counter() - began)
    return statistics.median(first[1:]), statistics.median(pictures[1:])


def scroll(page: Page) -> tuple[float, float]:
    """Return the median frames per second over a scripted scroll, and the 95th percentile of the gaps in ms."""
    rates, gaps = [], []
    for _ in range(ROUNDS):
        page.evaluate("() => document.querySelector('.mscroll').scrollTo(0, 0)")
        found = page.evaluate(SCROLL, SCROLL_S)
        rates.append(found["frames"] / found["seconds"])
        gaps += found["gaps"]
    return statistics.median(rates), statistics.quantiles(gaps, n=20)[-1]


def follow(page: Page, on: Stage) -> float:
    """Return the median seconds from the commit of a scene's new status to its word on the page."""
    page.evaluate("() => document.querySelector('.mscroll').scrollTo(0, 0)")
    places = [(r, c) for (r, c) in sorted(on.large.scenes) if r < 10 and c < 5]
    times: list[float] = []
    for r, c in places:
        moved = _start(on.studio, on.large.scenes[r, c])
        if moved:
            began = time.perf_counter()
            page.wait_for_function(QUEUED, arg=f"{r},{c}")
            times.append(time.perf_counter() - began)
        if len(times) == ROUNDS:
            break
    return statistics.median(times)


def _start(studio: Studio, scene_id: uuid.UUID) -> bool:
    """Move a scene to *Generating* where it may; its tasks are not needed for that."""
    with studio.transaction() as session:
        scene = session.get_one(m.Scene, scene_id)
        if scene.status_id not in (SceneStatus.PENDING, SceneStatus.FAILED, SceneStatus.REJECTED):
            return False
        flow.move_scene(session, scene, SceneStatus.GENERATING)
        return True
