"""Calls to what is not ready: unary and generate are held a while and told to poll, a stream is held until it is."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.compute.engines.base import State
from playground.gateway.admission import HOLD_SECONDS
from tests.gateway.desk import DEPLOYMENT, Context, ask, desk, generate, post, text_of, until


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.BUILDING, "building (installing)"),
        (State.ZERO, "scaled to zero, and starts now"),
        (State.DRAINING, "draining"),
    ],
)
async def test_unary_is_held_and_then_told_to_poll(state: State, words: str) -> None:
    async with desk() as (made, _):
        made.show(state=state, reason="installing")
        began = time.monotonic()
        reply = await post(made)
        assert HOLD_SECONDS <= time.monotonic() - began < HOLD_SECONDS + 1
        assert reply.status.code == StatusCode.MODEL_DEPLOYING
        assert words in reply.status.description
        assert made.demands == [7]


async def test_generate_is_told_in_one_message() -> None:
    async with desk() as (made, _):
        [reply] = await generate(made)
        assert reply.status.code == StatusCode.MODEL_DEPLOYING


async def test_a_call_that_is_held_goes_on_as_soon_as_a_replica_is_ready() -> None:
    async with desk("one") as (made, (one,)):
        made.show(state=State.STARTING)
        waiting = asyncio.create_task(post(made))
        await asyncio.sleep(0.1)
        made.show(one)
        shown = time.monotonic()
        assert text_of(await waiting) == "one you"
        assert time.monotonic() - shown < 0.4
        assert made.records[0].queue_s >= 0.1


async def test_a_stream_is_held_until_ready_and_loses_nothing() -> None:
    async with desk("one") as (made, (one,)):
        context = Context(*(ask(word, "stream") for word in "abc"))
        context.end_input()
        stream = asyncio.create_task(made.relay.stream(None, context))
        await asyncio.sleep(HOLD_SECONDS + 0.2)
        assert not stream.done()
        assert made.traffic.waiting(7) == 1
        made.show(one)
        assert [text_of(await context.next()) for _ in "abc"] == ["one a", "one b", "one c"]
        await stream


async def test_a_failure_ends_the_waiting_with_its_reason() -> None:
    async with desk() as (made, _):
        context = Context(ask("a", "stream"))
        stream = asyncio.create_task(made.relay.stream(None, context))
        waiting = asyncio.create_task(post(made))
        await until(lambda: made.traffic.waiting(7) == 2)
        made.show(state=State.FAILED, reason="no such package")
        await stream
        for reply in (await context.next(), await waiting):
            assert reply.status.code == StatusCode.MODEL_DEPLOYMENT_FAILED
            assert "no such package" in reply.status.description
        assert made.traffic.waiting(7) == 0


async def test_what_failed_to_change_still_serves_with_what_it_has() -> None:
    async with desk("old") as (made, (old,)):
        made.show(old, state=State.FAILED, reason="the new version does not build")
        assert text_of(await post(made)) == "old you"


async def test_a_caller_who_leaves_no_longer_waits() -> None:
    async with desk() as (made, _):
        stream = asyncio.create_task(made.relay.stream(None, Context(ask("a", "stream"))))
        await until(lambda: made.traffic.waiting(7) == 1)
        stream.cancel()
        await asyncio.wait([stream])
        assert made.traffic.waiting(7) == 0


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"is_enabled": False}, StatusCode.DEPLOYMENT_DISABLED, "switched off"),
        ({"max_replicas": 0}, StatusCode.MODEL_NOT_DEPLOYED, "its maximum is 0"),
    ],
)
async def test_what_will_not_run_is_said_at_once(change: dict[str, object], code: int, words: str) -> None:
    async with desk(deployment=replace(DEPLOYMENT, **change)) as (made, _):  # type: ignore[arg-type]
        began = time.monotonic()
        reply = await post(made)
        assert reply.status.code == code
        assert words in reply.status.description
        assert time.monotonic() - began < 1
