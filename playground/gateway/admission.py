"""Gives each call a replica: the least busy of those that are ready, or a place among the calls that wait for one.

A queue has its limit over all replicas, calls in flight and waiting together. Beyond it unary and generate are told to
come back; a stream is held, since its inputs could not be sent twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, NamedTuple, cast

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.compute.models import Deployment
from playground.protocol.errors import ConflictError, DeployingError, OverloadedError
from playground.protocol.pipes import Rpc

if TYPE_CHECKING:
    from playground.compute.controller import Controller
    from playground.compute.engines.base import Endpoint, Observed, ReplicaState
    from playground.compute.routing import DeploymentEntry
    from playground.compute.traffic import Traffic

HOLD_SECONDS = 1.5
_RECHECK_SECONDS = 0.5  # news comes at once; this is for replicas that were found gone, and are back
_AHEAD = {
    Deployment.State.ZERO: "it is scaled to zero, and starts now",
    Deployment.State.DRAINING: "it is draining, and takes no new calls",
    Deployment.State.READY: "its replica has just gone away, and comes back",
}


class Place(NamedTuple):
    """A replica that takes a call: where, the version it runs, the nodepool it is on."""

    endpoint: Endpoint
    version_id: str
    nodepool_pk: int


class Admission:
    """``enter``, carry the call to the replica, ``leave``."""

    def __init__(self, controller: Controller, traffic: Traffic) -> None:
        self._controller = controller
        self._traffic = traffic

    async def enter(
        self, rpc: Rpc, deployment: DeploymentEntry, *, version_id: str = "", is_owner: bool = False
    ) -> Place:
        """A ready replica, counted as busy until ``leave``.

        ``version_id``: no other version will do. Raises OverloadedError, DeployingError, ConflictError.
        """
        traffic, limit = self._traffic, max(deployment.queue_limit, 1)
        if traffic.load(deployment.pk) + traffic.held(deployment.pk) >= limit:
            await self._wait_for_room(rpc, deployment, limit)
        found = self._pick(deployment.pk, version_id)
        if found is None:
            found = await self._wait(rpc, deployment, version_id, is_owner=is_owner)
        traffic.begin(deployment.pk, found.endpoint)
        return found

    def leave(self, deployment: DeploymentEntry, place: Place) -> None:
        self._traffic.end(deployment.pk, place.endpoint)

    def lose(self, endpoint: Endpoint) -> None:
        """Nothing answers there: until the controller has seen it too, no new call goes there."""
        self._traffic.lose(endpoint)

    def _pick(self, deployment_pk: int, version_id: str) -> Place | None:
        traffic = self._traffic
        best: ReplicaState | None = None
        fewest = 0
        for one in self._controller.observe(deployment_pk).replicas:
            if one.is_ready and (not version_id or one.version_id in {"", version_id}):
                endpoint = cast("Endpoint", one.endpoint)
                calls = traffic.at(endpoint)
                if (best is None or calls < fewest) and not traffic.is_gone(endpoint):
                    best, fewest = one, calls
        return None if best is None else Place(cast("Endpoint", best.endpoint), best.version_id, best.nodepool_id)

    async def _wait_for_room(self, rpc: Rpc, deployment: DeploymentEntry, limit: int) -> None:
        traffic, pk = self._traffic, deployment.pk
        busy = (
            f"The deployment {deployment.deployment_id} is busy with {traffic.load(pk)} calls, and takes {limit} at "
            "once. Nothing was run."
        )
        if rpc is not Rpc.STREAM:
            raise OverloadedError(f"{busy} Try again soon.")
        if traffic.held(pk) >= limit:  # a code on which no client tries again: it would lose what it has sent
            raise OverloadedError(f"{busy} As many streams wait already.", code=StatusCode.RPC_REQUEST_QUEUE_FULL)
        await traffic.room(pk, limit)

    async def _wait(self, rpc: Rpc, deployment: DeploymentEntry, version_id: str, *, is_owner: bool) -> Place:
        """Hold a call to a deployment that is not ready; a stream for as long as its caller waits.

        Why it failed is told to everybody, the log to the deployment's owner: it holds others' calls.
        """
        pk = deployment.pk
        self._traffic.begin_waiting(pk)
        try:
            async with asyncio.timeout(None if rpc is Rpc.STREAM else HOLD_SECONDS):
                while (found := self._pick(pk, version_id)) is None:
                    _check(deployment, self._controller.observe(pk), is_owner=is_owner)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_RECHECK_SECONDS):
                            await self._controller.changed(pk)
        except TimeoutError:
            raise _deploying(deployment, self._controller.observe(pk)) from None
        finally:
            self._traffic.end_waiting(pk)
        return found


def _check(deployment: DeploymentEntry, observed: Observed, *, is_owner: bool) -> None:
    if observed.state == Deployment.State.FAILED:
        raise ConflictError(
            f"The deployment {deployment.deployment_id} has failed: {observed.reason}. Retry it, or see its log.",
            code=StatusCode.MODEL_DEPLOYMENT_FAILED,
            details=observed.log_tail if is_owner else "",
        )


def _deploying(deployment: DeploymentEntry, observed: Observed) -> DeployingError:
    reason = f" ({observed.reason})" if observed.reason else ""
    words = _AHEAD.get(observed.state, observed.state)
    return DeployingError(f"The deployment {deployment.deployment_id} is not ready yet: {words}{reason}.")
