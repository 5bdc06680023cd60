"""What a camera sees in tests: a sample picture that moves, as the film that Chromium's fake camera shows."""

from __future__ import annotations

import math
from pathlib import Path

from PIL import Image

from playground.media import samples

SAMPLES = Path(next(iter(samples.__path__)))
SIZE = (640, 480)
PICTURES = 40


def make_film(path: Path, name: str = "astronaut") -> Path:
    """Motion JPEG of a sample that swings from side to side."""
    with Image.open(SAMPLES / f"{name}.jpg") as opened, path.open("wb") as film:
        subject = opened.convert("RGB").resize((480, 480))
        for number in range(PICTURES):
            picture = Image.new("RGB", SIZE, "gray")
            picture.paste(subject, (80 + round(70 * math.sin(number / PICTURES * 2 * math.pi)), 0))
            picture.save(film, "JPEG", quality=85)
    return path
