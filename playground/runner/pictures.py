"""Checks that bytes given as a picture are one, before a model meets them.

An author who asks for ``Image`` gets one whose header was read: it is of a known format and no decompression bomb. One
who asks for PIL's gets it decoded in full. The usual formats' sizes are read here, some twenty times faster than by
Pillow, which is imported when the first other picture comes.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import struct
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from playground.protocol.errors import InputError
from playground.protocol.values import Frame, Image, NamedFields, is_pillow

MAX_PIXELS = 100_000_000
Size: TypeAlias = tuple[int, int]


@contextlib.contextmanager
def named(argument: str) -> Iterator[None]:
    """Any way in which Pillow fails on bad bytes, as an InputError that names the argument."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - Pillow's readers raise whatever bad bytes lead them to
        raise InputError(f'argument "{argument}" {_reason(error)}', argument=argument) from None


def _reason(error: Exception) -> str:
    name = type(error).__name__
    if name == "UnidentifiedImageError":
        return "is not a picture of a known format"
    if name.startswith("DecompressionBomb"):
        return f"is too large a picture: at most {MAX_PIXELS:,} pixels are decoded"
    return f"is not a whole picture: {error}"


def check(value: Any, argument: str) -> None:
    """Read the header of every picture in a value. Raises InputError."""
    if isinstance(value, Image):
        _check_one(value.bytes, argument)
    elif isinstance(value, Frame):
        if content := value.proto.data.image.base64:
            _check_one(content, argument)
    elif isinstance(value, list | tuple):
        for item in value:
            check(item, argument)
    elif isinstance(value, NamedFields):
        check(list(vars(value).values()), argument)


def _check_one(content: bytes, argument: str) -> None:
    if not content:
        raise InputError(f'argument "{argument}" is an empty picture', argument=argument)
    width, height = _quick_size(content) or _pillow_size(content, argument)
    if width * height > MAX_PIXELS:
        raise InputError(
            f'argument "{argument}" is too large a picture: {width} x {height}; '
            f"at most {MAX_PIXELS:,} pixels are decoded",
            argument=argument,
        )


def _pillow_size(content: bytes, argument: str) -> Size:
    with named(argument), importlib.import_module("PIL.Image").open(io.BytesIO(content)) as opened:
        size: Size = opened.size
        return size


def _quick_size(content: bytes) -> Size | None:
    """Width and height by the header of a PNG, GIF or JPEG; None for anything else, or odd."""
    for start, read in _READERS.items():
        if content.startswith(start):
            with contextlib.suppress(struct.error):
                return read(content)
    return None


def _png_size(content: bytes) -> Size | None:
    if content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _gif_size(content: bytes) -> Size | None:
    width, height = struct.unpack_from("<HH", content, 6)
    return width, height


def _jpeg_size(content: bytes) -> Size | None:
    """Steps from segment to segment up to the start of a frame (SOF0 to SOF15, three numbers of which mean else)."""
    place = 2
    while place < len(content):
        marker, length = struct.unpack_from(">HH", content, place)
        if marker < 0xFF01 or marker == 0xFFDA or length < 2:
            return None
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height, width = struct.unpack_from(">HH", content, place + 5)
            return width, height
        place += 2 + length
    return None


_READERS: dict[bytes, Callable[[bytes], Size | None]] = {
    b"\xff\xd8\xff": _jpeg_size,
    b"\x89PNG\r\n\x1a\n": _png_size,
    b"GIF8": _gif_size,
}


def load(value: Any) -> None:
    """Decode every PIL picture in a value now, so that a truncated one fails here."""
    if is_pillow(value):
        value.load()
    elif isinstance(value, list):
        for item in value:
            load(item)
