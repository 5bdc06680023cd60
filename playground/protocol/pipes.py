"""Plain sockets between our own programs: one call at a time on each, used again after a clean end.

A gRPC message costs each process that touches it 55 to 140 µs, a frame here about 10. The V2 messages inside are the
same, and closing the socket is how a call is cancelled; the kernel's buffers carry a slow reader's pressure back. The
web process calls the gateway so (over a socket in the data folder), and the gateway its own runners; for everybody
else there is gRPC.

    client                                server
    HELLO secret                          (closes the socket when it is another's)
    CALL rpc, flags, names, message       REPLY message …
    MESSAGE … DONE   (streams only)       LAST message   or   END
"""

from __future__ import annotations

import asyncio
import enum
import hmac
import logging
import select
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, cast

logger = logging.getLogger(__name__)

_HEAD = struct.Struct("!IB")
_CALL_HEAD = struct.Struct("!BBH")
_BUFFER_BYTES = 256 * 1024  # in the kernel, each way: what a slow reader's model may run ahead
_JOIN_BELOW = 64 * 1024
_MAX_IDLE = 64
_MAX_AHEAD = 16  # messages of a stream that nobody has read yet
_MAX_HELLO = 1024
MAX_MESSAGE = 128 * 2**20  # bytes, as over gRPC
_MAX_CALL = MAX_MESSAGE + 2**20  # with its head
_MAX_REPLY = MAX_MESSAGE - 2**12  # with what the gateway adds


class Frame(enum.IntEnum):
    """What a frame is."""

    HELLO = 1
    CALL = 2
    MESSAGE = 3
    DONE = 4
    REPLY = 5
    LAST = 6
    END = 7


class Rpc(enum.IntEnum):
    """Which of the three calls; or the question what became of one that was cut, with the seconds one waits for it."""

    POST = 1
    GENERATE = 2
    STREAM = 3
    FATE = 4


STOPPED, COMPUTING, UNKNOWN = b"stopped", b"computing", b"unknown"  # what became of a call that was cut


class CallHead(NamedTuple):
    """What goes along with a call's first message: see ``headers`` for the meanings.

    From the web process ``request_id`` is its own name for the call, by which it may ask for its fate.
    """

    rpc: Rpc
    request_id: str = ""
    is_owner: bool = False
    takes_joined: bool = False
    metadata: tuple[tuple[str, str], ...] = ()


def pack_call(head: CallHead, message: bytes) -> bytes:
    """The payload of a CALL frame."""
    names = "\n".join([head.request_id, *(f"{name}: {value}" for name, value in head.metadata)]).encode()
    return _CALL_HEAD.pack(head.rpc, head.is_owner | head.takes_joined << 1, len(names)) + names + message


def unpack_call(payload: bytes) -> tuple[CallHead, bytes]:
    """The head and the first message of a CALL frame. Raises ValueError."""
    try:
        rpc, flags, length = _CALL_HEAD.unpack_from(payload)
        start = _CALL_HEAD.size + length
        request_id, *lines = payload[_CALL_HEAD.size : start].decode().split("\n")
        metadata = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))
        return CallHead(Rpc(rpc), request_id, bool(flags & 1), bool(flags & 2), metadata), payload[start:]
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"no call: {error}") from None


class Pipe(asyncio.Protocol):
    """One end of a socket. A subclass gets each frame by ``on_frame`` and the end of it all by ``on_lost``."""

    max_frame = _MAX_CALL  # bytes; whoever sends more is cut off
    is_too_large = False  # whether that was so

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._writable: asyncio.Future[None] | None = None

    def on_frame(self, kind: int, payload: bytes) -> None:
        raise NotImplementedError

    def on_lost(self) -> None:
        raise NotImplementedError

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, kind: Frame, payload: bytes = b"") -> None:
        """Hand a frame to the socket; nothing happens on a closed one. ``drain`` waits for a slow reader."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        head = _HEAD.pack(len(payload), kind)
        if len(payload) < _JOIN_BELOW:
            transport.write(head + payload)
        else:
            transport.writelines((head, payload))

    async def drain(self) -> None:
        """Until the far side has read enough of what was sent."""
        if self._writable is not None:
            await asyncio.shield(self._writable)

    def hold(self) -> None:
        """Take no more from the socket, until ``go_on``: whoever sends is slowed down."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def go_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        """End it at once; what was not sent yet is dropped."""
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio.Protocol --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        found = transport.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        start, size = 0, len(buffer)
        while size - start >= _HEAD.size:
            length, kind = _HEAD.unpack_from(buffer, start)
            if length > self.max_frame:
                self.is_too_large = True
                self.close()
                return
            end = start + _HEAD.size + length
            if size < end:
                break
            with memoryview(buffer) as view:
                payload = bytes(view[start + _HEAD.size : end])
            start = end
            self.on_frame(kind, payload)
        if start:
            del buffer[:start]

    def pause_writing(self) -> None:
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def connection_lost(self, exc: Exception | None) -> None:
        self.resume_writing()
        self.on_lost()


class LostError(ConnectionError):
    """The socket ended before its call did; ``is_too_large``: since the reply was more than may pass."""

    def __init__(self, *, is_too_large: bool = False) -> None:
        super().__init__("too large" if is_too_large else "lost")
        self.is_too_large = is_too_large


class ClientPipe(Pipe):
    """The calling end: a socket, and the call that is on it now. ``end`` gives it back, or cancels the call."""

    max_frame = _MAX_REPLY

    def __init__(self, keep: Callable[[ClientPipe], None]) -> None:
        super().__init__()
        self._keep = keep
        self._replies: deque[bytes] = deque()
        self._bytes_ahead = 0
        self._is_held = False
        self._is_over = True
        self._is_done_writing = True
        self._waiter: asyncio.Future[None] | None = None
        self._poll = select.poll()

    @property
    def is_quiet(self) -> bool:
        """Of an idle one: whether it lives. All that can come there is its end, of which the loop may not know yet."""
        return not self._poll.poll(0)

    def begin(self, head: CallHead, message: bytes, *, is_open: bool = False) -> None:
        """Start a call; ``is_open``: more messages follow."""
        self._is_over = False
        self._is_done_writing = not is_open
        self.send(Frame.CALL, pack_call(head, message))

    async def read(self) -> bytes | None:
        """The next reply; None after the last. Raises LostError."""
        while not self._replies:
            if self._is_over:
                return None
            if not self.is_open:
                raise LostError(is_too_large=self.is_too_large)
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        reply = self._replies.popleft()
        self._bytes_ahead -= len(reply)
        if self._is_held and self._bytes_ahead <= _BUFFER_BYTES // 2:
            self._is_held = False
            self.go_on()
        return reply

    async def write(self, message: bytes) -> bool:
        """One more message; false once the call is over, whose replies say why."""
        if self._is_over or not self.is_open:
            return False
        self.send(Frame.MESSAGE, message)
        await self.drain()
        return True

    async def done_writing(self) -> None:
        self._is_done_writing = True
        self.send(Frame.DONE)

    def end(self) -> None:
        """Keep the socket after a clean end; closing it is what cancels a call."""
        if self._is_over and self._is_done_writing and not self._replies and self.is_open:
            self._keep(self)
        else:
            self.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def on_frame(self, kind: int, payload: bytes) -> None:
        if kind in {Frame.REPLY, Frame.LAST}:
            self._replies.append(payload)
            self._bytes_ahead += len(payload)
            if self._bytes_ahead > _BUFFER_BYTES and not self._is_held:
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


class PipePool:
    """As many sockets to one place as there are calls at once, kept for the next ones. ``connect`` opens one more."""

    def __init__(self, connect: Callable[[Callable[[], Pipe]], Awaitable[tuple[Any, Pipe]]], secret: bytes) -> None:
        self._connect = connect
        self._secret = secret
        self._idle: deque[ClientPipe] = deque()

    async def begin(self, head: CallHead, message: bytes, *, is_open: bool = False) -> ClientPipe:
        """A call on a socket of its own. Raises OSError when none can be had: nothing was sent then."""
        while self._idle:
            pipe = self._idle.pop()
            if pipe.is_open and pipe.is_quiet:
                break
        else:
            pipe = cast("ClientPipe", (await self._connect(lambda: ClientPipe(self._keep)))[1])
            pipe.send(Frame.HELLO, self._secret)
        pipe.begin(head, message, is_open=is_open)
        return pipe

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _keep(self, pipe: ClientPipe) -> None:
        if len(self._idle) < _MAX_IDLE:
            self._idle.append(pipe)
        else:
            pipe.close()


class ServerPipe(Pipe):
    """The answering end: calls one after another, each in a task of its own that ends with the socket.

    ``answer`` is told a call's head, its first message and the pipe, and gives the last reply, or b"".
    """

    def __init__(self, answer: Answer, secret: bytes, pipes: set[ServerPipe]) -> None:
        super().__init__()
        self._answer = answer
        self._secret = secret
        self._pipes = pipes
        self._is_trusted = False
        self.max_frame = _MAX_HELLO
        self._task: asyncio.Task[None] | None = None
        self._messages: deque[bytes | None] = deque()
        self._news: asyncio.Future[None] | None = None
        self._is_held = False
        pipes.add(self)

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The call that runs now."""
        return self._task

    async def read(self) -> bytes | None:
        """The next message of a stream; None after the last."""
        while not self._messages:
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        message = self._messages.popleft()
        if self._is_held and len(self._messages) <= _MAX_AHEAD // 2:
            self._release()
        return message

    async def write(self, reply: bytes) -> None:
        self.send(Frame.REPLY, reply)
        await self.drain()

    def on_frame(self, kind: int, payload: bytes) -> None:
        if not self._is_trusted:
            self._greet(kind, payload)
        elif kind == Frame.CALL and self._task is None:
            self._begin(payload)
        elif kind in {Frame.MESSAGE, Frame.DONE}:
            self._take(payload if kind == Frame.MESSAGE else None)
        else:
            self.close()

    def on_lost(self) -> None:
        self._pipes.discard(self)
        if self._task is not None:
            self._task.cancel()

    def _greet(self, kind: int, payload: bytes) -> None:
        if kind == Frame.HELLO and hmac.compare_digest(payload, self._secret):
            self._is_trusted = True
            self.max_frame = _MAX_CALL
        else:
            logger.warning("a stranger knocked at a door of our own programs")
            self.close()

    def _begin(self, payload: bytes) -> None:
        try:
            head, message = unpack_call(payload)
        except ValueError:
            self.close()
            return
        self._messages.clear()
        self._task = asyncio.get_running_loop().create_task(self._run(head, message))

    async def _run(self, head: CallHead, message: bytes) -> None:
        try:
            last = await self._answer(head, message, self)
        except Exception:  # a door: nobody above would hear of it
            logger.exception("%s: unexpected", head.request_id)
            self.close()
            return
        self._task = None
        self._messages.clear()
        if self._is_held:
            self._release()
        self.send(Frame.LAST if last else Frame.END, last)

    def _take(self, message: bytes | None) -> None:
        if self._task is None:
            return  # of a call that has ended: its sender will see the end
        self._messages.append(message)
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
        if len(self._messages) >= _MAX_AHEAD and not self._is_held:
            self._is_held = True
            self.hold()

    def _release(self) -> None:
        self._is_held = False
        self.go_on()


Answer = Callable[[CallHead, bytes, ServerPipe], Awaitable[bytes]]
