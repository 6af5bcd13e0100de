"""Quality analysis of a 5 s 720p take against bare decoding and against FFmpeg's own filters."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np

from x121lib.media.colour import Rgb
from x121lib.media.encoding import encode_video
from x121lib.qa.analysis import analyse
from x121lib.qa.profiles import load_profile
from x121lib.testing import takes
from x121lib.testing.labelled import HELD_OUT, judged_set, rates

_SIZE = (1280, 720)
_FRAMES = 120
_ROUNDS = 5
_PROFILE = Path(__file__).resolve().parents[2] / "data" / "qa_profiles" / "portrait.toml"
Row = dict[str, object]


def bench() -> list[Row]:
    """Return the rows ``qa_vs_decode``, ``qa_vs_ffmpeg``, ``gate_precision`` and ``gate_recall``."""
    with tempfile.TemporaryDirectory() as folder:
        return [*_speed(Path(folder)), *_accuracy(Path(folder))]


def _speed(folder: Path) -> list[Row]:
    cv2.setNumThreads(1)
    drawn = [_widened(frame) for frame in takes.moved("Mara", _FRAMES, size=(576, 720))]
    note = "5 s of 1280x720 at 24/s; seam, colour, sharpness and face included; ratio of times, lower is better"
    rows = []
    for name, frames in (("qa_vs_decode", _grained(drawn)), ("qa_vs_decode_flat", drawn)):
        path = folder / f"{name}.mp4"
        encode_video(path, iter(frames), takes.RATE, crf=18)
        given = takes.reference(frames[0], _FRAMES)
        ours, bare, peer = _fastest(partial(analyse, path, given), partial(_decode, path), partial(_ffmpeg, path))
        kind = "flat drawing, the easiest to decode" if name.endswith("flat") else "with film grain"
        rows.append(_row(name, ours, "PyAV decoding, threads AUTO", bare, f"{kind}; {note}"))
        if name == "qa_vs_decode" and shutil.which("ffmpeg"):
            against = "ffmpeg blackdetect,freezedetect,signalstats,ssim"
            rows.append(_row("qa_vs_ffmpeg", ours, against, peer, f"{kind}; {note}; ffmpeg measures no face"))
    return rows


def _widened(frame: Rgb) -> Rgb:
    """Return a portrait frame with its edges drawn out to 16:9."""
    side = (_SIZE[0] - frame.shape[1]) // 2
    return np.asarray(cv2.copyMakeBorder(frame, 0, 0, side, side, cv2.BORDER_REPLICATE), dtype=np.uint8)


def _grained(frames: list[Rgb]) -> list[Rgb]:
    """Return the frames with film grain: flat drawings decode unrealistically fast."""
    rng = np.random.default_rng(7)
    grain = [rng.normal(0, 4, (*frames[0].shape[:2], 1)).astype(np.int16) for _ in range(6)]
    return [np.clip(f + grain[n % 6], 0, 255).astype(np.uint8) for n, f in enumerate(frames)]


def _fastest(*jobs: Callable[[], object]) -> list[float]:
    """Return each job's median seconds over rounds in turn, so that a busy machine slows all of them alike."""
    times: list[list[float]] = [[] for _ in jobs]
    for _ in range(_ROUNDS):
        for job, taken in zip(jobs, times, strict=True):
            started = time.perf_counter()
            job()
            taken.append(time.perf_counter() - started)
    return [statistics.median(taken) for taken in times]


def _decode(path: Path) -> int:
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        return sum(1 for _ in container.decode(video=0))


def _ffmpeg(path: Path) -> None:
    if shutil.which("ffmpeg") is None:
        return
    chain = "[0:v]blackdetect,freezedetect,signalstats[a];[a][1:v]ssim"
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-i", str(path), "-lavfi", chain, "-f", "null", "-"]
    subprocess.run(command, check=True, capture_output=True)


def _row(name: str, ours: float, against: str, theirs: float, note: str) -> Row:
    ratio = round(ours / theirs, 3) if theirs else None
    return {"name": name, "value": round(ours, 4), "unit": "s", "against": against, "ratio": ratio, "note": note}


def _accuracy(folder: Path) -> list[Row]:
    gates = load_profile(_PROFILE).gates
    found = list(judged_set(HELD_OUT, folder, gates))
    by_gate = {gate.metric: rates(found, gate.metric) for gate in gates}
    precision = min(by_gate.items(), key=lambda item: item[1].precision)
    recall = min(((n, r) for n, r in by_gate.items() if r.positives), key=lambda item: item[1].recall)
    note = f"lowest over the gates, {len(found)} takes of portraits that no threshold was tuned on; higher is better"
    return [
        {"name": "gate_precision", "value": precision[1].precision, "unit": "", "against": f"labels ({precision[0]})",
         "ratio": None, "note": note},
        {"name": "gate_recall", "value": recall[1].recall, "unit": "", "against": f"labels ({recall[0]})",
         "ratio": None, "note": note},
    ]  # fmt: skip
