"""Films for tests: a sample that swings, as Chromium's fake camera shows it; and one that counts its pictures."""

from __future__ import annotations

import io
import math
from pathlib import Path

import av
import numpy as np
from PIL import Image

from playground.media import samples

SAMPLES = Path(next(iter(samples.__path__)))
SIZE = (640, 480)
PICTURES = 40


def make_steps(seconds: int = 2, rate: int = 10) -> bytes:
    """A film whose pictures say by their brightness which they are: the first is 10, each next one 12 more."""
    with io.BytesIO() as file:
        with av.open(file, "w", format="webm") as film:
            stream = film.add_stream("libvpx", rate=rate)
            stream.width, stream.height, stream.pix_fmt, stream.gop_size = 64, 48, "yuv420p", 5
            for number in range(seconds * rate):
                grey = np.full((48, 64, 3), 10 + 12 * number, np.uint8)
                film.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
            film.mux(stream.encode())
        return file.getvalue()


def make_film(path: Path, name: str = "astronaut") -> Path:
    """Motion JPEG of a sample that swings from side to side."""
    with Image.open(SAMPLES / f"{name}.jpg") as opened, path.open("wb") as film:
        subject = opened.convert("RGB").resize((480, 480))
        for number in range(PICTURES):
            picture = Image.new("RGB", SIZE, "gray")
            picture.paste(subject, (80 + round(70 * math.sin(number / PICTURES * 2 * math.pi)), 0))
            picture.save(film, "JPEG", quality=85)
    return path
