"""The local socket of the gateway: it carries what gRPC carries, and where there is none gRPC carries it."""

from __future__ import annotations

import asyncio
import stat
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from playground.protocol.errors import AccessError, DeadlineError, ModelError, StoppedError, UnavailableError
from playground.sdk import AsyncClient
from tests.gateway.live import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.gateway.live import Live

NOBODY = "http://127.0.0.1:1"


def socket_of(gateway: Live) -> Path:
    return gateway.data / f"gateway-{gateway.port}.sock"


@asynccontextmanager
async def echo(gateway: Live, *, token: str = "") -> AsyncIterator[Any]:
    """The model, asked over the socket: gRPC finds nobody at the client's address."""
    address = {"user_id": "owner", "app_id": "main", "model_id": "echo"}
    async with AsyncClient(f"http://{gateway.address}", gateway.tokens["owner"]) as plain:
        known = await plain.model(**address).signatures()
    client = AsyncClient(NOBODY, token or gateway.tokens["owner"])
    client.local_socket = socket_of(gateway)
    async with client:
        yield client.model(**address, signatures=known.values())


async def test_all_three_kinds_answer(gateway: Live) -> None:
    async with echo(gateway) as model:
        assert await model.predict("you") == "echo you"
        assert await model.generate("you", count=2) == "0 you 1 you "
        assert await model.stream(["a", "b"]) == ["echo a", "echo b"]
        answer = await model.call("predict", {"text": "x"})
        assert answer.served_by.deployment_id == "shared-echo"
        assert answer.request_id.startswith("playground-")


async def test_a_stream_is_live_both_ways(gateway: Live) -> None:
    async with echo(gateway) as model:
        inputs: asyncio.Queue[str | None] = asyncio.Queue()

        async def given() -> AsyncIterator[str]:
            while (item := await inputs.get()) is not None:
                yield item

        async with model.open_stream("stream", {}, inputs=given()) as stream:
            for word in ("one", "two"):
                inputs.put_nowait(word)
                assert (await anext(stream)).value == f"echo {word}"
            inputs.put_nowait(None)
            with pytest.raises(StopAsyncIteration):
                await anext(stream)


async def test_many_calls_at_once_each_get_their_own_answer(gateway: Live) -> None:
    async with echo(gateway) as model:
        answers = await asyncio.gather(*(model.predict(str(number)) for number in range(100)))
        assert answers == [f"echo {number}" for number in range(100)]


async def test_failures_are_told_as_over_grpc(gateway: Live) -> None:
    async with echo(gateway) as model:
        with pytest.raises(ModelError, match="no luck with it"):
            await model.fail("it")
        assert await model.predict("after") == "echo after"
    async with echo(gateway, token="pg_wrong") as model:
        with pytest.raises(AccessError):
            await model.predict("x")
    async with echo(gateway, token=gateway.tokens["stranger"]) as model:
        with pytest.raises(Exception, match="not shared with you"):
            await model.predict("x")


async def test_an_empty_stream_is_answered_as_over_grpc(gateway: Live) -> None:
    address = {"user_id": "owner", "app_id": "main", "model_id": "echo"}
    client = AsyncClient(f"http://{gateway.address}", gateway.tokens["owner"])
    client.local_socket = socket_of(gateway)
    async with client:
        assert await client.model(**address).stream([]) == []


@pytest.mark.parametrize("way", ["stop", "leave", "deadline"])
async def test_ending_a_call_ends_the_models_loop(gateway: Live, tmp_path: Path, way: str) -> None:
    note = tmp_path / "note"
    async with echo(gateway) as model:
        seconds = 0.5 if way == "deadline" else 30
        async with model.open_stream("endless", {"text": str(note)}, deadline=seconds) as stream:
            await anext(stream)
            if way == "stop":
                stream.stop()
                with pytest.raises(StoppedError):
                    await asyncio.wait_for(_all_of(stream), 5)
            elif way == "deadline":
                with pytest.raises(DeadlineError):
                    await asyncio.wait_for(_all_of(stream), 5)
    await asyncio.to_thread(wait_for, note.exists, "the model to be stopped")


async def _all_of(stream: Any) -> None:
    async for _ in stream:
        pass


async def test_without_a_socket_grpc_carries_the_call(gateway: Live, tmp_path: Path) -> None:
    client = AsyncClient(f"http://{gateway.address}", gateway.tokens["owner"])
    client.local_socket = tmp_path / "nothing.sock"
    async with client:
        model = client.model(user_id="owner", app_id="main", model_id="echo")
        assert await model.predict("you") == "echo you"
        assert await model.generate("you", count=1) == "0 you "
        assert await model.stream(["a", "b"]) == ["echo a", "echo b"]


async def test_a_gateway_that_ends_is_told_of_and_found_again(fresh: Live, tmp_path: Path) -> None:
    fresh.start()
    async with echo(fresh) as model:
        async with model.open_stream("endless", {"text": str(tmp_path / "note")}) as stream:
            await anext(stream)
            assert fresh.process is not None
            fresh.process.kill()
            with pytest.raises(UnavailableError):
                await asyncio.wait_for(_all_of(stream), 5)
        fresh.process.wait(10)
        fresh.start()
        assert await model.predict("again") == "echo again"


def test_the_socket_is_its_users_alone(gateway: Live) -> None:
    assert stat.S_IMODE(socket_of(gateway).stat().st_mode) == 0o600
