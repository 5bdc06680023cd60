"""Fields of any type, and for each field values that fit it."""

from __future__ import annotations

from typing import Any

import numpy as np
from clarifai_grpc.grpc.api import resources_pb2
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from playground.protocol.fields import Field, Types
from playground.protocol.values import Audio, Concept, Frame, Image, NamedFields, Region, Text, Video

text = st.text(st.characters(codec="utf-8"), max_size=20)
float32 = st.floats(width=32, allow_nan=False)
urls = st.sampled_from(["https://example.com/a.png", "http://example.com/b?c=1"])

json_leaves = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | text
)
json_values = st.recursive(
    json_leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=12
)
json_documents = st.lists(json_values, max_size=4) | st.dictionaries(text, json_values, max_size=4)

arrays = npst.arrays(
    dtype=st.sampled_from([np.uint8, np.int64, np.float16, np.float32, np.float64, np.complex64, np.bool_]),
    shape=npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
concepts = st.builds(Concept, name=text, value=float32, id=text.filter(bool))
images = st.builds(Image, bytes=st.binary(max_size=20)) | st.builds(Image, url=urls)
regions = st.builds(
    Region,
    box=st.none() | st.lists(float32, min_size=4, max_size=4),
    point=st.none() | st.lists(float32, min_size=3, max_size=3),
    mask=st.none() | st.builds(Image, bytes=st.binary(min_size=1, max_size=9)),
    concepts=st.none() | st.lists(concepts, min_size=1, max_size=2),
    text=st.none() | text.filter(bool),
    track_id=st.none() | text.filter(bool),
    id=text,
)
frames = st.builds(
    Frame,
    image=st.none() | images,
    regions=st.none() | st.lists(regions, min_size=1, max_size=2),
    time=st.none() | st.integers(1, 10**6).map(lambda ms: ms / 1000),
    index=st.none() | st.integers(1, 2**32 - 1),
)

VALUES: dict[int, st.SearchStrategy[Any]] = {
    Types.STR: text,
    Types.BYTES: st.binary(max_size=20),
    Types.INT: st.integers(-(2**63), 2**63 - 1),
    Types.FLOAT: st.floats(),
    Types.BOOL: st.booleans(),
    Types.NDARRAY: arrays,
    Types.JSON_DATA: json_documents,
    Types.TEXT: st.builds(Text, text) | st.builds(Text.from_url, urls),
    Types.IMAGE: images,
    Types.AUDIO: st.builds(Audio, bytes=st.binary(max_size=20)) | st.builds(Audio, url=urls),
    Types.VIDEO: st.builds(Video, bytes=st.binary(max_size=20)) | st.builds(Video, url=urls),
    Types.CONCEPT: concepts,
    Types.REGION: regions,
    Types.FRAME: frames,
}

leaf_fields = st.sampled_from(sorted(VALUES)).map(lambda kind: resources_pb2.ModelTypeField(type=kind))


def _list_of(inner: Field) -> Field:
    return resources_pb2.ModelTypeField(type=Types.LIST, type_args=[inner])


def _tuple_of(inners: list[Field]) -> Field:
    return resources_pb2.ModelTypeField(type=Types.TUPLE, type_args=inners)


def _fields_of(inners: list[Field]) -> Field:
    field = resources_pb2.ModelTypeField(type=Types.NAMED_FIELDS, type_args=inners)
    for number, inner in enumerate(field.type_args):
        inner.name = f"field{number}"
    return field


def _containers(inner: st.SearchStrategy[Field]) -> st.SearchStrategy[Field]:
    several = st.lists(inner, min_size=1, max_size=3)
    return inner.map(_list_of) | several.map(_tuple_of) | several.map(_fields_of)


def _named(field: Field) -> Field:
    named = resources_pb2.ModelTypeField()
    named.CopyFrom(field)
    named.name = "x"
    named.required = True
    return named


fields = st.recursive(leaf_fields, _containers, max_leaves=4).map(_named)


def values_for(field: Field) -> st.SearchStrategy[Any]:
    if field.type == Types.LIST:
        return st.lists(values_for(field.type_args[0]), max_size=3)
    if field.type == Types.TUPLE:
        return st.tuples(*map(values_for, field.type_args))
    if field.type == Types.NAMED_FIELDS:
        return st.builds(NamedFields, **{inner.name: values_for(inner) for inner in field.type_args})
    return VALUES[field.type]


@st.composite
def fields_and_values(draw: st.DrawFn) -> tuple[Field, Any]:
    field = draw(fields)
    return field, draw(values_for(field))


def is_same(one: Any, other: Any) -> bool:
    """Equal in value and in type, with nan equal to itself."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict | NamedFields):
        return list(one.keys()) == list(other.keys()) and all(map(is_same, one.values(), other.values()))
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, Concept):
        return bool(one.to_proto() == other.to_proto())
    return bool(one == other)
