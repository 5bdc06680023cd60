"""The seam between the SDK and the network: requests go in as bytes, replies come out as messages, errors as ours.

Plain V2 calls over gRPC are the one implementation today; a multiplexed stream between our own processes can stand in
its place without a word changing above. Channels to one address are shared by all clients of a process (of an event
loop, for the asynchronous ones: such an object belongs to the loop that made it).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import grpc
import grpc.aio
from clarifai_grpc.grpc.api import service_pb2

from playground.protocol import errors
from playground.sdk.config import Address

Reply: TypeAlias = service_pb2.MultiOutputResponse
Metadata = tuple[tuple[str, str], ...]

MAX_MESSAGE_BYTES = 128 * 2**20
OPTIONS: list[tuple[str, Any]] = [
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),  # we retry ourselves, and never once a piece has come
    # A gateway that was restarted is found again at once, instead of after gRPC's 20 s.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]
# Without gRPC's own reader thread: 0.6 of the time for each piece (measured), for unary-stream calls alone.
SYNC_OPTIONS: list[tuple[str, Any]] = [*OPTIONS, ("SingleThreadedUnaryStream", 1)]
SERVICE = "/clarifai.api.V2/"
_NO_WAY = "failed to connect"  # gRPC's own words
GENERATE = SERVICE + "GenerateModelOutputs"
STREAM = SERVICE + "StreamModelOutputs"


class NotServedError(errors.NotFoundError):
    """The far side does not know this RPC at all: a bare runner, asked for what only a gateway has."""


@dataclass(frozen=True, slots=True)
class Rpc:
    """A unary RPC of the V2 service and the class of its replies."""

    name: str
    reply: Any


POST = Rpc("PostModelOutputs", service_pb2.MultiOutputResponse)
GET_MODEL_VERSION = Rpc("GetModelVersion", service_pb2.SingleModelVersionResponse)


class Replies(Protocol):
    """The replies of one call as they come."""

    def __next__(self) -> Any: ...
    def cancel(self) -> None: ...


class Transport(Protocol):
    """What a client needs of the network. Every method raises errors of ``playground.protocol.errors``."""

    def unary(self, rpc: Rpc, request: bytes, seconds: float, metadata: Metadata) -> Any: ...
    def generate(self, request: bytes, seconds: float, metadata: Metadata) -> Replies: ...
    def stream(self, requests: Iterator[bytes], seconds: float, metadata: Metadata) -> Replies: ...
    def close(self) -> None: ...


class AsyncReplies(Protocol):
    async def __anext__(self) -> Any: ...
    def cancel(self) -> None: ...


class AsyncDuplex(AsyncReplies, Protocol):
    """A call both ways: requests are written while replies come. ``write`` is false once the call is over."""

    async def write(self, request: bytes) -> bool: ...
    async def done_writing(self) -> None: ...


class AsyncTransport(Protocol):
    async def unary(self, rpc: Rpc, request: bytes, seconds: float, metadata: Metadata) -> Any: ...
    def generate(self, request: bytes, seconds: float, metadata: Metadata) -> AsyncReplies: ...
    def stream(self, seconds: float, metadata: Metadata) -> AsyncDuplex: ...
    async def close(self) -> None: ...


def translate(error: grpc.RpcError, address: Address) -> errors.PlaygroundError:
    """Our error for a plain gRPC failure, in words a person can act on."""
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return NotServedError(f"{address.target} does not serve this call.", details=details)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return errors.DeadlineError("The time limit ran out before the answer was complete.", details=details)
    if code is grpc.StatusCode.UNAVAILABLE:
        return errors.UnavailableError(_describe_silence(details, address), details=details)
    if code is grpc.StatusCode.CANCELLED:
        return errors.StoppedError("The call was stopped.", details=details)
    return errors.from_grpc(code, details)


def is_unsent(error: errors.PlaygroundError) -> bool:
    """Whether a call never left, as there was no connection: it may be made again, whatever it does."""
    return isinstance(error, errors.UnavailableError) and _NO_WAY in error.details.lower()


def _describe_silence(details: str, address: Address) -> str:
    if _NO_WAY not in details.lower():
        return f"The connection to {address.target} was lost: {details}"
    why = " (connection refused)" if "refused" in details.lower() else ""
    return f"Nobody answers at {address.target}{why}. Is the gateway running?"


class _Pool:
    """Open channels by key, counted: the last to give one back has to close it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channels: dict[Hashable, tuple[Any, int]] = {}

    def borrow(self, key: Hashable, make: Callable[[], Any]) -> Any:
        with self._lock:
            channel, users = self._channels.get(key) or (make(), 0)
            self._channels[key] = channel, users + 1
            return channel

    def give_back(self, key: Hashable) -> Any | None:
        with self._lock:
            channel, users = self._channels.pop(key)
            if users == 1:
                return channel
            self._channels[key] = channel, users - 1
            return None

    def forget(self, is_dead: Callable[[Any], bool]) -> None:
        with self._lock:
            for key in [key for key in self._channels if is_dead(key)]:
                del self._channels[key]


_channels = _Pool()


class GrpcReplies:
    __slots__ = ("_address", "_call")

    def __init__(self, call: Any, address: Address) -> None:
        self._call = call
        self._address = address

    def __next__(self) -> Any:
        try:
            return next(self._call)
        except grpc.RpcError as error:
            raise translate(error, self._address) from error

    def cancel(self) -> None:
        self._call.cancel()


class GrpcTransport:
    """Plain V2 calls. Opens its channel at the first call; safe to use from several threads."""

    def __init__(self, address: Address, certificates: bytes | None = None) -> None:
        self._address = address
        self._certificates = certificates
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None
        self._unary: dict[str, Callable[..., Any]] = {}

    def unary(self, rpc: Rpc, request: bytes, seconds: float, metadata: Metadata) -> Any:
        call = self._unary.get(rpc.name) or self._prepare(rpc)
        try:
            return call(request, seconds, metadata)
        except grpc.RpcError as error:
            raise translate(error, self._address) from error

    def generate(self, request: bytes, seconds: float, metadata: Metadata) -> GrpcReplies:
        return GrpcReplies(self._opened()[0](request, seconds, metadata), self._address)

    def stream(self, requests: Iterator[bytes], seconds: float, metadata: Metadata) -> GrpcReplies:
        return GrpcReplies(self._opened()[1](requests, seconds, metadata), self._address)

    def close(self) -> None:
        with self._lock:
            if self._channel is None:
                return
            self._channel = None
            self._unary.clear()
            last = _channels.give_back(self._key)
        if last is not None:
            last.close()

    @property
    def _key(self) -> Hashable:
        return self._address, self._certificates

    def _prepare(self, rpc: Rpc) -> Callable[..., Any]:
        self._opened()
        assert self._channel is not None
        call = self._channel.unary_unary(SERVICE + rpc.name, response_deserializer=rpc.reply.FromString)
        return self._unary.setdefault(rpc.name, call)

    def _opened(self) -> tuple[Callable[..., Any], Callable[..., Any]]:
        if self._channel is None:
            self._open()
        return self._generate, self._stream

    def _open(self) -> None:
        with self._lock:
            if self._channel is None:
                channel = _channels.borrow(self._key, self._make_channel)
                self._generate = channel.unary_stream(GENERATE, response_deserializer=Reply.FromString)
                self._stream = channel.stream_stream(STREAM, response_deserializer=Reply.FromString)
                self._channel = channel

    def _make_channel(self) -> grpc.Channel:
        if not self._address.is_secure:
            return grpc.insecure_channel(self._address.target, options=SYNC_OPTIONS)
        credentials = grpc.ssl_channel_credentials(self._certificates)
        return grpc.secure_channel(self._address.target, credentials, options=SYNC_OPTIONS)


class AsyncGrpcReplies:
    """One call's replies; also the writing side of a call both ways.

    Read with the iterator: gRPC's own ``read()`` may take a finished call for an empty one (and is no faster).
    """

    __slots__ = ("_address", "_call", "_is_stopped", "_messages")

    def __init__(self, call: Any, address: Address) -> None:
        self._call = call
        self._messages: AsyncIterator[Any] = call.__aiter__()
        self._address = address
        self._is_stopped = False

    async def __anext__(self) -> Any:
        try:
            return await self._messages.__anext__()
        except grpc.RpcError as error:
            raise translate(error, self._address) from error
        except asyncio.CancelledError:
            if self._is_stopped and not _is_being_cancelled():
                raise errors.StoppedError("The call was stopped.") from None
            raise

    async def write(self, request: bytes) -> bool:
        try:
            await self._call.write(request)
        except (grpc.RpcError, asyncio.InvalidStateError):
            return False  # over: the replies say why
        return True

    async def done_writing(self) -> None:
        with contextlib.suppress(grpc.RpcError, asyncio.InvalidStateError):
            await self._call.done_writing()

    def cancel(self) -> None:
        self._is_stopped = True
        self._call.cancel()


def _is_being_cancelled() -> bool:
    """Whether it is the task itself that somebody cancels, rather than the call it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class _Stubs:
    """One loop's callables."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.generate = channel.unary_stream(GENERATE, response_deserializer=Reply.FromString)
        self.stream = channel.stream_stream(STREAM, response_deserializer=Reply.FromString)
        self.unary: dict[str, Callable[..., Any]] = {}

    def prepare(self, rpc: Rpc) -> Callable[..., Any]:
        call: Callable[..., Any] = self.channel.unary_unary(
            SERVICE + rpc.name, response_deserializer=rpc.reply.FromString
        )
        self.unary[rpc.name] = call
        return call


class AsyncGrpcTransport:
    """The asynchronous twin. Its channel is the running loop's own, so one client may serve several loops in turn."""

    def __init__(self, address: Address, certificates: bytes | None = None) -> None:
        self._address = address
        self._certificates = certificates
        self._by_loop: dict[asyncio.AbstractEventLoop, _Stubs] = {}

    async def unary(self, rpc: Rpc, request: bytes, seconds: float, metadata: Metadata) -> Any:
        stubs = self._here()
        call = stubs.unary.get(rpc.name) or stubs.prepare(rpc)
        try:
            return await call(request, timeout=seconds, metadata=metadata)
        except grpc.RpcError as error:
            raise translate(error, self._address) from error

    def generate(self, request: bytes, seconds: float, metadata: Metadata) -> AsyncGrpcReplies:
        return AsyncGrpcReplies(self._here().generate(request, timeout=seconds, metadata=metadata), self._address)

    def stream(self, seconds: float, metadata: Metadata) -> AsyncGrpcReplies:
        return AsyncGrpcReplies(self._here().stream(timeout=seconds, metadata=metadata), self._address)

    async def close(self) -> None:
        """Closes what belongs to the running loop; what belonged to loops that are closed is gone with them."""
        loop = asyncio.get_running_loop()
        if self._by_loop.pop(loop, None) is None:
            return
        channel = _channels.give_back((loop, self._address, self._certificates))
        if channel is not None:
            await channel.close()

    def _here(self) -> _Stubs:
        loop = asyncio.get_running_loop()
        return self._by_loop.get(loop) or self._open(loop)

    def _open(self, loop: asyncio.AbstractEventLoop) -> _Stubs:
        _channels.forget(_belongs_to_closed_loop)
        for dead in [known for known in self._by_loop if known.is_closed()]:
            del self._by_loop[dead]
        channel = _channels.borrow((loop, self._address, self._certificates), self._make_channel)
        stubs = self._by_loop[loop] = _Stubs(channel)
        return stubs

    def _make_channel(self) -> grpc.aio.Channel:
        if not self._address.is_secure:
            return grpc.aio.insecure_channel(self._address.target, options=OPTIONS)
        credentials = grpc.ssl_channel_credentials(self._certificates)
        return grpc.aio.secure_channel(self._address.target, credentials, options=OPTIONS)


def _belongs_to_closed_loop(key: Any) -> bool:
    return isinstance(key[0], asyncio.AbstractEventLoop) and key[0].is_closed()
