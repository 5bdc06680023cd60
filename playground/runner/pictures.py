"""Checks that bytes given as a picture are one, before a model meets them.

An author who asks for ``Image`` gets one whose header was read: it is of a known format and no decompression bomb. One
who asks for PIL's gets it decoded in full. Pillow is imported when the first picture comes.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Iterator
from typing import Any

from playground.protocol.errors import InputError
from playground.protocol.values import Frame, Image, NamedFields, is_pillow

MAX_PIXELS = 100_000_000


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
        _check_one(value, argument)
    elif isinstance(value, Frame):
        if value.proto.data.image.base64:
            _check_one(Image(value.proto.data.image), argument)
    elif isinstance(value, list | tuple):
        for item in value:
            check(item, argument)
    elif isinstance(value, NamedFields):
        check(list(vars(value).values()), argument)


def _check_one(image: Image, argument: str) -> None:
    if not image.bytes:
        raise InputError(f'argument "{argument}" is an empty picture', argument=argument)
    with named(argument), importlib.import_module("PIL.Image").open(io.BytesIO(image.bytes)) as opened:
        width, height = opened.size
    if width * height > MAX_PIXELS:
        raise InputError(
            f'argument "{argument}" is too large a picture: {width} x {height}; '
            f"at most {MAX_PIXELS:,} pixels are decoded",
            argument=argument,
        )


def load(value: Any) -> None:
    """Decode every PIL picture in a value now, so that a truncated one fails here."""
    if is_pillow(value):
        value.load()
    elif isinstance(value, list):
        for item in value:
            load(item)
