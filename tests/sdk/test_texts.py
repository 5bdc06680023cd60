from __future__ import annotations

from typing import Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol.fields import Types
from playground.sdk import Audio, Concept, Frame, Image, InputError, NamedFields, Region, Text
from playground.sdk.texts import parse_value, show


def field(kind: Any, *inner: Any) -> Any:
    return resources_pb2.ModelTypeField(name="it", type=kind, type_args=[field(one) for one in inner])


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (field(Types.STR), "7", "7"),
        (field(Types.INT), "7", 7),
        (field(Types.FLOAT), "1e3", 1000.0),
        (field(Types.BOOL), "Yes", True),
        (field(Types.BOOL), "off", False),
        (field(Types.BYTES), "a", b"a"),
        (field(Types.JSON_DATA), '{"a": [1]}', {"a": [1]}),
        (field(Types.LIST, Types.STR), "a, b", ["a", "b"]),
        (field(Types.LIST, Types.INT), "[1, 2]", [1, 2]),
        (field(Types.TUPLE, Types.INT, Types.INT), "[1, 2]", (1, 2)),
    ],
)
def test_a_typed_value_is_read_by_its_field(kind: Any, text: str, value: Any) -> None:
    assert parse_value(kind, text) == value


@pytest.mark.parametrize("kind", [Types.INT, Types.FLOAT, Types.BOOL, Types.JSON_DATA, Types.IMAGE])
def test_what_does_not_read_is_refused_by_name(kind: Any) -> None:
    with pytest.raises(InputError, match=r"it=|neither"):
        parse_value(field(kind), "nonsense")


def test_an_address_becomes_a_medium() -> None:
    assert parse_value(field(Types.IMAGE), "https://box/a.jpg").url == "https://box/a.jpg"
    assert parse_value(field(Types.TEXT), "https://box/a.txt").url == "https://box/a.txt"


def keep(content: bytes, kind: str) -> str:
    return f"{kind}-1"


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("text", "text"),
        (Text("text"), "text"),
        (3, "3"),
        (True, "true"),
        ({"a": "ä"}, '{\n  "a": "ä"\n}'),
        ([Concept("cat", 0.25), Concept("dog", 0.5)], " 50.0%  dog\n 25.0%  cat"),
        (Image(bytes=b"x"), "image-1"),
        (Audio(url="http://box/a"), "http://box/a"),
        (b"x", "bytes-1"),
        (NamedFields(a="b", c=1), "a: b\nc: 1"),
        (("a", Text("b")), "a\nb"),
        (
            [Region(box=[0.1, 0.2, 0.3, 0.4], concepts=[Concept("cat", 0.5)], track_id="7")],
            "cat 50.0%  track 7  box 0.100 0.200 to 0.300 0.400",
        ),
        (Frame(time=1.5, index=2, regions=[Region(text="hello")]), "frame 2 at 1.50 s\n  hello"),
    ],
)
def test_a_value_is_shown_as_lines(value: Any, lines: str) -> None:
    assert show(value, keep) == lines


def test_an_array_is_shown_with_its_shape() -> None:
    numpy = pytest.importorskip("numpy")
    assert show(numpy.zeros((2, 2), "float32"), keep).startswith("array of shape (2, 2), float32\n[[0. 0.]")
