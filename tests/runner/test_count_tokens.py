"""Token counts reach the answer they were set for, and no other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.runner.calling import Caller, request


def test_counts_come_with_the_answer(kinds: Caller) -> None:
    output = kinds.post(request(kinds.arguments("count_tokens", prompt=5))).outputs[0]
    assert (output.prompt_tokens, output.completion_tokens, output.cached_tokens) == (5, 10, 1)


def test_counts_set_before_a_failure_are_forgotten(kinds: Caller) -> None:
    for _ in range(20):
        assert not kinds.post(request(kinds.arguments("count_tokens", prompt=5, is_failing=True))).outputs
        assert kinds.post(request(kinds.arguments("predict", text="x"))).outputs[0].prompt_tokens == 0


def test_each_input_of_a_batch_has_its_own(kinds: Caller) -> None:
    reply = kinds.post(request(*(kinds.arguments("count_tokens", prompt=number) for number in (1, 2, 3))))
    assert [output.prompt_tokens for output in reply.outputs] == [1, 2, 3]
    mixed = kinds.post(request(kinds.arguments("count_tokens", prompt=9), kinds.arguments("predict", text="x")))
    assert [output.prompt_tokens for output in mixed.outputs] == [9, 0]


@pytest.mark.parametrize("method", ["count_tokens", "count_async"])
def test_counts_never_leak_between_calls_at_once(kinds: Caller, method: str) -> None:
    def ask(number: int) -> bool:
        outputs = kinds.post(request(kinds.arguments(method, prompt=number))).outputs
        return bool(outputs[0].prompt_tokens == number)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(1, 100)))


def test_pieces_carry_their_own_counts(kinds: Caller) -> None:
    def ask(start: int) -> list[tuple[int, int]]:
        replies = kinds.generate(request(kinds.arguments("count_pieces", start=start)))
        return [(reply.outputs[0].prompt_tokens, reply.outputs[0].completion_tokens) for reply in replies]

    with ThreadPoolExecutor(8) as pool:
        for start, counts in zip(range(100, 900, 100), pool.map(ask, range(100, 900, 100)), strict=True):
            assert counts == [(start, start + number) for number in range(20)]
