"""Sound beside joined video: copied where that is exact to a frame of sound, left out and said so otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from x121lib.media.gops import Part
from x121lib.media.plan import Run


class SoundCopier:
    """Copies the first audio stream of each part where all parts are used whole and sound alike.

    A part's sound starts with its picture. Sound that lasts longer than its part's picture, and what an encoder
    puts before the start, is left out packet by packet; seams are exact to one packet (21 ms for AAC at 48 kHz).

    Attributes:
        kept: whether the result has sound.
        notes: what a person should know about it.
    """

    def __init__(self, parts: Sequence[Part], runs: Sequence[Run]) -> None:
        wanted: dict[int, int] = {}
        for run in runs:
            wanted[run.part] = wanted.get(run.part, 0) + len(run.frames)
        whole = all(count == parts[at].n_frames for at, count in wanted.items())
        forms = {part.audio for part in parts}
        self.kept = None not in forms and len(forms) == 1 and whole
        self.notes: tuple[str, ...] = ()
        if not self.kept and forms != {None}:
            reason = "a part is cut" if whole is False else "not all parts have sound of one form"
            self.notes = (f"Sound was left out: {reason}.",)
        self._stream: AudioStream | None = None
        self._output: OutputContainer | None = None
        self._next = Fraction(0)

    def add_stream(self, container: InputContainer, output: OutputContainer) -> None:
        """Add the audio stream to the output, like the first part's."""
        if self.kept:
            self._stream = output.add_stream_from_template(container.streams.audio[0])
            self._output = output

    def aside(
        self, container: InputContainer, stream: VideoStream, times: tuple[Fraction, Fraction]
    ) -> Iterator[av.Packet[VideoStream]]:
        """Yield a part's video packets; write its audio packets on the way, shifted to lie in ``times`` (seconds)."""
        if not self.kept:
            yield from (packet for packet in container.demux(stream) if packet.size)
            return
        zero = (stream.start_time or 0) * (stream.time_base or Fraction(0))
        start, stop = times
        for packet in container.demux(stream, container.streams.audio[0]):
            if not packet.size:
                continue
            if packet.stream_index == stream.index:
                yield packet  # type: ignore[misc]
            elif packet.pts is not None and not packet.is_discard:
                self._write(packet, start - zero, stop)  # type: ignore[arg-type]

    def _write(self, packet: av.Packet[AudioStream], shift: Fraction, stop: Fraction) -> None:
        base = packet.time_base
        ticks = round(shift / base)
        at = ((packet.pts or 0) + ticks) * base
        if at + base < self._next or at < 0 or at >= stop or self._stream is None or self._output is None:
            return
        packet.pts = packet.dts = (packet.pts or 0) + ticks
        packet.stream = self._stream
        self._next = at + (packet.duration or 0) * base
        self._output.mux_one(packet)
