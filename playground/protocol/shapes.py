"""The type of an output as a small tree, for what draws it without knowing signatures: a page's modules."""

from __future__ import annotations

from typing import Any

from playground.protocol.fields import Field, Types

TYPE_NAMES: dict[int, str] = {value: name.lower() for name, value in Types.items()}


def shape_of(field: Field) -> dict[str, Any]:
    """{type, of: [...], name}."""
    shape: dict[str, Any] = {"type": TYPE_NAMES.get(field.type, "json_data"), "name": field.name}
    if field.type_args:
        shape["of"] = [shape_of(inner) for inner in field.type_args]
    return shape
