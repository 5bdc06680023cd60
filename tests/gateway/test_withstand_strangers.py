"""What somebody sends who means no good costs nobody else anything: made-up names, endless ids, forged lines."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import psutil
import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.catalog import services
from playground.catalog.models import User
from playground.compute.database import DatabaseThread
from playground.compute.routing import MOST_ID_LENGTH, Request, Selector, Snapshot, route
from playground.compute.services import ensure_shared_deployment
from playground.compute.setup import ensure_shared_nodepool
from playground.gateway import snapshots
from playground.gateway.access import Caller
from playground.gateway.server import _Handlers
from playground.gateway.snapshots import Snapshots
from playground.protocol.errors import InputError, NotFoundError
from tests.gateway import live
from tests.gateway.live import Live, ask, by_deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def test_calls_that_do_not_exist_are_not_remembered() -> None:
    management, threshold = Mock(), Mock()
    management.handler.side_effect = lambda name: object() if name == "GetUser" else None
    threshold.guarded.side_effect = lambda handler, _: handler
    handlers = _Handlers(Mock(), management, threshold)
    for number in range(1000):
        assert handlers.service(Mock(method=f"/clarifai.api.V2/Made{number}")) is None
    user = Mock(method="/clarifai.api.V2/GetUser")
    assert handlers.service(user) is handlers.service(user)
    assert len(handlers._handlers) < 10


@pytest.mark.parametrize("token", ["", "pg_made_up"], ids=["without", "unknown"])
def test_nothing_is_taken_in_of_who_has_no_token(gateway: Live, token: str) -> None:
    assert gateway.process is not None
    process = psutil.Process(gateway.process.pid)
    gateway.predict(ask(), token=token)
    before, request = process.memory_info().rss, ask("x" * 64 * 2**20)
    code = StatusCode.CONN_KEY_INVALID if token else StatusCode.CONN_INVALID_REQUEST
    with ThreadPoolExecutor(4) as pool:
        replies = [pool.submit(gateway.predict, request, token=token) for _ in range(4)]
        most = before
        while not all(reply.done() for reply in replies):
            most = max(most, process.memory_info().rss)
            time.sleep(0.005)
    assert [reply.result().status.code for reply in replies] == [code] * 4
    assert most - before < 40 * 2**20


@pytest.mark.parametrize("user", ["owner", "nobody"])
def test_each_kind_of_call_may_be_the_first_of_its_caller(gateway: Live, user: str) -> None:
    """Before a token is known, each call has another way in, on which it fares the same."""
    wanted = live.OK if user == "owner" else StatusCode.CONN_KEY_INVALID

    def token() -> str:
        return str(gateway.django(NEW_TOKEN)) if user == "owner" else "pg_made_up"

    assert gateway.predict(ask(), token=token()).status.code == wanted
    pieces = gateway.generate(ask(method="generate"), token=token())
    assert {piece.status.code for piece in pieces} == {wanted}
    with gateway.streaming([ask("a", "stream"), ask("b", "stream")], token=token()) as replies:
        assert {reply.status.code for reply in replies} == {wanted}
    me = service_pb2.GetUserRequest(user_app_id=resources_pb2.UserAppIDSet(user_id="me"))
    assert gateway.call("GetUser", me, token=token()).status.code == wanted


NEW_TOKEN = """
from playground.catalog import services, tokens
print(json.dumps(tokens.create_token(services.ensure_owner()[0], "new")))
"""


@pytest.mark.parametrize("odd", ["x" * (MOST_ID_LENGTH + 1), "hello\n2026-01-01 forged", "nul\x00", "\u2028"])
@pytest.mark.parametrize("place", range(4))
def test_what_can_be_no_id_is_neither_looked_for_nor_repeated(place: int, odd: str) -> None:
    nothing = Snapshot.of("me", models=[], deployments=[], nodepools=[])
    ids = ["me", "main", "hello", "v1"]
    ids[place] = odd
    with pytest.raises(InputError) as caught:
        route(nothing, Request(*ids))
    assert odd not in str(caught.value)
    with pytest.raises(InputError) as caught:
        route(nothing, Request("me", "main", "hello", selector=Selector(*([""] * place), odd)))
    assert odd not in str(caught.value)


def test_such_an_id_is_refused_on_the_wire_and_in_no_log(gateway: Live) -> None:
    forged = "hello\n2026-01-01 00:00:00 ERROR forged"
    for request in (ask(model=forged), ask(runner_selector=by_deployment("y" * 10**6, forged))):
        reply = gateway.predict(request)
        assert reply.status.code == StatusCode.MODEL_INVALID_REQUEST
        assert len(reply.SerializeToString()) < 1000
    gateway.predict(ask(method=forged))
    owner = resources_pb2.UserAppIDSet(user_id="owner", app_id="main")
    gateway.call("GetModel", service_pb2.GetModelRequest(user_app_id=owner, model_id=forged))
    logs = "".join(path.read_text() for path in (gateway.data / "logs").glob("*.log"))
    assert "\n2026-01-01 00:00:00 ERROR" not in logs
    assert "hello\\n2026-01-01 00:00:00 ERROR forged" in logs


@pytest.fixture
async def database() -> AsyncIterator[DatabaseThread]:
    thread = DatabaseThread("reads")
    yield thread
    await thread.close()


@pytest.mark.django_db(transaction=True)
async def test_asking_for_what_there_is_not_reads_nothing_again(
    database: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_rows() -> tuple[int, int]:
        owner, _ = services.ensure_owner()
        ensure_shared_nodepool(owner)
        return owner.pk, User.objects.create_user("stranger").pk

    def add_echo() -> None:
        ensure_shared_deployment(services.add_model(services.ensure_owner()[1], Path(live.ECHO)).model)

    owner, stranger = await database(first_rows)
    read = Mock(wraps=snapshots.read_world)
    monkeypatch.setattr(snapshots, "read_world", read)
    known = Snapshots(database)
    for number in range(50):
        with pytest.raises(NotFoundError):
            await known.destination(Caller(stranger, "stranger"), Request("owner", "main", f"made-up-{number}"))
    assert read.call_count == 1
    await database(add_echo)
    found = await known.destination(Caller(owner, "owner"), Request("owner", "main", "echo"))
    assert found.route.deployment.deployment_id == "shared-echo"
