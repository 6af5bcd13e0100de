"""Joining parts: copies what can be copied, encodes again only the groups of pictures that a cut falls into.

How the two fit into one stream (H.264). All parts that share their parameter sets, which is what one encoder with
one setting gives, keep them, and the groups encoded here carry sets under an id of their own; both lie in one
``avc1`` description, and every copied packet stays as it is, byte for byte. Where parts use different sets under the
same id, the sets are put in front of each key frame instead (``avc3``); the coded pictures stay as they are.
Timestamps are counted anew: frame *n* is shown at *n* / rate, whatever offset, edit list or rounding a part has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.frame import PictureType

from x121lib.media.atomic import whole_file
from x121lib.media.encoding import muxer_options
from x121lib.media.errors import EncodingError
from x121lib.media.frames import decoded
from x121lib.media.gops import Part
from x121lib.media.headers import Headers, VideoPacket
from x121lib.media.plan import Run
from x121lib.media.probing import index_of, opened
from x121lib.media.reporting import ConcatReport, JoinedSegment, Watch
from x121lib.media.seam import SeamEncoder
from x121lib.media.sound import SoundCopier
from x121lib.terms.ranges import FrameRange


class Splice:
    """One join by copying."""

    def __init__(self, parts: Sequence[Part], runs: Sequence[Run], watch: Watch) -> None:
        self._parts = parts
        self._runs = runs
        self._watch = watch
        self._rate = parts[0].rate
        self._sound = SoundCopier(parts, runs)
        copied = [parts[run.part] for run in runs if run.copied]
        self._headers = Headers(parts, copied, SeamEncoder(parts[0], max(part.delay for part in parts)))
        self._delay = max(part.delay for part in parts)
        self._written = 0

    def write(self, to: Path) -> ConcatReport:
        """Write the file and return the report."""
        total = sum(len(run.frames) for run in self._runs)
        self._watch.total = total
        try:
            with (
                whole_file(to) as part,
                av.open(str(part), "w", options=muxer_options(part)) as output,
            ):
                self._mux_all(output, to)
                if self._written != total:
                    raise EncodingError(f"{to}: {self._written} frames came out instead of {total}.")
        except (av.FFmpegError, ValueError) as error:
            raise EncodingError(f"{to} could not be written: {error}.") from error
        return self._report(total)

    def _mux_all(self, output: OutputContainer, to: Path) -> None:
        with opened(self._parts[0].path) as (container, template):
            stream = output.add_stream_from_template(template, opaque=True)
            self._sound.add_stream(container, output)
        stream.time_base = 1 / self._rate
        self._headers.apply(stream, output, seams=any(not run.copied for run in self._runs))
        for packet in self._packets():
            packet.stream = stream
            packet.time_base = 1 / self._rate
            packet.dts = self._written - self._delay
            packet.duration = 1
            if packet.pts is None or packet.dts > packet.pts:
                raise EncodingError(f"{to}: frame {self._written} would be stored after it is due.")
            output.mux_one(packet)
            self._written += 1
            self._watch.step()

    def _packets(self) -> Iterator[VideoPacket]:
        """Yield all packets in decoding order, ``pts`` being the frame's number in the result."""
        first = 0
        for at, group in groupby(self._runs, key=lambda run: run.part):
            runs = list(group)
            yield from self._part_packets(self._parts[at], runs, first)
            first += sum(len(run.frames) for run in runs)

    def _part_packets(self, part: Part, runs: Sequence[Run], first: int) -> Iterator[VideoPacket]:
        times = (first / self._rate, (first + part.n_frames) / self._rate)
        with opened(part.path, for_copy=True) as (container, stream):
            numbered = enumerate(self._sound.aside(container, stream, times))
            for run in runs:
                if run.copied:
                    yield from self._copied(part, run, numbered, first)
                else:
                    yield from self._encoded(part, run, first)
                first += len(run.frames)
            # What follows the last copied picture can still be sound of this part.
            if self._sound.kept:
                deque(numbered, maxlen=0)

    def _copied(
        self,
        part: Part,
        run: Run,
        numbered: Iterator[tuple[int, VideoPacket]],
        first: int,
    ) -> Iterator[VideoPacket]:
        places = iter(run.order)
        for number, packet in numbered:
            if number in run.packets:
                kept = self._headers.fit_copied(part, packet)
                kept.pts = first + next(places)
                # A recovery point inside a group is no place to start: Chromium fails on its leading pictures.
                kept.is_keyframe = number == run.packets.start
                yield kept
            if number == run.packets.stop - 1:
                return

    def _encoded(self, part: Part, run: Run, first: int) -> Iterator[VideoPacket]:
        encoder = self._headers.seam.create()
        frames = decoded(part.path, index_of(part.path), run.frames.start, run.frames.stop)
        for place, frame in enumerate(frames):
            frame.pts = place
            frame.time_base = 1 / self._rate
            # Otherwise the encoder would repeat the source's frame types, its key frames included.
            frame.pict_type = PictureType.NONE
            yield from self._placed(encoder.encode(frame), first)
        yield from self._placed(encoder.encode(None), first)

    def _placed(self, packets: Iterable[VideoPacket], first: int) -> Iterator[VideoPacket]:
        for packet in packets:
            place = first + (packet.pts or 0)
            fitted = self._headers.fit_encoded(packet)
            fitted.pts = place
            yield fitted

    def _report(self, total: int) -> ConcatReport:
        segments, first = [], 0
        for run in self._runs:
            source = FrameRange(run.frames.start, run.frames.stop)
            output = FrameRange(first, first + len(run.frames))
            segments.append(JoinedSegment(self._parts[run.part].path, source, output, copied=run.copied))
            first += len(run.frames)
        again = [run for run in self._runs if not run.copied]
        return ConcatReport(
            n_frames=total,
            copied_gops=len(self._runs) - len(again),
            reencoded_gops=len(again),
            reencoded_frames=sum(len(run.frames) for run in again),
            segments=tuple(segments),
            notes=self._sound.notes,
        )
