"""First page after sign-in: from the one-time link to a drawn Pulse with real figures, in a real browser."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import CHROMIUM, DESKTOP, FLAGS
from tests.browser.real import free_port, wait_for_door, web_door
from x121lib.base.settings import Settings
from x121lib.store.embedded import EmbeddedServer, remove
from x121lib.testing.small_studio import open_studio, stock

ROUNDS = 5
HELLO = """
import sys, uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
app = FastAPI()
page = "<!doctype html><title>Hello</title><h1>Hello</h1>"
app.get("/", response_class=HTMLResponse)(lambda: page)
app.get("/healthz")(lambda: {"ok": True})
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""
Row = dict[str, object]


def bench() -> list[Row]:
    """Return the row ``first_page_s``."""
    with tempfile.TemporaryDirectory() as folder, _studio_links(Path(folder)) as links, _hello() as hello:
        ours, bare = _times(links, hello)
    note = (
        f"median of {ROUNDS}, fresh browser context each; one-time link to drawn figures of a real studio, against a "
        "static page of FastAPI; ratio of times, lower is better"
    )
    row: Row = {
        "name": "first_page_s", "value": round(ours, 3), "unit": "s", "against": f"bare FastAPI page, {bare:.3f} s",
        "ratio": round(ours / bare, 2), "note": note,
    }  # fmt: skip
    return [row]


@contextmanager
def _studio_links(folder: Path) -> Iterator[list[str]]:
    """Serve a stocked studio and yield a one-time link for each round, and one to warm up with."""
    settings = Settings(home=folder / "home")
    server = EmbeddedServer(settings)
    given = settings.model_copy(update={"database_url": type(settings)(database_url=server.acquire()).database_url})
    try:
        with open_studio(given) as studio:
            stock(studio, folder / "recipes")
            studio.project("Aurora").submit()
            person = studio.people.add("Noor Haddad", "noor@example.test", ["Creator"])
            tokens = [studio.people.make_sign_in_link(person) for _ in range(ROUNDS + 1)]
            with web_door(given, folder / "web.txt") as address:
                yield [f"{address}/sign-in/once/{token}" for token in tokens]
    finally:
        server.release()
        remove(settings)


@contextmanager
def _hello() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", HELLO, str(port)])
    try:
        wait_for_door(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _times(links: list[str], hello: str) -> tuple[float, float]:
    """Return the medians in seconds, taken in turn so that a busy machine slows both alike."""
    pulse = "html[data-ready=pulse] .head .facts"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        pairs = [(_open(browser, link, pulse), _open(browser, hello, "h1")) for link in links][1:]
        browser.close()
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def _open(browser: Browser, address: str, selector: str) -> float:
    context = browser.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    page = context.new_page()
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(selector)
    taken = time.perf_counter() - began
    context.close()
    return taken
