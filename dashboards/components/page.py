"""The one Panel component that draws every page: state in ``param``, markup by our own scripts, no imports."""

from __future__ import annotations

from typing import Any

import param
from panel.custom import JSComponent

# The page's head loads the scripts as one static module of this door, so the browser keeps them; nothing is
# fetched from another host and nothing needs compiling.
SCRIPT = """
export function render({ model, el }) {
  window.x121mount(model, document.getElementById("app") ?? el)
}
"""

FIRST = ("page", "params", "shell", "state", "problem", "now")
"""What a page is drawn from."""


class StudioPage(JSComponent):
    """A page in the browser. Python writes ``shell`` and ``state`` once; later changes go as patches."""

    page = param.String(doc="Name of the page shown.")
    params = param.Dict(default={}, doc="Query of the address.")
    shell = param.Dict(default={}, doc="A ShellView.")
    state = param.Dict(default={}, doc="The view of the page.")
    problem = param.Dict(default=None, allow_None=True, doc="Error in place of a page: title, text, hint, code.")
    now = param.String(doc="The server's time, ISO 8601.")

    _esm = SCRIPT

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)  # type: ignore[no-untyped-call]
        self.listener: Any = None
        self.window: Any = None

    def first(self) -> dict[str, Any]:
        """Return what the page shows first."""
        return {name: getattr(self, name) for name in FIRST}

    def _handle_msg(self, data: Any) -> None:
        """Hand what the browser sent to the listener."""
        if self.listener is not None and isinstance(data, dict):
            self.listener(data)

    def tell(self, message: dict[str, Any]) -> None:
        """Send one message to the browser."""
        self._send_msg(message)
