"""What a page calls its own actions: never as the frame around it calls those that every page has."""

from __future__ import annotations

import re
from pathlib import Path

JS = Path(__file__).resolve().parents[3] / "dashboards" / "components" / "js"


def shared() -> set[str]:
    """Return the names of the frame's actions, one at the beginning of a line."""
    text = (JS / "shell.js").read_text()
    return set(re.findall(r"^  (\w+): ", text[text.index("export const shellActions") :], re.MULTILINE))


def taken(text: str, names: set[str]) -> list[str]:
    """Return which of the names a script gives actions of its own."""
    return sorted(name for name in names if re.search(rf"(?:^|[\s,{{]){name}: (?:async )?\(app", text))


def test_no_page_takes_an_action_of_the_frame_for_its_own() -> None:
    """The page's action would be run in the frame's stead: a palette that finds nothing, say."""
    names = shared()
    assert {"project", "find", "palette"} <= names
    assert taken("actions: { find: (app, x) => app.set({ find: x }) }", names) == ["find"]
    pages = [path for path in JS.glob("*.js") if path.name != "shell.js"]
    assert {path.name: found for path in pages if (found := taken(path.read_text(), names))} == {}
