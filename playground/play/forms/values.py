"""What a form's control holds: plain values as its text and back, and defaults as plain values.

``to_text`` puts a plain value into a control, ``to_plain`` reads it; ``static/js/state/values.js`` reads controls in
the page by the same rules.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol import plain, signatures
from playground.protocol.errors import InputError
from playground.protocol.signatures import MISSING

Field: TypeAlias = resources_pb2.ModelTypeField
Types = resources_pb2.ModelTypeField.DataType

KINDS: dict[int, str] = {
    Types.STR: "text",
    Types.TEXT: "text",
    Types.INT: "number",
    Types.FLOAT: "number",
    Types.BOOL: "switch",
    Types.JSON_DATA: "json",
    Types.NDARRAY: "array",
    Types.IMAGE: "image",
    Types.AUDIO: "audio",
    Types.VIDEO: "video",
    Types.BYTES: "file",
    Types.CONCEPT: "group",
    Types.REGION: "group",
    Types.FRAME: "group",
    Types.NAMED_FIELDS: "group",
    Types.TUPLE: "group",
    Types.LIST: "list",
}
_EXACT = 2**53


class _NoBytes(Exception):
    """A default with bytes in it: nothing that a page could hold."""


def _keep_none(content: bytes, content_type: str) -> str:
    raise _NoBytes


def plain_default(field: Field) -> Any:
    """A declared default in plain form; MISSING for none, and for bytes and what only the model itself can make."""
    default = signatures.default_of(field)
    if default is MISSING or default is None:
        return default
    if field.type == Types.NDARRAY:
        return default.tolist()
    try:
        return plain.to_plain(default, field, _keep_none)
    except _NoBytes:
        return MISSING


def to_text(field: Field, value: Any) -> str:
    """A plain value as the text of its control."""
    if value is None:
        return ""
    kind = KINDS.get(field.type)
    if kind == "text" and isinstance(value, dict):
        return str(value.get("text") or value.get("url") or "")
    if kind == "text":
        return str(value)
    if kind == "number":
        return number_text(value)
    if kind == "switch":
        return "true" if value else "false"
    if kind == "json":
        return json.dumps(plain.json_from_plain(value), ensure_ascii=False, indent=2)
    return json.dumps(value, ensure_ascii=False)


def to_plain(field: Field, text: str) -> Any:
    """The plain value of a control's text; MISSING for an empty one that may be left out. Raises InputError."""
    name, kind = field.name, KINDS.get(field.type)
    if kind == "text":
        if not text and not field.required:
            default = signatures.default_of(field)
            if default is MISSING or default is None:
                return MISSING
        return {"text": text} if field.type == Types.TEXT else text
    if not text.strip():
        if field.required:
            raise InputError(f'argument "{name}" is needed.')
        return MISSING
    if kind == "number":
        return _number(field, text.strip())
    if kind == "switch":
        return text == "true"
    try:
        read = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InputError(f'argument "{name}" is no JSON: {error.msg} in {where}.') from None
    return plain.json_to_plain(read) if kind == "json" else read


def _number(field: Field, text: str) -> Any:
    try:
        value = int(text) if field.type == Types.INT else float(text)
    except ValueError:
        wanted = "a whole number" if field.type == Types.INT else "a number"
        raise InputError(f'argument "{field.name}" must be {wanted}, not {text!r}.') from None
    return plain.number_to_plain(value)


def number_text(value: Any) -> str:
    """A number as a person would write it: ``3``, ``0.5``, ``nan``."""
    if isinstance(value, dict):
        return str(value.get("number", ""))
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT and str(value) != "-0.0":
        return str(int(value))
    return repr(value)
