"""What some bytes are, told by the bytes alone: never by a name, never by what the sender says.

Pictures are also opened and decoded once, within the limits of the settings, so that nothing broken is stored.
"""

from __future__ import annotations

import codecs
import io
import struct
import threading
import warnings
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from PIL import Image, UnidentifiedImageError

from playground.protocol.errors import InputError

if TYPE_CHECKING:
    from typing import BinaryIO

OCTETS = "application/octet-stream"
TEXT = "text/plain"
NPY = "application/x-npy"

# Pillow's name of a format → content type: the only formats that Pillow is let open.
PICTURES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}
# (offset, bytes there, content type), the first that fits.
_MAGIC = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"\x93NUMPY", NPY),
    (0, b"%PDF-", "application/pdf"),
)
# What files that begin as films do are after all, by their brand: still pictures that nothing here opens.
_STILLS = {
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "image/heic"),
    **dict.fromkeys((b"mif1", b"msf1"), "image/heif"),
}
# What a browser may show in place. No SVG, no HTML: a stored file never runs in our origin.
SHOWN_INLINE = frozenset(
    {
        *PICTURES.values(),
        "audio/wav",
        "audio/mpeg",
        "audio/flac",
        "audio/ogg",
        "audio/mp4",
        "video/mp4",
        "video/quicktime",
        "video/webm",
    }
)
# What Pillow's decoders raise for broken files, beside its own errors.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    MemoryError,
    OverflowError,
    struct.error,
    zlib.error,
)
_ORIENTATION = 0x0112  # the EXIF tag; from 5 on, width and height change places
_decoding = threading.BoundedSemaphore(2)  # a picture at the limit takes 340 MB while it is open
_HEAD = 64
_NONE = "This is no picture."
_SLICE = 2**20


@dataclass(frozen=True)
class Kind:
    """What a file is; width and height are those of a picture as it is shown (its orientation applied)."""

    content_type: str
    width: int | None = None
    height: int | None = None


def is_opened(content_type: str) -> bool:
    """Whether pictures of this kind can be opened here at all."""
    return content_type in PICTURES.values()


def recognise(file: BinaryIO) -> Kind:
    """What the file is. Raises InputError for a picture that is broken, too large, or a decompression bomb."""
    content_type = sniff(file)
    return verify_image(file, said=content_type) if content_type.startswith("image/") else Kind(content_type)


def sniff(file: BinaryIO) -> str:
    """What the file says it is by its bytes; nothing of it is decoded but text."""
    file.seek(0)
    content_type = _by_magic(file.read(_HEAD))
    return TEXT if content_type == OCTETS and _is_text(file) else content_type


def _by_magic(head: bytes) -> str:
    for offset, magic, content_type in _MAGIC:
        if head[offset:].startswith(magic) and (offset == 0 or head.startswith(b"RIFF")):
            # "BM" alone also begins words: a bitmap's header has four zero bytes at 6.
            if magic == b"BM" and head[6:10] != bytes(4):
                continue
            return content_type
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        known = {b"M4A ": "audio/mp4", b"qt  ": "video/quicktime", **_STILLS}
        return known.get(brand, "video/mp4")
    # A bare MPEG frame of layer III: eleven bits of sync, a bit rate and a sample rate that exist.
    if (
        len(head) > 3
        and head[0] == 0xFF
        and head[1] & 0xE6 == 0xE2
        and head[2] >> 4 not in {0, 15}
        and head[2] & 12 != 12
    ):
        return "audio/mpeg"
    return OCTETS


def _is_text(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    try:
        while piece := file.read(_SLICE):
            if b"\0" in piece:
                return False
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def verify_image(file: BinaryIO | bytes, *, said: str = "") -> Kind:
    """Open and decode a picture completely. Raises InputError in words for what is none, cut off or too large."""
    stream = io.BytesIO(file) if isinstance(file, bytes) else file
    stream.seek(0, io.SEEK_END)
    if (size := stream.tell()) > settings.MAX_IMAGE_BYTES:
        limit = settings.MAX_IMAGE_BYTES
        raise InputError(f"The picture is too large: it may have at most {sizes(limit, size)}.")
    stream.seek(0)
    with _decoding, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about size and odd metadata; we measure and decode ourselves
        return _decode(stream, said)


def _decode(stream: BinaryIO, said: str) -> Kind:
    try:
        with Image.open(stream, formats=tuple(PICTURES)) as picture:
            width, height = picture.size
            _check_pixels(width, height, getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1)
            content_type = PICTURES[picture.format or ""]
            is_turned = picture.getexif().get(_ORIENTATION, 1) >= 5
            picture.load()
    except Image.DecompressionBombError:
        raise InputError(_bomb_words()) from None
    except UnidentifiedImageError:
        if said in _STILLS.values():
            words = f"The picture looks like {said}, which cannot be opened here."
        else:
            words = f"The picture is damaged: it begins like {said}, but cannot be read." if said else _NONE
        raise InputError(f"{words} Pictures may be JPEG, PNG, GIF, WebP, BMP or TIFF.") from None
    except InputError:
        raise
    except _BROKEN:
        raise InputError("The picture is damaged or cut off: it cannot be decoded to its end.") from None
    return Kind(content_type, *((height, width) if is_turned else (width, height)))


def _check_pixels(width: int, height: int, pages: int) -> None:
    if width * height > settings.MAX_IMAGE_PIXELS:
        raise InputError(f"{_bomb_words()} This one says {width:,} by {height:,}.")
    if pages > 1000:
        raise InputError("The picture has more than 1,000 pages.")


def _bomb_words() -> str:
    return f"The picture has too many pixels: at most {settings.MAX_IMAGE_PIXELS // 10**6} million are allowed."


def megabytes(size: int) -> str:
    """A size as people read it: ``20 MB``."""
    return f"{size / 2**20:.1f} MB" if size < 10 * 2**20 else f"{round(size / 2**20):,} MB"


def sizes(limit: int, size: int) -> str:
    """What may be, and what is more than that: ``20 MB; this one has 31 MB``, to the byte where both read alike."""
    most, found = megabytes(limit), megabytes(size)
    return f"{limit:,} bytes; this one has {size:,}" if most == found else f"{most}; this one has {found}"
