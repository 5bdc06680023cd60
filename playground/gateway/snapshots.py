"""What each caller may see, in memory: the rows are read once for everybody, then which of them each caller sees.

A route that was found is kept too, so the next call of its kind costs one look-up, however many deployments there are.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from playground.catalog.changes import latest_change
from playground.catalog.models import Model, ModelVersion, User
from playground.compute.models import Deployment, Nodepool, Placement
from playground.compute.routing import DeploymentEntry, ModelEntry, ModelKey, NodepoolKey, Snapshot, route
from playground.gateway.requests import served_by_tail
from playground.protocol.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from playground.compute.database import DatabaseThread
    from playground.compute.routing import Request, Route
    from playground.gateway.access import Caller

Entry = TypeVar("Entry")
_CACHE_SIZE = 4096
_COLUMNS = (
    "pk",
    "owner__username",
    "slug",
    "model",
    "nodepool",
    "version__slug",
    "is_shared",
    "is_enabled",
    "queue_limit",
    "max_replicas",
)


@dataclass(frozen=True)
class World:
    """All rows that routing needs, by primary key, in order; ``age`` tells one reading from the next.

    ``change`` is the newest change that it is sure to show.
    """

    age: int
    change: int
    models: Mapping[int, ModelEntry]
    deployments: Mapping[int, DeploymentEntry]
    nodepools: Mapping[int, NodepoolKey]
    built_in: int | None


@dataclass(frozen=True)
class Destination:
    """A route, and what each reply tells about it."""

    route: Route
    tail: bytes


class Snapshots:
    """One snapshot a caller. On a miss the rows are read again if they changed: what was just created is found at once.

    They are not where nothing changed, or whoever asks for what there is not would make everybody wait.
    """

    def __init__(self, database: DatabaseThread) -> None:
        self._database = database
        self._world: World | None = None  # read and written by the database's thread alone
        self._cache: dict[int, Snapshot] = {}
        self._routes: dict[tuple[int, Request], Destination] = {}
        self._loading: dict[int, asyncio.Task[Snapshot]] = {}
        self._age = 0

    async def destination(self, caller: Caller, request: Request) -> Destination:
        """Where ``request`` goes. Raises what ``routing.route`` raises."""
        known = self._routes.get((caller.pk, request))
        if known is not None:
            return known
        age = self._age
        found = await self._route(caller, request)
        destination = Destination(found, served_by_tail(found.deployment))
        if age == self._age:
            if len(self._routes) >= _CACHE_SIZE:
                self._routes.clear()
            self._routes[caller.pk, request] = destination
        return destination

    async def _route(self, caller: Caller, request: Request) -> Route:
        snapshot = self._cache.get(caller.pk) or await self._load(caller)
        try:
            return route(snapshot, request)
        except NotFoundError:
            if not await self._database(self._is_out_of_date):
                raise
        self.forget()
        return route(await self._load(caller), request)

    def forget(self) -> None:
        """Something changed: read again before the next call."""
        self._cache.clear()
        self._routes.clear()
        self._loading.clear()
        self._age += 1

    async def _load(self, caller: Caller) -> Snapshot:
        """However many calls wait for it, it is read once."""
        task = self._loading.get(caller.pk)
        if task is None:
            task = self._loading[caller.pk] = asyncio.create_task(self._read(caller.pk, self._age))
        return await asyncio.shield(task)

    async def _read(self, user_pk: int, age: int) -> Snapshot:
        try:
            snapshot = await self._database(self._read_for, user_pk, age)
        finally:
            if age == self._age:
                self._loading.pop(user_pk, None)
        if age == self._age:
            if len(self._cache) >= _CACHE_SIZE:
                self._cache.clear()
            self._cache[user_pk] = snapshot
        return snapshot

    def _is_out_of_date(self) -> bool:
        return self._world is None or self._world.change != latest_change()

    def _read_for(self, user_pk: int, age: int) -> Snapshot:
        """In the database's thread, where one reads after another."""
        if self._world is None or self._world.age != age:
            self._world = read_world(age)
        return view(self._world, User.objects.get(pk=user_pk))


def read_world(age: int = 0) -> World:
    """The rows as they are now."""
    change = latest_change()
    versions: dict[int, list[str]] = defaultdict(list)
    newest_first = ModelVersion.objects.order_by("-pk")
    for model_pk, slug in newest_first.values_list("model_id", "slug"):
        versions[model_pk].append(slug)
    models = {
        pk: ModelEntry(ModelKey(*names), tuple(versions[pk]))
        for pk, *names in Model.objects.order_by("pk").values_list("pk", "app__owner__username", "app__slug", "slug")
    }
    nodepools: dict[int, NodepoolKey] = {}
    built_in = None
    fields = "pk", "is_shared", "cluster__owner__username", "cluster__slug", "slug"
    for pk, is_shared, user_id, cluster_id, slug in Nodepool.objects.order_by("pk").values_list(*fields):
        nodepools[pk] = NodepoolKey(user_id, cluster_id, slug, pk)
        built_in = pk if is_shared and built_in is None else built_in
    return World(age, change, models, _read_deployments(models, nodepools), nodepools, built_in)


def _read_deployments(
    models: Mapping[int, ModelEntry], nodepools: Mapping[int, NodepoolKey]
) -> dict[int, DeploymentEntry]:
    """Without those whose model or nodepool came after the others were read: the next miss finds them."""
    placements: dict[int, list[NodepoolKey]] = defaultdict(list)
    for deployment_pk, nodepool_pk in Placement.objects.order_by("position").values_list("deployment", "nodepool"):
        if nodepool_pk in nodepools:
            placements[deployment_pk].append(nodepools[nodepool_pk])
    entries: dict[int, DeploymentEntry] = {}
    for pk, owner, slug, model, nodepool, pinned, *rest in Deployment.objects.order_by("pk").values_list(*_COLUMNS):
        if model in models and nodepool in nodepools:
            here = nodepools[nodepool]
            others = tuple(pool for pool in placements[pk] if pool != here)
            entries[pk] = DeploymentEntry(pk, owner, slug, models[model].key, here, pinned or "", others, *rest)
    return entries


def view(world: World, user: User) -> Snapshot:
    """What ``user`` may see of it."""
    nodepools = _seen(world.nodepools, Nodepool.objects.visible_to(user))
    return Snapshot.of(
        user.username,
        models=_seen(world.models, Model.objects.visible_to(user)).values(),
        deployments=_seen(world.deployments, Deployment.objects.visible_to(user)).values(),
        nodepools=nodepools.values(),
        built_in=nodepools.get(world.built_in) if world.built_in is not None else None,
    )


def _seen(entries: Mapping[int, Entry], rows: QuerySet[Any]) -> dict[int, Entry]:
    """The entries of ``rows``; one that came after the rest was read is left out, and found on the next miss."""
    return {pk: entries[pk] for pk in sorted(rows.values_list("pk", flat=True)) if pk in entries}
