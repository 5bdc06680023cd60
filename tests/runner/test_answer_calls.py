"""Each kind of method, called as the wire calls it."""

from __future__ import annotations

import os

import numpy as np
import pytest
from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol import errors
from playground.protocol.errors import InputError, NotFoundError
from tests.runner.calling import SUCCESS, Caller, request


@pytest.mark.parametrize("method", ["predict", "predict_async"])
def test_a_method_answers_once(kinds: Caller, method: str) -> None:
    assert kinds.predict(method, text="hello") == "HELLO"


@pytest.mark.parametrize("method", ["generate", "generate_async"])
def test_a_generator_answers_in_pieces(kinds: Caller, method: str) -> None:
    assert kinds.pieces(method, text="a", count=4) == ["a0", "a1", "a2", "a3"]


def test_an_async_method_may_return_an_iterator(kinds: Caller) -> None:
    assert kinds.pieces("generate_awaited", text="a") == ["a", "a"]


def test_a_thousand_pieces_arrive_in_order(kinds: Caller) -> None:
    assert kinds.pieces("generate", text="", count=1000) == [str(number) for number in range(1000)]


def test_declared_defaults_stand_for_what_is_left_out(kinds: Caller) -> None:
    empty = resources_pb2.Data(parts=[resources_pb2.Part()])
    empty.metadata["_method_name"] = "limited"
    expected = {"ratio": 0.7, "colour": "red", "names": None, "numbers": {"a": 1}}
    assert kinds.value("limited", kinds.post(request(empty))) == expected


def test_no_arguments_and_a_zero_come_through(kinds: Caller) -> None:
    reply = kinds.post(request(kinds.arguments("nothing")))
    assert reply.outputs[0].data.parts[0].id == "return"
    assert kinds.value("nothing", reply) == 0


def test_arrays_go_both_ways(kinds: Caller) -> None:
    assert np.array_equal(kinds.predict("double", array=np.arange(6).reshape(2, 3)), [[0, 2, 4], [6, 8, 10]])


def test_a_batch_is_answered_in_order(kinds: Caller) -> None:
    reply = kinds.post(request(*(kinds.arguments("predict", text=text) for text in "abc")))
    assert [output.data.parts[0].data.string_value for output in reply.outputs] == ["A", "B", "C"]
    assert reply.status.code == SUCCESS


def test_a_batch_says_which_input_failed(kinds: Caller) -> None:
    good, bad = kinds.arguments("limited"), kinds.arguments("limited")
    bad.parts[0].data.float_value = 7.0
    reply = kinds.post(request(good, bad))
    assert reply.status.description.startswith("input 2 of 2: ")
    assert [output.status.code == SUCCESS for output in reply.outputs] == [True, False]
    assert isinstance(errors.from_status(reply.status), InputError)


def test_the_old_form_is_answered_in_the_old_form(kinds: Caller) -> None:
    data = kinds.post(request(resources_pb2.Data(text=resources_pb2.Text(raw="old")))).outputs[0].data
    assert (data.text.raw, data.string_value, len(data.parts)) == ("OLD", "OLD", 0)


def test_the_old_form_generates_too(kinds: Caller) -> None:
    replies = kinds.generate(request(resources_pb2.Data(text=resources_pb2.Text(raw="a"))))
    assert [reply.outputs[0].data.text.raw for reply in replies] == ["a0", "a1", "a2"]


def test_signatures_keep_the_order_of_declaration(kinds: Caller) -> None:
    assert list(kinds.signatures)[:3] == ["predict", "predict_async", "limited"]
    assert kinds.signatures["predict"].description == "Upper case."


@pytest.mark.parametrize(
    ("arguments", "named"),
    [({"ratio": 1.5}, "ratio"), ({"colour": "green"}, "colour")],
)
def test_ranges_and_choices_are_enforced(kinds: Caller, arguments: dict[str, object], named: str) -> None:
    data = kinds.arguments("limited")
    part = next((part for part in data.parts if part.id == named), None) or data.parts.add(id=named)
    part.data.Clear()
    if isinstance(arguments[named], str):
        part.data.string_value = arguments[named]
    else:
        part.data.float_value = arguments[named]
    error = errors.from_status(kinds.post(request(data)).status)
    assert isinstance(error, InputError)
    assert f'"{named}"' in error.message


def test_a_wrong_type_and_a_missing_argument_are_named(kinds: Caller) -> None:
    wrong = kinds.arguments("predict", text="x")
    wrong.parts[0].data.Clear()
    wrong.parts[0].data.int_value = 3
    assert '"text"' in kinds.post(request(wrong)).status.description
    missing = kinds.arguments("predict", text="x")
    del missing.parts[:]
    missing.parts.add()
    assert 'needs the argument "text"' in kinds.post(request(missing)).status.description


def test_an_unknown_method_is_refused_by_name(kinds: Caller) -> None:
    data = kinds.arguments("nothing")
    data.metadata["_method_name"] = "fly"
    for reply in (
        kinds.post(request(data)),
        next(kinds.generate(request(data))),
        next(kinds.stream(iter([request(data)]))),
    ):
        error = errors.from_status(reply.status)
        assert isinstance(error, NotFoundError)
        assert '"fly"' in error.message
        assert "predict" in error.message


def test_the_wrong_rpc_says_which_is_right(kinds: Caller) -> None:
    generate = kinds.post(request(kinds.arguments("generate", text="x"))).status
    assert "GenerateModelOutputs" in generate.description
    predict = next(kinds.generate(request(kinds.arguments("predict", text="x")))).status
    assert "PostModelOutputs" in predict.description
    stream = next(kinds.stream(iter([request(kinds.arguments("generate", text="x"))]))).status
    assert isinstance(errors.from_status(stream), InputError)


def test_no_inputs_or_too_many_are_refused(kinds: Caller) -> None:
    two = [kinds.arguments("generate", text="x")] * 2
    for reply in (
        kinds.post(request()),
        next(kinds.generate(request())),
        next(kinds.generate(request(*two))),
        next(kinds.stream(iter([request()]))),
        next(kinds.stream(iter([]))),
    ):
        assert isinstance(errors.from_status(reply.status), InputError)


def test_seventy_megabytes_pass(kinds: Caller) -> None:
    text = os.urandom(35_000_000).hex()
    assert kinds.predict("predict", text=text) == text.upper()
