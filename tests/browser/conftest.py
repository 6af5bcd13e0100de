"""A door of fixed figures, a Chromium that sees it, and a watch over every request it makes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dashboards.app import create_app
from dashboards.samples import SampleStudio
from dashboards.samples.project import MEDIA
from dashboards.samples.serving import served
from tests.browser.real import RealDoor, beside, furnish, opened_door
from x121lib.testing.small_studio import Kept, open_studio
from x121lib.testing.synthetic import write_numbered_clip

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Panel 1.9.4 still builds Tornado's request the old way; Tornado says so from 6.6 on."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(r"ignore:The .*HTTPServerRequest:DeprecationWarning"))


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample pictures, and a video with B-frames in which each frame shows its own number."""
    folder = tmp_path_factory.mktemp("media").resolve() / "all"
    shutil.copytree(MEDIA, folder)
    write_numbered_clip(folder / "mara-wave.mp4", range(288), size=(480, 272))
    write_numbered_clip(folder / "mara-wave-draft.mp4", range(276), size=(240, 136))
    return folder


@pytest.fixture(scope="module")  # its event loop must be gone before tests that have one of their own
def browser() -> Iterator[Browser]:
    """One Chromium for the run."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def studio(media: Path) -> SampleStudio:
    """A studio of fixed figures that notes what it is asked to do."""
    return SampleStudio(media=media)


@pytest.fixture
def address(studio: SampleStudio) -> Iterator[str]:
    """A running door."""
    with served(create_app(studio, secret="s" * 32)) as address:
        yield address


@pytest.fixture(params=[DESKTOP], ids=["desktop"])
def page(browser: Browser, address: str, studio: SampleStudio, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A signed-in page; fails when a script fails or anything is asked of another host."""
    context = browser.new_context(viewport=request.param)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda asked: faults.append(asked.url) if not _is_here(asked.url, address) else None)
    page.goto(f"{address}/sign-in/once/{studio.issue_once()}")
    page.wait_for_selector("html[data-ready]")
    yield page
    context.close()
    assert faults == []


def _is_here(url: str, address: str) -> bool:
    return url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))


@pytest.fixture(scope="session")
def furnished_studio(
    server_url: str, stocked_studio: Kept, engine_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Kept:
    """Make a studio with real cuts once, to be cloned."""
    settings = stocked_studio.clone(server_url, tmp_path_factory.mktemp("furnished") / "home")
    with open_studio(settings) as studio:
        beside(furnish, studio, engine_url)
    return Kept.of(settings)


@pytest.fixture(scope="module")
def door(server_url: str, furnished_studio: Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealDoor]:
    """A furnished studio for this module, and its web door; Noor is a Creator."""
    with opened_door(furnished_studio, server_url, tmp_path_factory.mktemp("real"), role="Creator") as door:
        yield door


@pytest.fixture
def real(server_url: str, furnished_studio: Kept, tmp_path: Path) -> Iterator[RealDoor]:
    """A furnished studio of this test's own, and its web door; Noor is an Admin."""
    with opened_door(furnished_studio, server_url, tmp_path, role="Admin") as door:
        yield door
