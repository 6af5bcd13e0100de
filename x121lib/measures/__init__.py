"""Measures of pictures and of motion: arrays in, numbers out.

Pictures are H×W×3 uint8 RGB (0–255) or H×W uint8 luma unless a function says otherwise. Nothing here reads a file
or knows a threshold; thresholds live in the QA profiles.
"""

from x121lib.measures.colour import delta_e_2000, lab_grid, mean_lab, picture_distance
from x121lib.measures.exposure import black_share, invalid_samples
from x121lib.measures.grain import contrast, grain
from x121lib.measures.motion import (
    FrameChange,
    FrozenRuns,
    GlobalMotion,
    frame_change,
    jitter,
    spike,
)
from x121lib.measures.runs import Run, longest_run, runs
from x121lib.measures.sharpness import blockiness, sharpness
from x121lib.measures.similarity import phash, phash_distance, ssim
from x121lib.measures.size import luma_of, small_luma

__all__ = [
    "FrameChange",
    "FrozenRuns",
    "GlobalMotion",
    "Run",
    "black_share",
    "blockiness",
    "contrast",
    "delta_e_2000",
    "frame_change",
    "grain",
    "invalid_samples",
    "jitter",
    "lab_grid",
    "longest_run",
    "luma_of",
    "mean_lab",
    "phash",
    "phash_distance",
    "picture_distance",
    "runs",
    "sharpness",
    "small_luma",
    "spike",
    "ssim",
]
