"""Values as a terminal has them: typed in (or given in ``inference_params``) by a field's type, and shown as lines."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playground.protocol.errors import InputError
from playground.protocol.fields import Field, Types
from playground.protocol.values import Audio, Concept, Frame, Image, NamedFields, Region, Text, Video, _numpy

_NPY = b"\x93NUMPY"
MEDIA = {Types.IMAGE: Image, Types.AUDIO: Audio, Types.VIDEO: Video}
_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


def parse_value(field: Field, text: str) -> Any:
    """The value that ``text`` stands for: ``@path`` is a file's content, ``@@`` begins a text with one such sign.

    Raises InputError naming the field.
    """
    if text.startswith("@") and field.type != Types.JSON_DATA and not text.startswith("@@"):
        return _from_file(field, text[1:])
    return _parse_words(field, text[1:] if text.startswith("@@") else text)


def _parse_words(field: Field, text: str) -> Any:
    try:
        return _parse(field, text)
    except ValueError:
        raise InputError(f"{field.name}={text!r} does not read as {_NAMES.get(field.type, 'such a value')}.") from None


def parse_content(field: Field, content: bytes) -> Any:
    """The value that a file's content is."""
    if field.type in MEDIA:
        return MEDIA[field.type](bytes=content)
    if field.type == Types.BYTES:
        return content
    if field.type == Types.NDARRAY and content.startswith(_NPY):
        return _load_array(field, content)
    try:
        return _parse_words(field, content.decode())
    except UnicodeDecodeError:
        raise InputError(f"{field.name} takes text, and the file holds none.") from None


def _load_array(field: Field, content: bytes) -> Any:
    try:
        return _numpy().load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"{field.name}: the file is no array: {error}.") from None


def _from_file(field: Field, path: str) -> Any:
    try:
        content = Path(path).expanduser().read_bytes()
    except OSError as error:
        raise InputError(f"{field.name}: cannot read {path}: {error.strerror}.") from None
    return parse_content(field, content)


def _parse(field: Field, text: str) -> Any:
    kind = field.type
    if kind == Types.STR:
        return text
    if kind == Types.TEXT:
        return Text("", url=text) if text.startswith(("http://", "https://")) else Text(text)
    if kind in MEDIA:
        return MEDIA[kind](url=_url(text))
    if kind == Types.CONCEPT:
        return Concept(text)
    if kind == Types.BYTES:
        return text.encode()
    if kind == Types.BOOL:
        return _bool(text)
    if kind in (Types.INT, Types.FLOAT):
        return int(text) if kind == Types.INT else float(text)
    return _structured(field, text)


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise InputError(f"{text!r} is neither an http address nor a file: write @{text} for a file.")
    return text


def _bool(text: str) -> bool:
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ValueError(text)


def _structured(field: Field, text: str) -> Any:
    if field.type == Types.LIST and not text.lstrip().startswith("["):
        return [_parse(field.type_args[0], part.strip()) for part in text.split(",")]
    value = json.loads(Path(text[1:]).read_text() if text.startswith("@") else text)
    return tuple(value) if field.type == Types.TUPLE and isinstance(value, list) else value


_NAMES = {
    Types.INT: "a whole number",
    Types.FLOAT: "a number",
    Types.BOOL: "true or false",
    Types.JSON_DATA: "JSON",
    Types.LIST: "a JSON list",
    Types.TUPLE: "a JSON list",
    Types.NAMED_FIELDS: "a JSON object",
}


# --- answers as lines ----------------------------------------------------------------------------------------------


Keep = Callable[[bytes, str], str]


def show(value: Any, keep: Keep) -> str:
    """A value as a person reads it in a terminal; ``keep(content, kind)`` stores bytes and gives their name."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(one, Concept) for one in value):
        return "\n".join(show(one, keep) for one in sorted(value, key=lambda one: -one.value))
    if isinstance(value, (list, tuple)) and any(isinstance(one, _DRAWN) for one in value):
        return "\n".join(show(one, keep) for one in value)
    if isinstance(value, NamedFields):
        return "\n".join(f"{name}: {show(one, keep)}" for name, one in value.items())
    for kind, draw in _DRAWINGS.items():
        if isinstance(value, kind):
            return draw(value, keep)
    if hasattr(value, "dtype"):
        return f"array of shape {value.shape}, {value.dtype}\n{value}"
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def _show_text(text: Text, keep: Keep) -> str:
    return text.text or text.url or ""


def _show_bytes(content: bytes, keep: Keep) -> str:
    return keep(content, "bytes")


def _show_media(media: Any, keep: Keep) -> str:
    return keep(media.bytes, type(media).__name__.lower()) if media.bytes else media.url or ""


def _show_concept(concept: Concept, keep: Keep) -> str:
    return f"{concept.value:6.1%}  {concept.name}"


def _show_region(region: Region, keep: Keep) -> str:
    parts = []
    if region.has_box:
        left, top, right, bottom = region.box
        parts.append(f"box {left:.3f} {top:.3f} to {right:.3f} {bottom:.3f}")
    if region.has_point:
        parts.append("point " + " ".join(f"{number:.3f}" for number in region.point))
    if region.has_mask:
        parts.append(f"mask {_show_media(region.mask, keep)}")
    named = ", ".join(f"{one.name} {one.value:.1%}" for one in region.concepts)
    track = f"track {region.track_id}" if region.track_id else ""
    return "  ".join(part for part in [named, region.text, track, *parts] if part) or "an empty region"


def _show_frame(frame: Frame, keep: Keep) -> str:
    head = f"frame {frame.index} at {frame.time:.2f} s"
    image = [f"  {_show_media(frame.image, keep)}"] if frame.has_image else []
    return "\n".join([head, *image, *(f"  {_show_region(region, keep)}" for region in frame.regions)])


_DRAWINGS: dict[type, Callable[[Any, Keep], str]] = {
    Text: _show_text,
    bytes: _show_bytes,
    Image: _show_media,
    Audio: _show_media,
    Video: _show_media,
    Concept: _show_concept,
    Region: _show_region,
    Frame: _show_frame,
}
_DRAWN = (*_DRAWINGS, NamedFields)
