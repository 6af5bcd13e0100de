"""Benchmarks of the media room; each row says what it was measured against."""

from __future__ import annotations

import random
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from x121lib.media import Cut, FrameRange, concat, probe, read_frame
from x121lib.media.probing import forget_indexes
from x121lib.testing.synthetic import write_numbered_clip

SEGMENTS, FRAMES, GOP, RATE, SIZE = 12, 120, 12, 24, (1280, 720)
ROUNDS = 5


def bench() -> list[dict[str, Any]]:
    """Return one row per measurement; writes only into a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="x121-bench-") as folder:
        room = Path(folder)
        parts = [room / f"{k}.mp4" for k in range(SEGMENTS)]
        for k, part in enumerate(parts):
            frames = range(k * (FRAMES - 1), k * (FRAMES - 1) + FRAMES)
            write_numbered_clip(part, frames, rate=RATE, size=SIZE, gop=GOP, b_frames=2)
        return [_whole(room, parts), _cut(room, parts), _seek(parts[0])]


def _median_s(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median seconds of several runs, after one that warms the caches."""
    work()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return median(taken)


def _ffmpeg(*arguments: object) -> None:
    subprocess.run(["ffmpeg", "-y", "-v", "error", *map(str, arguments)], check=True)


def _listed(room: Path, parts: list[Path], *, first: int) -> Path:
    """Write the list that ffmpeg's concat demuxer reads."""
    lines = [
        f"file '{part}'\n" + (f"inpoint {first / RATE - 0.5 / RATE}\n" if first and part != parts[0] else "")
        for part in parts
    ]
    listed = room / f"list{first}.txt"
    listed.write_text("".join(lines))
    return listed


def _cold(cuts: list[Cut], to: Path) -> None:
    """Join with nothing known about the parts, as in a fresh process."""
    forget_indexes()
    concat(cuts, to)


def _row(name: str, ours: float, theirs: float, against: str, note: str) -> dict[str, Any]:
    return {"name": name, "value": ours, "unit": "s", "against": against, "ratio": ours / theirs, "note": note}


def _whole(room: Path, parts: list[Path]) -> dict[str, Any]:
    to, theirs_to = room / "ours.mp4", room / "theirs.mp4"
    cuts = [Cut(part, FrameRange(0, FRAMES)) for part in parts]
    ours = _median_s(lambda: _cold(cuts, to))
    listed = _listed(room, parts, first=0)
    copy = ["-f", "concat", "-safe", 0, "-i", listed, "-c", "copy", "-movflags", "+faststart", theirs_to]
    theirs = _median_s(lambda: _ffmpeg(*copy))
    if probe(to).n_frames != SEGMENTS * FRAMES:
        raise AssertionError("the joined file lacks frames")
    note = f"{SEGMENTS} x {FRAMES} frames 720p, no cut; ours is in process and flushed to disk, ffmpeg starts a process"
    return _row("concat_vs_ffmpeg", ours, theirs, f"ffmpeg -c copy {theirs:.3f} s", note)


def _cut(room: Path, parts: list[Path]) -> dict[str, Any]:
    to, theirs_to = room / "ours.mp4", room / "theirs.mp4"
    cuts = [Cut(part, FrameRange(1 if k else 0, FRAMES)) for k, part in enumerate(parts)]
    ours = _median_s(lambda: _cold(cuts, to), rounds=3)
    listed = _listed(room, parts, first=1)
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-crf", 11, "-g", GOP, "-bf", 2]
    whole = ["-f", "concat", "-safe", 0, "-i", listed, *encode, "-movflags", "+faststart", theirs_to]
    theirs = _median_s(lambda: _ffmpeg(*whole), rounds=3)
    wanted = SEGMENTS * FRAMES - (SEGMENTS - 1)
    if probe(to).n_frames != wanted:
        raise AssertionError("the joined file lacks frames")
    note = (
        f"{SEGMENTS - 1} of {SEGMENTS} parts of {FRAMES} frames 720p drop frame 0, key frame every {GOP}; "
        "same preset and quality on both sides; a part with a single key frame is encoded again whole"
    )
    return _row("concat_with_cuts_vs_reencode", ours, theirs, f"ffmpeg re-encoding all {theirs:.3f} s", note)


def _seek(part: Path) -> dict[str, Any]:
    order = random.Random(1)
    read_frame(part, 0)
    taken = []
    for _ in range(100):
        n = order.randrange(FRAMES)
        start = time.perf_counter()
        read_frame(part, n)
        taken.append((time.perf_counter() - start) * 1000)
    p95 = quantiles(taken, n=20)[-1]
    return {
        "name": "seek_p95_ms",
        "value": p95,
        "unit": "ms",
        "against": "",
        "ratio": None,
        "note": f"server side: read_frame at random in a {FRAMES}-frame 720p H.264 clip, key frame every {GOP}, RGB",
    }
