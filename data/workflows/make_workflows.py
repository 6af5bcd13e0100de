"""Write the sample workflows: ``python data/workflows/make_workflows.py`` (deterministic; run after a change).

Each scene workflow makes one segment of 49 frames (48 new ones and the hand-off frame repeated) at 24 frames/s,
512 x 640 or what its slots ``width`` and ``height`` say, with nothing but core nodes. The movement is a camera path
over the clean source image, so that twelve segments in a row lose nothing: the hand-off frame is blended into the
first frames alone. A seeded pattern of soft light moves over the picture and is gone at both ends.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, FPS = 512, 640, 24.0
LAST = 48
"""Index of the last frame: two seconds after the hand-off frame, and the next segment's hand-off frame."""
OVERSAMPLING = 3
"""The camera moves in thirds of a pixel."""
HANDOFF_WEIGHTS = (1.0, 0.75, 0.5, 0.25)
"""Weight of the hand-off frame in the first frames."""
SIZE_IDS = ("1001", "1002")
"""Ids of the nodes that hold width and height: beyond those of the nodes that take them."""
LIGHT_CELLS = (7, 8)
LIGHT_SIZE = (320, 384)
LIGHT_WINDOW = (160, 200)
"""Light: cells of noise, scaled up to a pattern, of which a moving window is seen."""


class Sheet:
    """A workflow under construction: nodes get ascending ids."""

    def __init__(self) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}

    def add(self, class_type: str, title: str = "", /, **inputs: Any) -> list[Any]:
        """Add a node; return a link to its first output."""
        node_id = str(len(self.nodes) + 1)
        node: dict[str, Any] = {"class_type": class_type, "inputs": inputs}
        if title:
            node["_meta"] = {"title": title}
        self.nodes[node_id] = node
        return [node_id, 0]

    def batch(self, images: list[list[Any]]) -> list[Any]:
        """Join images to one batch by a balanced tree, in order."""
        while len(images) > 1:
            pairs = [images[i : i + 2] for i in range(0, len(images), 2)]
            images = [
                self.add("ImageBatch", image1=pair[0], image2=pair[1]) if len(pair) == 2 else pair[0] for pair in pairs
            ]
        return images[0]


@dataclass(frozen=True)
class View:
    """Where the camera looks: ``zoom`` ≥ 1, and the place within the free margin, -1 to 1 on both axes."""

    zoom: float
    across: float
    down: float


@dataclass(frozen=True)
class Motion:
    """A scene type's movement.

    ``path`` gives the view at time t in 0 … 1; ``light`` is the greatest weight of the light; ``drift`` is how
    the window wanders over the pattern, as a function of t to (0 … 1, 0 … 1).
    """

    path: Callable[[float], View]
    light: float
    drift: Callable[[float], tuple[float, float]]


def swell(t: float) -> float:
    """Rise from 0 to 1 and fall back; starts and ends gently but not at rest, so that no two frames are equal."""
    return 0.75 * math.sin(math.pi * t) ** 2 + 0.25 * math.sin(math.pi * t)


def wave(t: float, times: float) -> float:
    """Sine of ``times`` periods within the segment."""
    return math.sin(2 * math.pi * times * t)


MOTIONS = {
    # Slow breathing: in and out, a little lift of the head.
    "idle": Motion(
        lambda t: View(1 + 0.10 * swell(t), 0.35 * wave(t, 1), -0.45 * swell(t)),
        0.3,
        lambda t: (0.2 + 0.5 * t, 0.3 + 0.3 * t),
    ),
    # Lively sway, two bobs, zoom pulses on the beat.
    "dance": Motion(
        lambda t: View(1 + 0.22 * swell(t) + 0.03 * wave(t, 2) ** 2, 0.9 * wave(t, 2), -0.2 + 0.5 * wave(t, 4)),
        0.35,
        lambda t: (0.5 + 0.4 * wave(t, 1), 0.8 * t),
    ),
    # A pan to one side and back with four steps' bobbing.
    "walk": Motion(
        lambda t: View(1 + 0.18 * swell(t), 0.9 * wave(t, 1), -0.3 + 0.5 * abs(wave(t, 2))),
        0.4,
        lambda t: (0.95 * t, 0.5 + 0.2 * wave(t, 2)),
    ),
    # One arc to the left, one to the right.
    "wave": Motion(
        lambda t: View(1 + 0.16 * swell(t), 0.9 * wave(t, 1.0), -0.8 * math.cos(2 * math.pi * t * 2)),
        0.4,
        lambda t: (0.5 - 0.45 * math.cos(2 * math.pi * t), 0.5 + 0.45 * wave(t, 1)),
    ),
}


def camera(view: View) -> dict[str, int]:
    """Return the crop of the oversampled source for a view."""
    full_w, full_h = WIDTH * OVERSAMPLING, HEIGHT * OVERSAMPLING
    w, h = round(full_w / view.zoom), round(full_h / view.zoom)
    x = round((full_w - w) * (1 + max(-1.0, min(1.0, view.across))) / 2)
    y = round((full_h - h) * (1 + max(-1.0, min(1.0, view.down))) / 2)
    return {"width": w, "height": h, "x": min(x, full_w - w), "y": min(y, full_h - h)}


def scene(name: str, motion: Motion) -> dict[str, dict[str, Any]]:
    """Build one scene type's workflow."""
    sheet = Sheet()
    width, height = ([node_id, 0] for node_id in SIZE_IDS)
    seed_image = sheet.add("LoadImage", "seed_image", image="seed_image.png")
    source_image = sheet.add("LoadImage", "source_image", image="source_image.png")
    handoff = sheet.add(
        "ImageScale", image=seed_image, upscale_method="area", width=width, height=height, crop="center"
    )
    clean = sheet.add(
        "ImageScale",
        image=source_image,
        upscale_method="lanczos",
        width=WIDTH * OVERSAMPLING,
        height=HEIGHT * OVERSAMPLING,
        crop="center",
    )
    # A third of an output pixel of blur: the camera then scales bilinearly, which is fast, without flickering edges.
    clean = sheet.add("ImageBlur", image=clean, blur_radius=2, sigma=1.0)
    light = light_pattern(sheet)
    frames = [handoff]
    for index in range(1, LAST + 1):
        t = index / LAST
        crop = sheet.add("ImageCrop", image=clean, **camera(motion.path(t)))
        frame = sheet.add(
            "ImageScale", image=crop, upscale_method="bilinear", width=width, height=height, crop="disabled"
        )
        weight = round(motion.light * math.sin(math.pi * t) ** 2, 3)
        if weight > 0:
            window = sheet.add("ImageCrop", image=light, **light_window(motion.drift(t)))
            frame = sheet.add("ImageBlend", image1=frame, image2=window, blend_factor=weight, blend_mode="soft_light")
        if index < len(HANDOFF_WEIGHTS):
            frame = sheet.add(
                "ImageBlend", image1=frame, image2=handoff, blend_factor=HANDOFF_WEIGHTS[index], blend_mode="normal"
            )
        frames.append(frame)
    video = sheet.add("CreateVideo", images=sheet.batch(frames), fps=FPS)
    sheet.add("SaveVideo", video=video, filename_prefix=f"x121/{name}", format="mp4", codec="h264")
    for node_id, title, side in zip(SIZE_IDS, ("width", "height"), (WIDTH, HEIGHT), strict=True):
        sheet.nodes[node_id] = {"class_type": "PrimitiveInt", "inputs": {"value": side}, "_meta": {"title": title}}
    return sheet.nodes


def light_pattern(sheet: Sheet) -> list[Any]:
    """Add the seeded pattern of soft light: noise around middle grey, which soft light leaves as it is."""
    grey = sheet.add("EmptyImage", width=LIGHT_CELLS[0], height=LIGHT_CELLS[1], batch_size=1, color=0x808080)
    noise = sheet.add("ImageAddNoise", "light", image=grey, seed=0, strength=0.11)
    return sheet.add(
        "ImageScale",
        image=noise,
        upscale_method="bicubic",
        width=LIGHT_SIZE[0],
        height=LIGHT_SIZE[1],
        crop="disabled",
    )


def light_window(place: tuple[float, float]) -> dict[str, int]:
    """Return the crop of the pattern for a place of 0 … 1 on both axes."""
    across, down = (max(0.0, min(1.0, part)) for part in place)
    return {
        "width": LIGHT_WINDOW[0],
        "height": LIGHT_WINDOW[1],
        "x": round((LIGHT_SIZE[0] - LIGHT_WINDOW[0]) * across),
        "y": round((LIGHT_SIZE[1] - LIGHT_WINDOW[1]) * down),
    }


def evening() -> dict[str, dict[str, Any]]:
    """Build the workflow that turns a portrait into its evening variant, at the portrait's own size."""
    sheet = Sheet()
    portrait = sheet.add("LoadImage", "seed_image", image="seed_image.png")
    dusk = sheet.add("EmptyImage", width=64, height=64, batch_size=1, color=0x98A6CC)
    dimmed = sheet.add("ImageBlend", image1=portrait, image2=dusk, blend_factor=0.75, blend_mode="multiply")
    ember = sheet.add("EmptyImage", width=64, height=64, batch_size=1, color=0xB07850)
    warmed = sheet.add("ImageBlend", image1=dimmed, image2=ember, blend_factor=0.25, blend_mode="soft_light")
    small = sheet.add("ImageScale", image=warmed, upscale_method="area", width=256, height=320, crop="disabled")
    glow = sheet.add("ImageBlur", image=small, blur_radius=20, sigma=8.0)
    lit = sheet.add("ImageBlend", image1=warmed, image2=glow, blend_factor=0.2, blend_mode="screen")
    deep = sheet.add("ImageBlend", image1=lit, image2=glow, blend_factor=0.35, blend_mode="soft_light")
    grain = sheet.add("ImageAddNoise", "grain", image=deep, seed=0, strength=0.01)
    sheet.add("SaveImage", images=grain, filename_prefix="x121/evening")
    return sheet.nodes


def write(folder: Path) -> None:
    """Write every workflow as JSON into ``folder``, one node a line."""
    graphs = {name: scene(name, motion) for name, motion in MOTIONS.items()}
    graphs["evening"] = evening()
    for name, graph in graphs.items():
        lines = [f"  {json.dumps(node_id)}: {json.dumps(node)}" for node_id, node in graph.items()]
        (folder / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(__file__).parent)
