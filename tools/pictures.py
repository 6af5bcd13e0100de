"""Make the guide's pictures of the pages anew, from the sample studio: ``python -m tools.pictures [NAME…]``.

Each picture is a page of 1440 × 900 pixels in the dark look, as Chromium draws it. Needs the development packages and
Chromium; nothing outside this machine is asked.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from dashboards.app import create_app
from dashboards.samples import SampleStudio
from dashboards.samples.serving import served
from tests.browser.conftest import CHROMIUM, DESKTOP, FLAGS

TARGET = Path(__file__).resolve().parents[1] / "docs" / "images"
SETTLE_MS = 1200
"""Time for pictures to be decoded and movements to end before a page is drawn."""


@dataclass(frozen=True)
class Picture:
    """A page as the guide shows it."""

    path: str
    """Its address."""
    ready: str
    """Its name in the document once it stands."""
    keys: tuple[str, ...] = ()
    """Keys that are pressed on it, one after the other."""
    wanted: str = "main"
    """What must be seen before it is drawn."""


PICTURES = {
    "budgets": Picture("/budgets", "budgets", (), ".a-bdetail"),
    "queue": Picture("/queue", "queue"),
    "schedule": Picture("/queue", "queue", ("s",), ".stimes .mono"),
    "triggers": Picture("/triggers", "triggers", ("ArrowDown",), ".a-tdetail"),
    "trigger-change": Picture("/triggers", "triggers", ("ArrowDown", "c"), ".tbuild .cond"),
    "matrix": Picture("/matrix", "matrix"),
    "look-over": Picture("/matrix", "matrix", ("Control+a", "p"), ".pbox table"),
    "comparison": Picture("/review", "review", ("c",), ".cmpbar"),
}
"""Pictures by the name of their file."""


def draw(page: Page, address: str, name: str) -> None:
    """Write one picture."""
    picture = PICTURES[name]
    page.goto(f"{address}{picture.path}")
    page.wait_for_selector(f"html[data-ready={picture.ready}]")
    page.wait_for_timeout(SETTLE_MS)
    for key in picture.keys:
        page.keyboard.press(key)
        page.wait_for_timeout(SETTLE_MS)
    page.wait_for_selector(picture.wanted)
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=TARGET / f"{name}.png")


def main(names: list[str]) -> int:
    """Write the pictures that are named, all without a name; 2 for a name that is none."""
    if unknown := sorted(set(names) - set(PICTURES)):
        sys.stderr.write(f"There is no picture {unknown[0]}. Known: {', '.join(PICTURES)}.\n")
        return 2
    studio = SampleStudio()
    with served(create_app(studio, secret="s" * 32)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport=DESKTOP)  # type: ignore[arg-type]
        page.goto(f"{address}/sign-in/once/{studio.issue_once()}")
        for name in names or PICTURES:
            draw(page, address, name)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
