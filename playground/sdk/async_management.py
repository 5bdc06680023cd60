"""Clusters, nodepools, deployments, models and apps from asynchronous code; twins of ``management.py``."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Iterable, Sequence
from typing import TypeVar, Unpack

from playground.protocol.errors import PlaygroundError
from playground.sdk import asks, compute_asks
from playground.sdk.asks import Ask
from playground.sdk.calls import Patience
from playground.sdk.channel import is_unsent
from playground.sdk.facts import ClusterFacts, DeploymentFacts, NodepoolFacts
from playground.sdk.link import AsyncLink
from playground.sdk.resources import (
    App,
    Cluster,
    Deployment,
    ModelInfo,
    Nodepool,
    Runner,
    VersionInfo,
    Visibility,
)

T = TypeVar("T")


class Family:
    """A way to ask."""

    def __init__(self, link: AsyncLink) -> None:
        self._link = link

    async def _do(self, ask: Ask[T]) -> T:
        link, patience = self._link, Patience(self._link.timeout)
        while True:
            try:
                reply = await link.transport.unary(
                    ask.rpc, ask.request.SerializeToString(), patience.left(), link.metadata()
                )
                ask.check(reply)
            except PlaygroundError as error:
                if ask.is_act and not is_unsent(error):
                    raise
                pause = patience.pause_after(error, link.on_wait)
            else:
                return ask.read(reply)
            await asyncio.sleep(pause)

    async def _all(self, ask: Ask[list[T]]) -> list[T]:
        """Page by page, until one is empty."""
        found: list[T] = []
        while True:
            ask.request.page += 1
            page = await self._do(ask)
            if not page:
                return found
            found += page


class AsyncApps(Family):
    """``client.apps``: shelves of models."""

    async def list(self, *, user_id: str = "") -> builtins.list[App]:
        """One's own, or those of ``user_id`` that one may see."""
        return await self._all(asks.list_apps(user_id))

    async def get(self, app_id: str, *, user_id: str = "") -> App:
        return await self._do(asks.get_app(app_id, user_id))

    async def create(self, app_id: str, *, description: str = "", visibility: Visibility = "private") -> App:
        return await self._do(asks.create_app(app_id, description, visibility))

    async def edit(
        self,
        app_id: str,
        *,
        user_id: str = "",
        description: str | None = None,
        visibility: Visibility | None = None,
    ) -> App:
        return await self._do(asks.edit_app(app_id, user_id, description, visibility))

    async def delete(self, app_id: str, *, user_id: str = "") -> None:
        """An empty one."""
        await self._do(asks.delete_app(app_id, user_id))


class AsyncModels(Family):
    """``client.models``: what the catalog has. New ones are added in the terminal; ``client.model(…)`` calls one."""

    async def list(self, *, user_id: str = "", app_id: str = "") -> builtins.list[ModelInfo]:
        """One's own, or those of ``user_id`` that one may see."""
        return await self._all(asks.list_models(user_id, app_id))

    async def get(self, reference: str) -> ModelInfo:
        """By ``hello`` or ``owner/main/models/hello``."""
        return await self._do(asks.get_model(reference))

    async def versions(self, reference: str) -> builtins.list[VersionInfo]:
        """Newest first."""
        return await self._all(asks.list_versions(reference))

    async def edit(
        self, reference: str, *, description: str | None = None, visibility: Visibility | None = None
    ) -> ModelInfo:
        return await self._do(asks.edit_model(reference, description, visibility))

    async def delete(self, reference: str) -> None:
        """With its versions, runs and shared deployment; refused while another deployment runs it."""
        await self._do(asks.delete_model(reference))

    async def delete_version(self, reference: str, version_id: str) -> None:
        await self._do(asks.delete_version(reference, version_id))


class AsyncClusters(Family):
    """``client.clusters``: named places with nodepools."""

    async def list(self, *, user_id: str = "") -> builtins.list[Cluster]:
        """One's own and the built-in one, or those of ``user_id`` that one may see."""
        return await self._all(compute_asks.list_clusters(user_id))

    async def get(self, cluster_id: str, *, user_id: str = "") -> Cluster:
        return await self._do(compute_asks.get_cluster(cluster_id, user_id))

    async def create(self, cluster_id: str, **facts: Unpack[ClusterFacts]) -> Cluster:
        """All that ``facts`` say is words for people."""
        return await self._do(compute_asks.create_cluster(cluster_id, facts))

    async def edit(self, cluster_id: str, **changes: Unpack[ClusterFacts]) -> Cluster:
        """Sets what is given; the wire cannot say that a text becomes empty."""
        return await self._do(compute_asks.edit_cluster(cluster_id, changes))

    async def delete(self, *cluster_ids: str) -> None:
        """All of them or none; one with nodepools is in use."""
        await self._do(compute_asks.delete_clusters(cluster_ids))


class AsyncNodepools(Family):
    """``client.nodepools``: named by ``CLUSTER/NODEPOOL``, another user's by ``USER/CLUSTER/NODEPOOL``."""

    async def list(self, cluster_id: str = "", *, user_id: str = "") -> builtins.list[Nodepool]:
        return await self._all(compute_asks.list_nodepools(cluster_id, user_id))

    async def get(self, nodepool: str) -> Nodepool:
        return await self._do(compute_asks.get_nodepool(nodepool))

    async def create(self, nodepool: str, **facts: Unpack[NodepoolFacts]) -> Nodepool:
        """Engine ``remote``, whose replicas run at ``addresses`` already, is for administrators."""
        return await self._do(compute_asks.create_nodepool(nodepool, facts))

    async def edit(self, nodepool: str, **changes: Unpack[NodepoolFacts]) -> Nodepool:
        """Sets what is given; the wire cannot say that a text becomes empty, or a number zero."""
        return await self._do(compute_asks.edit_nodepool(nodepool, changes))

    async def delete(self, nodepool: str) -> None:
        """One that no deployment is on."""
        await self._do(compute_asks.delete_nodepool(nodepool))


class AsyncDeployments(Family):
    """``client.deployments``: model versions placed on nodepools."""

    async def list(
        self, nodepool: str = "", *, version_ids: Iterable[str] = (), user_id: str = ""
    ) -> builtins.list[Deployment]:
        """One's own, or those of ``user_id`` that one may see; on a nodepool, of certain versions."""
        return await self._all(compute_asks.list_deployments(nodepool, version_ids, user_id))

    async def get(self, deployment_id: str, *, user_id: str = "") -> Deployment:
        return await self._do(compute_asks.get_deployment(deployment_id, user_id))

    async def create(
        self,
        deployment_id: str,
        model: str,
        *,
        nodepools: Sequence[str] = ("local/shared",),
        **facts: Unpack[DeploymentFacts],
    ) -> Deployment:
        """``model`` is a reference; with a version it is pinned to that one, else it follows the latest."""
        given = {"nodepools": nodepools, **facts}
        return await self._do(compute_asks.create_deployment(deployment_id, model, given))

    async def edit(
        self,
        deployment_id: str,
        *,
        user_id: str = "",
        version_id: str | None = None,
        nodepools: Sequence[str] | None = None,
        **changes: Unpack[DeploymentFacts],
    ) -> Deployment:
        """Sets what is given. A ``version_id`` of "" follows the latest; None takes a variable out."""
        given = {"nodepools": nodepools, **changes}
        return await self._do(compute_asks.edit_deployment(deployment_id, user_id, version_id, given))

    async def delete(self, *deployment_ids: str) -> None:
        """All of them or none; their replicas are drained."""
        await self._do(compute_asks.delete_deployments(deployment_ids))


class AsyncRunners(Family):
    """``client.runners``: replicas of deployments as they are now."""

    async def list(self, nodepool: str = "", *, user_id: str = "") -> builtins.list[Runner]:
        return await self._all(compute_asks.list_runners(nodepool, user_id))

    async def get(self, runner_id: str) -> Runner:
        return await self._do(compute_asks.get_runner(runner_id))
