"""The three predict RPCs: authenticate, route, pass bytes on. Payloads are never parsed beyond what routing needs.

Failures travel in-band, each refusal as one message with a failing status; cancellation and deadlines go down to the
runner, and what the runner says comes back with the request id and where it ran.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
from clarifai_grpc.grpc.api import service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.gateway.replicas import connect
from playground.gateway.requests import new_request_id, read_request, request_id_tail
from playground.protocol import headers
from playground.protocol.errors import (
    ConflictError,
    DeployingError,
    InputError,
    PlaygroundError,
    ServerError,
    to_status,
)
from playground.protocol.pipes import CallHead, Rpc

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from playground.compute.controller import Controller
    from playground.compute.engines.base import Endpoint, Observed
    from playground.compute.routing import DeploymentEntry
    from playground.compute.traffic import Traffic
    from playground.gateway.access import Authenticator
    from playground.gateway.replicas import Replica, Upstream
    from playground.gateway.snapshots import Snapshots

Context: TypeAlias = Any  # grpc.aio.ServicerContext: grpc ships no types
Metadata: TypeAlias = "Sequence[tuple[str, str | bytes]]"

_HOLD_SECONDS = {Rpc.POST: 1.5, Rpc.GENERATE: 1.5, Rpc.STREAM: None}  # its inputs could not be sent twice
_EOF = grpc.aio.EOF
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """A call that may go ahead: its replica, what to send along, what to append to each reply."""

    replica: Replica
    head: CallHead
    tail: bytes


class Relay:
    """Handlers for a server of raw bytes. An instance belongs to the loop it is used in."""

    def __init__(
        self, authenticator: Authenticator, snapshots: Snapshots, controller: Controller, traffic: Traffic
    ) -> None:
        self._authenticator = authenticator
        self._snapshots = snapshots
        self._controller = controller
        self._traffic = traffic
        self._replicas: dict[Endpoint, Replica] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        await asyncio.gather(*(replica.close() for replica in self._replicas.values()))

    async def post(self, request: bytes, context: Context) -> bytes:
        async def attempt(call: Call) -> bytes:
            return await call.replica.post(call.head, request) + call.tail

        return await self._guarded(Rpc.POST, request, context, attempt)

    async def generate(self, request: bytes, context: Context) -> None:
        async def attempt(call: Call) -> bytes:
            upstream = await call.replica.open(call.head, request)
            return await _pass_replies(upstream, context, call.tail)

        if last := await self._guarded(Rpc.GENERATE, request, context, attempt):
            await context.write(last)

    async def stream(self, _: object, context: Context) -> None:
        first = await context.read()

        async def attempt(call: Call) -> bytes:
            upstream = await call.replica.open(call.head, first)
            sending = asyncio.create_task(_pass_requests(context, upstream))
            try:
                return await _pass_replies(upstream, context, call.tail)
            finally:
                sending.cancel()

        if last := await self._guarded(Rpc.STREAM, None if first is _EOF else first, context, attempt):
            await context.write(last)

    async def _guarded(
        self, rpc: Rpc, content: bytes | None, context: Context, attempt: Callable[[Call], Awaitable[bytes]]
    ) -> bytes:
        """What ``attempt`` answers, or its failure as one in-band message that says where it ran, if it did."""
        given = context.invocation_metadata() or ()
        request_id = new_request_id(given)
        tail = b""
        try:
            if content is None:
                raise InputError("The stream ended before its first message.")
            call = await self._admit(rpc, content, given, request_id)
            tail = call.tail
            return await attempt(call)
        except PlaygroundError as error:
            return _refusal(error, request_id) + tail
        except Exception:
            log.exception("%s: unexpected", request_id)
            return _refusal(ServerError("The gateway failed; its log says more."), request_id) + tail

    async def _admit(self, rpc: Rpc, content: bytes, given: Metadata, request_id: str) -> Call:
        """Token, route, a ready replica: in this order, each refusing in words."""
        caller = await self._authenticator.caller(given)
        destination = await self._snapshots.destination(caller, read_request(content))
        deployment = destination.route.deployment
        is_owner = caller.user_id == destination.route.model.key.user_id
        observed = self._controller.observe(deployment.pk)
        if not observed.endpoints:
            observed = await self._wait(deployment, _HOLD_SECONDS[rpc], is_owner=is_owner)
        replica = self._replica(observed.endpoints[0])
        takes_joined = any(name == headers.JOINED for name, _ in given)
        head = CallHead(rpc, request_id, is_owner, takes_joined)
        return Call(replica, head, request_id_tail(request_id) + destination.tail)

    async def _wait(self, deployment: DeploymentEntry, hold_seconds: float | None, *, is_owner: bool) -> Observed:
        """Hold a call to a deployment that is not ready; without a limit where its inputs cannot be sent twice.

        Why it failed is told to everybody, the log to the model's owner: it holds others' calls.
        """
        settled = self._controller.settled(deployment.pk)
        try:
            observed = await asyncio.wait_for(settled, hold_seconds)
        except TimeoutError:
            raise _deploying(deployment, self._controller.observe(deployment.pk)) from None
        if not observed.endpoints:
            raise ConflictError(
                f"The deployment {deployment.deployment_id} has failed: {observed.reason}. Retry it, or see its log.",
                code=StatusCode.MODEL_DEPLOYMENT_FAILED,
                details=observed.log_tail if is_owner else "",
            )
        return observed

    def _replica(self, endpoint: Endpoint) -> Replica:
        replica = self._replicas.get(endpoint)
        if replica is None:
            self._close_stale()
            replica = self._replicas[endpoint] = connect(endpoint)
        return replica

    def _close_stale(self) -> None:
        """A replica that came back has a new address: nothing answers at the old one any more."""
        stale = self._replicas.keys() - self._controller.endpoints()
        for endpoint in stale:
            task = asyncio.create_task(self._replicas.pop(endpoint).close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def _pass_replies(upstream: Upstream, context: Context, tail: bytes) -> bytes:
    """Each reply as it comes; returns what is to be said at the end: nothing, unless the model said nothing at all."""
    empty = True
    try:
        while (reply := await upstream.read()) is not None:
            await context.write(reply + tail)
            empty = False
    finally:
        upstream.end()
    return tail + _success() if empty else b""


async def _pass_requests(context: Context, upstream: Upstream) -> None:
    """Each message as it comes."""
    while (message := await context.read()) is not _EOF:
        await upstream.write(message)
    await upstream.done_writing()


def _deploying(deployment: DeploymentEntry, observed: Observed) -> DeployingError:
    reason = f" ({observed.reason})" if observed.reason else ""
    return DeployingError(f"The deployment {deployment.deployment_id} is not ready yet: {observed.state}{reason}.")


def _refusal(error: PlaygroundError, request_id: str) -> bytes:
    error.call_id = request_id
    log.info("%s: %s: %s", request_id, error.name, error.message)
    return bytes(service_pb2.MultiOutputResponse(status=to_status(error)).SerializeToString())


def _success() -> bytes:
    status = service_pb2.MultiOutputResponse()
    status.status.code = StatusCode.SUCCESS
    return bytes(status.SerializeToString())
