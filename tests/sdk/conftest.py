"""A V2 server for every test, and one face over both twins of the SDK, so that each act is written once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from playground.sdk import AsyncClient, Client, Model
from tests.sdk.v2_server import V2Server, serving


@pytest.fixture
def server() -> Iterator[V2Server]:
    with serving() as server:
        yield server


class Sync:
    """The ordinary twin, each call in a thread, so that the test may await it."""

    def __init__(self, target: str, **options: Any) -> None:
        self.client: Any = Client(target, options.pop("token", "secret"), **options)

    def model(self, name: str = "owner/main/models/echo", **options: Any) -> Any:
        return self.client.model(name, **options)

    async def value(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(method, *args, **kwargs)

    async def pieces(self, method: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return await asyncio.to_thread(lambda: list(method(*args, **kwargs)))

    async def whole(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(lambda: method(*args, **kwargs).result())

    async def first_then_leave(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        def leave() -> Any:
            with method(*args, **kwargs) as stream:
                return next(stream)

        return await asyncio.to_thread(leave)

    async def close(self) -> None:
        self.client.close()


class Async:
    def __init__(self, target: str, **options: Any) -> None:
        self.client: Any = AsyncClient(target, options.pop("token", "secret"), **options)

    def model(self, name: str = "owner/main/models/echo", **options: Any) -> Any:
        return self.client.model(name, **options)

    async def value(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        return await method(*args, **kwargs)

    async def pieces(self, method: Any, *args: Any, **kwargs: Any) -> list[Any]:
        return [piece async for piece in method(*args, **kwargs)]

    async def whole(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        return await method(*args, **kwargs).result()

    async def first_then_leave(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        async with method(*args, **kwargs) as stream:
            return await anext(stream)

    async def close(self) -> None:
        await self.client.close()


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
async def twin(request: pytest.FixtureRequest, server: V2Server) -> AsyncIterator[Any]:
    made = request.param(server.target, timeout=10, stream_timeout=10)
    yield made
    await made.close()


@pytest.fixture
def model(server: V2Server) -> Iterator[Model]:
    with Client(server.target, "secret", timeout=10, stream_timeout=10) as client:
        yield client.model("owner/main/models/echo")
