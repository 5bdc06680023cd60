"""Calls of the web process to the gateway beside it: the same V2 messages over a local socket, without gRPC between.

Where there is no such socket, or nobody answers at it, plain gRPC carries the call.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from playground.protocol import headers
from playground.protocol.errors import DeadlineError, ModelError, PlaygroundError, StoppedError, UnavailableError
from playground.protocol.pipes import MAX_MESSAGE, UNKNOWN, CallHead, ClientPipe, LostError, PipePool, Rpc
from playground.sdk.channel import POST, AsyncDuplex, AsyncReplies, AsyncTransport, Metadata, Reply
from playground.sdk.channel import Rpc as UnaryRpc

if TYPE_CHECKING:
    from playground.sdk.link import AsyncLink

call_name: ContextVar[str] = ContextVar("call_name", default="")
"""What the gateway knows a task's calls by, so that one can ask for the fate of one that was stopped."""

_JOINED = (headers.JOINED, "1")
_TOO_LATE = "The time limit ran out before the answer was complete."


class AsyncPipeTransport:
    """The asynchronous transport over the socket at ``path``; ``otherwise`` carries what that cannot."""

    def __init__(self, path: Path, otherwise: AsyncTransport) -> None:
        self._path = str(path)
        self._otherwise = otherwise
        self._pools: dict[asyncio.AbstractEventLoop, PipePool] = {}

    async def unary(self, rpc: UnaryRpc, request: bytes, seconds: float, metadata: Metadata) -> Any:
        if rpc is not POST or len(request) > MAX_MESSAGE:  # gRPC has the words for what is too large
            return await self._otherwise.unary(rpc, request, seconds, metadata)
        try:
            pipe = await self._pool().begin(_head(Rpc.POST, metadata), request)
        except OSError:
            return await self._otherwise.unary(rpc, request, seconds, metadata)
        try:
            async with asyncio.timeout(seconds):
                return Reply.FromString(await pipe.read() or b"")
        except TimeoutError:
            raise DeadlineError(_TOO_LATE) from None
        except LostError as lost:
            raise _why(lost) from None
        finally:
            pipe.end()

    def generate(self, request: bytes, seconds: float, metadata: Metadata) -> AsyncReplies:
        return _Call(self._pool(), Rpc.GENERATE, metadata, seconds, self._otherwise, request)

    def stream(self, seconds: float, metadata: Metadata) -> AsyncDuplex:
        return _Call(self._pool(), Rpc.STREAM, metadata, seconds, self._otherwise)

    async def close(self) -> None:
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            pool.close()
        await self._otherwise.close()

    async def fate(self, name: str, seconds: float) -> bytes:
        """What became of the call of this name, which was cut: STOPPED, COMPUTING or UNKNOWN, after so long at most."""
        try:
            pipe = await self._pool().begin(CallHead(Rpc.FATE, name), f"{seconds:.3f}".encode())
        except OSError:
            return UNKNOWN
        try:
            async with asyncio.timeout(seconds + 1):
                return await pipe.read() or UNKNOWN
        except (TimeoutError, LostError):
            return UNKNOWN
        finally:
            pipe.end()

    def _pool(self) -> PipePool:
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            pool = self._pools[loop] = PipePool(lambda make: loop.create_unix_connection(make, self._path), b"")
        return pool


class _Call:
    """A call with many replies. It begins with its first message: a generate's when the first reply is asked for."""

    def __init__(
        self,
        pool: PipePool,
        rpc: Rpc,
        metadata: Metadata,
        seconds: float,
        otherwise: AsyncTransport,
        request: bytes | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._pool = pool
        self._rpc = rpc
        self._metadata = metadata
        self._until = self._loop.time() + seconds
        self._otherwise = otherwise
        self._request = request
        self._pipe: ClientPipe | None = None
        self._plain: AsyncReplies | AsyncDuplex | None = None  # the same call by gRPC, where no socket could be had
        self._timer: asyncio.TimerHandle | None = None
        self._begun = asyncio.Event()
        self._is_over = False
        self._end: DeadlineError | StoppedError | None = None

    async def __anext__(self) -> Any:
        if self._request is not None:
            request, self._request = self._request, None
            await self._begin(request)
        elif not self._begun.is_set():
            await self._begun.wait()
        if self._plain is not None:
            return await self._plain.__anext__()
        if self._end is not None:
            raise self._end
        if self._is_over or self._pipe is None:
            raise StopAsyncIteration
        try:
            reply = await self._pipe.read()
        except LostError as lost:
            raise self._end or _why(lost) from None
        if reply is None:
            self._close()
            raise StopAsyncIteration
        return Reply.FromString(reply)

    async def write(self, request: bytes) -> bool:
        if not self._begun.is_set():
            await self._begin(request)
            return self._pipe is not None or self._plain is not None
        if self._plain is not None:
            return await cast("AsyncDuplex", self._plain).write(request)
        return self._pipe is not None and not self._is_over and await self._pipe.write(request)

    async def done_writing(self) -> None:
        if not self._begun.is_set():  # not one message: gRPC can say that, a call's first frame cannot
            self._plain = self._otherwise.stream(self._left(), self._metadata)
            self._begun.set()
        if self._plain is not None:
            await cast("AsyncDuplex", self._plain).done_writing()
        elif self._pipe is not None and not self._is_over:
            await self._pipe.done_writing()

    def cancel(self) -> None:
        if self._plain is not None:
            self._plain.cancel()
        elif not self._is_over:
            self._finish(StoppedError("The call was stopped."))

    async def _begin(self, first: bytes) -> None:
        try:
            if len(first) > MAX_MESSAGE:
                raise OSError("too large for a socket, and for gRPC, which has the words")
            pipe = await self._pool.begin(_head(self._rpc, self._metadata), first, is_open=self._rpc is Rpc.STREAM)
        except OSError:
            await self._begin_plain(first)
        else:
            if self._end is not None:  # stopped meanwhile
                pipe.close()
            else:
                self._pipe = pipe
                self._timer = self._loop.call_at(self._until, self._finish, DeadlineError(_TOO_LATE))
        self._begun.set()

    async def _begin_plain(self, first: bytes) -> None:
        if self._rpc is Rpc.GENERATE:
            self._plain = self._otherwise.generate(first, self._left(), self._metadata)
        else:
            self._plain = duplex = self._otherwise.stream(self._left(), self._metadata)
            await duplex.write(first)

    def _left(self) -> float:
        return self._until - self._loop.time()

    def _finish(self, why: DeadlineError | StoppedError) -> None:
        self._end = why
        self._begun.set()
        self._close()

    def _close(self) -> None:
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._pipe is not None:
            self._pipe.end()


async def ask_fate(link: AsyncLink, name: str, seconds: float) -> bytes:
    """The same by a client: UNKNOWN where it does not call over a local socket."""
    transport = link.transport
    return await transport.fate(name, seconds) if isinstance(transport, AsyncPipeTransport) else UNKNOWN


def _head(rpc: Rpc, metadata: Metadata) -> CallHead:
    rest = tuple(pair for pair in metadata if pair != _JOINED)
    return CallHead(rpc, call_name.get(), takes_joined=_JOINED in metadata, metadata=rest)


def _why(lost: LostError) -> PlaygroundError:
    if lost.is_too_large:
        return ModelError("The model's answer is too large to be passed on.")
    return UnavailableError("The connection to the gateway was lost. Is it running?")
