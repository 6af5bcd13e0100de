"""Build ``tokens.css`` from ``tokens.json``.

Layers stack: base, one palette (raw ramps), one scheme (semantic names that point into the ramps), then the
high-contrast modifier. ``{ramp.step}`` is an alias and ``{ramp.step}/16%`` an alias with opacity.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from .contrast import check_contrast

HERE = Path(__file__).parent
ALIAS = re.compile(r"^\{([a-z]+)\.(\w+)\}(?:/(\d+)%)?$")
MOTION = ("fast", "normal", "slow", "pulse")


def load_tokens() -> dict[str, Any]:
    """Return ``tokens.json`` as nested dicts."""
    tokens: dict[str, Any] = json.loads((HERE / "tokens.json").read_text(encoding="utf-8"))
    return tokens


def entries(group: dict[str, Any]) -> dict[str, Any]:
    """Return a group's own entries, without its ``$…`` notes."""
    return {key: value for key, value in group.items() if not key.startswith("$")}


def flat(layer: dict[str, Any]) -> dict[str, Any]:
    """Return name → raw value of one layer, whatever its groups."""
    out: dict[str, Any] = {}
    for key, value in entries(layer).items():
        if isinstance(value, dict) and "$value" not in value:
            out |= flat(value)
        else:
            out[key] = value["$value"] if isinstance(value, dict) else value
    return out


def css_value(value: Any) -> str:
    """Return one token's value in CSS; an alias becomes a reference to its palette variable."""
    if isinstance(value, list):
        return f"cubic-bezier({', '.join(map(str, value))})"
    match = ALIAS.match(value) if isinstance(value, str) else None
    if match is None:
        return str(value)
    reference = f"var(--p-{match[1]}-{match[2]})"
    return f"rgb(from {reference} r g b / {match[3]}%)" if match[3] else reference


def block(selector: str, pairs: dict[str, str]) -> str:
    """Return one CSS rule of custom properties; ``color-scheme`` stays a plain property."""
    body = "".join(f"  {'' if name == 'color-scheme' else '--'}{name}: {value};\n" for name, value in pairs.items())
    return f"{selector} {{\n{body}}}\n"


def base_variables(tokens: dict[str, Any]) -> dict[str, str]:
    """Return the base layer; a text size also gives its line height as ``NAME-line``."""
    out: dict[str, str] = {}
    for name, value in flat(tokens["base"]).items():
        if isinstance(value, dict):
            out[name] = value["fontSize"]
            out[f"{name}-line"] = value["lineHeight"]
        else:
            out[name] = css_value(value)
    return out


def palette_variables(tokens: dict[str, Any], name: str) -> dict[str, str]:
    """Return every ramp step of one palette as ``p-RAMP-STEP``."""
    ramps = tokens["palette"][name]
    return {f"p-{ramp}-{step}": colour for ramp, steps in ramps.items() for step, colour in entries(steps).items()}


def build_css(tokens: dict[str, Any]) -> str:
    """Return the whole style sheet; the first palette and scheme are also the root's defaults."""
    css = ["/* Generated from tokens.json: python -m dashboards.theme.tokens. Do not edit. */\n"]
    css.append(block(":root", base_variables(tokens)))
    for index, name in enumerate(tokens["palette"]):
        root = ":root, " if index == 0 else ""
        css.append(block(f'{root}[data-palette="{name}"]', palette_variables(tokens, name)))
    for index, (name, layer) in enumerate(tokens["scheme"].items()):
        root = ":root, " if index == 0 else ""
        values = {key: css_value(value) for key, value in flat(layer).items()} | {"color-scheme": name}
        css.append(block(f'{root}[data-scheme="{name}"]', values))
    for name, layer in tokens["modifier"]["high-contrast"].items():
        values = {key: css_value(value) for key, value in entries(layer).items()}
        css.append(block(f'[data-scheme="{name}"][data-contrast="high"]', values))
    still = block(":root", {f"duration-{name}": "0ms" for name in MOTION})
    css.append(f"@media (prefers-reduced-motion: reduce) {{\n{still}}}\n")
    return "\n".join(css)


def main() -> int:
    """Write ``tokens.css``; return 1 when a pair of colours misses its contrast."""
    tokens = load_tokens()
    (HERE / "tokens.css").write_text(build_css(tokens), encoding="utf-8")
    misses = check_contrast(tokens, flat)
    sys.stderr.write("".join(f"{miss}\n" for miss in misses))
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
