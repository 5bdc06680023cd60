from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from playground.sdk import (
    AsyncClient,
    Client,
    DeadlineError,
    DeployingError,
    InputError,
    Model,
    StoppedError,
    UnavailableError,
)
from tests.sdk.v2_server import V2Server


async def some(*items: str) -> AsyncIterator[str]:
    for item in items:
        yield item


async def test_pieces_come_one_by_one_and_make_a_whole(twin: Any) -> None:
    model = twin.model()
    assert await twin.pieces(model.generate, "one two three") == ["one ", "two ", "three "]
    assert await twin.whole(model.generate, "one two") == "one two "
    assert await twin.whole(model.stream, ["one", "two"]) == ["one!", "two!"]


async def test_leaving_the_block_cancels(twin: Any, server: V2Server) -> None:
    assert await twin.first_then_leave(twin.model().forever, "again") == "again"
    assert await asyncio.to_thread(server.cancelled.wait, 5)


@pytest.mark.parametrize("make", [list, tuple, iter, lambda items: (item for item in items)])
async def test_any_iterable_streams(twin: Any, make: Any, server: V2Server) -> None:
    assert await twin.pieces(twin.model().stream, make(["a", "b", "c"]), prefix=">") == [">a!", ">b!", ">c!"]
    ids = [[part.id for part in request.inputs[0].data.parts] for request in server.requests]
    assert ids == [["text", "prefix"], ["text"], ["text"]]


async def test_an_async_iterable_streams(twin: Any) -> None:
    assert await twin.pieces(twin.model().stream, some("a", "b")) == ["a!", "b!"]


async def test_no_inputs_bring_no_pieces(twin: Any, server: V2Server) -> None:
    assert await twin.pieces(twin.model().stream, [], prefix=">") == []
    assert [part.id for part in server.requests[-1].inputs[0].data.parts] == ["prefix"]


async def test_a_lone_text_is_no_stream(twin: Any) -> None:
    for wrong in ("text", b"bytes", {"a": 1}, 5):
        with pytest.raises(InputError, match="iterable"):
            await twin.pieces(twin.model().stream, wrong)


async def test_an_error_in_the_inputs_reaches_the_reader(twin: Any) -> None:
    def broken() -> Iterator[str]:
        yield "a"
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await twin.pieces(twin.model().stream, broken())


async def test_an_input_of_a_wrong_type_is_named(twin: Any) -> None:
    with pytest.raises(InputError, match="text"):
        await twin.pieces(twin.model().stream, ["a", 7])


async def test_a_deploying_model_is_polled_and_the_wait_told(server: V2Server, twin: Any) -> None:
    seen: list[Any] = []
    model = twin.model(signatures=server.signatures.values()).using(on_wait=seen.append)
    for ask in ("predict", "generate"):
        server.refusals.extend([DeployingError("building: installing numpy"), DeployingError("just a moment")])
        call = twin.value if ask == "predict" else twin.whole
        assert (await call(getattr(model, ask), "a")).strip() == "a"
    assert [waiting.state for waiting in seen] == ["building", "deploying"] * 2
    assert seen[0].message == "building: installing numpy"
    assert seen[1].waited_seconds >= 0.25


async def test_a_model_that_never_gets_ready_meets_the_deadline(server: V2Server, twin: Any) -> None:
    server.refusals.extend([DeployingError("starting: loading weights")] * 50)
    model = twin.model(signatures=server.signatures.values()).using(timeout=0.6)
    with pytest.raises(DeadlineError, match=r"not ready within 0.6 s: starting: loading weights") as late:
        await twin.value(model.predict, "a")
    assert late.value.call_id == "test-refused"


async def test_what_may_pass_is_tried_again_a_few_times(server: V2Server, twin: Any) -> None:
    model = twin.model(signatures=server.signatures.values())
    server.refusals.append(UnavailableError("gone for a moment"))
    assert await twin.value(model.predict, "a") == "a"
    server.refusals.extend([UnavailableError("gone for good")] * 9)
    server.calls.clear()
    with pytest.raises(UnavailableError, match="gone for good"):
        await twin.whole(model.generate, "a")
    assert len(server.calls) == 3


async def test_inputs_are_never_sent_twice(server: V2Server, twin: Any) -> None:
    server.refusals.append(DeployingError("starting"))
    model = twin.model(signatures=server.signatures.values())
    with pytest.raises(DeployingError):
        await twin.pieces(model.stream, iter(["a", "b"]))
    server.refusals.clear()
    assert server.calls.count("StreamModelOutputs") == 1


async def test_every_call_has_a_deadline(server: V2Server, twin: Any) -> None:
    model = twin.model(signatures=server.signatures.values())
    server.hangs = True
    began = time.monotonic()
    with pytest.raises(DeadlineError):
        await twin.value(model.using(timeout=0.3).predict, "a")
    with pytest.raises(DeadlineError) as late:
        await twin.pieces(model.using(stream_timeout=0.3).generate, "a b", pause=5.0)
    assert time.monotonic() - began < 3
    assert isinstance(late.value, TimeoutError)


async def test_open_stream_tells_all_about_each_piece(server: V2Server, twin: Any) -> None:
    model = twin.model()
    found = await twin.pieces(model.open_stream, "generate", {"text": "a b"})
    assert [answer.value for answer in found] == ["a ", "b "]
    assert found[0].served_by.deployment_id == "shared-echo"
    found = await twin.pieces(model.open_stream, "stream", {"prefix": ">"}, inputs=["a"])
    assert [answer.value for answer in found] == [">a!"]
    with pytest.raises(InputError, match="use call"):
        await twin.pieces(model.open_stream, "predict", {"text": "a"})


# Live both ways, and stopped from outside: each twin in its own way.


def test_an_answer_comes_before_the_next_input(model: Model) -> None:
    heard = threading.Semaphore(0)

    def inputs() -> Iterator[str]:
        for item in ("a", "b", "c"):
            yield item
            assert heard.acquire(timeout=5)

    with model.stream(inputs()) as stream:
        for expected in ("a!", "b!", "c!"):
            assert next(stream) == expected
            heard.release()
        assert list(stream) == []


@pytest.mark.parametrize("is_async", [True, False])
async def test_an_answer_comes_before_the_next_input_in_a_loop(server: V2Server, is_async: bool) -> None:
    heard = threading.Semaphore(0)

    def inputs() -> Iterator[str]:
        for item in ("a", "b", "c"):
            yield item
            assert heard.acquire(timeout=5)

    async def inputs_in_the_loop() -> AsyncIterator[str]:
        for item in ("a", "b", "c"):
            yield item
            await asyncio.to_thread(heard.acquire, timeout=5)

    given = inputs_in_the_loop() if is_async else inputs()
    async with AsyncClient(server.target) as client, client.model("echo").stream(given) as stream:
        for expected in ("a!", "b!", "c!"):
            assert await anext(stream) == expected
            heard.release()
        assert [piece async for piece in stream] == []


def test_stop_is_heard_mid_stream(model: Model, server: V2Server) -> None:
    with model.generate("a b c d", pause=0.5) as stream:
        assert next(stream) == "a "
        threading.Timer(0.1, stream.stop).start()
        with pytest.raises(StoppedError) as stopped:
            list(stream)
    assert stopped.value.call_id == stream.request_id != ""
    assert server.cancelled.wait(5)


async def test_stop_is_heard_mid_stream_in_a_loop(server: V2Server) -> None:
    async with AsyncClient(server.target) as client, client.model("echo").generate("a b c", pause=0.5) as stream:
        assert await anext(stream) == "a "
        asyncio.get_running_loop().call_later(0.1, stream.stop)
        with pytest.raises(StoppedError):
            [piece async for piece in stream]
    assert await asyncio.to_thread(server.cancelled.wait, 5)


async def test_a_cancelled_task_cancels_the_call(server: V2Server) -> None:
    async with AsyncClient(server.target) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await client.model("echo").generate("a b c", pause=1.0).result()
    assert await asyncio.to_thread(server.cancelled.wait, 5)


async def test_a_blocked_iterable_holds_up_neither_the_loop_nor_its_end(server: V2Server) -> None:
    never = threading.Event()

    def blocked() -> Iterator[str]:
        yield "a"
        never.wait(20)

    async with AsyncClient(server.target) as client, client.model("echo").stream(blocked()) as stream:
        assert await anext(stream) == "a!"
    never.set()


def test_a_dropped_stream_is_cancelled(model: Model, server: V2Server) -> None:
    for piece in model.forever("again"):
        assert piece == "again"
        break
    assert server.cancelled.wait(5)


def test_a_large_message_passes(server: V2Server) -> None:
    with Client(server.target) as client:
        text = "x" * (20 * 2**20)
        assert client.model("echo").predict(text) == text
