"""What bytes are is told by the bytes."""

from __future__ import annotations

import io
import struct
import wave
import zlib

import numpy as np
import pytest
from PIL import Image

from playground.media.kinds import recognise, verify_image
from playground.protocol.errors import InputError
from tests.media.conftest import picture


def kind_of(data: bytes) -> str:
    return recognise(io.BytesIO(data)).content_type


def sound() -> bytes:
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(1600))
    return stream.getvalue()


def array() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_pictures_are_known_by_their_bytes(kind: str) -> None:
    found = recognise(io.BytesIO(picture(kind=kind)))
    assert (found.content_type, found.width, found.height) == (f"image/{kind.lower()}", 40, 30)


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (sound(), "audio/wav"),
        (b"ID3\x03" + bytes(60), "audio/mpeg"),
        (b"\xff\xfb\x90\x64" + bytes(60), "audio/mpeg"),
        (b"\0\0\0\x18ftypisom" + bytes(60), "video/mp4"),
        (array(), "application/x-npy"),
        ("naïve words\n".encode(), "text/plain"),
        (b"BMW builds cars", "text/plain"),
        (b"<script>alert(1)</script>", "text/plain"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', "text/plain"),
        (b"\xfe\xfa\0\1", "application/octet-stream"),
        (b"RIFF\0\0\0\0WHATever", "application/octet-stream"),
    ],
)
def test_other_files_are_known_by_their_bytes(data: bytes, content_type: str) -> None:
    assert kind_of(data) == content_type


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_truncated_picture_is_refused_in_words(kind: str) -> None:
    with pytest.raises(InputError, match="damaged"):
        recognise(io.BytesIO(picture(200, 200, kind)[:-2000]))


@pytest.mark.parametrize(
    ("brand", "words"), [(b"heic", "image/heic"), (b"avif", "image/avif"), (b"mif1", "image/heif")]
)
def test_a_still_picture_that_begins_as_films_do_is_refused_as_what_it_is(brand: bytes, words: str) -> None:
    with pytest.raises(InputError, match=f"{words}, which cannot be opened"):
        recognise(io.BytesIO(b"\0\0\0\x18ftyp" + brand + bytes(60)))


def bomb(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10**6)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(9_300, 9_300), (50_000, 50_000)])
def test_a_decompression_bomb_is_refused_in_words(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="too many pixels"):
        verify_image(bomb(*size))


def test_what_is_no_picture_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="no picture"):
        verify_image(b"plain words")


def test_a_picture_over_the_limit_of_bytes_is_refused(settings: pytest.FixtureRequest) -> None:
    settings.MAX_IMAGE_BYTES = 1000  # type: ignore[attr-defined]
    with pytest.raises(InputError, match="too large"):
        verify_image(picture(100, 100))


def test_a_turned_picture_has_the_size_it_is_shown_with() -> None:
    turned, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(turned, "JPEG", exif=exif)
    found = verify_image(turned.getvalue())
    assert (found.width, found.height) == (30, 40)
