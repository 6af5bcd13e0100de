"""Run one attempt of a GPU task: claim → render → examine → record.

No network call and no video work happens inside a transaction; recording is idempotent under (task, attempt).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from x121lib import media
from x121lib import model as m
from x121lib.base.errors import X121Error
from x121lib.base.log import get_logger
from x121lib.base.process import is_alive
from x121lib.comfyui.client import ComfyClient
from x121lib.comfyui.errors import ComfyError, PromptInterruptedError, PromptLostError
from x121lib.comfyui.render import Rendered, render
from x121lib.comfyui.results import Progress
from x121lib.generation import service as generation
from x121lib.generation.anchoring import NOTICEABLE, HandOff, re_anchored
from x121lib.generation.plan import boundary_frame
from x121lib.identity import Embedding
from x121lib.intake import variants
from x121lib.intake.pictures import measure
from x121lib.intake.rules import Check, check_image
from x121lib.media import MediaError, VideoInfo
from x121lib.media.colour import Rgb
from x121lib.pipeline import flow
from x121lib.pipeline.claims import Claim, claim
from x121lib.pipeline.diagnosis import context_of, look_at_server
from x121lib.pipeline.heartbeat import Heartbeat
from x121lib.pipeline.hold import hold_reason
from x121lib.pipeline.house import House
from x121lib.pipeline.likeness import likeness_check
from x121lib.qa import queries as qa_queries
from x121lib.qa import service as qa
from x121lib.qa.analysis import Analysis, analyse
from x121lib.qa.sampling import Reference
from x121lib.scheduling import pausing
from x121lib.scheduling import service as queue
from x121lib.store.artifact_rows import FileFacts, ImageFacts, VideoFacts, register
from x121lib.store.errors import FULL_DISK, DiskFullError, MissingArtifactError
from x121lib.store.session import DatabaseError, DatabaseUnreachableError
from x121lib.terms.vocabulary import ArtifactKind

_log = get_logger(__name__)


@dataclass(frozen=True)
class ExecutionResult:
    """How an attempt ended."""

    recorded: bool
    """Whether this attempt's result (or failure) was written."""
    assemble_scene_id: uuid.UUID | None = None
    """A scene whose last take this was: its cut can be made."""


def execute(house: House, task_id: uuid.UUID, attempt_number: int, *, is_started: bool = False) -> ExecutionResult:
    """Run an attempt to its end and record it; safe to call again for the same attempt.

    An attempt that is no longer current (cancelled, superseded, started elsewhere) changes nothing. One that
    ``is_started`` was started for the caller, and nobody else runs it.
    """
    claimed, heart = None, Heartbeat(house, task_id, attempt_number)
    try:
        claimed = claim(house, task_id, attempt_number, is_started=is_started)
        with heart:
            return _run(house, claimed, heart)
    except queue.LeaseLostError as error:
        _log.info("%s", error)
        return ExecutionResult(recorded=False)
    except X121Error as error:
        context = context_of(error, claimed, heart.server, heart.live.look().request)
        return _record_failure(house, (task_id, attempt_number), error, context)
    except OSError as error:
        if error.errno not in FULL_DISK:
            raise
        full = DiskFullError(house.settings.home, 0)
        return _record_failure(house, (task_id, attempt_number), full, context_of(full, claimed, {}, {}))


def _run(house: House, claimed: Claim, heart: Heartbeat) -> ExecutionResult:
    with tempfile.TemporaryDirectory(prefix=f"x121-{os.getpid()}-", dir=_work_dir(house)) as folder:
        rendered = _render(house, claimed, heart, Path(folder))
        if heart.lost.is_set():
            raise queue.LeaseLostError(f"Attempt {claimed.attempt_number} of {claimed.task_id} was taken away.")
        heart.progress = 0.9
        if claimed.take is not None:
            return _finish_take(house, claimed, claimed.take, rendered)
        if claimed.variant is not None:
            return _finish_variant(house, claimed, claimed.variant, rendered)
    raise AssertionError("a claim is for a take or a variant")


def sweep_leftovers(house: House) -> int:
    """Delete what killed processes of this machine left half-made; returns how many files and folders.

    Work of living processes is not touched: folders carry the id of their process, the store's files a lock.
    """
    n_swept = house.artifacts.sweep_temporary()
    for folder in _work_dir(house).glob("x121-*"):
        pid = folder.name.split("-")[1]
        if not is_alive(int(pid) if pid.isdigit() else 0):
            shutil.rmtree(folder, ignore_errors=True)
            n_swept += 1
    return n_swept


def _work_dir(house: House) -> Path:
    path = house.settings.home / "work"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _render(house: House, claimed: Claim, heart: Heartbeat, to: Path) -> Rendered:
    try:
        return house.bridge.run(claimed.render.url, lambda client: _attended(client, claimed, heart, to))
    except PromptInterruptedError as error:
        if heart.lost.is_set():
            raise queue.LeaseLostError(f"Task {claimed.task_id} was cancelled while it ran.") from error
        if heart.pause.is_set() and _paused(house, claimed):
            raise queue.LeaseLostError(f"Task {claimed.task_id} was paused after a node.") from error
        raise


async def _attended(client: ComfyClient, claimed: Claim, heart: Heartbeat, to: Path) -> Rendered:
    """Render with the heart: progress goes there, and a lost lease or a pause cancels the prompt."""
    cancel = asyncio.Event()

    def on_progress(progress: Progress) -> None:
        heart.progress = 0.85 * progress.fraction

    async def watch() -> None:
        while not heart.lost.is_set():
            await asyncio.sleep(0.2)
        cancel.set()

    def on_node_end() -> None:
        if heart.pause.is_set():
            cancel.set()

    heart.live.on_node_end = on_node_end
    watcher = asyncio.create_task(watch())
    try:
        return await render(client, claimed.render, to, on_progress=on_progress, cancel=cancel, live=heart.live)
    except (PromptInterruptedError, PromptLostError):
        raise
    except ComfyError:
        heart.server = await look_at_server(client)
        raise
    finally:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher


def _paused(house: House, claimed: Claim) -> bool:
    with house.database.transaction() as session:
        return pausing.pause_reached(session, claimed.task_id, claimed.attempt_number, house.now())


def _finish_take(house: House, claimed: Claim, order: generation.TakeOrder, rendered: Rendered) -> ExecutionResult:
    info = media.probe(rendered.path)
    analysis = analyse(rendered.path, reference(house, order))
    last = boundary_frame(info.n_frames)
    frame, correction = _to_hand_on(house, order, rendered.path, last)
    png = house.artifacts.put_bytes(media.encode_png(frame))
    video = house.artifacts.put_file(rendered.path, move=True)
    facts = _video_facts(video.sha256, video.n_bytes, info)
    frame_facts = FileFacts(png.sha256, png.n_bytes, "image/png", ArtifactKind.FRAME,
                            image=ImageFacts(info.width, info.height))  # fmt: skip
    made = _Made(rendered, facts, frame_facts, last, info.n_frames, correction)
    return _record_take(house, claimed, order, made, analysis)


def _to_hand_on(house: House, order: generation.TakeOrder, path: Path, last: int) -> tuple[Rgb, HandOff | None]:
    """Return the boundary frame, matched back to the scene's first one where the recipe says so and it drifted."""
    frame = media.read_frame(path, last)
    if not order.re_anchors:
        return frame, None
    begins = order.first_take_sha256
    first = media.read_frame(house.artifacts.path(begins) if begins is not None else path, 0)
    with house.database.transaction() as session:
        gates = qa_queries.gates(session, order.qa_profile_version_id).values()
    above = next((gate.warn_above for gate in gates if gate.metric == "colour_drift"), None)
    return re_anchored(frame, first, NOTICEABLE if above is None else above)


@dataclass(frozen=True)
class _Made:
    """A take that came back."""

    rendered: Rendered
    video: FileFacts
    frame: FileFacts
    boundary: int
    n_frames: int
    correction: HandOff | None


def _record_take(
    house: House, claimed: Claim, order: generation.TakeOrder, made: _Made, analysis: Analysis
) -> ExecutionResult:
    rendered = made.rendered
    now = house.now()
    with house.database.transaction() as session:
        queue.complete(session, claimed.task_id, claimed.attempt_number, now, _timing(rendered))
        task = session.get_one(m.GpuTask, claimed.task_id)
        result = generation.TakeResult(
            output_artifact_id=register(session, made.video), boundary_artifact_id=register(session, made.frame),
            boundary_frame=made.boundary, n_frames=made.n_frames, worker_id=claimed.worker_id,
            server_version=rendered.run.server_version, correction=made.correction,
        )  # fmt: skip
        generation.record_take(session, order, result, now)
        outcome, verdicts = qa.record(session, order.take_id, analysis, order.qa_profile_version_id)
        complete = flow.take_judged(session, task, outcome, qa.failures(verdicts), now)
    return ExecutionResult(recorded=True, assemble_scene_id=order.scene_id if complete else None)


def _video_facts(sha256: str, n_bytes: int, info: VideoInfo) -> FileFacts:
    video = VideoFacts(info.width, info.height, info.n_frames, info.frame_rate, info.codec, info.pixel_format)
    return FileFacts(sha256, n_bytes, "video/mp4", ArtifactKind.VIDEO, video=video)


def _timing(rendered: Rendered) -> queue.Timing:
    return queue.Timing(rendered.run.queue_s, rendered.run.run_s, rendered.download_s)


def reference(house: House, order: generation.TakeOrder) -> Reference:
    """Return what a take is compared with: its hand-off frame, its scene's first frame, the source's face."""
    handoff = first = None
    if order.has_handoff:
        handoff = media.read_image(house.artifacts.path(order.seed_frame_sha256))
    if order.first_take_sha256 is not None:
        first = media.read_frame(house.artifacts.path(order.first_take_sha256), 0)
    backend = house.faces
    with house.database.transaction() as session:
        face = qa_queries.reference_face(session, order.source_artifact_id, backend.name, backend.pack)
    return Reference(
        expected_size=(order.width, order.height), expected_rate=order.frame_rate,
        expected_frames=order.expected_frames, handoff_frame=handoff, first_frame=first, backend=backend,
        face=Embedding(face.backend, face.pack, face.embedding) if face is not None else None,
    )  # fmt: skip


def _finish_variant(house: House, claimed: Claim, order: variants.VariantOrder, rendered: Rendered) -> ExecutionResult:
    content = rendered.path.read_bytes()
    measured = measure(content, rendered.path.suffix, house.faces)
    checks: tuple[Check, ...] = check_image(measured.facts)
    with house.database.transaction() as session:
        backend = house.faces
        source = qa_queries.reference_face(session, order.source_artifact_id, backend.name, backend.pack)
    checks += likeness_check(source, measured.embedding)
    stored = house.artifacts.put_file(rendered.path, move=True)
    facts = FileFacts(stored.sha256, stored.n_bytes, "image/png", ArtifactKind.IMAGE,
                      image=ImageFacts(measured.facts.width_px, measured.facts.height_px))  # fmt: skip
    with house.database.transaction() as session:
        queue.complete(session, claimed.task_id, claimed.attempt_number, house.now(), _timing(rendered))
        variants.record_variant(
            session, order,
            variants.VariantResult(
                artifact_id=register(session, facts), checks=checks, face=measured.primary,
                embedding=measured.embedding, worker_id=claimed.worker_id, server_version=rendered.run.server_version,
            ),
        )  # fmt: skip
    return ExecutionResult(recorded=True)


def _record_failure(
    house: House, attempt: tuple[uuid.UUID, int], error: X121Error, context: dict[str, Any]
) -> ExecutionResult:
    task_id, attempt_number = attempt
    # A full disk is the machine's: the take waits in the queue until space is freed (`hold_reason` keeps it there).
    machine = isinstance(error, ComfyError | DatabaseError | DiskFullError) and error.retryable
    failure = queue.Failure(
        error.code, str(error), machine=machine, context=context, worker=isinstance(error, ComfyError)
    )
    _log.warning("attempt %s of task %s failed: %s", attempt_number, task_id, error)
    try:
        with house.database.transaction() as session:
            flow.fail_attempt(session, task_id, attempt_number, house.now(), failure)
    except queue.LeaseLostError as late:
        _log.info("%s", late)
        return ExecutionResult(recorded=False)
    except DatabaseUnreachableError as gone:
        _log.warning("the failure of task %s could not be recorded, its lease runs out: %s", task_id, gone)
        return ExecutionResult(recorded=False)
    return ExecutionResult(recorded=True)


def assemble(house: House, scene_id: uuid.UUID) -> m.SceneVersion | None:
    """Join a scene's chosen takes into its cut and send it to review; None while a take is missing.

    Idempotent: the same takes again give the version that exists. A crash in the middle leaves nothing.
    """
    with house.database.transaction() as session:
        order = generation.build_assembly(session, scene_id)
    if order is None:
        return None
    with tempfile.TemporaryDirectory(prefix=f"x121-{os.getpid()}-", dir=_work_dir(house)) as folder:
        target, strip = Path(folder) / "scene.mp4", Path(folder) / "strip.webp"
        try:
            cuts = [media.Cut(house.artifacts.path(sha256), frames) for sha256, frames in order.parts]
            report = media.concat(cuts, target)
            media.filmstrip(target, strip, n=12, height=96)
            info = media.probe(target)
            video = house.artifacts.put_file(target, move=True)
            image = house.artifacts.put_file(strip, move=True)
        except (MediaError, DiskFullError, MissingArtifactError) as error:
            if isinstance(error, DiskFullError) and hold_reason(house):
                _log.warning("scene %s is joined later: %s", scene_id, error)
                return None
            with house.database.transaction() as session:
                flow.scene_not_assembled(session, scene_id, f"The takes could not be joined: {error}")
            return None
    with house.database.transaction() as session:
        if not generation.is_current(session, order):
            return None  # a retake was queued while this was being joined
        artifact_id = register(session, _video_facts(video.sha256, video.n_bytes, info))
        strip_facts = FileFacts(image.sha256, image.n_bytes, "image/webp", ArtifactKind.FILMSTRIP)
        version = generation.record_assembly(
            session, order, artifact_id, register(session, strip_facts), report.n_frames
        )
        flow.scene_assembled(session, scene_id, version)
        return version
