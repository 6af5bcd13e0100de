"""A neutral portrait drawn by code: what a workflow is tried with where nobody gives a picture."""

from __future__ import annotations

import cv2
import numpy as np

from x121lib.media.colour import Rgb

SAMPLE_SIZE = (512, 640)
"""Width and height in pixels: multiples of 64, which every common video model takes."""


def sample_portrait() -> Rgb:
    """Return head and shoulders before a soft grey ground, uint8 RGB of `SAMPLE_SIZE`; the same picture each time.

    It shows nobody: flat tones, eyes, brows and a mouth, enough for a face to be found and motion to be seen.
    """
    width, height = SAMPLE_SIZE
    shade = np.linspace(198, 150, height, dtype=np.float32)[:, None, None]
    picture = np.ascontiguousarray(np.broadcast_to(shade, (height, width, 3)).astype(np.uint8))
    cloth, skin, dark, lip = (86, 98, 120), (222, 184, 160), (62, 48, 44), (172, 98, 96)
    cv2.ellipse(picture, (256, 660), (210, 190), 0, 180, 360, cloth, -1, cv2.LINE_AA)
    cv2.rectangle(picture, (214, 400), (298, 500), skin, -1)
    cv2.ellipse(picture, (256, 262), (140, 170), 0, 0, 360, dark, -1, cv2.LINE_AA)
    cv2.ellipse(picture, (256, 300), (112, 146), 0, 0, 360, skin, -1, cv2.LINE_AA)
    for x in (212, 300):
        cv2.ellipse(picture, (x, 286), (21, 11), 0, 0, 360, (245, 245, 242), -1, cv2.LINE_AA)
        cv2.circle(picture, (x, 286), 9, dark, -1, cv2.LINE_AA)
        cv2.ellipse(picture, (x, 258), (28, 9), 0, 190, 350, dark, 5, cv2.LINE_AA)
    cv2.line(picture, (256, 296), (248, 340), (198, 156, 134), 4, cv2.LINE_AA)
    cv2.ellipse(picture, (256, 384), (34, 12), 0, 0, 180, lip, -1, cv2.LINE_AA)
    return picture
