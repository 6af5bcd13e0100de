"""The registry of icons: Lucide (ISC, see ``icons/LICENSE``) by name, and our own status silhouettes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from markupsafe import Markup

ICONS = Path(__file__).parent / "icons"

# Each status has a silhouette of its own on a 12 × 12 grid, so that nothing is lost without colour.
STATUS_SHAPES = {
    "approved": (
        '<path fill-rule="evenodd" d="M6 .5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Zm2.9 4.1L5.4 8.6 3.1 6.'
        '4l.9-1 1.3 1.3 2.6-3Z"/>'
    ),
    "review": (
        '<path fill-rule="evenodd" d="M6 2C3.2 2 1.1 3.9.2 6 1.1 8.1 3.2 10 6 10s4.9-1.9 5.8-4C10.9 3.9 8'
        ".8 2 6 2Zm0 1.3a2.7 2.7 0 1 1 0 5.4 2.7 2.7 0 0 1 0-5.4Zm0 1.5a1.2 1.2 0 1 0 0 2.4 1.2 1.2 0 0 0"
        ' 0-2.4Z"/>'
    ),
    "generating": (
        '<path fill-rule="evenodd" d="M6 .5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Zm0 1.5a4 4 0 1 1 0 8 4 '
        '4 0 0 1 0-8Z" opacity=".35"/><path d="M6 .5v1.5a4 4 0 0 1 2.4 7.2l.9 1.2A5.5 5.5 0 0 0 6 .5Z"/><'
        'circle cx="6" cy="6" r="1.7"/>'
    ),
    "pending": (
        '<path fill-rule="evenodd" d="M6 .5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM6 1.9a4.1 4.1 0 1 1 0 '
        '8.2 4.1 4.1 0 0 1 0-8.2Zm-.7 1.4v3l2.3 1.4.7-1.2-1.6-.9V3.3Z"/>'
    ),
    "rejected": (
        '<path fill-rule="evenodd" d="M2 .8h8A1.2 1.2 0 0 1 11.2 2v8a1.2 1.2 0 0 1-1.2 1.2H2A1.2 1.2 0 0 '
        '1 .8 10V2A1.2 1.2 0 0 1 2 .8Zm1.9 2.1-1 1L5 6 2.9 8.1l1 1L6 7l2.1 2.1 1-1L7 6l2.1-2.1-1-1L6 5Z"/'
        ">"
    ),
    "failed": (
        '<path fill-rule="evenodd" d="M6 .6c.4 0 .7.2.9.5l4.8 8.5c.4.8-.1 1.7-.9 1.7H1.2c-.8 0-1.3-.9-.9-'
        '1.7L5.1 1.1c.2-.3.5-.5.9-.5Zm-.7 3.2.2 3.4h1l.2-3.4Zm.7 4.4a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6Z"/>'
    ),
    "blocked": (
        '<path fill-rule="evenodd" d="M6 .4a2.8 2.8 0 0 0-2.8 2.8v1.7h-.7a.9.9 0 0 0-.9.9v4.9c0 .5.4.9.9.'
        "9h7c.5 0 .9-.4.9-.9V5.8a.9.9 0 0 0-.9-.9h-.7V3.2A2.8 2.8 0 0 0 6 .4Zm0 1.4c.8 0 1.4.6 1.4 1.4v1."
        '7H4.6V3.2c0-.8.6-1.4 1.4-1.4Z"/>'
    ),
    "none": (
        '<circle cx="6" cy="6" r="4.7" fill="none" stroke="currentColor" stroke-width="1.3" stroke-dasharray="2.2 2"/>'
    ),
    "info": (
        '<path fill-rule="evenodd" d="M6 .5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Zm-.8 2.3h1.6v1.5H5.2Zm0'
        ' 2.4h1.6v4H5.2Z"/>'
    ),
}
STATUS_SHAPES["warning"] = STATUS_SHAPES["failed"]


def icon_names() -> list[str]:
    """Return the name of every icon that pages may use."""
    return sorted(path.stem for path in ICONS.glob("*.svg"))


@cache
def sprite() -> Markup:
    """Return one hidden SVG with a symbol ``i-NAME`` per icon and ``s-STATUS`` per status silhouette."""
    symbols = [_symbol(f"i-{name}", 24, _inner((ICONS / f"{name}.svg").read_text())) for name in icon_names()]
    symbols += [_symbol(f"s-{status}", 12, shape) for status, shape in STATUS_SHAPES.items()]
    return Markup('<svg width="0" height="0" class="sprite" aria-hidden="true">{}</svg>').format(
        Markup("").join(symbols)
    )


def _symbol(name: str, grid: int, inner: str) -> Markup:
    return Markup(f'<symbol id="{name}" viewBox="0 0 {grid} {grid}">{inner}</symbol>')


def _inner(svg: str) -> str:
    """Return what stands between the ``svg`` tags, without line breaks."""
    start = svg.index(">", svg.index("<svg")) + 1
    return " ".join(svg[start : svg.rindex("</svg>")].split())
