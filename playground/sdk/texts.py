"""Values typed in a terminal (or in ``inference_params``), read as a signature's field says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playground.protocol.errors import InputError
from playground.protocol.fields import Field, Types
from playground.protocol.values import Audio, Concept, Image, Text, Video

MEDIA = {Types.IMAGE: Image, Types.AUDIO: Audio, Types.VIDEO: Video}
_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


def parse_value(field: Field, text: str) -> Any:
    """The value that ``text`` stands for: ``@path`` is a file's content; raises InputError naming the field."""
    if text.startswith("@") and field.type != Types.JSON_DATA:
        return _from_file(field, text[1:])
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
    try:
        return parse_value(field, content.decode())
    except UnicodeDecodeError:
        raise InputError(f"{field.name} takes text, and the file holds none.") from None


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
