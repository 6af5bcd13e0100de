"""Contrast of every text and shape on every surface it can lie on (WCAG 2.2: AA, and AAA in high contrast)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Colour = tuple[float, float, float, float]
Flatten = Callable[[dict[str, Any]], dict[str, Any]]

ALIAS = re.compile(r"^\{([a-z]+)\.(\w+)\}(?:/(\d+)%)?$")
SURFACES = ("surface-primary", "surface-secondary", "surface-raised", "surface-overlay")
STATUSES = ("pending", "generating", "review", "approved", "rejected", "failed", "warning")
TEXTS = ("text-primary", "text-secondary", "text-muted", "text-link", "accent")
ACTIONS = ("primary", "secondary", "approve", "danger")
NEED_TEXT, NEED_TEXT_HIGH, NEED_SHAPE = 4.5, 7.0, 3.0


def to_rgb(value: str, ramps: dict[str, Any]) -> Colour:
    """Resolve a token to red, green, blue (0–255) and opacity (0–1)."""
    opacity = 1.0
    match = ALIAS.match(value)
    if match:
        opacity = int(match[3]) / 100 if match[3] else 1.0
        value = ramps[match[1]][match[2]]
    red, green, blue = (int(value[start : start + 2], 16) for start in (1, 3, 5))
    return red, green, blue, opacity


def over(top: Colour, bottom: Colour) -> Colour:
    """Return ``top`` laid over an opaque ``bottom``."""
    alpha = top[3]
    red, green, blue = (top[i] * alpha + bottom[i] * (1 - alpha) for i in range(3))
    return red, green, blue, 1.0


def luminance(colour: Colour) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2, definition of relative luminance)."""
    shares = [channel / 255 for channel in colour[:3]]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(text: Colour, ground: Colour) -> float:
    """Contrast ratio, 1 to 21 (WCAG 2.2, definition of contrast ratio)."""
    high, low = sorted((luminance(over(text, ground)), luminance(ground)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def pairs(theme: dict[str, Colour]) -> Iterator[tuple[str, str, float]]:
    """Yield kind (``text`` or ``shape``), label and the worst ratio over all surfaces."""
    grounds = [theme[name] for name in SURFACES]

    def worst(name: str, tint: str | None = None) -> float:
        laid = [over(theme[tint], ground) for ground in grounds] if tint else grounds
        return min(ratio(theme[name], ground) for ground in laid)

    for name in TEXTS:
        yield "text", name, worst(name)
        yield "text", f"{name} on surface-sunken", ratio(theme[name], theme["surface-sunken"])
    for status in STATUSES:
        yield "text", f"status-{status}", worst(f"status-{status}")
        yield "text", f"status-{status} on its tint", worst(f"status-{status}", f"status-{status}-bg")
    for name, tint in (("text-primary", "surface-selected"), ("text-muted", "surface-selected")):
        yield "text", f"{name} on {tint}", worst(name, tint)
    yield "text", "text-muted on surface-active", worst("text-muted", "surface-active")
    for action in ACTIONS:
        name = f"action-{action}"
        yield "text", f"{name}-text", ratio(theme[f"{name}-text"], theme[name])
    for name in ("border-strong", "focus-ring"):
        yield "shape", name, worst(name)


def check_contrast(tokens: dict[str, Any], flat: Flatten) -> list[str]:
    """Return one line for each pair that misses its ratio, over every palette, scheme and contrast."""
    misses: list[str] = []
    for palette, ramps in tokens["palette"].items():
        for scheme, layer in tokens["scheme"].items():
            for high in (False, True):
                values = flat(layer) | (flat(tokens["modifier"]["high-contrast"][scheme]) if high else {})
                colours = {k: to_rgb(v, ramps) for k, v in values.items() if not k.startswith("shadow")}
                need = {"text": NEED_TEXT_HIGH if high else NEED_TEXT, "shape": NEED_SHAPE}
                name = f"{scheme}+{palette}{'+high' if high else ''}"
                misses += [
                    f"{name}: {label} {value:.2f} < {need[kind]}"
                    for kind, label, value in pairs(colours)
                    if value < need[kind]
                ]
    return misses
