"""Values as plain JSON for pages, and back."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
import orjson
import pytest
from clarifai_grpc.grpc.api import resources_pb2
from hypothesis import given

from playground.protocol.errors import InputError
from playground.protocol.fields import Field, Types
from playground.protocol.plain import content_type_of, from_plain, to_plain
from playground.protocol.values import Concept, Frame, Image, NamedFields, Region, Text

from .strategies import fields_and_values, is_same


class Store:
    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, str]] = {}

    def keep(self, content: bytes, content_type: str) -> str:
        name = f"m{len(self.kept)}"
        self.kept[name] = content, content_type
        return name

    def fetch(self, name: str) -> bytes:
        return self.kept[name][0]


def field_of(kind: int, *inners: Field, name: str = "x") -> Field:
    return resources_pb2.ModelTypeField(name=name, type=kind, type_args=inners, required=True)


def plain(value: Any, field: Field) -> Any:
    return to_plain(value, field, Store().keep)


@given(fields_and_values())
def test_every_value_survives(pair: tuple[Field, Any]) -> None:
    field, value = pair
    store = Store()
    made = orjson.loads(orjson.dumps(to_plain(value, field, store.keep)))
    assert is_same(from_plain(made, field, store.fetch), value)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Types.STR, "a", "a"),
        (Types.INT, 3, 3),
        (Types.INT, 2**60, {"number": str(2**60)}),
        (Types.FLOAT, 0.5, 0.5),
        (Types.FLOAT, math.nan, {"number": "nan"}),
        (Types.FLOAT, -math.inf, {"number": "-inf"}),
        (Types.BOOL, True, True),
        (Types.JSON_DATA, {"a": [1, None]}, {"a": [1, None]}),
        (Types.JSON_DATA, [math.nan, {"a": 2**70}], [{"number": "nan"}, {"a": {"number": str(2**70)}}]),
        (Types.BYTES, b"x", {"media": "m0", "content_type": "application/octet-stream"}),
        (Types.TEXT, Text("a"), {"text": "a"}),
        (Types.TEXT, Text.from_url("http://a"), {"url": "http://a"}),
        (Types.IMAGE, Image(url="http://a"), {"url": "http://a"}),
        (Types.IMAGE, Image(bytes=b"\xff\xd8\xff..."), {"media": "m0", "content_type": "image/jpeg"}),
        (Types.CONCEPT, Concept("a cat", 0.25), {"concept": {"id": "a-cat", "name": "a cat", "value": 0.25}}),
        (
            Types.REGION,
            Region(box=[0.1, 0.2, 0.3, 0.4], concepts=[Concept("cat", 0.5)], id="r"),
            {
                "region": {
                    "id": "r",
                    "box": [0.1, 0.2, 0.3, 0.4],
                    "point": None,
                    "mask": None,
                    "concepts": [{"id": "cat", "name": "cat", "value": 0.5}],
                    "text": "",
                    "track_id": "",
                }
            },
        ),
        (Types.FRAME, Frame(time=1.5, index=2), {"frame": {"image": None, "regions": [], "time": 1.5, "index": 2}}),
        (
            Types.NDARRAY,
            np.array([[1, 2], [3, 6]], dtype=np.uint8),
            {
                "ndarray": {
                    "shape": [2, 2],
                    "dtype": "uint8",
                    "media": "m0",
                    "min": 1.0,
                    "max": 6.0,
                    "mean": 3.0,
                    "std": math.sqrt(3.5),
                    "picture": {"size": [2, 2], "data": base64.b64encode(bytes([0, 51, 102, 254])).decode()},
                }
            },
        ),
    ],
)
def test_forms(kind: int, value: Any, expected: Any) -> None:
    assert plain(value, field_of(kind)) == expected


def test_a_polygon_is_kept_both_ways() -> None:
    region = Region(id="r")
    region.polygon = [(0.5, 0.25), (0.75, 1), (0, 1)]
    field = field_of(Types.REGION)
    made = plain(region, field)
    assert made["region"]["polygon"] == [[0.5, 0.25], [0.75, 1], [0, 1]]
    assert from_plain(made, field, Store().fetch) == region
    made["region"]["polygon"] = [[1]]
    with pytest.raises(InputError, match="2 numbers, not 1"):
        from_plain(made, field, Store().fetch)


def array_facts(array: Any) -> Any:
    facts = plain(array, field_of(Types.NDARRAY))["ndarray"]
    return {name: fact for name, fact in facts.items() if name not in {"shape", "dtype", "media"}}


@pytest.mark.parametrize(
    "array", [np.zeros((0, 3)), np.array([math.nan, math.inf]), np.array([1 + 2j]), np.zeros((2, 0, 2), np.int8)]
)
def test_an_array_without_order_has_no_statistics(array: Any) -> None:
    facts = array_facts(array)
    assert {facts[name] for name in ("min", "max", "mean", "std")} == {None}
    assert "picture" not in facts
    assert facts.get("not_finite", 0) == (2 if array.size == 2 else 0)


def test_statistics_leave_out_what_is_not_finite() -> None:
    facts = array_facts(np.array([1.0, math.nan, 3.0, -math.inf], np.float32))
    assert (facts["min"], facts["max"], facts["mean"], facts["std"], facts["not_finite"]) == (1, 3, 2, 1, 2)
    assert list(base64.b64decode(facts["picture"]["data"])) == [0, 255, 254, 255]


def test_statistics_of_many_pieces_are_those_of_the_whole() -> None:
    array = np.random.default_rng(1).normal(1e6, 2, 700_001)
    facts = array_facts(array)
    assert facts["mean"] == pytest.approx(array.mean(), rel=1e-12)
    assert facts["std"] == pytest.approx(array.std(), rel=1e-9)
    assert facts["picture"]["size"][0] == 1
    assert facts["picture"]["size"][1] <= 256


def test_a_large_array_gets_a_small_picture_of_one_plane() -> None:
    assert array_facts(np.zeros((3, 500, 1000)))["picture"]["plane"] == "[0, :, :]"
    assert array_facts(np.zeros((40, 500, 3), np.uint8))["picture"]["plane"] == "[:, :, 0]"
    rows, columns = array_facts(np.zeros((500, 1000)))["picture"]["size"]
    assert (rows, columns) == (32, 63)
    assert array_facts(np.zeros((5, 1000)))["picture"]["size"] == [5, 63]
    whole = array_facts(np.array([[-1.7e308, 1.7e308]]))["picture"]
    assert list(base64.b64decode(whole["data"])) == [0, 254]
    assert "picture" not in array_facts(np.array(3.0))


def test_forms_of_containers() -> None:
    number = field_of(Types.INT, name="a")
    assert plain([1, 2], field_of(Types.LIST, number)) == [1, 2]
    assert plain((1, 2), field_of(Types.TUPLE, number, number)) == {"tuple": [1, 2]}
    assert plain(NamedFields(a=1), field_of(Types.NAMED_FIELDS, number)) == {"fields": {"a": 1}}
    assert plain(None, field_of(Types.JSON_DATA)) is None


def test_what_a_form_sends_is_read_too() -> None:
    number = field_of(Types.INT, name="a")

    def read(made: Any, field: Field) -> Any:
        return from_plain(made, field, Store().fetch)

    assert read("hi", field_of(Types.TEXT)) == Text("hi")
    assert is_same(read(3.0, number), 3)
    assert is_same(read(3, field_of(Types.FLOAT)), 3.0)
    assert read("hi", field_of(Types.BYTES)) == b"hi"
    assert read([1, 2], field_of(Types.TUPLE, number, number)) == (1, 2)
    assert read({"a": 1}, field_of(Types.NAMED_FIELDS, number)) == NamedFields(a=1)
    assert read([[1], [2]], field_of(Types.NDARRAY)).shape == (2, 1)
    assert read({"number": "5"}, field_of(Types.JSON_DATA)) == {"number": "5"}
    assert read({"number": "cat"}, field_of(Types.JSON_DATA)) == {"number": "cat"}
    assert read([{"number": "inf"}], field_of(Types.JSON_DATA)) == [math.inf]
    assert read([[1, {"number": "nan"}]], field_of(Types.NDARRAY)).shape == (1, 2)
    written = {"region": {"box": [0, 0, 1, 1], "concepts": [{"concept": {"name": "cup", "value": 0.5}}]}}
    assert read(written, field_of(Types.REGION)).concepts == [Concept("cup", 0.5)]
    optional = resources_pb2.ModelTypeField(name="x", type=Types.IMAGE, default="null")
    assert read(None, optional) is None


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        (Types.STR, 3),
        (Types.STR, None),
        (Types.INT, "3"),
        (Types.INT, 1.5),
        (Types.INT, {"number": "x"}),
        (Types.FLOAT, {"number": []}),
        (Types.FLOAT, {}),
        (Types.BOOL, "on"),
        (Types.BYTES, {"media": 3}),
        (Types.TEXT, {"text": 3}),
        (Types.TEXT, {"url": 3}),
        (Types.IMAGE, "cat"),
        (Types.IMAGE, {"url": 3}),
        (Types.IMAGE, {"media": ""}),
        (Types.CONCEPT, {"concept": 3}),
        (Types.CONCEPT, {"concept": {"name": "a", "value": "b"}}),
        (Types.REGION, {"region": 3}),
        (Types.REGION, {"region": {"box": [1]}}),
        (Types.REGION, {"region": {"concepts": [3]}}),
        (Types.REGION, {"region": {"text": 3}}),
        (Types.FRAME, {"frame": []}),
        (Types.FRAME, {"frame": {"regions": [3]}}),
        (Types.FRAME, {"frame": {"index": -1}}),
        (Types.NDARRAY, {"ndarray": {}}),
        (Types.NDARRAY, {"media": "junk"}),
        (Types.JSON_DATA, "text"),
    ],
)
def test_what_is_not_the_type_is_refused_by_name(kind: int, made: Any) -> None:
    with pytest.raises(InputError, match='argument "x"') as caught:
        from_plain(made, field_of(kind), lambda name: b"junk")
    assert caught.value.argument == "x"


def test_the_place_inside_is_named() -> None:
    number = field_of(Types.INT, name="a")
    for field, made, place in (
        (field_of(Types.LIST, number), [1, {"number": "x"}], r'"x"\[1\] must'),
        (field_of(Types.LIST, number), {"a": 1}, '"x" must be a list'),
        (field_of(Types.TUPLE, number), {"tuple": ["a"]}, r'"x"\[0\] must'),
        (field_of(Types.TUPLE, number), [1, 2], '"x" must be a list of 1'),
        (field_of(Types.NAMED_FIELDS, number), {"fields": {"a": "b"}}, '"x".a must'),
        (field_of(Types.NAMED_FIELDS, number), {"fields": {"b": 1}}, "has no field 'b'"),
        (field_of(Types.NAMED_FIELDS, number), {"fields": {}}, "lacks the field 'a'"),
        (field_of(Types.NAMED_FIELDS, number), 3, "must be an object"),
    ):
        with pytest.raises(InputError, match=place):
            from_plain(made, field, Store().fetch)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"RIFF....WEBPVP8", "image/webp"),
        (b"RIFF....WAVEfmt", "audio/wav"),
        (b"\0\0\0 ftypisom", "video/mp4"),
        (b"\0\0\0 ftypavif", "image/avif"),
        (b"<svg>", "application/octet-stream"),
        (b"<html>", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_content_is_known_by_its_first_bytes(content: bytes, kind: str) -> None:
    assert content_type_of(content) == kind
