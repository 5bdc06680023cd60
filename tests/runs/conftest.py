"""A model of ada's behind a small gateway, and sockets for ada and a stranger."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from playground.catalog.models import App, Model, ModelVersion, User
from playground.compute.models import Cluster, Deployment, Nodepool
from playground.runs import executor
from playground.runs.consumers import RunConsumer
from tests.runs.gateway import SIGNATURES, Gateway

LAST = {"finished", "failed", "stopped"}


class Socket(WebsocketCommunicator):
    """A page's socket: sends messages, gathers the events of runs."""

    async def start(self, method: str, run: str = "", **message: Any) -> str:
        run = run or str(uuid.uuid4())
        await self.send_json_to(
            {"type": "start", "run": run, "model": "ada/main/models/echo", "method": method, **message}
        )
        return run

    async def message(self) -> dict[str, Any]:
        received: dict[str, Any] = orjson.loads(await self.receive_from(5))
        return received

    async def events(self, run: str, until: Callable[[dict[str, Any]], bool] | None = None) -> list[dict[str, Any]]:
        """The run's events up to its last one, or to the first that fits."""
        events: list[dict[str, Any]] = []
        while True:
            message = await self.message()
            assert message["type"] == "events", message
            if message["run"] == run:
                events += message["events"]
            if any(until(event) if until else event["kind"] in LAST for event in events):
                return events

    async def refusal(self) -> dict[str, Any]:
        message = await self.message()
        assert message["type"] == "refused", message
        return message


Connect = Callable[..., Awaitable[Socket]]


@pytest.fixture(autouse=True)
def media_root(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def make_catalog() -> User:
    ada = User.objects.create_user("ada")
    User.objects.create_user("stranger")
    app = App.objects.create(owner=ada, slug="main")
    model = Model.objects.create(app=app, slug="echo")
    version = ModelVersion(model=model, folder="-")
    version.signatures = list(SIGNATURES.values())
    version.save()
    cluster = Cluster.objects.create(owner=ada, slug="local")
    nodepool = Nodepool.objects.create(cluster=cluster, slug="shared", is_shared=True)
    Deployment.objects.create(
        owner=ada, slug="shared-echo", model=model, nodepool=nodepool, is_shared=True, state=Deployment.State.READY
    )
    return ada


@pytest.fixture
def ada(transactional_db: None) -> User:
    return make_catalog()


@pytest.fixture
async def gateway(settings: Any) -> AsyncIterator[Gateway]:
    server = Gateway()
    await server.start()
    settings.GATEWAY_PORT = server.port
    yield server
    await server.stop()


@pytest.fixture
async def connect(ada: User, gateway: Gateway) -> AsyncIterator[Connect]:
    """Opens sockets for a user, ada where none is named; ends the executor after the test."""
    sockets: list[Socket] = []

    async def open_socket(user: User = ada) -> Socket:
        socket = Socket(RunConsumer.as_asgi(), "/ws/runs/")
        socket.scope["user"] = user
        sockets.append(socket)
        assert (await socket.connect())[0]
        return socket

    yield open_socket
    for socket in sockets:
        await socket.disconnect()
    await executor.shutdown()


@pytest.fixture
async def page(connect: Connect) -> Socket:
    return await connect()


@pytest.fixture
async def stranger(ada: User) -> User:
    return await User.objects.aget(username="stranger")


in_thread = sync_to_async


async def eventually(is_true: Callable[[], Any], seconds: float = 20) -> None:
    """Wait until a condition, sync or async, holds."""
    async with asyncio.timeout(seconds):
        while True:
            result = is_true()
            if await result if asyncio.iscoroutine(result) else result:
                return
            await asyncio.sleep(0.02)
