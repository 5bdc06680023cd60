"""JSON in a protobuf Struct, which knows no integers, no order of keys, and no list on the outside.

The official encoding is a Struct, with a list wrapped as ``{"_list": [...]}``. What it cannot say exactly is said
once more as JSON text in the same message's ``string_value``, which official readers pass over and we prefer. From a
Struct alone, numbers without a fraction come back as ``int`` (``range(n)``, an index or ``json.dumps`` work as the
author of a model expects; arithmetic is the same), up to 2^53, where doubles stop being exact.
"""

from __future__ import annotations

import json
import math
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2
from google.protobuf import struct_pb2

LIST_KEY = "_list"
MAX_DEPTH = 28  # each level takes three of the hundred that protobuf parsers allow, and the request around it a few
_EXACT = 2**53


class NotJSONError(ValueError):
    """Something in the value has no form in JSON."""


def write(data: resources_pb2.Data, value: Any) -> None:
    """Put a dict, a list or None into a Data message; raises NotJSONError."""
    if value is None:
        return
    data.struct_value.SetInParent()
    root = data.struct_value
    if isinstance(value, dict):
        is_exact = _write_dict(root, value, 0) and value.keys() != {LIST_KEY}
    else:
        is_exact = _write_list(root.fields[LIST_KEY].list_value, value, 1)
    if not is_exact:
        data.string_value = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def read(data: resources_pb2.Data) -> Any:
    """The dict or list in a Data message, None without one; raises NotJSONError."""
    has_struct = data.HasField("struct_value")
    if data.string_value:
        try:
            return _loads(data.string_value)
        except (ValueError, RecursionError) as error:
            if not has_struct:
                raise NotJSONError(f"is not JSON: {error}") from None
    if not has_struct:
        return None
    fields = data.struct_value.fields
    if len(fields) == 1 and LIST_KEY in fields and fields[LIST_KEY].WhichOneof("kind") == "list_value":
        return [_read(item) for item in fields[LIST_KEY].list_value.values]
    return {key: _read(item) for key, item in fields.items()}


def write_struct(struct: struct_pb2.Struct, value: dict[str, Any]) -> None:
    """Put a dict into a Struct of its own, such as metadata; raises NotJSONError."""
    _write_dict(struct, value, 0)


def read_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The dict in a Struct, its whole numbers as ``int``."""
    return {key: _read(item) for key, item in struct.fields.items()}


def _loads(text: str) -> Any:
    value = json.loads(text)
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(value, 0):
        raise NotJSONError(f"it is nested more than {MAX_DEPTH} levels deep")
    return value


def _is_deep(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return False
    return depth > MAX_DEPTH or any(_is_deep(item, depth + 1) for item in value)


def _write_dict(struct: struct_pb2.Struct, value: dict[Any, Any], depth: int) -> bool:
    """Whether the Struct says it exactly: it does not keep the order of two or more keys."""
    is_exact = len(value) < 2
    fields = struct.fields
    for key, item in value.items():
        if type(key) is not str and not isinstance(key, str):
            raise NotJSONError(f"has a key that is not text: {key!r}")
        is_exact &= _write(fields[key], item, depth + 1)
    return is_exact


def _write_list(target: struct_pb2.ListValue, values: Any, depth: int) -> bool:
    is_exact = True
    target.SetInParent()
    add = target.values.add
    for item in values:
        is_exact &= _write(add(), item, depth + 1)
    return is_exact


def _write(target: struct_pb2.Value, value: Any, depth: int) -> bool:
    if isinstance(value, str):
        target.string_value = value
        return True
    if isinstance(value, bool):
        target.bool_value = value
        return True
    if isinstance(value, int):
        return _write_int(target, value)
    if isinstance(value, float):
        target.number_value = value
        return not value.is_integer() and math.isfinite(value)
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
        return True
    if depth > MAX_DEPTH:
        raise NotJSONError(f"is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        target.struct_value.SetInParent()
        return _write_dict(target.struct_value, value, depth)
    if isinstance(value, list | tuple):
        return _write_list(target.list_value, value, depth)
    return _write(target, _plain(value), depth + 1)


def _write_int(target: struct_pb2.Value, value: int) -> bool:
    try:
        target.number_value = value
    except (OverflowError, ValueError, TypeError):
        raise NotJSONError("has an integer that is too large") from None
    return -_EXACT <= value <= _EXACT


def _plain(value: Any) -> Any:
    """A numpy number or array, or our own JSON mark, as Python's own types."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "to_json") and hasattr(value, "value"):
        return value.value
    raise NotJSONError(f"holds {type(value).__name__}, which JSON has no form for")


def _read(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        return _number(value.number_value)
    if kind == "struct_value":
        return {key: _read(item) for key, item in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_read(item) for item in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


def _number(value: float) -> int | float:
    if value.is_integer() and -_EXACT <= value <= _EXACT and (value or math.copysign(1.0, value) > 0):
        return int(value)
    return value
