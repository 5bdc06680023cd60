"""Arguments to a request and back; results; stream items; the old form."""

# Not postponed: the functions below have real annotations, as model folders do.
# ruff: noqa: B008, RUF013 (written as model authors write them)
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from clarifai_grpc.grpc.api import resources_pb2
from hypothesis import given
from hypothesis import strategies as st

from playground.protocol import codec
from playground.protocol.errors import InputError, ModelError, ServerError
from playground.protocol.fields import MISSING, Field
from playground.protocol.signatures import Param, Signature, bind, build_signature
from playground.protocol.values import Audio, Concept, Frame, Image, NamedFields, Region, Text, Video

from .strategies import fields, is_same, values_for


def build(function: Any) -> Signature:
    return build_signature(function, where="model.py")


def predict(
    prompt: str,
    n: int = Param(3, min_value=1, max_value=10),
    mode: str = Param("fast", choices=["fast", "good"]),
    chat: dict = None,
    start: Concept = Concept("cat"),
) -> str:
    raise NotImplementedError


def nothing() -> int:
    raise NotImplementedError


def heated(heat: float = 0.7, name: str = "") -> list[Region]:
    raise NotImplementedError


def listed(words: list[str] = None, name: str = "") -> list[str]:
    raise NotImplementedError


def talk(text: Iterator[str], loud: bool = False) -> Iterator[str]:
    raise NotImplementedError


PREDICT, NOTHING, HEATED, LISTED, TALK = map(build, (predict, nothing, heated, listed, talk))


def sent(data: codec.Data) -> list[str]:
    return [part.id for part in data.parts]


def over_the_wire(data: codec.Data) -> codec.Data:
    return resources_pb2.Data.FromString(data.SerializeToString())


@st.composite
def signatures_and_arguments(draw: st.DrawFn) -> tuple[Signature, dict[str, Any]]:
    inputs = draw(st.lists(fields, max_size=4))
    signature = Signature(name="m", method_type=1, input_fields=inputs)
    for number, field in enumerate(signature.input_fields):
        field.name = f"argument{number}"
    signature.output_fields.add(name="return", type=1)
    return signature, {field.name: draw(values_for(field)) for field in signature.input_fields}


@given(signatures_and_arguments())
def test_arguments_of_any_signature_survive(case: tuple[Signature, dict[str, Any]]) -> None:
    signature, arguments = case
    bound = bind(signature, (), arguments)
    assert is_same(
        codec.decode_arguments(signature, over_the_wire(codec.encode_arguments(signature, bound))), arguments
    )


@given(fields.flatmap(lambda field: st.tuples(st.just(field), values_for(field))))
def test_results_of_any_type_survive(case: tuple[Field, Any]) -> None:
    field, value = case
    signature = Signature(name="m", method_type=1, output_fields=[field])
    data = over_the_wire(codec.encode_output(signature, value))
    assert sent(data) == ["return"]
    assert is_same(codec.decode_output(signature, data), value)


def test_only_what_is_given_is_sent_in_the_signatures_order() -> None:
    data = codec.encode_arguments(PREDICT, {"n": 3, "prompt": "", "chat": None})
    assert sent(data) == ["prompt", "n"]
    assert codec.method_name(data) == "predict"


def test_defaults_are_filled_in_where_the_wire_can_say_them() -> None:
    data = codec.encode_arguments(PREDICT, {"prompt": "hi"})
    assert codec.decode_arguments(PREDICT, data) == {"prompt": "hi", "n": 3, "mode": "fast", "chat": None}


def test_without_arguments_there_is_one_empty_part() -> None:
    data = codec.encode_arguments(NOTHING, {})
    assert sent(data) == [""]
    assert codec.decode_arguments(NOTHING, over_the_wire(data)) == {}


def test_a_first_float_is_sent_with_its_default() -> None:
    data = codec.encode_arguments(HEATED, {"name": "a"})
    assert sent(data) == ["heat", "name"]
    assert data.parts[0].data.float_value == 0.7


def test_a_first_list_without_default_is_sent_empty_and_read_as_absent() -> None:
    data = codec.encode_arguments(LISTED, {"name": "a"})
    assert sent(data) == ["words", "name"]
    assert codec.decode_arguments(LISTED, over_the_wire(data)) == {"words": None, "name": "a"}
    given_empty = codec.encode_arguments(LISTED, {"words": [], "name": "a"})
    assert codec.decode_arguments(LISTED, over_the_wire(given_empty))["words"] == []


@pytest.mark.parametrize(
    ("arguments", "argument", "message"),
    [
        ({}, "prompt", 'needs the argument "prompt"'),
        ({"prompt": "a", "size": 1}, "size", 'no argument "size"'),
        ({"prompt": 3}, "prompt", "must be str, not int"),
        ({"prompt": None}, "prompt", "must be str, not NoneType"),
        ({"prompt": "a", "n": 11}, "n", "must be between 1 and 10"),
        ({"prompt": "a", "mode": "odd"}, "mode", "must be one of fast, good"),
        ({"prompt": "a", "chat": {1: 2}}, "chat", "a key that is not text"),
    ],
)
def test_arguments_are_refused_before_the_wire(arguments: Any, argument: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        codec.encode_arguments(PREDICT, arguments)
    assert caught.value.argument == argument


def request(**parts: dict[str, Any]) -> codec.Data:
    data = resources_pb2.Data(parts=[{"id": name, "data": held} for name, held in parts.items()])
    data.metadata["_method_name"] = "predict"
    return data


@pytest.mark.parametrize(
    ("parts", "argument", "message"),
    [
        ({"n": {"int_value": 3}}, "prompt", 'needs the argument "prompt"'),
        ({"prompt": {"int_value": 3}}, "prompt", "must be sent as string_value, not int_value"),
        ({"prompt": {}, "n": {"string_value": "3"}}, "n", "must be sent as int_value, not string_value"),
        ({"prompt": {}, "n": {}}, "n", "must be between 1 and 10, not 0"),
        ({"prompt": {}, "mode": {"string_value": "odd"}}, "mode", "must be one of"),
        ({"prompt": {}, "size": {}}, "size", 'no argument "size"'),
    ],
)
def test_arguments_are_refused_after_the_wire(parts: Any, argument: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        codec.decode_arguments(PREDICT, request(**parts))
    assert caught.value.argument == argument


def test_an_empty_part_is_a_zero_value() -> None:
    assert codec.decode_arguments(PREDICT, request(prompt={}))["prompt"] == ""


def test_the_first_argument_may_stand_beside_the_parts() -> None:
    data = request(n={"int_value": 4})
    data.string_value = "hi"
    assert codec.decode_arguments(PREDICT, data)["prompt"] == "hi"


# -- streams ---------------------------------------------------------------------------------------------------------


def test_a_stream_begins_with_all_arguments_and_goes_on_with_items() -> None:
    first = over_the_wire(codec.encode_arguments(TALK, {"loud": True}, item="one"))
    assert sent(first) == ["text", "loud"]
    assert codec.decode_arguments(TALK, first) == {"loud": True}
    assert codec.decode_stream_item(TALK, first) == "one"
    later = over_the_wire(codec.encode_stream_item(TALK, ""))
    assert sent(later) == ["text"]
    assert codec.method_name(later) == "talk"
    assert codec.decode_stream_item(TALK, later) == ""


def test_a_stream_can_begin_without_an_item() -> None:
    first = over_the_wire(codec.encode_arguments(TALK, {}))
    assert codec.decode_arguments(TALK, first) == {"loud": False}
    assert codec.decode_stream_item(TALK, first) is MISSING


def test_items_of_the_wrong_type_are_refused_both_ways() -> None:
    with pytest.raises(InputError, match='"text" must be str'):
        codec.encode_stream_item(TALK, 3)
    with pytest.raises(InputError, match='"text" must be sent as string_value'):
        codec.decode_stream_item(TALK, request(text={"int_value": 3}))
    with pytest.raises(InputError, match="takes no stream"):
        codec.encode_stream_item(PREDICT, "a")
    with pytest.raises(InputError, match='no argument "text"'):
        codec.encode_arguments(TALK, {"text": "a"})


# -- results ---------------------------------------------------------------------------------------------------------


def test_a_result_of_the_wrong_type_is_the_models_error() -> None:
    with pytest.raises(ModelError, match='what "predict" returned must be str, not NoneType'):
        codec.encode_output(PREDICT, None)
    with pytest.raises(ModelError, match=r'what "listed" returned\[1\] must be str, not int'):
        codec.encode_output(LISTED, ["a", 1])


def test_an_answer_that_cannot_be_read_is_the_far_sides_error() -> None:
    data = resources_pb2.Data(parts=[{"id": "return", "data": {"int_value": 3}}])
    with pytest.raises(ServerError, match='the answer of "predict" must be sent as string_value'):
        codec.decode_output(PREDICT, data)
    with pytest.raises(ServerError, match="gives no output"):
        codec.decode_output(Signature(name="m"), data)


@pytest.mark.parametrize(
    ("held", "value"),
    [
        ({"string_value": "a"}, "a"),
        ({"text": {"raw": "a"}}, "a"),
        ({}, ""),
        ({"string_value": "a", "text": {"raw": "a"}}, "a"),
    ],
)
def test_answers_without_a_part_are_read_too(held: Any, value: str) -> None:
    assert codec.decode_output(PREDICT, resources_pb2.Data(**held)) == value


def test_bare_concepts_are_read_too() -> None:
    signature = Signature(name="m", output_fields=[{"name": "return", "type": 17, "type_args": [{"type": 10}]}])
    answer = resources_pb2.Data(concepts=[{"name": "a"}, {"name": "b"}], text={"raw": "noise"})
    assert [concept.name for concept in codec.decode_output(signature, answer)] == ["a", "b"]


# -- the old form ----------------------------------------------------------------------------------------------------


def picture_and_words(picture: Image, words: str, size: int = 3) -> str:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("function", "held", "arguments"),
    [
        (predict, {"text": {"raw": "hi"}}, {"prompt": "hi"}),
        (predict, {"string_value": "hi"}, {"prompt": "hi"}),
        (predict, {"text": {"raw": ""}}, {"prompt": ""}),
        (
            picture_and_words,
            {"image": {"base64": b"x"}, "text": {"raw": "hi"}, "int_value": 4},
            {"picture": Image(bytes=b"x"), "words": "hi", "size": 4},
        ),
    ],
)
def test_old_requests_are_read(function: Any, held: Any, arguments: dict[str, Any]) -> None:
    data = resources_pb2.Data(**held)
    assert codec.is_old_form(data)
    decoded = codec.decode_arguments(build(function), data)
    assert {name: decoded[name] for name in arguments} == arguments


@pytest.mark.parametrize(
    ("annotation", "held", "value"),
    [
        (Text, {"text": {"url": "http://a/b"}}, Text.from_url("http://a/b")),
        (Audio, {"audio": {"base64": b"x"}}, Audio(bytes=b"x")),
        (Video, {"video": {"url": "http://a"}}, Video(url="http://a")),
        (bytes, {"bytes_value": b"x"}, b"x"),
        (float, {"float_value": 0.5}, 0.5),
        (bool, {"bool_value": True}, True),
        (dict, {"string_value": '{"a": 1}'}, {"a": 1}),
        (Concept, {"concepts": [{"id": "a", "name": "a", "value": 1}]}, Concept("a")),
        (Region, {"regions": [{"id": "r"}]}, Region(id="r")),
        (Frame, {"frames": [{}]}, Frame()),
        (list[Region], {"regions": [{"id": "r"}, {"id": "s"}]}, [Region(id="r"), Region(id="s")]),
    ],
)
def test_old_requests_of_every_type(annotation: Any, held: Any, value: Any) -> None:
    def method(x):
        raise NotImplementedError

    method.__annotations__ = {"x": annotation, "return": str}
    assert codec.decode_arguments(build(method), resources_pb2.Data(**held))["x"] == value


def test_each_old_field_is_used_once() -> None:
    def two(a: str, b: str) -> str:
        raise NotImplementedError

    with pytest.raises(InputError, match='needs the argument "b"'):
        codec.decode_arguments(build(two), resources_pb2.Data(text={"raw": "hi"}))


def test_old_streams_have_their_item_in_every_message() -> None:
    assert codec.decode_stream_item(TALK, resources_pb2.Data(text={"raw": "hi"})) == "hi"


def test_a_named_method_without_parts_is_no_old_form() -> None:
    assert not codec.is_old_form(request())
    assert codec.is_old_form(resources_pb2.Data())


def test_old_answers() -> None:
    old = codec.encode_output(PREDICT, "hi", old_form=True)
    assert (old.text.raw, old.string_value, len(old.parts)) == ("hi", "hi", 0)
    old = codec.encode_output(HEATED, [Region(id="r")], old_form=True)
    assert [region.id for region in old.regions] == ["r"]


def test_addresses_in_a_request_are_found_at_any_depth() -> None:
    def look(picture: Image, more: list[Image], box: NamedFields(a=Audio), film: Frame, text: Text) -> str:
        raise NotImplementedError

    arguments = {
        "picture": Image(url="http://a/1"),
        "more": [Image(url="http://a/2"), Image(bytes=b"x")],
        "box": NamedFields(a=Audio(url="http://a/3")),
        "film": Frame(image=Image(url="http://a/4"), regions=[Region(mask=Image(url="http://a/5"))]),
        "text": Text.from_url("http://a/6"),
    }
    signature = build(look)
    data = codec.encode_arguments(signature, arguments)
    found = list(codec.remote_media(data))
    assert [media.url for media in found] == [f"http://a/{number}" for number in range(1, 7)]
    found[0].base64 = b"content"
    found[-1].raw = "schön"
    decoded = codec.decode_arguments(signature, data)
    assert decoded["picture"].bytes == b"content"
    assert decoded["text"] == Text("schön", "http://a/6")
    assert [media.url for media in codec.remote_media(data)] == [f"http://a/{number}" for number in range(2, 6)]


def test_nested_lists_become_arrays() -> None:
    def shape(x: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    data = codec.encode_arguments(build(shape), {"x": [[1, 2], [3, 4]]})
    assert codec.decode_arguments(build(shape), data)["x"].tolist() == [[1, 2], [3, 4]]
