"""Pictures, sounds and films made on the spot."""

from __future__ import annotations

import io
import math
import struct
import wave
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from PIL import Image

from playground.media import blobs

if TYPE_CHECKING:
    from pathlib import Path

    from inputs.models import Input


def image(width: int = 40, height: int = 30, mode: str = "RGB") -> Image.Image:
    """Left half red, right half blue, as far as the mode can."""
    made = Image.new("RGB", (width, height), (220, 20, 30))
    made.paste((20, 40, 210), (width // 2, 0, width, height))
    return made.convert(mode) if mode != "RGB" else made


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def jpeg(number: int = 0, width: int = 64, height: int = 48) -> bytes:
    """One of many that differ."""
    noise = np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8)
    return encoded(Image.fromarray(noise), "JPEG")


def turned(orientation: int, taken: str = "2019:05:01 12:30:00") -> bytes:
    """A photograph that says how its camera was held, and when."""
    notes = Image.Exif()
    notes[0x0112] = orientation
    notes.get_ifd(0x8769)[0x9003] = taken
    notes.get_ifd(0x8769)[0x9011] = "+02:00"
    return encoded(image(60, 40), "JPEG", exif=notes, quality=95)


def sound(seconds: float = 1.0, rate: int = 8000) -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        tone = (int(20000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(int(seconds * rate)))
        file.writeframes(b"".join(struct.pack("<h", value) for value in tone))
    return stream.getvalue()


def film(
    path: Path, frames: int = 20, *, size: tuple[int, int] = (64, 48), with_picture: bool = True, cover: bytes = b""
) -> bytes:
    """A short film whose first frames are black, or the sound of one alone, in a container for films."""
    with av.open(str(path), "w") as container:
        if with_picture:
            stream = container.add_stream("mpeg4", rate=10)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for number in range(frames):
                shade = 0 if number < 3 else 200
                frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), shade, np.uint8), format="rgb24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        else:
            voice = container.add_stream("aac", rate=8000, layout="mono")
            if cover:
                with av.open(io.BytesIO(cover)) as still:
                    sleeve = container.add_stream_from_template(still.streams.video[0])
                    sleeve.disposition = av.stream.Disposition.attached_pic
                    packet = next(still.demux())
                    packet.stream = sleeve
                    container.mux(packet)
            for _ in range(10):
                heard = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
                heard.sample_rate = 8000
                container.mux(voice.encode(heard))
            container.mux(voice.encode(None))
    return path.read_bytes()


def stored(row: Input, form: str = "") -> bytes:
    """The bytes of an input, or of what was made of them, as they lie in storage."""
    assert row.reference is not None
    with blobs.open_stored(row.reference.blob_id, form) as file:
        return file.read()
