"""How much of one output a run keeps as events: what is larger is kept as a file, or cut, and says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from clarifai_grpc.grpc.api.resources_pb2 import ModelTypeField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playground.protocol.plain import Keep

Types = ModelTypeField.DataType
JSON, TEXT = "application/json", "text/plain"
MAX_ITEMS = 50_000
_SMALL = 2000
# Items of these are a word or a number: as many as the text of a run may be long.
_WORDS = frozenset({Types.STR, Types.INT, Types.FLOAT, Types.BOOL, Types.JSON_DATA, Types.TEXT})


class Cut(NamedTuple):
    """A value with its longest lists shortened, and how many items were in the list that lost some; 0 for none."""

    value: Any
    had: int = 0


def shorten(value: Any, field: ModelTypeField) -> Cut:
    """The value with at most MAX_ITEMS regions, pictures or the like in each list that the signature declares."""
    if field.type == Types.LIST and field.type_args[0].type not in _WORDS and isinstance(value, list):
        cuts = [shorten(item, field.type_args[0]) for item in value[:MAX_ITEMS]]
        return Cut([cut.value for cut in cuts], _had(cuts) or (len(value) if len(value) > MAX_ITEMS else 0))
    if field.type == Types.TUPLE and isinstance(value, tuple):
        cuts = [shorten(item, inner) for item, inner in zip(value, field.type_args, strict=True)]
        return Cut(tuple(cut.value for cut in cuts), _had(cuts))
    if field.type == Types.NAMED_FIELDS:
        had = 0
        for inner in field.type_args:
            cut = shorten(value[inner.name], inner)
            value[inner.name], had = cut.value, max(had, cut.had)
        return Cut(value, had)
    return Cut(value)


def _had(cuts: Sequence[Cut]) -> int:
    return max((cut.had for cut in cuts), default=0)


def is_small(value: Any) -> bool:
    """Whether a light value is quick to write as JSON; found out without walking a large one to its end."""
    waiting, room = [value], _SMALL
    while waiting and room > 0:
        item = waiting.pop()
        room -= 1
        if isinstance(item, str):
            room -= len(item) // 64
        elif isinstance(item, dict | list | tuple):
            room -= len(item)
            if room > 0:
                waiting.extend(item.values() if isinstance(item, dict) else item)
    return room > 0


def within(plain: Any, room: int, keep: Keep) -> Any:
    """The plain value where it fits into so many bytes of an event; else the file that it is kept in."""
    is_text = isinstance(plain, dict) and plain.keys() == {"text"}
    content = plain["text"].encode("utf-8", "replace") if is_text else _as_json(plain)
    if len(content) <= room:
        return plain
    kind = TEXT if is_text else JSON
    return {"oversize": {"media": keep(content, kind), "content_type": kind, "size": len(content)}}


def _as_json(plain: Any) -> bytes:
    try:
        return orjson.dumps(plain)
    except TypeError:  # numbers past 64 bits, see ``events.encode``
        return json.dumps(plain, ensure_ascii=False).encode("utf-8", "replace")
