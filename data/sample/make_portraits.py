"""Draw the sample portraits: invented people, as SVG, turned into the committed PNG files.

Run ``python data/sample/make_portraits.py`` after a change; it needs ``rsvg-convert`` and Pillow. Installing and
running X121 needs neither: the PNG files are part of the repository.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

WIDTH_PX, HEIGHT_PX = 1024, 1280
YAW, TILT, SHIFT, SMILE = 0.152, 2.85, 7.6, 0.31
"""Pose: the head a little turned (share of a half turn), tilted (degrees), shifted (units), smiling (0 to 1)."""


@dataclass(frozen=True)
class Look:
    """How one invented person is drawn; colours are CSS."""

    skin: str
    shade: str
    hair: str
    shine: str
    style: str
    """A key of `BACK` and `FRONT`."""
    broad: float
    """Width of head and shoulders, 1 is the middle."""
    brow: int
    """Thickness of the brows."""
    extras: tuple[str, ...]
    """Of ``glasses`` and ``beard``."""
    cloth: str
    second: str
    cut: str
    """``blazer`` or ``crew``."""
    hue: int
    """Hue of the studio background, degrees."""


LOOKS = {
    "Mara": Look(
        "#e8b99a", "#b9805f", "#4a2a1c", "#6e4430", "bob", 1.0, 5, (), "#33506b", "#d9d4ca", "blazer", 205
    ),
    "Lena": Look("#f2cdb4", "#cb9779", "#d3ab68", "#ecd19a", "long", 0.97, 4, (), "#a9b3b0", "#7d8886", "crew", 165),
    "Aiko": Look(
        "#efc9a6", "#c2936d", "#191619", "#38323a", "fringe", 0.96, 4, ("glasses",), "#c9a24b", "#93732c", "crew", 25
    ),
    "Jonas": Look(
        "#eec3a8", "#c08b6d", "#b9b4ae", "#dad6d0", "sidepart", 1.07, 7, ("beard", "glasses"),
        "#3c4a42", "#e3ddd0", "blazer", 110,
    ),
}  # fmt: skip
BACK = {
    "bob": "M-92 -30C-100 -120 -50 -152 0 -152C52 -152 102 -120 94 -30C92 30 98 78 84 112C50 128 -50 128 -84 112"
    "C-98 78 -92 30 -92 -30Z",
    "fringe": "M-94 -30C-102 -126 -50 -152 0 -152C52 -152 104 -126 96 -30C94 60 102 160 92 238C60 250 -60 250 -92 238"
    "C-102 160 -94 60 -94 -30Z",
    "long": "M-90 -30C-98 -122 -50 -150 0 -150C52 -150 100 -122 92 -30C96 70 128 190 110 290C60 312 -64 312 -112 288"
    "C-128 190 -94 70 -90 -30Z",
}
FRONT = {
    "bob": "M-82 34C-96 -60 -70 -146 4 -148C72 -146 96 -70 84 36C82 -4 78 -40 60 -72C36 -60 -2 -70 -22 -98"
    "C-34 -62 -72 -44 -82 34Z",
    "long": "M-80 56C-98 -50 -74 -142 -6 -146C70 -148 98 -60 84 60C84 10 74 -44 24 -106C-10 -66 -74 -48 -80 56Z",
    "fringe": "M-84 50C-98 -60 -76 -146 0 -148C78 -146 98 -60 86 50C84 8 80 -18 74 -38C40 -28 -40 -28 -72 -38"
    "C-80 -16 -82 10 -84 50Z",
    "sidepart": "M-78 -14C-90 -92 -62 -142 -6 -146C66 -148 90 -92 78 -14C74 -38 70 -54 60 -70C24 -66 -20 -72 -44 -98"
    "C-54 -72 -72 -46 -78 -14Z",
}


def turned(x: float) -> float:
    """Return where a point of the face lies once the head is turned."""
    return x * (1 - abs(YAW) * 0.16) + YAW * 24


def background(look: Look) -> str:
    """Return the studio wall and floor."""

    def tone(saturation: int, light: int) -> str:
        return f"hsl({look.hue},{saturation}%,{light}%)"

    return (
        '<defs><radialGradient id="wall" cx=".42" cy=".36" r=".8">'
        f'<stop offset="0" stop-color="{tone(11, 60)}"/><stop offset=".55" stop-color="{tone(13, 41)}"/>'
        f'<stop offset="1" stop-color="{tone(18, 20)}"/></radialGradient></defs>'
        '<rect width="1600" height="900" fill="url(#wall)"/>'
        f'<path d="M0 770C500 735 1100 735 1600 770V900H0Z" fill="{tone(20, 26)}" opacity=".45"/>'
    )


def torso(look: Look) -> str:
    """Return neck, shoulders and clothes."""
    w = 186 * look.broad
    outline = (
        f"M-46 118C-80 146 -{w - 30:.0f} 150 -{w:.0f} 190C-{w + 22:.0f} 230 -{w - 6:.0f} 400 -{w - 22:.0f} 640"
        f"L{w - 22:.0f} 640C{w - 6:.0f} 400 {w + 22:.0f} 230 {w:.0f} 190C{w - 30:.0f} 150 80 146 46 118Z"
    )
    neck = (
        f'<path d="M-40 60V140C-30 172 30 172 40 140V60Z" fill="{look.skin}"/>'
        f'<path d="M-40 84C-24 122 24 122 40 84V126C16 148 -20 140 -40 120Z" fill="{look.shade}" opacity=".65"/>'
    )
    cloth = (
        f'<clipPath id="torso"><path d="{outline}"/></clipPath><path d="{outline}" fill="{look.cloth}"/>'
        '<g clip-path="url(#torso)"><path d="M50 110C120 200 110 420 90 660H260V110Z" fill="#000" opacity=".2"/>'
    )
    cuts = {
        "blazer": f'<path d="M-50 116L0 300L50 116C30 150 -30 150 -50 116Z" fill="{look.second}"/>'
        '<path d="M-52 112L-96 190L-58 214L0 340L-20 640H20L0 340L58 214L96 190L52 112L0 306Z" opacity=".22"/>'
        '<path d="M0 330V640" stroke="#000" stroke-opacity=".3" stroke-width="4"/>',
        "crew": f'<path d="M-52 116C-34 166 34 166 52 116" fill="none" stroke="{look.second}" stroke-width="13"/>',
    }
    return f"{neck}{cloth}{cuts[look.cut]}</g>"


def arms(look: Look) -> str:
    """Return both upper arms hanging; the picture ends above the elbow."""
    sleeves = ""
    for side in (-1, 1):
        line = f"M{side * 158 * look.broad:.0f} 226L{side * 198} 420L{side * 186} 620"
        sleeves += f'<path d="{line}" stroke="{look.cloth}"/><path d="{line}" stroke="#000" stroke-opacity=".14"/>'
    return f'<g fill="none" stroke-width="82" stroke-linecap="round" stroke-linejoin="round">{sleeves}</g>'


def eye(look: Look, x: int) -> str:
    """Return one eye with its brow; ``x`` is -30 or 30."""
    cx = turned(x)
    left, right = (4, 1) if x < 0 else (1, 4)
    return (
        f'<path d="M{cx - 18:.0f} {-36 + left}Q{cx:.0f} -47 {cx + 18:.0f} {-36 + right}" fill="none" '
        f'stroke="{look.hair}" stroke-width="{look.brow}" stroke-linecap="round"/>'
        f'<path d="M{cx - 17:.0f} -6Q{cx:.0f} -22 {cx + 17:.0f} -6Q{cx:.0f} 5 {cx - 17:.0f} -6Z" fill="#f7f1ea"/>'
        f'<circle cx="{cx + YAW * 5:.1f}" cy="-8" r="8.4" fill="{look.shine}"/>'
        f'<circle cx="{cx + YAW * 5:.1f}" cy="-8" r="4.6" fill="#130d0b"/>'
        f'<circle cx="{cx + YAW * 5 - 3:.1f}" cy="-11" r="2" fill="#fff"/>'
        f'<path d="M{cx - 18:.0f} -6Q{cx:.0f} -23 {cx + 18:.0f} -6" fill="none" stroke="#231511" stroke-width="4" '
        'stroke-linecap="round"/>'
    )


def skull(look: Look) -> str:
    """Return the head's shape with its shadow, cheeks and beard."""
    b = look.broad
    outline = (
        f"M{-72 * b} -20C{-75 * b} -96 -42 -120 0 -120C42 -120 {75 * b} -96 {72 * b} -20C{71 * b} 30 {58 * b} 66 "
        f"{33 * b} 92C18 105 -18 105 {-33 * b} 92C{-58 * b} 66 {-71 * b} 30 {-72 * b} -20Z"
    )
    parts = [
        f'<clipPath id="head"><path d="{outline}"/></clipPath><path d="{outline}" fill="{look.skin}"/>',
        f'<g clip-path="url(#head)"><path d="M{30 + YAW * 30:.0f} -130C{62 + YAW * 26:.0f} -60 {34 + YAW * 26:.0f} 20 '
        f'{40 + YAW * 20:.0f} 60C{30 + YAW * 16:.0f} 90 10 104 -10 112H110V-130Z" fill="{look.shade}" opacity=".36"/>',
        f'<ellipse cx="0" cy="-112" rx="80" ry="34" fill="{look.shade}" opacity=".35"/>',
    ]
    parts += [
        f'<ellipse cx="{turned(x):.0f}" cy="34" rx="20" ry="13" fill="#d4553f" opacity=".13"/>' for x in (-38, 38)
    ]
    if "beard" in look.extras:
        parts.append(
            f'<path d="M-80 10C-66 26 -56 38 {turned(-32):.0f} 40C{turned(-14):.0f} 36 {turned(14):.0f} 36 '
            f'{turned(32):.0f} 40C56 38 66 26 80 10V120H-80Z" fill="{look.hair}" opacity=".93"/>'
        )
    return "".join([*parts, "</g>"])


def features(look: Look) -> str:
    """Return eyes, nose, mouth and glasses."""
    nose, mouth, half = YAW * 30, YAW * 25, 24 - abs(YAW) * 5
    parts = [
        eye(look, -30),
        eye(look, 30),
        f'<path d="M{nose + 3:.0f} -16C{nose + 6:.0f} 6 {nose + 16:.0f} 18 {nose + 11:.0f} 28C{nose + 4:.0f} 34 '
        f'{nose - 6:.0f} 33 {nose - 11:.0f} 28" fill="none" stroke="{look.shade}" stroke-width="5" '
        'stroke-linecap="round" stroke-linejoin="round" opacity=".8"/>',
        f'<path d="M{mouth - half:.0f} 57Q{mouth:.0f} {60 + SMILE * 14:.0f} {mouth + half:.0f} 57Q{mouth:.0f} 53 '
        f'{mouth - half:.0f} 57Z" fill="#a14a45" stroke="#a14a45" stroke-width="4" stroke-linejoin="round"/>',
    ]
    if "glasses" in look.extras:
        a, b = turned(-31), turned(31)
        parts.append(
            '<g fill="#ffffff18" stroke="#22262d" stroke-width="5">'
            f'<rect x="{a - 25:.0f}" y="-28" width="50" height="40" rx="16"/>'
            f'<rect x="{b - 25:.0f}" y="-28" width="50" height="40" rx="16"/>'
            f'<path d="M{a + 25:.0f} -12Q{(a + b) / 2:.0f} -18 {b - 25:.0f} -12" fill="none"/></g>'
        )
    return "".join(parts)


def head(look: Look) -> str:
    """Return ears, head, face and the hair before it."""
    ears = ""
    if look.style == "sidepart":
        ears = "".join(
            f'<ellipse cx="{x * look.broad - 6 * YAW:.0f}" cy="6" rx="13" ry="22" fill="{look.shade}"/>'
            for x in (-74, 74)
        )
    hair = (
        f'<g transform="translate({6 * YAW:.0f} 0)"><path d="{FRONT[look.style]}" fill="{look.hair}"/>'
        f'<path d="M-52 -88C-36 -122 0 -132 30 -126" fill="none" stroke="{look.shine}" stroke-width="11" '
        'stroke-linecap="round" opacity=".75"/></g>'
    )
    return ears + skull(look) + features(look) + hair


def svg(look: Look) -> str:
    """Return a 4:5 portrait as SVG text."""
    tilt = f'<g transform="rotate({TILT} 0 110)">'
    back = f'{tilt}<path d="{BACK[look.style]}" fill="{look.hair}"/></g>' if look.style in BACK else ""
    figure = f"{back}{arms(look)}{torso(look)}{tilt}{head(look)}</g>"
    vignette = (
        '<defs><radialGradient id="edge" cx=".5" cy=".42" r=".75"><stop offset=".55" stop-opacity="0"/>'
        '<stop offset="1" stop-opacity=".5"/></radialGradient></defs>'
        '<rect width="1600" height="900" fill="#fff" opacity=".05"/><rect width="1600" height="900" fill="url(#edge)"/>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="512 60 576 720" width="{WIDTH_PX}" height="{HEIGHT_PX}">'
        f'{background(look)}<g transform="translate({800 + SHIFT} 410) scale(1.92)">{figure}</g>{vignette}</svg>'
    )


def main() -> int:
    """Write every character's ``portrait.png``; returns the exit status."""
    converter = shutil.which("rsvg-convert")
    if converter is None:
        sys.stderr.write("rsvg-convert is missing; it comes with librsvg.\n")
        return 1
    folder = Path(__file__).parent / "characters"
    for name, look in LOOKS.items():
        drawn = subprocess.run([converter], input=svg(look).encode(), capture_output=True, check=True)
        target = folder / name / "portrait.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(io.BytesIO(drawn.stdout)) as image:
            image.convert("RGB").save(target, optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
