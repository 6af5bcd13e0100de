"""The theme: one source of colour, enough contrast, and no literal colour anywhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dashboards
from dashboards.theme import icons
from dashboards.theme.contrast import check_contrast, ratio
from dashboards.theme.tokens import HERE, build_css, flat, load_tokens

ROOT = Path(dashboards.__file__).parent
LITERAL = re.compile(r"#[0-9a-fA-F]{3,8}\b(?![^<]*</use>)|\b(?:rgba?|hsla?|oklch|lab)\(")
ALLOWED = {"tokens.json", "tokens.css", "tokens.py"}  # tokens.py writes the functions, not the colours


def sources() -> list[Path]:
    """Every file that could hold a colour; the icons themselves use ``currentColor``."""
    found = [path for kind in ("py", "js", "css") for path in ROOT.rglob(f"*.{kind}")]
    return [path for path in found if path.name not in ALLOWED]


def literals(text: str) -> list[str]:
    """Colours written out; ids of symbols (``#i-…``, ``#s-…``) and issue numbers are not colours."""
    return [hit for hit in LITERAL.findall(text) if not re.fullmatch(r"#\d{1,2}", hit)]


def test_committed_css_is_generated_from_the_tokens() -> None:
    assert (HERE / "tokens.css").read_text() == build_css(load_tokens())


def test_every_palette_scheme_and_contrast_is_readable() -> None:
    assert check_contrast(load_tokens(), flat) == []


def test_a_pale_text_is_found() -> None:
    tokens = load_tokens()
    tokens["scheme"]["dark"]["text"]["text-muted"] = "{neutral.700}"
    assert any("text-muted" in miss for miss in check_contrast(tokens, flat))


def test_black_on_white_is_21_to_1() -> None:
    assert ratio((0, 0, 0, 1), (255, 255, 255, 1)) == pytest.approx(21)


def test_no_literal_colour_outside_the_tokens() -> None:
    assert {str(path): hits for path in sources() if (hits := literals(path.read_text()))} == {}


def test_the_scan_sees_a_colour() -> None:
    assert literals("a { color: #ff00aa }")
    assert literals("fill: rgb(1 2 3)")
    assert not literals('href="#i-play"')


def test_every_icon_used_exists() -> None:
    scripts = "\n".join(path.read_text() for path in (ROOT / "components" / "js").glob("*.js"))
    used = set(re.findall(r'\bicon\(\s*"([a-z0-9-]+)"', scripts)) | set(re.findall(r'icon: "([a-z0-9-]+)"', scripts))
    used |= set(re.findall(r'iconButton\("([a-z0-9-]+)"', scripts))
    assert len(used) > 20
    assert used <= set(icons.icon_names())


def test_every_status_has_a_silhouette_of_its_own() -> None:
    shapes = {name: shape for name, shape in icons.STATUS_SHAPES.items() if name != "warning"}
    assert len(set(shapes.values())) == len(shapes) == 9
    assert all(f'id="s-{name}"' in icons.sprite() for name in icons.STATUS_SHAPES)
