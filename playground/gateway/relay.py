"""The three predict RPCs: authenticate, route, pass bytes on. Payloads are never parsed beyond what routing needs.

Failures travel in-band, each refusal as one message with a failing status; cancellation and deadlines go down to the
runner, and what the runner says comes back with the request id and where it ran.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from clarifai_grpc.grpc.api import service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.gateway.requests import new_request_id, read_request, request_id_tail
from playground.protocol import headers
from playground.protocol.errors import (
    ConflictError,
    DeployingError,
    InputError,
    ModelError,
    PlaygroundError,
    ServerError,
    UnavailableError,
    from_grpc,
    to_status,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playground.compute.controller import Controller
    from playground.compute.engines.base import Endpoint, Observed
    from playground.compute.routing import DeploymentEntry
    from playground.gateway.access import Authenticator
    from playground.gateway.snapshots import Snapshots

SERVICE = "/clarifai.api.V2/"
COLD_HOLD_SECONDS = 1.5
MESSAGE_OPTIONS = (
    ("grpc.max_receive_message_length", 128 * 2**20),
    ("grpc.max_send_message_length", 128 * 2**20),
    ("grpc.enable_http_proxy", 0),
)
_EOF = grpc.aio.EOF
_NEVER_REACHED = "failed to connect"  # how gRPC says that nothing was sent
log = logging.getLogger(__name__)


class Replica:
    """An open channel to one endpoint, with the three calls as bytes in, bytes out."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._channel = grpc.aio.insecure_channel(endpoint.address, options=MESSAGE_OPTIONS)
        self.post = self._channel.unary_unary(f"{SERVICE}PostModelOutputs")
        self.generate = self._channel.unary_stream(f"{SERVICE}GenerateModelOutputs")
        self.stream = self._channel.stream_stream(f"{SERVICE}StreamModelOutputs")

    async def close(self) -> None:
        await self._channel.close()


@dataclass(frozen=True)
class Call:
    """A call that may go ahead: its replica, what to send along, what to append to each reply."""

    replica: Replica
    metadata: tuple[tuple[str, str], ...]
    tail: bytes


class Relay:
    """Handlers for a server of raw bytes. An instance belongs to the loop it is used in."""

    def __init__(self, authenticator: Authenticator, snapshots: Snapshots, controller: Controller) -> None:
        self._authenticator = authenticator
        self._snapshots = snapshots
        self._controller = controller
        self._replicas: dict[Endpoint, Replica] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        await asyncio.gather(*(replica.close() for replica in self._replicas.values()))

    async def post(self, request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        async def attempt(call: Call) -> bytes:
            reply: bytes = await call.replica.post(request, metadata=call.metadata, timeout=context.time_remaining())
            return reply + call.tail

        return await self._guarded(request, context, attempt, hold_seconds=COLD_HOLD_SECONDS)

    async def generate(self, request: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        async def attempt(call: Call) -> bytes:
            upstream = call.replica.generate(request, metadata=call.metadata, timeout=context.time_remaining())
            return await _pass_replies(upstream, context, call.tail)

        await self._guarded_stream(request, context, attempt, hold_seconds=COLD_HOLD_SECONDS)

    async def stream(self, _: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        first = await context.read()

        async def attempt(call: Call) -> bytes:
            upstream = call.replica.stream(metadata=call.metadata, timeout=context.time_remaining())
            sending = asyncio.create_task(_pass_requests(first, context, upstream))
            try:
                return await _pass_replies(upstream, context, call.tail)
            finally:
                sending.cancel()

        await self._guarded_stream(None if first is _EOF else first, context, attempt, hold_seconds=None)

    async def _guarded(
        self,
        content: bytes | None,
        context: grpc.aio.ServicerContext[Any, Any],
        attempt: Callable[[Call], Awaitable[bytes]],
        *,
        hold_seconds: float | None,
    ) -> bytes:
        """What ``attempt`` answers, or its failure as one in-band message that says where it ran, if it did."""
        request_id = new_request_id(context.invocation_metadata() or ())
        tail = b""
        try:
            if content is None:
                raise InputError("The stream ended before its first message.")
            call = await self._admit(content, context, request_id, hold_seconds=hold_seconds)
            tail = call.tail
            return await attempt(call)
        except PlaygroundError as error:
            return _refusal(error, request_id) + tail
        except grpc.aio.AioRpcError as error:
            return _refusal(_lost(error), request_id) + tail
        except Exception:
            log.exception("%s: unexpected", request_id)
            return _refusal(ServerError("The gateway failed; its log says more."), request_id) + tail

    async def _guarded_stream(
        self,
        content: bytes | None,
        context: grpc.aio.ServicerContext[Any, Any],
        attempt: Callable[[Call], Awaitable[bytes]],
        *,
        hold_seconds: float | None,
    ) -> None:
        if last := await self._guarded(content, context, attempt, hold_seconds=hold_seconds):
            await context.write(last)

    async def _admit(
        self,
        content: bytes,
        context: grpc.aio.ServicerContext[Any, Any],
        request_id: str,
        *,
        hold_seconds: float | None,
    ) -> Call:
        """Token, route, a ready replica: in this order, each refusing in words."""
        given = context.invocation_metadata() or ()
        caller = await self._authenticator.caller(given)
        destination = await self._snapshots.destination(caller, read_request(content))
        deployment = destination.route.deployment
        is_owner = caller.user_id == destination.route.model.key.user_id
        observed = self._controller.observe(deployment.pk)
        if not observed.endpoints:
            observed = await self._wait(deployment, hold_seconds, is_owner=is_owner)
        replica = self._replica(observed.endpoints[0])
        metadata = (*replica.endpoint.metadata, (headers.REQUEST_ID, request_id))
        if is_owner:
            metadata = (*metadata, (headers.OWNER, "1"))
        if any(name == headers.JOINED for name, _ in given):
            metadata = (*metadata, (headers.JOINED, "1"))
        return Call(replica, metadata, request_id_tail(request_id) + destination.tail)

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
            replica = self._replicas[endpoint] = Replica(endpoint)
        return replica

    def _close_stale(self) -> None:
        """A replica that came back has a new address: nothing answers at the old one any more."""
        stale = self._replicas.keys() - self._controller.endpoints()
        for endpoint in stale:
            task = asyncio.create_task(self._replicas.pop(endpoint).close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def _pass_replies(upstream: Any, context: grpc.aio.ServicerContext[Any, Any], tail: bytes) -> bytes:
    """Each reply as it comes; returns what is to be said at the end: nothing, unless the model said nothing at all."""
    empty = True
    try:
        while (reply := await upstream.read()) is not _EOF:
            await context.write(reply + tail)
            empty = False
    finally:
        upstream.cancel()
    return tail + _success() if empty else b""


async def _pass_requests(first: bytes, context: grpc.aio.ServicerContext[Any, Any], upstream: Any) -> None:
    """Each message as it comes. When the far side ends early its replies say why, so nothing is said here."""
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        await upstream.write(first)
        while (message := await context.read()) is not _EOF:
            await upstream.write(message)
        await upstream.done_writing()


def _deploying(deployment: DeploymentEntry, observed: Observed) -> DeployingError:
    reason = f" ({observed.reason})" if observed.reason else ""
    return DeployingError(f"The deployment {deployment.deployment_id} is not ready yet: {observed.state}{reason}.")


def _lost(error: grpc.aio.AioRpcError) -> PlaygroundError:
    """What a runner's plain gRPC failure means to the caller: in-band, since official clients retry it blindly."""
    code = error.code()
    if code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
        if _NEVER_REACHED in (error.details() or ""):
            return UnavailableError("The replica has just gone away, and nothing was run. Run it again.")
        # What it had begun may be what ended it: a code on which no client tries again by itself.
        return UnavailableError(
            "The replica went away before the call was finished. Run it again.",
            code=StatusCode.RUNNER_PROCESSING_FAILED,
        )
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED:  # the request came through: it is the answer that did not
        return ModelError("The model's answer is too large to be passed on.", details=error.details() or "")
    return from_grpc(code, error.details())


def _refusal(error: PlaygroundError, request_id: str) -> bytes:
    error.call_id = request_id
    log.info("%s: %s: %s", request_id, error.name, error.message)
    return bytes(service_pb2.MultiOutputResponse(status=to_status(error)).SerializeToString())


def _success() -> bytes:
    status = service_pb2.MultiOutputResponse()
    status.status.code = StatusCode.SUCCESS
    return bytes(status.SerializeToString())
