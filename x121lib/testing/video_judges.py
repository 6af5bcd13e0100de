"""ffmpeg and ffprobe as judges, and the hashes that prove what was copied."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import av


def ffmpeg(*arguments: object) -> str:
    """Run ffmpeg; any complaint at level error fails the test."""
    done = subprocess.run(["ffmpeg", "-y", "-v", "error", *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return done.stdout


def frame_hashes(path: Path) -> list[str]:
    """Return the MD5 of each decoded frame, as ffmpeg sees it, without a complaint."""
    lines = ffmpeg("-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-").splitlines()
    return [line.rsplit(",", 1)[1].strip() for line in lines if not line.startswith("#")]


def ffprobe(path: Path) -> dict[str, Any]:
    """Return the first video stream and the sorted timestamps of its packets."""
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_streams", "-show_packets", "-of", "json"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    return {"stream": found["streams"][0], "pts": sorted(int(packet["pts"]) for packet in found["packets"])}


def packet_hashes(path: Path) -> list[str]:
    """Return the SHA-256 of each video packet, in decoding order."""
    with av.open(str(path)) as container:
        packets = container.demux(container.streams.video[0])
        return [hashlib.sha256(bytes(packet)).hexdigest() for packet in packets if packet.size]


def picture_hashes(path: Path) -> list[str]:
    """Return the SHA-256 of each packet's H.264 NAL units, parameter sets left out (four-byte lengths)."""
    with av.open(str(path)) as container:
        packets = container.demux(container.streams.video[0])
        return [_pictures(bytes(packet)) for packet in packets if packet.size]


def _pictures(data: bytes) -> str:
    digest, at = hashlib.sha256(), 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4] & 31 not in {7, 8}:
            digest.update(data[at + 4 : at + 4 + size])
        at += 4 + size
    return digest.hexdigest()
