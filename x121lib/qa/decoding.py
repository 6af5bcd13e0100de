"""Decoding that goes on after damage and counts it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from x121lib.media.probing import opened


@dataclass
class TakeSource:
    """A video file read once from beginning to end; the facts fill in as it is read."""

    path: Path
    """The file."""
    promised: int = 0
    """Frames that the container says it holds and would show; 0 where it does not say."""
    frames_seen: int = 0
    """Frames decoded so far."""
    errors: int = 0
    """Packets that did not demultiplex or decode."""
    error_at: int | None = None
    """How many frames had come when the first error did."""
    audio_streams: int = 0
    """Audio streams in the file."""
    declared_rate: Fraction | None = None
    """Frame rate by the container."""
    time_base: Fraction = Fraction(1)
    """Seconds per tick of `times`."""
    times: list[int] = field(default_factory=list)
    """Timestamps of the frames in ticks; empty where the container stores none."""
    last_error: str = ""
    """FFmpeg's words for the latest error."""

    @property
    def missing(self) -> int:
        """Frames promised and not decoded."""
        return max(0, self.promised - self.frames_seen)

    def frames(self) -> Iterator[av.VideoFrame]:
        """Yield what decodes, in display order.

        Raises:
            UnreadableVideoError: the file does not open as a video.
        """
        with opened(self.path) as (container, stream):
            # Without this FFmpeg paints over damage and says nothing.
            stream.codec_context.options = {"err_detect": "explode"}
            stream.thread_type = "AUTO"
            self.promised = stream.frames
            self.audio_streams = len(container.streams.audio)
            self.declared_rate = stream.average_rate or stream.guessed_rate
            self.time_base = stream.time_base or Fraction(1, 1000)
            for packet in self._packets(container, stream):
                for frame in self._decode(packet):
                    self.frames_seen += 1
                    if frame.pts is not None:
                        self.times.append(frame.pts)
                    yield frame

    def _packets(self, container: InputContainer, stream: VideoStream) -> Iterator[av.Packet[VideoStream]]:
        try:
            for packet in container.demux(stream):
                if packet.is_discard and packet.size and self.promised:
                    self.promised -= 1
                yield packet
        except av.FFmpegError as error:
            self._count(error)

    def _decode(self, packet: av.Packet[VideoStream]) -> list[av.VideoFrame]:
        try:
            return [frame for frame in packet.decode() if isinstance(frame, av.VideoFrame)]
        except av.FFmpegError as error:
            self._count(error)
            return []

    def _count(self, error: av.FFmpegError) -> None:
        self.errors += 1
        self.last_error = error.strerror or str(error)
        if self.error_at is None:
            self.error_at = self.frames_seen
