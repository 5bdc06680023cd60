"""The parts of a form's compound fields: what a concept, region or frame, a tuple, list or record is asked by.

A part is described as an argument is, by a ``ModelTypeField``; for the three messages these are written here once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from clarifai_grpc.grpc.api import resources_pb2

Field: TypeAlias = resources_pb2.ModelTypeField
Types = resources_pb2.ModelTypeField.DataType


@dataclass(frozen=True)
class Part:
    """One part: ``labels`` name a fixed row of numbers; ``is_folded`` ones stand behind a fold."""

    signature: Field
    label: str
    is_own: bool = False  # written here: with a default of its own, and on one line
    labels: tuple[str, ...] = ()
    is_folded: bool = False


def _part(
    name: str, kind: int, default: str | None = "", *, labels: tuple[str, ...] = (), of: int = 0, folded: bool = False
) -> Part:
    inner = [resources_pb2.ModelTypeField(name=f"{name}_item", type=of)] if of else []
    inner += [resources_pb2.ModelTypeField(name=label, type=Types.FLOAT) for label in labels]
    field = resources_pb2.ModelTypeField(
        name=name, type=kind, required=default is None, default=default or "", type_args=inner
    )
    return Part(field, name, True, labels, folded)


_MESSAGES: dict[int, tuple[Part, ...]] = {
    Types.CONCEPT: (
        _part("name", Types.STR, None),
        _part("value", Types.FLOAT, "1"),
        _part("id", Types.STR, folded=True),
    ),
    Types.REGION: (
        _part("box", Types.TUPLE, "null", labels=("left", "top", "right", "bottom")),
        _part("concepts", Types.LIST, "[]", of=Types.CONCEPT),
        _part("point", Types.TUPLE, "null", labels=("x", "y", "z"), folded=True),
        _part("mask", Types.IMAGE, "null", folded=True),
        _part("text", Types.STR, folded=True),
        _part("track_id", Types.STR, folded=True),
        _part("id", Types.STR, folded=True),
    ),
    Types.FRAME: (
        _part("image", Types.IMAGE, "null"),
        _part("regions", Types.LIST, "[]", of=Types.REGION),
        _part("time", Types.FLOAT, "null", folded=True),
        _part("index", Types.INT, "null", folded=True),
    ),
}


def parts_of(field: Field) -> tuple[Part, ...]:
    """The parts of a record, a tuple or a message, in order; of a list, its one kind of item."""
    if field.type in _MESSAGES:
        return _MESSAGES[field.type]
    if field.type == Types.NAMED_FIELDS:
        return tuple(Part(inner, inner.name) for inner in field.type_args)
    if field.type in (Types.TUPLE, Types.LIST):
        return tuple(Part(inner, str(position)) for position, inner in enumerate(field.type_args))
    return ()
