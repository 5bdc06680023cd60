"""A Python annotation as the type of a signature's field, and back."""

from __future__ import annotations

import sys
import types
from collections import abc
from typing import Annotated, Any, get_args, get_origin

from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol.fields import MESSAGES, Field, Types
from playground.protocol.values import JSON, NamedFields, is_array_type, is_pillow_type

SUPPORTED = (
    "str, bytes, int, float, bool, dict, list, np.ndarray, PIL.Image.Image, Text, Image, Audio, Video, Concept, "
    "Region, Frame, JSON, List[T], Tuple[A, B], NamedFields(a=A, …) and, outermost, Iterator[T]"
)
_PLAIN: dict[Any, int] = {
    str: Types.STR,
    bytes: Types.BYTES,
    int: Types.INT,
    float: Types.FLOAT,
    bool: Types.BOOL,
    dict: Types.JSON_DATA,
    list: Types.JSON_DATA,
    JSON: Types.JSON_DATA,
    **{cls: kind for kind, cls in MESSAGES.items()},
}
_PYTHON: dict[int, Any] = {kind: cls for cls, kind in _PLAIN.items()} | {Types.JSON_DATA: dict | list}
_STREAMS = (
    abc.Iterator,
    abc.Iterable,
    abc.Generator,
    abc.AsyncIterator,
    abc.AsyncIterable,
    abc.AsyncGenerator,
)
_JSON_LEAVES = (str, int, float, bool, type(None), dict, list)


class UnsupportedError(TypeError):
    """This annotation has no place in a signature."""


def item_type(annotation: Any) -> tuple[Any, bool]:
    """The annotation without a stream around it, and whether there was one."""
    annotation = _unwrapped(annotation)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in _STREAMS and args:
        return args[0], True
    if origin in _STREAMS or any(annotation is stream for stream in _STREAMS):
        raise UnsupportedError("a stream must say of what, as in Iterator[str]")
    return annotation, False


def fill_type(field: Field, annotation: Any) -> None:
    """Write the annotation's type into the field; raises UnsupportedError."""
    annotation = _unwrapped(annotation)
    if is_array_type(annotation):
        field.type = Types.NDARRAY
    elif is_pillow_type(annotation):
        field.type = Types.IMAGE
    elif isinstance(annotation, type) and annotation in _PLAIN:
        field.type = _PLAIN[annotation]
    elif (fields := _named(annotation)) is not None:
        field.type = Types.NAMED_FIELDS
        for name, inner in fields.items():
            fill_type(field.type_args.add(name=name), inner)
    else:
        _fill_container(field, annotation)


def _fill_container(field: Field, annotation: Any) -> None:
    origin, args = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, tuple | list) and annotation:
        origin, args = tuple, tuple(annotation)
    if origin is list and args:
        field.type = Types.LIST
        fill_type(field.type_args.add(name=f"{field.name}_item"), args[0])
    elif origin is tuple and args and Ellipsis not in args and args != ((),):
        field.type = Types.TUPLE
        for inner in args:
            fill_type(field.type_args.add(name=f"{field.name}_item"), inner)
    elif origin in (dict, list) and all(_is_json(inner) for inner in args):
        field.type = Types.JSON_DATA
    else:
        raise UnsupportedError(_complaint(annotation))


def _unwrapped(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _named(annotation: Any) -> dict[str, Any] | None:
    if isinstance(annotation, type) and issubclass(annotation, NamedFields) and annotation is not NamedFields:
        return dict(annotation.__annotations__)
    if isinstance(annotation, NamedFields):
        return dict(vars(annotation)) or None
    return annotation if isinstance(annotation, dict) and annotation else None


def _is_json(annotation: Any) -> bool:
    if get_origin(annotation) in (tuple, list, dict):
        return all(_is_json(inner) for inner in get_args(annotation))
    return annotation in (*_JSON_LEAVES, tuple)


def _complaint(annotation: Any) -> str:
    if isinstance(annotation, types.ModuleType):
        return f"{annotation.__name__} is a module; PIL's class is PIL.Image.Image"
    if annotation is NamedFields:
        return "NamedFields must say which fields, as in NamedFields(a=int, b=str)"
    if get_origin(annotation) in _STREAMS:
        return f"{show(annotation)} must stand outermost"
    if annotation is tuple or get_origin(annotation) is tuple:
        return f"{show(annotation)} has no fixed length; Tuple[A, B] and List[T] have a type for each item"
    return f"{show(annotation)} is not supported"


def show(annotation: Any) -> str:
    """The annotation as its author would write it."""
    return annotation.__name__ if isinstance(annotation, type) and not get_args(annotation) else str(annotation)


def python_type(field: Field) -> Any:
    """The annotation that stands for a field, for signatures shown to people."""
    inner = _python_type(field)
    return types.GenericAlias(abc.Iterator, (inner,)) if field.iterator else inner


def _python_type(field: Field) -> Any:
    if field.type == Types.NDARRAY:
        numpy = sys.modules.get("numpy")
        return numpy.ndarray if numpy else "np.ndarray"
    inners = [_python_type(inner) for inner in field.type_args]
    if field.type == Types.LIST:
        return types.GenericAlias(list, tuple(inners))
    if field.type == Types.TUPLE:
        return types.GenericAlias(tuple, tuple(inners))
    if field.type == Types.NAMED_FIELDS:
        return NamedFields
    return _PYTHON.get(field.type, Any)


def new_field(name: str, annotation: Any) -> Field:
    """A field of this name and annotation; raises UnsupportedError."""
    inner, is_stream = item_type(annotation)
    field = resources_pb2.ModelTypeField(name=name, iterator=is_stream)
    fill_type(field, inner)
    return field
