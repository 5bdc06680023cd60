"""What given bytes are, and what is in them: outside any transaction, and outside the server's own process."""

from __future__ import annotations

import codecs
import contextlib
import io
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.conf import settings

from inputs import pictures
from inputs.models import Kind
from inputs.pictures import Seen
from inputs.search import MAX_TEXT
from inputs.services.given import Given
from playground.media import blobs
from playground.media.kinds import OCTETS, TEXT, is_opened, sizes, sniff
from playground.media.services import plain_name
from playground.protocol.errors import ConflictError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

EXCERPT = 400
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ACCENTED = bytes(range(0x80, 0x100)).translate(None, bytes(range(0x82, 0x9A)) + b"\x80\xa0\xa3\xab\xb0\xb5\xbb")
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
_WORDS = {Kind.IMAGE: "picture", Kind.VIDEO: "film", Kind.AUDIO: "sound", Kind.TEXT: "text"}


@dataclass(frozen=True, slots=True)
class Looked:
    """What is to be stored, where it lies for now, and all that was found out about it."""

    kind: Kind
    content_type: str
    sha256: str
    size: int
    path: Path
    name: str
    seen: Seen
    text: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@contextlib.contextmanager
def looked_into(given: Given) -> Iterator[Looked]:
    """Look into what is given, its bytes at hand as a file meanwhile. Raises InputError for what is refused."""
    name = plain_name(given.name or _own_name(given)).strip()
    with _at_hand(given) as path:
        try:
            looked = _look(path, name)
        except InputError as error:
            raise _named(error, name) from None
        try:
            yield looked
        finally:
            if looked.path != path:
                looked.path.unlink(missing_ok=True)


def _named(error: InputError, name: str) -> InputError:
    """With the file's name in its words: of a hundred that were dropped, which?"""
    if not name or name in error.message:
        return error
    return InputError(f"{name}: {error.message[:1].lower()}{error.message[1:]}", code=error.code)


def _own_name(given: Given) -> str:
    if given.upload is not None:
        return given.upload.name
    return given.reference.name if given.reference is not None else ""


@contextlib.contextmanager
def _at_hand(given: Given) -> Iterator[Path]:
    if given.reference is not None:
        with blobs.on_this_machine(given.reference.blob_id) as path:
            yield path
    elif given.upload is not None:
        if given.upload.received != given.upload.size:
            raise ConflictError(f"{given.upload.received} of {given.upload.size} bytes have arrived so far.")
        yield blobs.upload_path(given.upload.pk)
    else:
        words = given.text.replace("\0", "").encode(errors="replace") if given.text is not None else b""
        with _copied(words or given.data or b"") as path:
            yield path


@contextlib.contextmanager
def _copied(data: bytes | BinaryIO) -> Iterator[Path]:
    path = new_file()
    try:
        with path.open("xb") as copy:
            if isinstance(data, bytes):
                copy.write(data)
            else:
                data.seek(0)
                shutil.copyfileobj(data, copy, blobs.PIECE)
        yield path
    finally:
        path.unlink(missing_ok=True)


def new_file() -> Path:
    """A file of one's own where uploads gather; the sweep of media takes it away should we not."""
    path = blobs.upload_path(f"{secrets.token_hex(8)}.given")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def _look(path: Path, name: str) -> Looked:
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        if not size:
            raise InputError(f"{name or 'The file'} is empty.", code=StatusCode.INPUT_INVALID_ARGUMENT)
        content_type = sniff(file)
        kind = _kind_of(content_type)
        if kind is None or kind is Kind.TEXT:
            return _look_at_text(file, path, size, name, content_type)
        check_size(kind, size)
        if kind is Kind.IMAGE and not is_opened(content_type):
            words = f"{name or 'The picture'} looks like {content_type}, which cannot be opened here."
            raise InputError(f"{words} Save it as JPEG or PNG, and add that.", code=StatusCode.INPUT_UNSUPPORTED_FORMAT)
        sha256, _ = blobs.digest(file)
    seen = pictures.look_into(path, content_type)
    if seen.is_sound:
        kind, content_type = Kind.AUDIO, content_type.replace("video/", "audio/")
        check_size(kind, size)
    return Looked(kind, content_type, sha256, size, path, name, seen, facts=seen.facts)


def _kind_of(content_type: str) -> Kind | None:
    prefix = content_type.partition("/")[0]
    return Kind(prefix) if prefix in Kind.values else None


def check_size(kind: Kind, size: int) -> None:
    """Raises InputError for what is larger than an input of its kind may be."""
    limit = limit_of(kind)
    if size > limit:
        words = f"A {_WORDS[kind]} may have at most {sizes(limit, size)}. Make it smaller, and add that."
        raise InputError(words, code=StatusCode.INPUT_OVER_LIMIT)


def limit_of(kind: Kind) -> int:
    """How many bytes an input of this kind may have."""
    limits: dict[Kind, int] = {
        Kind.IMAGE: settings.MAX_IMAGE_BYTES,
        Kind.VIDEO: settings.MAX_INPUT_VIDEO_BYTES,
        Kind.AUDIO: settings.MAX_INPUT_AUDIO_BYTES,
        Kind.TEXT: settings.MAX_INPUT_TEXT_BYTES,
    }
    return limits[kind]


def _look_at_text(file: BinaryIO, path: Path, size: int, name: str, content_type: str) -> Looked:
    """A text, kept as UTF-8 whatever it came in: whoever reads it later need not guess again."""
    file.seek(0)
    head = file.read(4)
    marked = next((encoding for mark, encoding in _BOMS if head.startswith(mark)), "")
    is_large = size > settings.MAX_INPUT_TEXT_BYTES
    if content_type not in {TEXT, OCTETS} or (content_type == OCTETS and is_large):
        raise _unsupported(name, content_type)
    check_size(Kind.TEXT, size)
    file.seek(0)
    content = file.read()
    encoding, text = _decoded(content, marked, name, is_utf8=content_type == TEXT)
    kept = text.encode()
    if not kept:
        raise InputError(
            f"{name or 'The text'} is empty but for the mark of its encoding.", code=StatusCode.INPUT_INVALID_ARGUMENT
        )
    if kept != content:
        path = new_file()
        path.write_bytes(kept)
    sha256, size = blobs.digest(io.BytesIO(kept))
    facts: dict[str, Any] = {"characters": len(text), "excerpt": " ".join(text[: EXCERPT * 2].split())[:EXCERPT]}
    facts |= {"encoding": encoding} if encoding != "utf-8" else {}
    return Looked(Kind.TEXT, TEXT, sha256, size, path, name, Seen(), text=text[:MAX_TEXT], facts=facts)


def _decoded(content: bytes, marked: str, name: str, *, is_utf8: bool) -> tuple[str, str]:
    """Which encoding the bytes are in, and the text; the last resort is the West's old one, and is only guessed."""
    known = marked or ("utf-8" if is_utf8 else _wide(content))
    for encoding in filter(None, (known, "" if marked else "windows-1252")):
        if encoding == "windows-1252" and not _is_western(content):
            break
        with contextlib.suppress(UnicodeError):
            return encoding.removesuffix("-sig"), content.decode(encoding)
    raise _unsupported(name, OCTETS)


def _is_western(content: bytes) -> bool:
    """Whether windows-1252 is a fair guess: among its letters few have accents. Other alphabets' old encodings have
    hardly a letter without that bit, and would be kept as nonsense."""
    if content.translate(None, _CONTROLS) != content:
        return False
    accented, plain = (len(content) - len(content.translate(None, letters)) for letters in (_ACCENTED, _PLAIN))
    return accented < 4 or accented < plain


def _wide(content: bytes) -> str:
    """UTF-16 without its mark: many high bytes are zero and hardly any low ones, and no character is a control."""
    half, odd = divmod(len(content), 2)
    for encoding, high, low in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        zeros = content[high::2].count(0)
        if not half or odd or zeros <= half // 3 or content[low::2].count(0) > zeros // 8:
            continue
        with contextlib.suppress(UnicodeError):
            if not any(letter < " " and letter not in "\t\n\r\f" for letter in content.decode(encoding)):
                return encoding
    return ""


def _unsupported(name: str, content_type: str) -> InputError:
    looks = "" if content_type == OCTETS else f": its bytes look like {content_type}"
    words = f"{name or 'The file'} is no picture, film, sound or text that can be read here{looks}."
    words += " Save it as JPEG or PNG, MP4 or WebM, WAV or MP3, or as text in UTF-8, and add that."
    return InputError(words, code=StatusCode.INPUT_UNSUPPORTED_FORMAT)
