"""What a video in the page shows at the moment."""

from __future__ import annotations

NUMBER = """
  const numberOf = (video) => {
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    const ink = canvas.getContext('2d');
    ink.drawImage(video, 0, 0);
    const block = canvas.width / 16, y = canvas.height / 16;
    let number = 0;
    for (let bit = 0; bit < 16; bit += 1) {
      number = number * 2 + (ink.getImageData((bit + .5) * block, y, 1, 1).data[0] > 127);
    }
    return number;
  };
"""
"""JavaScript: the number that a frame of `write_numbered_clip` shows in its first row of blocks."""
