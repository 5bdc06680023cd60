"""Calls that never reached the model are tried once elsewhere; what may have run is not run again."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading

import pytest
from clarifai_grpc.grpc.api import service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.compute.engines.base import Endpoint
from playground.protocol.pipes import Frame
from tests.gateway.desk import Context, Desk, Runner, ask, desk, generate, post, text_of


def absent(endpoint: Endpoint) -> Runner:
    """A replica that is said to be ready, and is not there."""
    runner = Runner("absent")
    runner.endpoint = endpoint
    return runner


NOBODY = [Endpoint("127.0.0.1:1", "x", pipe_port=1), Endpoint("127.0.0.1:1")]


async def answers(made: Desk, way: str) -> list[str]:
    if way == "post":
        return [text_of(await post(made))]
    if way == "generate":
        return [text_of(reply) for reply in await generate(made)]
    context = Context(ask("a", "stream"))
    context.end_input()
    await made.relay.stream(None, context)
    return [text_of(await context.next())]


@pytest.mark.parametrize("way", ["post", "generate"])
@pytest.mark.parametrize("endpoint", NOBODY)
async def test_a_refused_connection_is_tried_elsewhere(way: str, endpoint: Endpoint) -> None:
    async with desk("there") as (made, (there,)):
        made.show(absent(endpoint), there)
        assert all(answer.startswith("there") for answer in await answers(made, way))
        assert [record.outcome for record in made.records] == ["SUCCESS"]
        assert made.traffic.load(7) == 0
        assert made.traffic.is_gone(endpoint)
        assert not made.traffic.is_gone(there.endpoint)


async def test_a_stream_that_could_not_begin_is_tried_elsewhere_too() -> None:
    async with desk("there") as (made, (there,)):
        made.show(absent(NOBODY[0]), there)
        assert await answers(made, "stream") == ["there a"]


@pytest.mark.parametrize("way", ["post", "generate"])
async def test_a_runner_that_is_stopping_ran_nothing(way: str) -> None:
    async with desk("left", "right") as (made, (left, right)):
        made.show(left, right)
        held = [asyncio.create_task(post(made, method="hold")) for _ in range(2)]
        await left.gate.wait_arrived()
        await right.gate.wait_arrived()
        assert text_of(await post(made)) == "left you"
        left.stop()
        await asyncio.sleep(0.05)
        assert all(answer.startswith("right") for answer in await answers(made, way))
        for runner in (left, right):
            runner.gate.open.set()
        assert sorted([text_of(await task) for task in held]) == ["left you", "right you"]


async def test_what_may_have_run_is_not_run_again() -> None:
    async with desk("left", "right") as (made, (left, right)):
        made.show(left, right)
        held = asyncio.create_task(post(made, method="hold"))
        await left.gate.wait_arrived()
        await left.end()
        assert (await held).status.code == StatusCode.RUNNER_PROCESSING_FAILED
        assert not right.gate.arrived.acquire(blocking=False)


async def test_where_nobody_else_is_the_caller_is_told_to_poll() -> None:
    async with desk() as (made, _):
        made.show(absent(NOBODY[0]))
        reply = await post(made)
        assert reply.status.code == StatusCode.MODEL_DEPLOYING
        assert "gone away" in reply.status.description
        assert not reply.HasField("runner_selector")


async def test_a_socket_that_has_just_died_gets_no_call() -> None:
    """Between the end of a process and the loop's hearing of it, a call could still be written to it, and be lost."""
    served = service_pb2.MultiOutputResponse(status=status_pb2.Status(code=StatusCode.SUCCESS)).SerializeToString()
    closed = threading.Event()

    def answer_once() -> None:
        with listener.accept()[0] as connection:
            while b"text" not in connection.recv(65536):  # the greeting may come alone
                pass
            connection.sendall(struct.pack("!IB", len(served), Frame.LAST) + served)
            asked.wait(10)
        listener.close()
        closed.set()

    asked = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=answer_once)
        serving.start()
        async with desk("there") as (made, (there,)):
            dying = absent(Endpoint("127.0.0.1:1", "x", pipe_port=listener.getsockname()[1]))
            made.show(dying, there)
            assert (await post(made)).status.code == StatusCode.SUCCESS
            asked.set()
            assert closed.wait(10)  # blocking, so that the loop hears of nothing
            assert text_of(await post(made)) == "there you"
        serving.join()


async def test_two_that_are_gone_are_not_tried_a_third_time() -> None:
    async with desk("there") as (made, (there,)):
        made.show(absent(NOBODY[0]), absent(NOBODY[1]), there)
        reply = await post(made)
        assert reply.status.code == StatusCode.MODEL_NOT_DEPLOYED
        assert "nothing was run" in reply.status.description
        assert text_of(await post(made)) == "there you"
