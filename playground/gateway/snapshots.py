"""What each caller may see, in memory: read from the database on first use and after changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Prefetch

from playground.catalog.models import Model, ModelVersion, User
from playground.compute.models import Deployment, Nodepool
from playground.compute.routing import DeploymentEntry, ModelEntry, ModelKey, NodepoolKey, Snapshot, route
from playground.gateway.requests import served_by_tail
from playground.protocol.errors import NotFoundError

if TYPE_CHECKING:
    from playground.compute.database import DatabaseThread
    from playground.compute.routing import Request, Route
    from playground.gateway.access import Caller

_CACHE_SIZE = 4096


@dataclass(frozen=True)
class Destination:
    """A route, and what each reply tells about it."""

    route: Route
    tail: bytes


class Snapshots:
    """One snapshot a caller. On a miss the database is asked once: what was just created is found at once."""

    def __init__(self, database: DatabaseThread) -> None:
        self._database = database
        self._cache: dict[int, Snapshot] = {}
        self._routes: dict[tuple[int, Request], Destination] = {}
        self._age = 0

    async def destination(self, caller: Caller, request: Request) -> Destination:
        """Where ``request`` goes. Raises what ``routing.route`` raises."""
        known = self._routes.get((caller.pk, request))
        if known is not None:
            return known
        found = await self._route(caller, request)
        if caller.pk in self._cache and len(self._routes) < _CACHE_SIZE:
            self._routes[caller.pk, request] = Destination(found, served_by_tail(found.deployment))
        return Destination(found, served_by_tail(found.deployment))

    async def _route(self, caller: Caller, request: Request) -> Route:
        snapshot = self._cache.get(caller.pk)
        if snapshot is not None:
            try:
                return route(snapshot, request)
            except NotFoundError:
                pass
        return route(await self._load(caller), request)

    def forget(self) -> None:
        """Something changed: read again before the next call."""
        self._cache.clear()
        self._routes.clear()
        self._age += 1

    async def _load(self, caller: Caller) -> Snapshot:
        age = self._age
        snapshot = await self._database(read_snapshot, caller.pk)
        if age == self._age:
            if len(self._cache) >= _CACHE_SIZE:
                self._cache.clear()
            self._cache[caller.pk] = snapshot
        return snapshot


def read_snapshot(user_pk: int) -> Snapshot:
    """Everything that routing needs of what the user may see."""
    user = User.objects.get(pk=user_pk)
    versions = Prefetch("versions", ModelVersion.objects.order_by("-created_at", "-pk").only("slug", "model_id"))
    models = Model.objects.visible_to(user).select_related("app__owner").prefetch_related(versions)
    deployments = Deployment.objects.visible_to(user).select_related(
        "owner", "model__app__owner", "nodepool__cluster__owner", "version"
    )
    nodepools = Nodepool.objects.visible_to(user).select_related("cluster__owner").order_by("pk")
    built_in = next((pool for pool in nodepools if pool.is_shared), None)
    return Snapshot.of(
        user.username,
        models=[ModelEntry(model_key(row), tuple(version.slug for version in row.versions.all())) for row in models],
        deployments=[deployment_entry(row) for row in deployments.order_by("pk")],
        nodepools=[nodepool_key(row) for row in nodepools],
        built_in=nodepool_key(built_in) if built_in is not None else None,
    )


def model_key(row: Model) -> ModelKey:
    return ModelKey(row.app.owner.username, row.app.slug, row.slug)


def nodepool_key(row: Nodepool) -> NodepoolKey:
    return NodepoolKey(row.cluster.owner.username, row.cluster.slug, row.slug)


def deployment_entry(row: Deployment) -> DeploymentEntry:
    return DeploymentEntry(
        pk=row.pk,
        user_id=row.owner.username,
        deployment_id=row.slug,
        model=model_key(row.model),
        nodepool=nodepool_key(row.nodepool),
        pinned=row.version.slug if row.version is not None else "",
        is_shared=row.is_shared,
        is_enabled=row.is_enabled,
    )
