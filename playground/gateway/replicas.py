"""A replica as the relay sees it: three calls as bytes in, bytes out, over pipes to our own runners, else over gRPC.

Whatever goes wrong on the way is told as a PlaygroundError, in words for the caller.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

import grpc
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.protocol import headers
from playground.protocol.errors import ModelError, PlaygroundError, UnavailableError, from_grpc
from playground.protocol.pipes import CallHead, Frame, Pipe, Rpc, pack_call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playground.compute.engines.base import Endpoint

SERVICE = "/clarifai.api.V2/"
MESSAGE_OPTIONS = (
    ("grpc.max_receive_message_length", 128 * 2**20),
    ("grpc.max_send_message_length", 128 * 2**20),
    ("grpc.enable_http_proxy", 0),
)
_NEVER_REACHED = "failed to connect"  # how gRPC says that nothing was sent
_MAX_IDLE = 64
_MAX_AHEAD_BYTES = 256 * 1024


class Upstream(Protocol):
    """A call whose replies come one by one. ``end`` in any case: what still runs is cancelled."""

    async def read(self) -> bytes | None: ...

    async def write(self, message: bytes) -> None: ...

    async def done_writing(self) -> None: ...

    def end(self) -> None: ...


class Replica(Protocol):
    """An open way to one endpoint. A call past its deadline is cancelled where it came in, which cancels it here."""

    async def post(self, head: CallHead, request: bytes) -> bytes: ...

    async def open(self, head: CallHead, request: bytes) -> Upstream: ...

    async def close(self) -> None: ...


def connect(endpoint: Endpoint) -> Replica:
    """The quickest way to an endpoint. Nothing is sent before the first call."""
    return PipeReplica(endpoint) if endpoint.pipe_port else GrpcReplica(endpoint)


def never_reached() -> UnavailableError:
    return UnavailableError("The replica has just gone away, and nothing was run. Run it again.")


def went_away() -> UnavailableError:
    # What it had begun may be what ended it: a code on which no client tries again by itself.
    return UnavailableError(
        "The replica went away before the call was finished. Run it again.", code=StatusCode.RUNNER_PROCESSING_FAILED
    )


class PipeReplica:
    """A runner of ours: as many sockets as there are calls at once, kept for the next ones."""

    def __init__(self, endpoint: Endpoint) -> None:
        host = endpoint.address.rpartition(":")[0]
        self._address = (host.strip("[]"), endpoint.pipe_port)
        self._secret = endpoint.secret.encode()
        self._idle: deque[_PipeCall] = deque()

    async def post(self, head: CallHead, request: bytes) -> bytes:
        call = await self._begin(head, request)
        try:
            return await call.read() or b""
        finally:
            call.end()

    async def open(self, head: CallHead, request: bytes) -> Upstream:
        return await self._begin(head, request)

    async def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def _begin(self, head: CallHead, request: bytes) -> _PipeCall:
        while self._idle:
            call = self._idle.pop()
            if call.is_open:
                break
        else:
            loop = asyncio.get_running_loop()
            try:
                _, call = await loop.create_connection(lambda: _PipeCall(self._keep), *self._address)
            except OSError:
                raise never_reached() from None
            call.send(Frame.HELLO, self._secret)
        call.begin(head, request)
        return call

    def _keep(self, call: _PipeCall) -> None:
        if len(self._idle) < _MAX_IDLE:
            self._idle.append(call)
        else:
            call.close()


class _PipeCall(Pipe):
    """A socket, and the call that is on it now."""

    def __init__(self, keep: Callable[[_PipeCall], None]) -> None:
        super().__init__()
        self._keep = keep
        self._replies: deque[bytes] = deque()
        self._bytes_ahead = 0
        self._is_held = False
        self._is_over = True
        self._is_done_writing = True
        self._waiter: asyncio.Future[None] | None = None

    def begin(self, head: CallHead, request: bytes) -> None:
        self._is_over = False
        self._is_done_writing = head.rpc is not Rpc.STREAM
        self.send(Frame.CALL, pack_call(head, request))

    async def read(self) -> bytes | None:
        """The next reply; None after the last. Raises UnavailableError."""
        while not self._replies:
            if self._is_over:
                return None
            if not self.is_open:
                raise went_away()
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        reply = self._replies.popleft()
        self._bytes_ahead -= len(reply)
        if self._is_held and self._bytes_ahead <= _MAX_AHEAD_BYTES // 2:
            self._is_held = False
            self.go_on()
        return reply

    async def write(self, message: bytes) -> None:
        self.send(Frame.MESSAGE, message)
        await self.drain()

    async def done_writing(self) -> None:
        self._is_done_writing = True
        self.send(Frame.DONE)

    def end(self) -> None:
        """Keep the socket after a clean end; closing it is what cancels a call."""
        if self._is_over and self._is_done_writing and not self._replies and self.is_open:
            self._keep(self)
        else:
            self.close()

    def on_frame(self, kind: int, payload: bytes) -> None:
        if kind in {Frame.REPLY, Frame.LAST}:
            self._replies.append(payload)
            self._bytes_ahead += len(payload)
            if self._bytes_ahead > _MAX_AHEAD_BYTES and not self._is_held:
                self._is_held = True
                self.hold()
        if kind in {Frame.LAST, Frame.END}:
            self._is_over = True
        self._tell()

    def on_lost(self) -> None:
        self._tell()

    def _tell(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class GrpcReplica:
    """Any V2 runner at an address."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._metadata = endpoint.metadata
        self._channel = grpc.aio.insecure_channel(endpoint.address, options=MESSAGE_OPTIONS)
        self._post = self._channel.unary_unary(f"{SERVICE}PostModelOutputs")
        self._generate = self._channel.unary_stream(f"{SERVICE}GenerateModelOutputs")
        self._stream = self._channel.stream_stream(f"{SERVICE}StreamModelOutputs")

    async def post(self, head: CallHead, request: bytes) -> bytes:
        reply: bytes = await _told(self._post(request, metadata=self._along(head)))
        return reply

    async def open(self, head: CallHead, request: bytes) -> Upstream:
        if head.rpc is Rpc.GENERATE:
            return _GrpcCall(self._generate(request, metadata=self._along(head)))
        call = _GrpcCall(self._stream(metadata=self._along(head)))
        await call.write(request)
        return call

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

    def __init__(self, call: Any) -> None:
        self._call = call

    async def read(self) -> bytes | None:
        reply = await _told(self._call.read())
        return None if reply is grpc.aio.EOF else reply

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


async def _told(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise _lost(error) from None


def _lost(error: grpc.aio.AioRpcError) -> PlaygroundError:
    """What a runner's plain gRPC failure means to the caller: in-band, since official clients retry it blindly."""
    code = error.code()
    if code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
        return never_reached() if _NEVER_REACHED in (error.details() or "") else went_away()
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED:  # the request came through: it is the answer that did not
        return ModelError("The model's answer is too large to be passed on.", details=error.details() or "")
    return from_grpc(code, error.details())
