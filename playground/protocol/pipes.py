"""A plain socket between our own gateway and runners: one call at a time on each, used again after a clean end.

A gRPC message costs each process that touches it 55 to 140 µs, a frame here about 10. The V2 messages inside are the
same, and closing the socket is how a call is cancelled; the kernel's buffers carry a slow reader's pressure back.

    client                                server
    HELLO secret                          (closes the socket when it is another's)
    CALL rpc, flags, request id, message  REPLY message …
    MESSAGE … DONE   (streams only)       LAST message   or   END
"""

from __future__ import annotations

import asyncio
import enum
import socket
import struct
from typing import NamedTuple, cast

_HEAD = struct.Struct("!IB")
_CALL_HEAD = struct.Struct("!BBH")
_BUFFER_BYTES = 256 * 1024  # in the kernel, each way: what a slow reader's model may run ahead
_JOIN_BELOW = 64 * 1024
MAX_FRAME = 160 * 2**20


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
    """Which of the three calls."""

    POST = 1
    GENERATE = 2
    STREAM = 3


class CallHead(NamedTuple):
    """What goes along with a call's first message: see ``headers`` for the meanings."""

    rpc: Rpc
    request_id: str
    is_owner: bool = False
    takes_joined: bool = False


def pack_call(head: CallHead, message: bytes) -> bytes:
    """The payload of a CALL frame."""
    name = head.request_id.encode()
    return _CALL_HEAD.pack(head.rpc, head.is_owner | head.takes_joined << 1, len(name)) + name + message


def unpack_call(payload: bytes) -> tuple[CallHead, bytes]:
    """The head and the first message of a CALL frame. Raises ValueError."""
    try:
        rpc, flags, length = _CALL_HEAD.unpack_from(payload)
        start = _CALL_HEAD.size + length
        name = payload[_CALL_HEAD.size : start].decode()
        return CallHead(Rpc(rpc), name, bool(flags & 1), bool(flags & 2)), payload[start:]
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"no call: {error}") from None


class Pipe(asyncio.Protocol):
    """One end of a socket. A subclass gets each frame by ``on_frame`` and the end of it all by ``on_lost``."""

    max_frame = MAX_FRAME  # bytes; whoever sends more is cut off

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
