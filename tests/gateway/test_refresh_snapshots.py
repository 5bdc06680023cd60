"""What the gateway keeps of the catalog: read once for all who wait, found at once when new, dropped after changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from playground.catalog import services as catalog
from playground.catalog.models import Model, User, note_change
from playground.compute import services
from playground.compute.database import DatabaseThread
from playground.compute.models import Deployment, Nodepool, Placement
from playground.compute.routing import Request, Selector
from playground.compute.setup import ensure_shared_nodepool
from playground.gateway import snapshots
from playground.gateway.access import Caller
from playground.gateway.snapshots import Snapshots
from playground.protocol.errors import NotFoundError
from tests.gateway import live

pytestmark = pytest.mark.django_db(transaction=True)
ECHO = Request("owner", "main", "echo")


class Database(DatabaseThread):
    """Counts what is read."""

    def __init__(self) -> None:
        super().__init__("reads")
        self.reads = 0

    async def __call__(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        self.reads += 1
        return await super().__call__(function, *args, **kwargs)


def prepare(folder: Path) -> tuple[Caller, Caller, Model]:
    owner, app = catalog.ensure_owner()
    ensure_shared_nodepool(owner)
    model = catalog.add_model(app, folder).model
    services.ensure_shared_deployment(model)
    stranger = User.objects.create_user("stranger")
    return Caller(owner.pk, owner.username), Caller(stranger.pk, "stranger"), model


def deploy(model: Model, slug: str) -> Deployment:
    nodepool = Nodepool.objects.get(is_shared=True)
    row = Deployment.objects.create(owner=model.app.owner, slug=slug, model=model, nodepool=nodepool, queue_limit=9)
    Placement.objects.create(deployment=row, nodepool=nodepool)
    note_change("deployment", row.pk)
    return row


class World:
    def __init__(self, database: Database, owner: Caller, stranger: Caller, model: Model) -> None:
        self.database = database
        self.snapshots = Snapshots(database)
        self.owner = owner
        self.stranger = stranger
        self.model = model

    async def do(self, act: Callable[..., Any], *args: Any) -> Any:
        return await DatabaseThread.__call__(self.database, act, *args)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    database = Database()
    prepared = await DatabaseThread.__call__(database, prepare, live.ECHO)
    yield World(database, *prepared)
    await database.close()


def by_id(slug: str) -> Request:
    return ECHO._replace(selector=Selector(deployment_id=slug, is_given=True))


async def test_many_calls_at_once_read_once(world: World) -> None:
    found = await asyncio.gather(*(world.snapshots.destination(world.owner, ECHO) for _ in range(50)))
    assert {one.route.deployment.deployment_id for one in found} == {"shared-echo"}
    assert world.database.reads == 1
    await world.snapshots.destination(world.owner, ECHO)
    assert world.database.reads == 1


async def test_a_caller_who_leaves_takes_nobodys_answer_along(world: World) -> None:
    first, second = (asyncio.create_task(world.snapshots.destination(world.owner, ECHO)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).route.deployment.deployment_id == "shared-echo"


async def test_rows_are_read_once_for_all_callers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ages = []
    read = snapshots.read_world
    monkeypatch.setattr(snapshots, "read_world", lambda age: ages.append(age) or read(age))  # type: ignore[func-returns-value]
    await world.snapshots.destination(world.owner, ECHO)
    with pytest.raises(NotFoundError, match="No model owner/main/models/echo for you"):
        await world.snapshots.destination(world.stranger, ECHO)
    assert ages == [0]


async def test_what_was_just_created_is_found_at_once(world: World) -> None:
    await world.snapshots.destination(world.owner, ECHO)
    with pytest.raises(NotFoundError):
        await world.snapshots.destination(world.owner, by_id("night"))
    await world.do(deploy, world.model, "night")
    found = await world.snapshots.destination(world.owner, by_id("night"))
    assert (found.route.deployment.deployment_id, found.route.deployment.queue_limit) == ("night", 9)


async def test_what_there_is_not_is_looked_up_without_reading_all_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.snapshots.destination(world.owner, ECHO)
    monkeypatch.delattr(snapshots, "read_world")
    for _ in range(2):
        with pytest.raises(NotFoundError, match="shared-echo"):
            await world.snapshots.destination(world.owner, by_id("nowhere"))


async def test_a_change_is_seen_by_the_next_call(world: World) -> None:
    row = await world.do(deploy, world.model, "night")
    await world.snapshots.destination(world.owner, by_id("night"))
    await world.do(lambda: Deployment.objects.filter(pk=row.pk).update(queue_limit=3))
    assert (await world.snapshots.destination(world.owner, by_id("night"))).route.deployment.queue_limit == 9
    world.snapshots.forget()
    assert (await world.snapshots.destination(world.owner, by_id("night"))).route.deployment.queue_limit == 3


async def test_what_was_read_before_a_change_is_not_kept(world: World) -> None:
    loading = asyncio.create_task(world.snapshots.destination(world.owner, ECHO))
    await asyncio.sleep(0)
    world.snapshots.forget()
    await loading
    assert world.database.reads == 1
    await world.snapshots.destination(world.owner, ECHO)
    assert world.database.reads == 2


async def test_further_nodepools_are_known_in_order(world: World) -> None:
    def place() -> None:
        row = deploy(world.model, "night")
        owner = row.owner
        cluster = services.create_cluster(owner, "lab")
        for position, slug in enumerate(["spare", "last"], start=1):
            pool = services.create_nodepool(owner, cluster, slug)
            Placement.objects.create(deployment=row, nodepool=pool, position=position)

    await world.do(place)
    found = (await world.snapshots.destination(world.owner, by_id("night"))).route.deployment
    assert [str(pool) for pool in (found.nodepool, *found.others)] == ["local/shared", "lab/spare", "lab/last"]
    pair = Selector(cluster_id="lab", nodepool_id="last", is_given=True)
    asked = await world.snapshots.destination(world.owner, ECHO._replace(selector=pair))
    assert asked.route.deployment == found
