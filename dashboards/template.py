"""The frame that every page stands in: our own HTML, painted in the person's colours before any script runs."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, Template
from markupsafe import Markup

from .security import caller
from .theme.icons import sprite

HERE = Path(__file__).parent
SCHEMES, PALETTES, CONTRASTS = ("dark", "light"), ("obsidian", "neon"), ("normal", "high")
SHEETS = ("fonts.css", "tokens.css", "components.css", "extend.css", "pages.css")

HEAD = """<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title | e }}</title>
<link rel="icon" href="/theme/icon.svg" type="image/svg+xml">
<link rel="preload" href="/theme/fonts/inter-var.woff2" as="font" type="font/woff2" crossorigin>
{% for sheet in sheets() %}<link rel="stylesheet" href="{{ sheet }}">{% endfor %}"""

PAGE = (
    '{% from macros import embed %}<!doctype html>\n<html lang="en" {{ look() }}><head>'
    + HEAD
    + '{% for name in scripts() %}<link rel="modulepreload" href="{{ name }}">{% endfor %}</head>\n'
    '<body>{{ sprite() }}<div id="app"><div class="skeleton" aria-hidden="true"><i></i><i></i><i></i><i></i></div>'
    '</div><script type="application/json" id="first">{{ first }}</script>'
    '<script type="module" src="{{ script() }}" async></script>{{ honour(bokeh_css) }}{{ later(bokeh_js) }}'
    "<div hidden>{% for doc in docs %}{% for root in doc.roots %}{{ embed(root) }}{% endfor %}{% endfor %}</div>"
    "{{ later(plot_script) }}</body></html>"
)

DOOR = (
    '<!doctype html>\n<html lang="en" {{ look() }}><head>' + HEAD + "</head>\n"
    '<body class="door">{{ sprite() }}<main class="dialog signin">'
    '<svg width="34" height="34" viewBox="0 0 26 26"><path d="M3 4.5 9.6 13 3 21.5h4.3L13 14.1l5.7 7.4H23L16.4 13 23 '
    '4.5h-4.3L13 11.9 7.3 4.5Z" fill="currentColor"/></svg>'
    '<h1>{{ heading }}</h1><p class="secondary">{{ text }}</p>'
    "{% if fault %}<div class='callout st-failed' role='alert'><svg class='s c st-failed' viewBox='0 0 12 12'>"
    "<use href='#s-failed'/></svg><span>{{ fault }}</span></div>{% endif %}"
    '<form method="post" action="/sign-in"><input type="hidden" name="next" value="{{ next }}">'
    '<label class="fld"><span class="xs muted">Email</span>'
    '<input class="input" name="email" type="email" autocomplete="username" required autofocus></label>'
    '<label class="fld"><span class="xs muted">Password</span>'
    '<input class="input" name="password" type="password" autocomplete="current-password" required></label>'
    '<button class="btn primary lg">Sign in</button></form></main></body></html>'
)


def chosen_look(cookie: str) -> tuple[str, str, str]:
    """Return scheme, palette and contrast of the look cookie; anything unknown becomes the default."""
    parts = [*cookie.split("."), "", "", ""][:3]
    choices = (SCHEMES, PALETTES, CONTRASTS)
    scheme, palette, contrast = (p if p in c else c[0] for p, c in zip(parts, choices, strict=True))
    return scheme, palette, contrast


def _look() -> Markup:
    now = caller.get()
    scheme, palette, contrast = chosen_look(now.cookies.get("x121_look", "") if now else "")
    high = Markup(' data-contrast="high"') if contrast == "high" else ""
    return Markup('data-scheme="{}" data-palette="{}"{}').format(scheme, palette, high)


def _honour(scripts: str) -> Markup:
    """Mark Bokeh's own inline scripts with this response's nonce."""
    now = caller.get()
    return Markup(scripts.replace("<script", f'<script nonce="{now.nonce if now else ""}"'))


def _later(scripts: str) -> Markup:
    """Hold Bokeh's scripts back; the page's own script runs them, in order, once its first picture is drawn."""
    untyped = re.sub(r'(<script[^>]*?) type="(?:text|application)/javascript"', r"\1", scripts)
    return _honour(re.sub(r"<script(?![^>]* type=)", '<script type="text/later"', untyped))


@cache
def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


@cache
def script_version() -> str:
    """Return one short hash over all scripts: they import one another, so they change together."""
    texts = b"".join(path.read_bytes() for path in sorted((HERE / "components" / "js").glob("*.js")))
    return hashlib.sha256(texts).hexdigest()[:12]


def script_address() -> str:
    """Return the address of the script that draws pages."""
    return f"/scripts/{script_version()}/app.js"


def _scripts() -> list[str]:
    """Return the addresses of all scripts: a browser that knows them early asks for them at once."""
    names = sorted(path.name for path in (HERE / "components" / "js").glob("*.js"))
    return [f"/scripts/{script_version()}/{name}" for name in names]


def first_state(state: dict[str, Any]) -> Markup:
    """Return what a page shows first as JSON inside a script element, so that it is drawn before Bokeh is there."""
    return Markup(json.dumps(state).replace("<", "\\u003c"))


def _sheets() -> list[str]:
    return [f"/theme/{name}?v={_version(HERE / 'theme' / name)}" for name in SHEETS]


@cache
def _environment() -> Environment:
    environment = Environment(autoescape=True)
    environment.globals.update(look=_look, honour=_honour, sprite=sprite, sheets=_sheets, script=script_address)
    environment.globals.update(scripts=_scripts, later=_later)
    return environment


@cache
def page_template() -> Template:
    """Return the template of every signed-in page, for ``Document.template``."""
    return _environment().from_string(PAGE)


def sign_in_page(*, fault: str = "", destination: str = "/pulse") -> str:
    """Return the sign-in page."""
    return (
        _environment()
        .from_string(DOOR)
        .render(
            title="Sign in · X121",
            heading="Sign in",
            text="Your studio on this machine.",
            fault=fault,
            next=destination,
        )
    )
