"""A queue's limit: in flight and waiting together. Unary and generate are told to come back, a stream is held."""

from __future__ import annotations

import asyncio

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from tests.gateway.desk import Context, Desk, Runner, ask, desk, generate, post, text_of, until

LIMIT = 4


async def fill(made: Desk, runner: Runner) -> list[asyncio.Task[object]]:
    made.show(runner)
    held = [asyncio.create_task(post(made, method="hold")) for _ in range(LIMIT)]
    await runner.gate.wait_arrived(LIMIT)
    return held


async def test_beyond_the_limit_unary_and_generate_are_told_to_come_back() -> None:
    async with desk("one") as (made, (one,)):
        held = await fill(made, one)
        for reply in (await post(made), *await generate(made)):
            assert reply.status.code == StatusCode.MODEL_BUSY_PLEASE_RETRY
            assert "busy with 4 calls" in reply.status.description
            assert not reply.HasField("runner_selector")
        one.gate.open.set()
        await asyncio.gather(*held)
        assert text_of(await post(made)) == "one you"


async def test_calls_that_wait_count_as_well() -> None:
    async with desk("one") as (made, (one,)):
        waiting = [asyncio.create_task(post(made)) for _ in range(LIMIT)]
        await until(lambda: made.traffic.waiting(7) == LIMIT)
        assert made.demands == [7] * LIMIT
        assert (await post(made)).status.code == StatusCode.MODEL_BUSY_PLEASE_RETRY
        made.show(one)
        assert [text_of(reply) for reply in await asyncio.gather(*waiting)] == ["one you"] * LIMIT
        assert made.traffic.load(7) == 0


async def test_streams_are_held_until_there_is_room_one_after_another() -> None:
    async with desk("one") as (made, (one,)):
        held = await fill(made, one)
        contexts = [Context(ask(word, "stream")) for word in ("a", "b")]
        streams = []
        for context in contexts:
            streams.append(asyncio.create_task(made.relay.stream(None, context)))
            await until(lambda: made.traffic.held(7) == len(streams))
        one.gate.open.set()
        await asyncio.gather(*held)
        for context, word in zip(contexts, ("a", "b"), strict=True):
            assert text_of(await context.next()) == f"one {word}"
            context.end_input()
        await asyncio.gather(*streams)
        assert (made.traffic.held(7), made.traffic.load(7)) == (0, 0)


async def test_a_held_stream_goes_before_calls_that_come_later() -> None:
    async with desk("one") as (made, (one,)):
        held = await fill(made, one)
        context = Context(ask("a", "stream"))
        stream = asyncio.create_task(made.relay.stream(None, context))
        await until(lambda: made.traffic.held(7) == 1)
        held.pop().cancel()
        assert text_of(await context.next()) == "one a"
        assert (await post(made)).status.code == StatusCode.MODEL_BUSY_PLEASE_RETRY
        context.end_input()
        await stream
        one.gate.open.set()
        await asyncio.gather(*held)


async def test_a_full_runner_is_told_as_busy_but_never_so_that_a_stream_is_sent_twice() -> None:
    async with desk() as (made, _):
        full = Runner("full", threads=1, queue=0)
        await full.start()
        made.show(full)
        held = asyncio.create_task(post(made, method="hold"))
        await full.gate.wait_arrived()
        assert (await post(made)).status.code == StatusCode.MODEL_BUSY_PLEASE_RETRY
        assert [reply.status.code for reply in await generate(made)] == [StatusCode.MODEL_BUSY_PLEASE_RETRY]
        context = Context(ask("a", "stream"))
        await made.relay.stream(None, context)
        assert (await context.next()).status.code == StatusCode.RPC_REQUEST_QUEUE_FULL
        full.gate.open.set()
        await held
        await full.end()


async def test_not_more_streams_are_held_than_the_limit() -> None:
    async with desk("one") as (made, (one,)):
        held = await fill(made, one)
        streams = [asyncio.create_task(made.relay.stream(None, Context(ask("a", "stream")))) for _ in range(LIMIT)]
        await until(lambda: made.traffic.held(7) == LIMIT)
        last = Context(ask("a", "stream"))
        await made.relay.stream(None, last)
        reply = await last.next()
        assert reply.status.code == StatusCode.RPC_REQUEST_QUEUE_FULL
        for stream in streams:
            stream.cancel()
        await asyncio.wait(streams)
        assert made.traffic.held(7) == 0
        one.gate.open.set()
        await asyncio.gather(*held)
