"""Several pieces in one reply: for whoever says that they take it, and for nobody else."""

from __future__ import annotations

from playground.protocol import headers
from playground.runner.handoff import MAX_JOINED_BYTES
from tests.runner.calling import Caller, calling, request


def counts(caller: Caller, text: str = "", count: int = 1000) -> tuple[list[int], list[str]]:
    """How many outputs each reply had, and all their values in order."""
    signature = caller.arguments("generate", text=text, count=count)
    replies = list(caller.generate(request(signature)))
    return [len(reply.outputs) for reply in replies], [
        output.data.parts[0].data.string_value for reply in replies for output in reply.outputs
    ]


def test_a_fast_model_s_pieces_are_joined_in_order(kinds_address: str) -> None:
    with calling(kinds_address, (headers.JOINED, "1")) as caller:
        sizes, values = counts(caller)
    assert values == [str(number) for number in range(1000)]
    assert len(sizes) < 900


def test_joined_replies_stay_small(kinds_address: str) -> None:
    text = "x" * (MAX_JOINED_BYTES // 2)
    with calling(kinds_address, (headers.JOINED, "1")) as caller:
        sizes, values = counts(caller, text, 20)
    assert len(values) == 20
    assert max(sizes) <= 2


def test_others_get_one_output_in_each_reply(kinds: Caller) -> None:
    sizes, values = counts(kinds)
    assert sizes == [1] * 1000
    assert values == [str(number) for number in range(1000)]
