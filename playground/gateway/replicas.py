"""A replica as the relay sees it: three calls as bytes in, bytes out, over pipes to our own runners, else over gRPC.

Whatever goes wrong on the way is told as a PlaygroundError, in words for the caller.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Protocol

import grpc
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.conf import settings

from playground.compute.engines.probes import OFFICIAL, open_channel
from playground.gateway.dialect import Dialect
from playground.gateway.official import OfficialReplica
from playground.protocol import headers
from playground.protocol.errors import ModelError, OverloadedError, PlaygroundError, UnavailableError, from_grpc
from playground.protocol.pipes import COMPUTING, STOPPED, UNKNOWN, CallHead, ClientPipe, LostError, PipePool, Rpc
from playground.protocol.signatures import signatures_from_json
from playground.runner.methods import fenced_fetch

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from playground.compute.engines.base import Endpoint

SERVICE = "/clarifai.api.V2/"
MESSAGE_OPTIONS = (
    ("grpc.max_receive_message_length", 128 * 2**20),
    ("grpc.max_send_message_length", 128 * 2**20),
    ("grpc.enable_http_proxy", 0),
)
_NEVER_REACHED = re.compile("failed to connect|errors resolving")  # how gRPC says that nothing was sent
_TOO_LARGE = "larger than max"
_REASON_LOST = "Internal error from Core"  # grpcio's, for a write that met the end of its call
_OPENINGS = 5  # of a stream whose first message was not taken
FETCH = fenced_fetch(settings.FETCH_ALLOW)


class Upstream(Protocol):
    """A call whose replies come one by one. ``end`` in any case: what still runs is cancelled."""

    async def read(self) -> bytes | None: ...

    async def write(self, message: bytes) -> object: ...

    async def done_writing(self) -> None: ...

    def end(self) -> None: ...


class Replica(Protocol):
    """An open way to one endpoint. A call past its deadline is cancelled where it came in, which cancels it here."""

    async def post(self, head: CallHead, request: bytes) -> bytes: ...

    async def open(self, head: CallHead, request: bytes) -> Upstream: ...

    async def fate(self, request_id: str, seconds: float) -> bytes:
        """What became of a call that was cut here: STOPPED, COMPUTING or UNKNOWN."""
        ...

    async def close(self) -> None: ...


def connect(endpoint: Endpoint) -> Replica:
    """The quickest way to an endpoint. Nothing is sent before the first call."""
    if endpoint.pipe_port:
        return PipeReplica(endpoint)
    if endpoint.dialect != OFFICIAL:
        return GrpcReplica(endpoint)
    return OfficialReplica(GrpcReplica(endpoint), Dialect(signatures_from_json(endpoint.signatures), FETCH))


def never_reached() -> UnavailableError:
    return UnavailableError("The replica has just gone away, and nothing was run. Run it again.")


def went_away() -> UnavailableError:
    # What it had begun may be what ended it: a code on which no client tries again by itself.
    return UnavailableError(
        "The replica went away before the call was finished. Run it again.", code=StatusCode.RUNNER_PROCESSING_FAILED
    )


def too_large(details: str = "") -> ModelError:
    return ModelError("The model's answer is too large to be passed on.", details=details)


class PipeReplica:
    """A runner of ours."""

    def __init__(self, endpoint: Endpoint) -> None:
        host = endpoint.address.rpartition(":")[0].strip("[]")
        loop = asyncio.get_running_loop()
        self._pool = PipePool(
            lambda make: loop.create_connection(make, host, endpoint.pipe_port), endpoint.secret.encode()
        )

    async def post(self, head: CallHead, request: bytes) -> bytes:
        call = await self._begin(head, request)
        try:
            return await call.read() or b""
        except LostError as lost:
            raise (too_large() if lost.is_too_large else went_away()) from None
        finally:
            call.end()

    async def open(self, head: CallHead, request: bytes) -> Upstream:
        return _PipeCall(await self._begin(head, request))

    async def fate(self, request_id: str, seconds: float) -> bytes:
        """A runner that is gone computes no more; one that does not even answer is busy."""
        try:
            call = await self._pool.begin(CallHead(Rpc.FATE, request_id), f"{seconds:.3f}".encode())
        except OSError:
            return STOPPED
        try:
            async with asyncio.timeout(seconds + 0.5):
                return await call.read() or UNKNOWN
        except LostError:
            return STOPPED
        except TimeoutError:
            return COMPUTING
        finally:
            call.end()

    async def close(self) -> None:
        self._pool.close()

    async def _begin(self, head: CallHead, request: bytes) -> ClientPipe:
        try:
            return await self._pool.begin(head, request, is_open=head.rpc is Rpc.STREAM)
        except OSError:
            raise never_reached() from None


class _PipeCall:
    """A call on a socket."""

    def __init__(self, pipe: ClientPipe) -> None:
        self._pipe = pipe
        self.write = pipe.write
        self.done_writing = pipe.done_writing
        self.end = pipe.end

    async def read(self) -> bytes | None:
        try:
            return await self._pipe.read()
        except LostError as lost:
            raise (too_large() if lost.is_too_large else went_away()) from None


class GrpcReplica:
    """Any V2 runner at an address."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._metadata = endpoint.metadata
        self._channel = open_channel(endpoint)
        self._post = self._channel.unary_unary(f"{SERVICE}PostModelOutputs")
        self._generate = self._channel.unary_stream(f"{SERVICE}GenerateModelOutputs")
        self._stream = self._channel.stream_stream(f"{SERVICE}StreamModelOutputs")

    async def post(self, head: CallHead, request: bytes) -> bytes:
        reply: bytes = await _told(head.rpc, self._post(request, metadata=self._along(head)))
        return reply

    async def open(self, head: CallHead, request: bytes) -> Upstream:
        if head.rpc is Rpc.GENERATE:
            return _GrpcCall(head.rpc, self._generate(request, metadata=self._along(head)))
        for _ in range(_OPENINGS):
            call = _GrpcCall(head.rpc, self._stream(metadata=self._along(head)))
            if await call.begin(request):
                return call
        raise _too_busy(head.rpc)

    async def fate(self, request_id: str, seconds: float) -> bytes:
        """It was told to stop; whether it did it does not say."""
        return UNKNOWN

    async def close(self) -> None:
        await self._channel.close()

    def _along(self, head: CallHead) -> tuple[tuple[str, str], ...]:
        metadata = (*self._metadata, (headers.REQUEST_ID, head.request_id))
        if head.is_owner:
            metadata = (*metadata, (headers.OWNER, "1"))
        if head.takes_joined:
            metadata = (*metadata, (headers.JOINED, "1"))
        return metadata


class _GrpcCall:
    """A call on a channel."""

    def __init__(self, rpc: Rpc, call: Any) -> None:
        self._rpc = rpc
        self._call = call

    async def read(self) -> bytes | None:
        reply = await _told(self._rpc, self._call.read())
        return None if reply is grpc.aio.EOF else reply

    async def begin(self, message: bytes) -> bool:
        """Send the first message; false when the far side had refused the call before, and grpcio lost its reason."""
        try:
            await self._call.write(message)
        except grpc.aio.AioRpcError as error:
            return bool(error.details() != _REASON_LOST)
        except asyncio.InvalidStateError:
            return True
        return True

    async def write(self, message: bytes) -> None:
        """When the far side has ended early its replies say why, so nothing is said here."""
        try:
            await self._call.write(message)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return

    async def done_writing(self) -> None:
        try:
            await self._call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return

    def end(self) -> None:
        self._call.cancel()


async def _told(rpc: Rpc, call: Awaitable[Any]) -> Any:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise _lost(rpc, error) from None


def _lost(rpc: Rpc, error: grpc.aio.AioRpcError) -> PlaygroundError:
    """What a runner's plain gRPC failure means to the caller: in-band, since official clients retry it blindly."""
    code, said = error.code(), error.details() or ""
    if code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
        return never_reached() if _NEVER_REACHED.search(said) else went_away()
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED:
        return _too_large(error) if _TOO_LARGE in said else _too_busy(rpc)
    if code == grpc.StatusCode.UNKNOWN:  # a runner that was told to let the model's exceptions out
        return ModelError(said or "The model failed, and did not say how.")
    return from_grpc(code, said)


def _too_large(error: grpc.aio.AioRpcError) -> PlaygroundError:
    """Our own core refuses an answer, or the far side's the request."""
    said = error.details() or ""
    if said.startswith("SERVER"):
        return from_grpc(error.code(), said)
    return too_large(said)


def _too_busy(rpc: Rpc) -> OverloadedError:
    # A stream's inputs could not be sent twice: a code on which no client tries again by itself.
    code = StatusCode.RPC_REQUEST_QUEUE_FULL if rpc is Rpc.STREAM else None
    return OverloadedError("The runner has as many calls as it takes. Nothing was run. Try again soon.", code=code)
