"""Streams: live in both directions, closed when left, and no faster than their reader."""

from __future__ import annotations

import time

import pytest

from playground.protocol import errors
from playground.protocol.errors import InputError
from tests.runner.calling import Caller, Conversation, request
from tests.runner.kinds import EVENTS, wait_for


@pytest.fixture(autouse=True)
def _forget_events() -> None:
    EVENTS.clear()


@pytest.mark.parametrize("method", ["stream", "stream_async"])
def test_each_answer_comes_before_the_next_input(kinds: Caller, method: str) -> None:
    talk = Conversation(kinds, method, prefix=">")
    for text in ("one", "two", "three"):
        talk.say(text)
        assert talk.hear() == f">{text.upper()}"
    talk.end()
    assert list(talk.replies) == []


def test_an_answer_may_come_before_the_first_input(kinds: Caller) -> None:
    talk = Conversation(kinds, "greet_then_stream")
    talk.send(kinds.arguments("greet_then_stream"))
    assert talk.hear() == "ready"
    talk.say("x")
    assert talk.hear() == "x"
    talk.end()


@pytest.mark.parametrize("method", ["stream", "stream_async"])
def test_many_inputs_at_once_keep_their_order(kinds: Caller, method: str) -> None:
    texts = [f"text {number}" for number in range(500)]
    talk = Conversation(kinds, method)
    for text in texts:
        talk.say(text)
    talk.end()
    assert [kinds.value(method, reply) for reply in talk.replies] == [text.upper() for text in texts]


@pytest.mark.parametrize("method", ["stream", "stream_async"])
def test_a_cancelled_stream_wakes_a_model_that_waits_for_input(kinds: Caller, method: str) -> None:
    talk = Conversation(kinds, method)
    talk.say("one")
    talk.hear()
    assert f"{method} closed" not in EVENTS
    talk.replies.cancel()
    wait_for(f"{method} closed")
    talk.end()


@pytest.mark.parametrize("method", ["stream", "stream_async"])
def test_a_bad_input_in_mid_stream_ends_it_by_name(kinds: Caller, method: str) -> None:
    talk = Conversation(kinds, method)
    talk.say("one")
    assert talk.hear() == "ONE"
    bad = kinds.arguments("predict", text="x")
    bad.metadata["_method_name"] = method
    bad.parts[0].data.Clear()
    bad.parts[0].data.int_value = 5
    talk.send(bad)
    last = next(talk.replies)
    error = errors.from_status(last.status)
    assert isinstance(error, InputError)
    assert '"text"' in error.message
    assert list(talk.replies) == []
    wait_for(f"{method} closed")
    talk.end()


@pytest.mark.parametrize("method", ["endless", "endless_async"])
def test_a_cancelled_call_closes_its_generator(kinds: Caller, method: str) -> None:
    replies = kinds.generate(request(kinds.arguments(method)))
    next(replies)
    replies.cancel()
    wait_for(f"{method} closed")


def test_a_deadline_closes_the_generator(kinds: Caller) -> None:
    with pytest.raises(Exception, match="DEADLINE_EXCEEDED"):
        list(kinds.generate(request(kinds.arguments("endless_async")), timeout=0.3))
    wait_for("endless_async closed")


def test_a_slow_reader_slows_the_model(kinds: Caller) -> None:
    replies = kinds.generate(request(kinds.arguments("endless", size=100_000)))
    next(replies)
    time.sleep(1)
    replies.cancel()
    wait_for("endless closed")
    made = int(next(event for event in EVENTS if event.startswith("endless closed after")).split()[-1])
    assert made < 500, "the model ran ahead of its reader"


def test_a_cancelled_prediction_can_be_noticed(kinds: Caller) -> None:
    call = kinds._channel.unary_unary("/clarifai.api.V2/PostModelOutputs").future(
        request(kinds.arguments("notice")).SerializeToString()
    )
    wait_for("notice started")
    call.cancel()
    wait_for("cancel noticed")


@pytest.mark.parametrize("method", ["stream", "stream_async"])
def test_each_output_names_the_last_input_taken(kinds: Caller, method: str) -> None:
    talk = Conversation(kinds, method)
    for text in ("one", "two", "three"):
        talk.say(text)
    talk.end()
    assert [reply.outputs[0].input.id for reply in talk.replies] == ["1", "2", "3"]


def test_an_output_before_any_input_names_none(kinds: Caller) -> None:
    talk = Conversation(kinds, "greet_then_stream")
    talk.send(kinds.arguments("greet_then_stream"))
    assert not next(talk.replies).outputs[0].HasField("input")
    talk.end()
