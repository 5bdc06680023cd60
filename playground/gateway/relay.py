"""The three predict RPCs: authenticate, route, pass bytes on. Payloads are never parsed beyond what routing needs.

Failures travel in-band, each refusal as one message with a failing status; cancellation and deadlines go down to the
runner, and what the runner says comes back with the request id and where it ran. However a call ends, it is noted once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
from clarifai_grpc.grpc.api import service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.compute.usage.records import STOPPED
from playground.gateway.admission import Admission
from playground.gateway.fates import Fates
from playground.gateway.replicas import connect, never_reached
from playground.gateway.requests import new_request_id, queued_tail, read_request, request_id_tail, served_by_tail
from playground.gateway.tallies import Tally, name_of, refusal_of
from playground.protocol import headers
from playground.protocol.errors import (
    DeployingError,
    InputError,
    OverloadedError,
    PlaygroundError,
    ServerError,
    UnavailableError,
    to_status,
)
from playground.protocol.pipes import CallHead, Rpc

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from playground.compute.controller import Controller
    from playground.compute.engines.base import Endpoint
    from playground.compute.traffic import Traffic
    from playground.gateway.access import Authenticator
    from playground.gateway.call_log import CallLog
    from playground.gateway.replicas import Replica, Upstream
    from playground.gateway.snapshots import Destination, Snapshots

Context: TypeAlias = Any  # grpc.aio.ServicerContext: grpc ships no types
Metadata: TypeAlias = "Sequence[tuple[str, str | bytes]]"

_METHODS = {Rpc.POST: "predict", Rpc.GENERATE: "generate", Rpc.STREAM: "stream"}  # where a call names none
_EOF = grpc.aio.EOF
_TOLD_QUEUE = 0.005  # seconds; a shorter wait is not worth telling
log = logging.getLogger(__name__)


@dataclass
class Call:
    """A call that may go ahead: its replica, what to send along, what to append to each reply, what to count."""

    replica: Replica
    head: CallHead
    tail: bytes
    tally: Tally
    is_begun: bool = False  # whether something has passed that could not pass again


Attempt: TypeAlias = "Callable[[Call], Awaitable[bytes]]"


class Relay:
    """Handlers for a server of raw bytes. An instance belongs to the loop it is used in."""

    def __init__(
        self,
        authenticator: Authenticator,
        snapshots: Snapshots,
        controller: Controller,
        traffic: Traffic,
        call_log: CallLog,
    ) -> None:
        self._authenticator = authenticator
        self._snapshots = snapshots
        self._controller = controller
        self._traffic = traffic
        self._admission = Admission(controller, traffic)
        self._call_log = call_log
        self.fates = Fates()
        self._replicas: dict[Endpoint, Replica] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        await asyncio.gather(*(replica.close() for replica in self._replicas.values()))

    async def post(self, request: bytes, context: Context) -> bytes:
        async def attempt(call: Call) -> bytes:
            reply = await call.replica.post(call.head, request)
            _check_ran(Rpc.POST, reply)
            call.tally.take(reply)
            return reply + call.tail

        return await self._guarded(Rpc.POST, request, context, attempt)

    async def generate(self, request: bytes, context: Context) -> None:
        async def attempt(call: Call) -> bytes:
            upstream = await call.replica.open(call.head, request)
            return await _pass_replies(upstream, context, call)

        if last := await self._guarded(Rpc.GENERATE, request, context, attempt):
            await context.write(last)

    async def stream(self, _: object, context: Context) -> None:
        first = await context.read()

        async def attempt(call: Call) -> bytes:
            upstream = await call.replica.open(call.head, first)
            call.is_begun = True
            sending = asyncio.create_task(_pass_requests(context, upstream, call.tally))
            try:
                return await _pass_replies(upstream, context, call)
            finally:
                sending.cancel()

        if last := await self._guarded(Rpc.STREAM, None if first is _EOF else first, context, attempt):
            await context.write(last)

    async def _guarded(self, rpc: Rpc, content: bytes | None, context: Context, attempt: Attempt) -> bytes:
        """What ``attempt`` answers, or its failure as one in-band message; however it ends, it is counted once."""
        given = context.invocation_metadata() or ()
        tally = Tally(new_request_id(given), len(content or b""), is_stream=rpc is not Rpc.POST)
        fate = self.fates.begin(getattr(context, "name", ""), tally.request_id)

        async def noted(call: Call) -> bytes:
            fate.replica = call.replica
            return await attempt(call)

        try:
            if content is None:
                raise InputError("The stream ended before its first message.")
            return await self._carry(rpc, content, given, tally, noted)
        except PlaygroundError as error:
            return _refuse(error, tally)
        except asyncio.CancelledError:
            tally.outcome = STOPPED
            fate.is_cut = True
            raise
        except Exception:
            log.exception("%s: unexpected", tally.request_id)
            return _refuse(ServerError("The gateway failed; its log says more."), tally)
        finally:
            fate.over.set()
            tally.end()
            self._call_log.note(tally)

    async def _carry(self, rpc: Rpc, content: bytes, given: Metadata, tally: Tally, attempt: Attempt) -> bytes:
        """Token, route, a ready replica: in this order, each refusing in words. Where nothing was run, once more."""
        tally.caller = caller = await self._authenticator.caller(given)
        request, method = read_request(content)
        tally.method = method or _METHODS[rpc]
        destination = await self._snapshots.destination(caller, request)
        tally.route = destination.route
        is_owner = caller.user_id == destination.route.model.key.user_id
        takes_joined = any(name == headers.JOINED for name, _ in given)
        head = CallHead(rpc, tally.request_id, is_owner, takes_joined)
        try:
            return await self._attempt(head, request.version_id, destination, tally, attempt)
        except _TryElsewhereError:
            log.info("%s: nothing was run: trying once more", tally.request_id)
        try:
            return await self._attempt(head, request.version_id, destination, tally, attempt)
        except _TryElsewhereError as error:
            raise error.reason from None

    async def _attempt(
        self, head: CallHead, version_id: str, destination: Destination, tally: Tally, attempt: Attempt
    ) -> bytes:
        deployment = destination.route.deployment
        tally.tail = b""
        is_its_owner = tally.caller is not None and tally.caller.user_id == deployment.user_id
        place = await self._admission.enter(head.rpc, deployment, version_id=version_id, is_owner=is_its_owner)
        is_moving = place.nodepool_pk not in {0, deployment.nodepool.pk}
        served_by = served_by_tail(deployment.seen_on(place.nodepool_pk)) if is_moving else destination.tail
        tally.version_id, tally.tail = place.version_id, request_id_tail(tally.request_id) + served_by
        tally.sent_at = time.monotonic()
        if (queued := tally.sent_at - tally.started) >= _TOLD_QUEUE:
            tally.tail += queued_tail(queued)
        call = Call(self._replica(place.endpoint), head, tally.tail, tally)
        try:
            return await attempt(call)
        except UnavailableError as error:
            is_unrun = _is_unrun(error)
            if is_unrun or place.endpoint.pipe_port:
                self._admission.lose(place.endpoint)
            if is_unrun and not call.is_begun:
                raise _TryElsewhereError(error) from None
            raise
        finally:
            self._admission.leave(deployment, place)

    def _replica(self, endpoint: Endpoint) -> Replica:
        replica = self._replicas.get(endpoint)
        if replica is None:
            self._close_stale()
            replica = self._replicas[endpoint] = connect(endpoint)
        return replica

    def _close_stale(self) -> None:
        """A replica that came back has a new address: nothing new goes to the old one any more."""
        for endpoint in self._replicas.keys() - self._controller.endpoints():
            if self._traffic.at(endpoint):
                continue
            task = asyncio.create_task(self._replicas.pop(endpoint).close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


class _TryElsewhereError(Exception):
    """Nothing was run: another replica may be asked."""

    def __init__(self, reason: PlaygroundError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _is_unrun(error: PlaygroundError) -> bool:
    """Whether the call never got to the model: what may have run has another code."""
    return isinstance(error, UnavailableError) and error.code == UnavailableError.v2_code


def _check_ran(rpc: Rpc, reply: bytes) -> None:
    """A runner that is about to end refuses new calls: that is as if they had not reached it.

    One that is full does, too. On a stream the refusal gets a code on which no client tries again by itself: it would
    lose the inputs that it has sent.
    """
    refusal = refusal_of(reply)
    if refusal is None:
        return
    if _is_unrun(refusal):
        raise never_reached()
    if rpc is Rpc.STREAM and isinstance(refusal, OverloadedError | DeployingError):
        raise OverloadedError(refusal.message, code=StatusCode.RPC_REQUEST_QUEUE_FULL)


async def _pass_replies(upstream: Upstream, context: Context, call: Call) -> bytes:
    """Each reply as it comes; returns what is to be said at the end: nothing, unless the model said nothing at all."""
    take, tail, is_first = call.tally.take, call.tail, True
    try:
        while (reply := await upstream.read()) is not None:
            if is_first:
                _check_ran(call.head.rpc, reply)
                is_first, call.is_begun = False, True
            take(reply)
            await context.write(reply + tail)
    finally:
        upstream.end()
    return tail + _success() if is_first else b""


async def _pass_requests(context: Context, upstream: Upstream, tally: Tally) -> None:
    """Each message as it comes."""
    while (message := await context.read()) is not _EOF:
        tally.bytes_in += len(message)
        await upstream.write(message)
    await upstream.done_writing()


def _refuse(error: PlaygroundError, tally: Tally) -> bytes:
    """The failure as a reply, which says where it ran, if it did."""
    error.call_id = tally.request_id
    status = to_status(error)
    tally.outcome = name_of(status.code)
    log.info("%s: %s: %s", tally.request_id, error.name, error.message)
    return bytes(service_pb2.MultiOutputResponse(status=status).SerializeToString()) + tally.tail


def _success() -> bytes:
    status = service_pb2.MultiOutputResponse()
    status.status.code = StatusCode.SUCCESS
    return bytes(status.SerializeToString())
