"""The socket of runs: each person starts runs, and tries to follow, feed and stop those of the app's owner."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import AnonymousUser

from playground.catalog import sharing
from playground.catalog.models import App, ModelVersion, User
from playground.play.queries.choices import list_choices
from playground.runs import executor
from playground.runs.consumers import RunConsumer
from tests.access import world
from tests.access.table import COLUMNS, HIDDEN, IN_THE_APP, MERLES_OWN, OK, OLIVES_OWN, Row
from tests.gateway.live import ECHO
from tests.runs.conftest import Socket
from tests.runs.gateway import SIGNATURES, Gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Connect = Callable[[str], Awaitable[Socket]]


@pytest.fixture
def people(transactional_db: None, settings: Any, tmp_path: Any) -> dict[str, User]:
    settings.MEDIA_ROOT = tmp_path
    world.make(ECHO)
    for version in ModelVersion.objects.all():
        version.signatures = list(SIGNATURES.values())
        version.save()
    return {user.username: user for user in User.objects.all()}


@pytest.fixture
async def connect(people: dict[str, User], settings: Any) -> AsyncIterator[Connect]:
    """Opens a person's socket; ends sockets, executor and the gateway behind them after the test."""
    server = Gateway()
    await server.start()
    settings.GATEWAY_PORT = server.port
    sockets: list[Socket] = []

    async def open_socket(name: str) -> Socket:
        socket = Socket(RunConsumer.as_asgi(), "/ws/runs/")
        socket.scope["user"] = people[name]
        sockets.append(socket)
        assert (await socket.connect())[0]
        return socket

    yield open_socket
    for socket in sockets:
        await socket.disconnect()
    await executor.shutdown()
    await server.stop()


async def started(socket: Socket, model: str, **message: Any) -> str:
    run = str(uuid.uuid4())
    asked = {"type": "start", "run": run, "model": f"olive/main/models/{model}", "method": "predict"}
    await socket.send_json_to(asked | {"arguments": {"text": "Ada"}} | message)
    while (told := await socket.message())["type"] == "events":
        if any(event["kind"] == "output" for event in told["events"]):
            return OK
    assert told["error"]["name"] == "NotFoundError", told
    return HIDDEN


@pytest.mark.parametrize(
    ("model", "selector", "row"),
    [
        ("echo", {}, IN_THE_APP),
        ("open", {}, (OK,) * 6),
        ("nothing", {}, (HIDDEN,) * 6),
        ("echo", {"deployment_id": "for-all", "deployment_user_id": "olive"}, IN_THE_APP),
    ],
    ids=["private", "public", "none", "a public deployment"],
)
async def test_starting(connect: Connect, model: str, selector: dict[str, str], row: Row) -> None:
    assert tuple([await started(await connect(name), model, selector=selector) for name in COLUMNS]) == row


async def test_another_s_run_is_neither_followed_nor_fed_nor_stopped(connect: Connect) -> None:
    olive = await connect(world.OWNER)
    run = await olive.start("endless", model="olive/main/models/echo", arguments={"text": "x"})
    await olive.events(run, lambda event: event["kind"] == "output")
    for name in (world.CO_OWNER, world.MEMBER, world.VIEWER, world.STRANGER, world.ADMIN):
        other = await connect(name)
        for kind in ("attach", "stop", "input", "close_input"):
            await other.send_json_to({"type": kind, "run": run, "value": "y"})
            assert (await other.refusal())["error"]["name"] in {"NotFoundError", "ConflictError"}, (name, kind)
        await other.start("predict", run, model="olive/main/models/open", arguments={"text": "y"})
        assert (await other.refusal())["error"]["name"] == "NotFoundError", name
    await olive.send_json_to({"type": "stop", "run": run})
    assert (await olive.events(run))[-1]["kind"] == "stopped"


async def test_nobody_gets_no_socket(connect: Connect) -> None:
    socket = Socket(RunConsumer.as_asgi(), "/ws/runs/")
    socket.scope["user"] = AnonymousUser()
    await socket.connect()
    assert await socket.receive_output() == {"type": "websocket.close", "code": executor.SIGNED_OUT}


async def test_who_leaves_the_app_starts_nothing_more_on_an_open_socket(
    connect: Connect, people: dict[str, User]
) -> None:
    socket = await connect(world.VIEWER)
    assert await started(socket, "echo") == OK
    app = await App.objects.select_related("owner").aget()
    await sync_to_async(sharing.remove_member)(people[world.OWNER], app, world.VIEWER)
    other = await connect(world.VIEWER)
    assert await started(other, "echo") == HIDDEN
    assert await started(other, "open") == OK


@pytest.mark.parametrize(
    ("owner", "slug", "row"), [("olive", "olives", OLIVES_OWN), ("merle", "merles", MERLES_OWN)], ids=["olive", "merle"]
)
async def test_pages_offer_the_deployments_that_one_may_use(
    people: dict[str, User], owner: str, slug: str, row: Row
) -> None:
    app = await App.objects.aget()
    model = await app.models.aget(slug="echo")
    for name, word in zip(COLUMNS, row, strict=True):
        choices = (await sync_to_async(list_choices)(people[name], model)).choices
        found = [choice for choice in choices if choice.deployment and choice.deployment.slug == slug]
        assert bool(found) == (word == OK), name
        for choice in found:
            whose = {} if name == owner else {"deployment_user_id": owner}
            assert choice.selector == {"deployment_id": slug, **whose}
