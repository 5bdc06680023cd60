"""What is read from replies without parsing them is what parsing them would give."""

from __future__ import annotations

from typing import Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from hypothesis import given
from hypothesis import strategies as st

from playground.gateway.tallies import Tally, count_outputs, outcome_of, read_tokens, refusal_of
from playground.protocol.errors import UnavailableError, to_status

OK = status_pb2.Status(code=StatusCode.SUCCESS)
counts = st.integers(0, 2**32 - 1)


def output(text: str, prompt: int, completion: int, cached: int) -> resources_pb2.Output:
    data = resources_pb2.Data(parts=[resources_pb2.Part(id="return", data=resources_pb2.Data(string_value=text))])
    tokens = {"prompt_tokens": prompt, "completion_tokens": completion, "cached_tokens": cached}
    return resources_pb2.Output(status=OK, data=data, **tokens)


outputs = st.lists(st.builds(output, st.text(max_size=300), counts, counts, counts), max_size=5)
codes = st.sampled_from([StatusCode.SUCCESS, StatusCode.FAILURE, StatusCode.MIXED_STATUS, StatusCode.MODEL_DEPLOYING])
replies = st.builds(
    lambda made, code, words: service_pb2.MultiOutputResponse(
        status=status_pb2.Status(code=code, description=words), outputs=made
    ),
    outputs,
    codes,
    st.text(max_size=200),
)


@given(replies)
def test_it_reads_what_parsing_would(reply: Any) -> None:
    content = reply.SerializeToString()
    assert count_outputs(content) == len(reply.outputs)
    assert outcome_of(content) == StatusCode.Name(reply.status.code)
    whole = [(one.prompt_tokens, one.completion_tokens, one.cached_tokens) for one in reply.outputs]
    assert (
        read_tokens(content, is_stream=False) == tuple(sum(column) for column in zip(*whole, strict=True)) or not whole
    )
    assert read_tokens(content, is_stream=True) == (whole[-1] if whole else (0, 0, 0))


@given(replies, replies)
def test_joined_replies_are_read_as_one(first: Any, second: Any) -> None:
    content = first.SerializeToString() + second.SerializeToString()
    assert count_outputs(content) == len(first.outputs) + len(second.outputs)
    assert outcome_of(content) == StatusCode.Name(second.status.code)


@given(st.one_of(st.binary(max_size=200), replies.flatmap(lambda reply: cut(reply.SerializeToString()))))
def test_nonsense_is_read_without_a_word(content: bytes) -> None:
    tally = Tally("id", 0, is_stream=True)
    tally.take(content)
    tally.end()
    assert tally.record().outcome
    refusal_of(content)
    read_tokens(content, is_stream=False)


def cut(content: bytes) -> st.SearchStrategy[bytes]:
    return st.integers(0, len(content)).map(lambda end: content[:end])


def test_a_refusal_is_told_from_an_answer() -> None:
    refused = service_pb2.MultiOutputResponse(status=to_status(UnavailableError("this runner is stopping")))
    found = refusal_of(refused.SerializeToString())
    assert isinstance(found, UnavailableError)
    assert refusal_of(service_pb2.MultiOutputResponse(status=OK).SerializeToString()) is None
    refused.outputs.add()
    assert refusal_of(refused.SerializeToString()) is None


@pytest.mark.parametrize("size", [10, 100_000])
def test_tokens_are_those_of_the_latest_piece_that_brought_an_output(size: int) -> None:
    tally = Tally("id", 5, is_stream=True)
    for completion in (1, 2):
        made = output("x" * size, 7, completion, 0)
        tally.take(service_pb2.MultiOutputResponse(status=OK, outputs=[made]).SerializeToString())
    failure = service_pb2.MultiOutputResponse(status=status_pb2.Status(code=StatusCode.FAILURE))
    tally.take(failure.SerializeToString())
    tally.end()
    record = tally.record()
    assert (record.outcome, record.outputs, record.prompt_tokens, record.completion_tokens) == ("FAILURE", 2, 7, 2)
