"""Values as plain JSON, for pages and the events of runs: what a browser can hold, with bytes kept elsewhere.

Text, numbers, booleans and JSON are themselves; everything else is an object with one telling key, such as
``{"concept": {...}}`` or ``{"media": id, "content_type": ...}``. Numbers that a browser would get wrong (not finite,
or integers past 2^53) travel as ``{"number": "nan"}``, inside JSON too.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from playground.protocol.arrays import picture_of, statistics_of
from playground.protocol.fields import MISSING, Field, Misfit, Types, fields_of, rules_of
from playground.protocol.values import (
    Audio,
    Concept,
    Frame,
    Image,
    NamedFields,
    Region,
    Text,
    Video,
    _numpy,
)

Keep: TypeAlias = Callable[[bytes, str], str]
Fetch: TypeAlias = Callable[[str], bytes]
Media: TypeAlias = Image | Audio | Video
AnyMedia = TypeVar("AnyMedia", Image, Audio, Video)

NPY = "application/x-npy"
BINARY = "application/octet-stream"
_EXACT = 2**53


def to_plain(value: Any, field: Field, keep: Keep) -> Any:
    """A value as plain JSON; ``keep(content, content_type)`` stores bytes and gives the id to name them by."""
    return None if value is None else _WRITERS[field.type](value, field, keep)


def from_plain(plain: Any, field: Field, fetch: Fetch) -> Any:
    """The value that ``to_plain`` or a form made plain; ``fetch(id)`` gives stored bytes. Raises InputError."""
    rules = rules_of(field)
    try:
        if plain is None and rules.is_nullable:
            return None
        return rules.check(_READERS[field.type](plain, field, fetch))
    except Misfit as error:
        raise error.as_input_error(field.name) from None


def content_type_of(content: bytes) -> str:
    """The kind of some bytes by how they begin."""
    for offset, mark, kind in _MARKS:
        if content[offset : offset + len(mark)] == mark:
            return kind
    if content[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}.get(content[8:12], BINARY)
    if content[4:8] == b"ftyp":
        brands = {b"avif": "image/avif", b"heic": "image/heic", b"M4A ": "audio/mp4", b"qt  ": "video/quicktime"}
        return brands.get(content[8:12], "video/mp4")
    return BINARY


_MARKS = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"\x93NUMPY", NPY),
)


# -- writing ---------------------------------------------------------------------------------------------------------


def _itself(value: Any, field: Field, keep: Keep) -> Any:
    return value


def number_to_plain(value: Any, field: Field | None = None, keep: Keep | None = None) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": str(value)}
    if isinstance(value, int) and not -_EXACT <= value <= _EXACT:
        return {"number": str(value)}
    return value


def json_to_plain(value: Any, field: Field | None = None, keep: Keep | None = None) -> Any:
    if isinstance(value, dict):
        return {key: json_to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_to_plain(item) for item in value]
    return number_to_plain(value)


def _bytes(value: bytes, field: Field, keep: Keep) -> Any:
    return {"media": keep(value, BINARY), "content_type": BINARY}


def _text(value: Text, field: Field, keep: Keep) -> Any:
    return {"url": value.url} if value.url and not value.text else {"text": value.text}


def _media(value: Media, field: Field | None, keep: Keep) -> Any:
    if not value.bytes:
        return {"url": value.url}
    kind = content_type_of(value.bytes)
    return {"media": keep(value.bytes, kind), "content_type": kind}


def _concept_facts(concept: Concept) -> dict[str, Any]:
    return {"id": concept.id, "name": concept.name, "value": number_to_plain(float(concept.value))}


def _concept(value: Concept, field: Field, keep: Keep) -> Any:
    return {"concept": _concept_facts(value)}


def _region(value: Region, field: Field | None, keep: Keep) -> Any:
    corners = [[number_to_plain(axis) for axis in corner] for corner in value.polygon]
    return {
        "region": {
            "id": value.id,
            "box": [number_to_plain(edge) for edge in value.box] if value.has_box else None,
            "point": [number_to_plain(axis) for axis in value.point] if value.has_point else None,
            "mask": _media(value.mask, None, keep) if value.has_mask else None,
            "concepts": [_concept_facts(concept) for concept in value.concepts],
            "text": value.text,
            "track_id": value.track_id,
        }
        | ({"polygon": corners} if corners else {})
    }


def _frame(value: Frame, field: Field, keep: Keep) -> Any:
    return {
        "frame": {
            "image": _media(value.image, None, keep) if value.has_image else None,
            "regions": [_region(region, None, keep) for region in value.regions],
            "time": value.time,
            "index": value.index,
        }
    }


def _array(value: Any, field: Field, keep: Keep) -> Any:
    file = io.BytesIO()
    _numpy().save(file, value, allow_pickle=False)
    facts = {"shape": list(value.shape), "dtype": str(value.dtype), "media": keep(file.getvalue(), NPY)}
    figures = statistics_of(value)
    picture = picture_of(value, figures["min"], figures["max"])
    plain_figures = {name: number_to_plain(figure) for name, figure in figures.items()}
    return {"ndarray": facts | plain_figures | ({"picture": picture} if picture else {})}


def _list(value: list[Any], field: Field, keep: Keep) -> Any:
    return [to_plain(item, field.type_args[0], keep) for item in value]


def _tuple(value: tuple[Any, ...], field: Field, keep: Keep) -> Any:
    return {"tuple": [to_plain(item, inner, keep) for item, inner in zip(value, field.type_args, strict=True)]}


def _fields(value: Any, field: Field, keep: Keep) -> Any:
    given = fields_of(value)
    return {"fields": {inner.name: to_plain(given[inner.name], inner, keep) for inner in field.type_args}}


_WRITERS: dict[int, Callable[[Any, Field, Keep], Any]] = {
    Types.STR: _itself,
    Types.BYTES: _bytes,
    Types.INT: number_to_plain,
    Types.FLOAT: number_to_plain,
    Types.BOOL: _itself,
    Types.NDARRAY: _array,
    Types.JSON_DATA: json_to_plain,
    Types.TEXT: _text,
    Types.IMAGE: _media,
    Types.AUDIO: _media,
    Types.VIDEO: _media,
    Types.CONCEPT: _concept,
    Types.REGION: _region,
    Types.FRAME: _frame,
    Types.LIST: _list,
    Types.TUPLE: _tuple,
    Types.NAMED_FIELDS: _fields,
}


# -- reading ---------------------------------------------------------------------------------------------------------


def _inside(plain: Any, key: str) -> Any:
    if not isinstance(plain, dict) or key not in plain:
        raise Misfit(f'must be an object with "{key}"')
    return plain[key]


def _read_itself(plain: Any, field: Field, fetch: Fetch) -> Any:
    return plain


def _read_float(plain: Any, field: Field | None = None, fetch: Fetch | None = None) -> Any:
    if not isinstance(plain, dict):
        return plain
    try:
        return float(_inside(plain, "number"))
    except (TypeError, ValueError):
        raise Misfit("must be a number") from None


def _read_int(plain: Any, field: Field, fetch: Fetch) -> Any:
    if isinstance(plain, float) and plain.is_integer():
        return int(plain)  # a browser knows one kind of number
    if not isinstance(plain, dict):
        return plain
    try:
        return int(_inside(plain, "number"))
    except (TypeError, ValueError):
        raise Misfit("must be a whole number") from None


def json_from_plain(plain: Any, field: Field | None = None, fetch: Fetch | None = None) -> Any:
    if isinstance(plain, list):
        return [json_from_plain(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    if plain.keys() == {"number"} and isinstance(plain["number"], str):
        return _great_number(plain)
    return {key: json_from_plain(item) for key, item in plain.items()}


def _great_number(plain: dict[str, str]) -> Any:
    """The number, where ``number_to_plain`` would have written it so; else an object that merely looks like one."""
    try:
        number: int | float = int(plain["number"]) if plain["number"].lstrip("-").isdigit() else float(plain["number"])
    except ValueError:
        return plain
    return number if number_to_plain(number) == plain else plain


def _stored(plain: Any, fetch: Fetch) -> bytes:
    name = _inside(plain, "media")
    if not isinstance(name, str) or not name:
        raise Misfit('must name stored content in "media"')
    return fetch(name)


def _read_bytes(plain: Any, field: Field, fetch: Fetch) -> Any:
    return plain.encode() if isinstance(plain, str) else _stored(plain, fetch)


def _url(plain: dict[str, Any]) -> str:
    url = plain["url"]
    if not isinstance(url, str):
        raise Misfit('must have text in "url"')
    return url


def _read_text(plain: Any, field: Field, fetch: Fetch) -> Any:
    if isinstance(plain, dict) and "url" in plain:
        return Text("", _url(plain))
    text = plain if isinstance(plain, str) else _inside(plain, "text")
    if not isinstance(text, str):
        raise Misfit('must have text in "text"')
    return Text(text)


def _read_media(plain: Any, cls: type[AnyMedia], fetch: Fetch) -> AnyMedia:
    media = cls()
    if isinstance(plain, dict) and "url" in plain and "media" not in plain:
        media.url = _url(plain)
    else:
        media.bytes = _stored(plain, fetch)
    return media


def _make_concept(facts: Any) -> Concept:
    if not isinstance(facts, dict) or not isinstance(facts.get("name", ""), str):
        raise Misfit('must be an object with "name", "value" and "id"')
    value = _read_float(facts.get("value", 1.0))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Misfit('must have a number in "value"')
    return Concept(facts.get("name", ""), float(value), str(facts.get("id") or "") or None)


def _bare(concept: Any) -> Any:
    """A region's concept as outputs have it, or as a form writes it: like one that stands alone."""
    return concept["concept"] if isinstance(concept, dict) and concept.keys() == {"concept"} else concept


def _read_concept(plain: Any, field: Field, fetch: Fetch) -> Any:
    return _make_concept(_inside(plain, "concept"))


def _numbers(values: Any) -> list[float] | None:
    return None if values is None else [float(_read_float(value)) for value in values]


def _read_region(plain: Any, field: Field | None, fetch: Fetch) -> Any:
    facts = _inside(plain, "region")
    try:
        region = Region(
            box=_numbers(facts.get("box")),
            point=_numbers(facts.get("point")),
            mask=_read_media(facts["mask"], Image, fetch) if facts.get("mask") else None,
            concepts=[_make_concept(_bare(concept)) for concept in facts.get("concepts") or ()] or None,
            text=facts.get("text") or None,
            track_id=facts.get("track_id") or None,
            id=facts.get("id"),
        )
        if corners := facts.get("polygon"):
            region.polygon = [_numbers(corner) or () for corner in corners]
    except (AttributeError, TypeError, ValueError) as error:
        raise Misfit(f"is not a region: {error}") from None
    return region


def _read_frame(plain: Any, field: Field, fetch: Fetch) -> Any:
    facts = _inside(plain, "frame")
    try:
        return Frame(
            image=_read_media(facts["image"], Image, fetch) if facts.get("image") else None,
            regions=[_read_region(region, None, fetch) for region in facts.get("regions") or ()] or None,
            time=facts.get("time") or None,
            index=facts.get("index") or None,
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise Misfit(f"is not a frame: {error}") from None


def _read_array(plain: Any, field: Field, fetch: Fetch) -> Any:
    if isinstance(plain, list | int | float):
        return json_from_plain(plain)  # written out, as in a form
    facts = _inside(plain, "ndarray") if isinstance(plain, dict) and "media" not in plain else plain
    try:
        return _numpy().load(io.BytesIO(_stored(facts, fetch)), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise Misfit(f"is not an array: {error}") from None


def _read_items(plain: Any, inners: list[Field], fetch: Fetch) -> list[Any]:
    items = []
    for position, (item, inner) in enumerate(zip(plain, inners, strict=True)):
        try:
            items.append(_READERS[inner.type](item, inner, fetch))
        except Misfit as error:
            raise error.under(f"[{position}]") from None
    return items


def _read_list(plain: Any, field: Field, fetch: Fetch) -> Any:
    if not isinstance(plain, list):
        raise Misfit("must be a list")
    return _read_items(plain, [field.type_args[0]] * len(plain), fetch)


def _read_tuple(plain: Any, field: Field, fetch: Fetch) -> Any:
    items = plain if isinstance(plain, list) else _inside(plain, "tuple")
    if not isinstance(items, list) or len(items) != len(field.type_args):
        raise Misfit(f"must be a list of {len(field.type_args)}")
    return tuple(_read_items(items, list(field.type_args), fetch))


def _read_fields(plain: Any, field: Field, fetch: Fetch) -> Any:
    names = {inner.name: inner for inner in field.type_args}
    facts = plain.get("fields", plain) if isinstance(plain, dict) and plain.keys() != names.keys() else plain
    if not isinstance(facts, dict):
        raise Misfit('must be an object with "fields"')
    value = NamedFields()
    for name, item in facts.items():
        inner = names.get(name, MISSING)
        if inner is MISSING:
            raise Misfit(f"has no field {name!r}; its fields are {', '.join(names)}")
        try:
            value[name] = _READERS[inner.type](item, inner, fetch)
        except Misfit as error:
            raise error.under(f".{name}") from None
    return value


_READERS: dict[int, Callable[[Any, Field, Fetch], Any]] = {
    Types.STR: _read_itself,
    Types.BYTES: _read_bytes,
    Types.INT: _read_int,
    Types.FLOAT: _read_float,
    Types.BOOL: _read_itself,
    Types.NDARRAY: _read_array,
    Types.JSON_DATA: json_from_plain,
    Types.TEXT: _read_text,
    Types.IMAGE: lambda plain, field, fetch: _read_media(plain, Image, fetch),
    Types.AUDIO: lambda plain, field, fetch: _read_media(plain, Audio, fetch),
    Types.VIDEO: lambda plain, field, fetch: _read_media(plain, Video, fetch),
    Types.CONCEPT: _read_concept,
    Types.REGION: _read_region,
    Types.FRAME: _read_frame,
    Types.LIST: _read_list,
    Types.TUPLE: _read_tuple,
    Types.NAMED_FIELDS: _read_fields,
}
