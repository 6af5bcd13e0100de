"""Carry out a dry run: a workflow with a drawn picture on one worker, outside of any project.

Its prompt is its own: nothing of the queue is touched, and a cancellation ends this prompt alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from x121lib import media
from x121lib.base.errors import X121Error
from x121lib.base.log import get_logger
from x121lib.catalogue import trials
from x121lib.catalogue.trials import Began, Outcome
from x121lib.comfyui.client import ComfyClient
from x121lib.comfyui.errors import ComfyError, PromptInterruptedError
from x121lib.comfyui.graph import node_classes
from x121lib.comfyui.outputs import OutputKind, kind_of
from x121lib.comfyui.render import ImageInput, Rendered, RenderOrder, render
from x121lib.comfyui.results import Progress
from x121lib.comfyui.slots import Slot
from x121lib.measures import ssim
from x121lib.media.colour import Rgb
from x121lib.media.sample import sample_portrait
from x121lib.pipeline.house import House
from x121lib.terms.vocabulary import AttemptOutcome, SlotType

_log = get_logger(__name__)
FEW_FRAMES = 9
"""Frames of a dry run at most: of the form 4n + 1 and 8n + 1, which the common video models ask for."""
FEW_STEPS = 4
"""Sampling steps of a dry run at most."""
_FRAME_INPUTS = frozenset({"length", "video_frames", "num_frames", "frame_count"})
_BEAT_S = 0.5


def carry_out(house: House, began: Began, on_progress: Callable[[float], None]) -> Outcome:
    """Run a dry run to its end and record it; safe against everything but the end of this process.

    Args:
        house: the rooms' shared things.
        began: the dry run.
        on_progress: called with 0 to 1, from another thread.
    """
    try:
        ended = _carried_out(house, began, on_progress)
    except PromptInterruptedError:
        ended = Outcome(AttemptOutcome.CANCELLED)
    except X121Error as error:
        ended = Outcome(AttemptOutcome.FAILED, error_code=error.code, error_message=f"{error} {error.hint}".strip())
    except BaseException:
        with contextlib.suppress(ComfyError):
            house.bridge.run(began.url, lambda client: client.cancel(str(began.prompt_id)))
        with house.database.transaction() as session:
            trials.finish(session, began.trial_id, Outcome(AttemptOutcome.CANCELLED), house.now())
        raise
    with house.database.transaction() as session:
        trials.finish(session, began.trial_id, ended, house.now())
    return ended


def _carried_out(house: House, began: Began, on_progress: Callable[[float], None]) -> Outcome:
    work = house.settings.home / "work"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"x121-{os.getpid()}-", dir=work) as folder, _Pulse(house, began) as pulse:
        given = sample_portrait()
        file = Path(folder) / "given.png"
        media.write_png(file, given)
        order = order_for(began, file)

        def heard(progress: Progress) -> None:
            pulse.fraction = progress.fraction
            on_progress(progress.fraction)

        rendered = house.bridge.run(began.url, lambda client: _rendered(client, order, Path(folder), pulse, heard))
        return _examined(rendered, given)


def order_for(began: Began, picture: Path) -> RenderOrder:
    """Return what is sent: the slots' own defaults, the picture in every image slot, few frames and steps."""
    shown = [slot for slot in began.slots if not slot.is_hidden]
    digest = hashlib.sha256(picture.read_bytes()).hexdigest()
    images = tuple(dict.fromkeys(slot.name for slot in shown if slot.type is SlotType.IMAGE))
    prefix = {slot.name: f"x121/try_{began.prompt_id.hex[:8]}" for slot in shown if slot.name == "filename_prefix"}
    expect = OutputKind.VIDEO if _makes_video(began.graph) else OutputKind.IMAGE
    return RenderOrder(
        url=began.url, prompt_id=began.prompt_id, graph=began.graph, slots=began.slots, expect=expect,
        images=tuple(ImageInput(name, picture, digest) for name in images),
        values={**few(shown), **prefix},
    )  # fmt: skip


def few(slots: Sequence[Slot]) -> dict[str, int]:
    """Return fewer frames and steps than the file says, by slot, within the slots' bounds."""
    values = {}
    for slot in slots:
        most = FEW_STEPS if slot.input_name == "steps" else FEW_FRAMES if slot.input_name in _FRAME_INPUTS else None
        if most is not None and type(slot.default) is int and slot.default > most >= (slot.minimum or 1):
            values[slot.name] = most
    return values


def _makes_video(graph: Any) -> bool:
    prefixes = ("SaveVideo", "SaveWEBM", "VHS_VideoCombine", "CreateVideo", "SaveAnimated")
    return any(name.startswith(prefixes) or "video" in name.lower() for name in node_classes(graph))


async def _rendered(
    client: ComfyClient, order: RenderOrder, to: Path, pulse: _Pulse, on_progress: Callable[[Progress], None]
) -> Rendered:
    cancel = asyncio.Event()

    async def watch() -> None:
        while not pulse.stopped.is_set():
            await asyncio.sleep(0.2)
        cancel.set()

    watcher = asyncio.create_task(watch())
    try:
        return await render(client, order, to, on_progress=on_progress, cancel=cancel)
    finally:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher


def _examined(rendered: Rendered, given: Rgb) -> Outcome:
    """Read the output as a person's player would, every frame of it."""
    done = Outcome(AttemptOutcome.COMPLETE, rendered.run.queue_s, rendered.run.run_s)
    if kind_of(rendered.path.name) is OutputKind.IMAGE:
        height, width = media.read_image(rendered.path).shape[:2]
        return replace(done, codec=rendered.path.suffix.lstrip("."), size=(width, height), n_frames=1)
    info = media.probe(rendered.path)
    first = media.read_frame(rendered.path, 0)
    return replace(
        done, codec=info.codec, size=(info.width, info.height),
        n_frames=sum(1 for _ in media.iter_frames(rendered.path)),
        first_frame_ssim=likeness_of(first, given),
    )  # fmt: skip


def likeness_of(frame: Rgb, given: Rgb) -> float:
    """Return the SSIM of a frame and a picture of any size, brought to the frame's by stretching or by cropping."""
    height, width = frame.shape[:2]
    rows, columns = given.shape[:2]
    scale = max(width / columns, height / rows)
    w, h = min(columns, round(width / scale)), min(rows, round(height / scale))
    left, top = (columns - w) // 2, (rows - h) // 2
    fits = (given, given[top : top + h, left : left + w])
    resized = [cv2.resize(fit, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8) for fit in fits]
    return max(ssim(frame, one) for one in resized)


class _Pulse:
    """A thread that writes how far a dry run is, and learns that it must stop.

    Attributes:
        stopped: set when somebody cancelled it.
        fraction: 0 to 1, written with the next beat.
    """

    def __init__(self, house: House, began: Began) -> None:
        self._house, self._began = house, began
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"trial-{began.trial_id}", daemon=True)
        self.stopped = threading.Event()
        self.fraction = 0.0

    def __enter__(self) -> _Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(_BEAT_S):
            try:
                with self._house.database.transaction() as session:
                    go_on = trials.progress(session, self._began.trial_id, self.fraction, self._house.now())
            except X121Error as error:
                _log.warning("the progress of a dry run could not be written: %s", error)
                continue
            if not go_on:
                self.stopped.set()
                return
