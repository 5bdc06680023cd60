"""A value comes back from its message as it went in, for every type and any nesting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import PIL.Image
import pytest
from clarifai_grpc.grpc.api import resources_pb2
from hypothesis import given
from hypothesis import strategies as st

from playground.protocol import codec
from playground.protocol.errors import InputError
from playground.protocol.fields import Field, Types
from playground.protocol.values import JSON, Audio, Concept, Frame, Image, NamedFields, Region, Text, Video

from .strategies import VALUES, fields, fields_and_values, is_same, json_documents, values_for


def field_of(kind: int, *inners: Field, name: str = "x") -> Field:
    return resources_pb2.ModelTypeField(name=name, type=kind, type_args=inners, required=True)


def round_trip(value: Any, field: Field) -> Any:
    wire = codec.encode(value, field).SerializeToString()
    return codec.decode(resources_pb2.Data.FromString(wire), field)


@given(fields_and_values())
def test_every_value_survives(pair: tuple[Field, Any]) -> None:
    field, value = pair
    assert is_same(round_trip(value, field), value)


@pytest.mark.parametrize("kind", sorted(VALUES))
@given(data=st.data())
def test_every_leaf_type_survives(kind: int, data: st.DataObject) -> None:
    field = field_of(kind)
    value = data.draw(values_for(field))
    assert is_same(round_trip(value, field), value)


@given(json_documents)
def test_json_keeps_numbers_and_order(document: Any) -> None:
    assert is_same(round_trip(document, field_of(Types.JSON_DATA)), document)


@given(fields)
def test_an_empty_message_is_a_zero_value(field: Field) -> None:
    zero = codec.decode(resources_pb2.Data(), field)
    assert is_same(codec.decode(codec.encode(zero, field), field), zero)


@pytest.mark.parametrize(
    ("kind", "zero"),
    [
        (Types.STR, ""),
        (Types.BYTES, b""),
        (Types.INT, 0),
        (Types.FLOAT, 0.0),
        (Types.BOOL, False),
        (Types.JSON_DATA, None),
        (Types.TEXT, Text("")),
        (Types.IMAGE, Image()),
        (Types.AUDIO, Audio()),
        (Types.VIDEO, Video()),
        (Types.REGION, Region(id="")),
        (Types.FRAME, Frame()),
    ],
)
def test_zero_values_of_each_type(kind: int, zero: Any) -> None:
    assert is_same(codec.decode(resources_pb2.Data(), field_of(kind)), zero)


def test_scalar_zeros_are_sent_as_nothing() -> None:
    for kind, zero in ((Types.STR, ""), (Types.BYTES, b""), (Types.INT, 0), (Types.FLOAT, 0.0), (Types.BOOL, False)):
        assert codec.encode(zero, field_of(kind)).ByteSize() == 0


def test_json_from_a_bare_struct_has_whole_numbers_as_ints() -> None:
    data = resources_pb2.Data()
    data.struct_value.update({"n": 3.0, "x": 0.5, "big": 2.0**60, "negative": -0.0})
    decoded = codec.decode(data, field_of(Types.JSON_DATA))
    assert is_same(decoded["n"], 3)
    assert is_same(decoded["x"], 0.5)
    assert is_same(decoded["big"], 2.0**60)
    assert math.copysign(1, decoded["negative"]) == -1


def test_a_struct_that_says_all_goes_alone() -> None:
    assert codec.encode({"n": 3}, field_of(Types.JSON_DATA)).string_value == ""
    assert codec.encode([1, "a", None, True, 0.5], field_of(Types.JSON_DATA)).string_value == ""


def test_json_accepts_marks_and_numpy() -> None:
    field = field_of(Types.JSON_DATA)
    assert round_trip(JSON({"a": 1}), field) == {"a": 1}
    assert is_same(round_trip({"a": np.float32(0.5), "b": np.arange(2)}, field), {"a": 0.5, "b": [0, 1]})


def test_json_of_not_finite_numbers_survives() -> None:
    decoded = round_trip([math.nan, math.inf, -math.inf], field_of(Types.JSON_DATA))
    assert list(map(repr, decoded)) == ["nan", "inf", "-inf"]


@pytest.mark.parametrize("document", [{1: 2}, {"a": object()}, {"a": {1, 2}}, "text", 3, {"a": b"bytes"}])
def test_what_is_not_json_is_refused(document: Any) -> None:
    with pytest.raises(InputError, match='argument "x"'):
        codec.encode(document, field_of(Types.JSON_DATA))


def test_json_nested_too_deeply_is_refused_here_not_by_the_far_side() -> None:
    def nested(levels: int, wrap: Any) -> Any:
        value: Any = 0
        for _ in range(levels):
            value = wrap(value)
        return value

    field = field_of(Types.JSON_DATA)
    for wrap in (lambda value: [value], lambda value: {"a": value}):
        part = resources_pb2.Part(id="x", data=codec.encode({"a": nested(27, wrap)}, field))
        request = resources_pb2.Input(data=resources_pb2.Data(parts=[part])).SerializeToString()
        resources_pb2.Input.FromString(request)
        with pytest.raises(InputError, match="levels deep"):
            codec.encode({"a": nested(200, wrap)}, field)


def test_a_concept_comes_back_with_the_number_it_was_given() -> None:
    decoded = round_trip(Concept("a cat", 0.005), field_of(Types.CONCEPT))
    assert (decoded.id, decoded.name, decoded.value) == ("a-cat", "a cat", 0.005)


def test_a_region_comes_back_with_the_box_it_was_given() -> None:
    decoded = round_trip(Region(box=[0.1, 0.2, 0.3, 0.4], point=(0.1, 0.2, 0.3)), field_of(Types.REGION))
    assert decoded.box == [0.1, 0.2, 0.3, 0.4]
    assert decoded.point == (0.1, 0.2, 0.3)


def test_lists_of_concepts_lie_flat() -> None:
    field = field_of(Types.LIST, field_of(Types.CONCEPT))
    data = codec.encode([Concept("a"), Concept("b")], field)
    assert not data.parts
    assert [concept.name for concept in data.concepts] == ["a", "b"]


def test_an_empty_array_keeps_shape_and_type() -> None:
    decoded = round_trip(np.zeros((0, 3), dtype=np.float32), field_of(Types.NDARRAY))
    assert decoded.shape == (0, 3)
    assert decoded.dtype == np.float32


def test_pictures_arrive_from_pil_numpy_and_bytes() -> None:
    field = field_of(Types.IMAGE)
    picture = PIL.Image.new("RGB", (3, 2), "red")
    for value in (picture, np.asarray(picture), Image.from_pil(picture).bytes):
        assert round_trip(value, field).to_pil().size == (3, 2)
    assert round_trip(picture, field).to_numpy().shape == (2, 3, 3)


def test_text_takes_a_str_and_a_str_takes_text() -> None:
    assert round_trip("hi", field_of(Types.TEXT)) == "hi"
    assert round_trip(Text("hi"), field_of(Types.STR)) == "hi"


def test_named_fields_take_a_dict() -> None:
    field = field_of(Types.NAMED_FIELDS, field_of(Types.INT, name="a"), field_of(Types.STR, name="b"))
    assert round_trip({"b": "x", "a": 1}, field) == NamedFields(a=1, b="x")


INTS = field_of(Types.LIST, field_of(Types.INT))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (field_of(Types.STR), 3, 'argument "x" must be str, not int'),
        (field_of(Types.STR), "\ud800", "lone surrogate"),
        (field_of(Types.TEXT), "\ud800", "lone surrogate"),
        (field_of(Types.BYTES), "text", 'argument "x" must be bytes, not str'),
        (field_of(Types.INT), "3", 'argument "x" must be int, not str'),
        (field_of(Types.INT), True, 'argument "x" must be int, not bool'),
        (field_of(Types.INT), 1.5, 'argument "x" must be int, not float'),
        (field_of(Types.INT), 2**63, "at most 64 bits"),
        (field_of(Types.FLOAT), "1.0", 'argument "x" must be float, not str'),
        (field_of(Types.FLOAT), 10**400, 'argument "x" must be float'),
        (field_of(Types.BOOL), 1, 'argument "x" must be bool, not int'),
        (field_of(Types.IMAGE), "cat.jpg", 'argument "x" must be Image, not str'),
        (field_of(Types.CONCEPT), "cat", 'argument "x" must be Concept, not str'),
        (field_of(Types.NDARRAY), ["a"], "must be an array of numbers"),
        (field_of(Types.NDARRAY), [[1], [1, 2]], "must be an array of numbers"),
        (INTS, "123", 'argument "x" must be a list, not str'),
        (INTS, 3, 'argument "x" must be a list, not int'),
        (INTS, [1, "a"], r'argument "x"\[1\] must be int, not str'),
        (field_of(Types.LIST, INTS), [[1], [2, None]], r'argument "x"\[1\]\[1\] must be int, not NoneType'),
        (field_of(Types.TUPLE, field_of(Types.INT)), (1, 2), "must have 1 items, not 2"),
        (field_of(Types.TUPLE, field_of(Types.INT)), ("a",), r'"x"\[0\] must be int'),
        (field_of(Types.NAMED_FIELDS, field_of(Types.INT, name="a")), {}, "lacks the field 'a'"),
        (field_of(Types.NAMED_FIELDS, field_of(Types.INT, name="a")), {"a": 1, "b": 2}, "has no field 'b'"),
        (field_of(Types.NAMED_FIELDS, field_of(Types.INT, name="a")), {"a": ""}, r'"x".a must be int'),
        (field_of(Types.NAMED_FIELDS, field_of(Types.INT, name="a")), 3, "must be NamedFields or a dict"),
        (field_of(99), 3, "not known here"),
        (field_of(Types.LIST), [3], "no type for the items"),
    ],
)
def test_a_value_that_does_not_fit_is_named(field: Field, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        codec.encode(value, field)


@pytest.mark.parametrize(
    ("field", "data"),
    [
        (field_of(Types.INT), {"string_value": "3"}),
        (field_of(Types.STR), {"int_value": 3}),
        (field_of(Types.FLOAT), {"string_value": "3"}),
        (field_of(Types.BOOL), {"int_value": 1}),
        (field_of(Types.IMAGE), {"string_value": "cat"}),
        (field_of(Types.CONCEPT), {"string_value": "cat"}),
        (field_of(Types.CONCEPT), {"concepts": [{"id": "a"}, {"id": "b"}]}),
        (field_of(Types.NDARRAY), {"int_value": 1}),
        (field_of(Types.NDARRAY), {"ndarray": {"buffer": b"123", "shape": [1], "dtype": "float32"}}),
        (field_of(Types.NDARRAY), {"ndarray": {"buffer": b"1234", "shape": [2], "dtype": "float32"}}),
        (field_of(Types.NDARRAY), {"ndarray": {"buffer": b"12345678", "shape": [1], "dtype": "object"}}),
        (field_of(Types.NDARRAY), {"ndarray": {"buffer": b"1234", "shape": [1], "dtype": "no such type"}}),
        (field_of(Types.NDARRAY), {"ndarray": {"shape": [7], "dtype": "float32"}}),
        (field_of(Types.JSON_DATA), {"int_value": 3}),
        (field_of(Types.JSON_DATA), {"string_value": "{not json"}),
        (field_of(Types.JSON_DATA), {"string_value": "[" * 100_000}),
        (field_of(Types.JSON_DATA), {"string_value": "[" * 200 + "]" * 200}),
        (INTS, {"string_value": "a"}),
        (INTS, {"parts": [{"data": {"string_value": "a"}}]}),
        (field_of(Types.LIST, field_of(Types.REGION)), {"string_value": "a"}),
        (field_of(Types.TUPLE, field_of(Types.INT), field_of(Types.INT)), {"parts": [{"data": {"int_value": 1}}]}),
        (field_of(Types.NAMED_FIELDS, field_of(Types.INT, name="a")), {"parts": [{"id": "b"}]}),
    ],
)
def test_a_message_of_another_type_is_refused(field: Field, data: dict[str, Any]) -> None:
    with pytest.raises(InputError, match='argument "x"'):
        codec.decode(resources_pb2.Data(**data), field)
