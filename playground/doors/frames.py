"""What Daphne sends, sent sooner and never faster than the far side reads.

Autobahn takes 0.3 ms for a text message (it describes each to a log that nobody reads), and Twisted asks the selector
twice before it writes. A stream is thousands of small messages, so these are written at once where the socket takes
them. And an application that sends more than a slow reader takes is made to wait, which Daphne never does.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Any

from daphne.ws_protocol import WebSocketProtocol

MOST_WAITING = 2**20  # bytes
_LOOK_AGAIN_S = 0.02
_TEXT, _BINARY = 0x81, 0x82


class QuickSocket(WebSocketProtocol):  # type: ignore[misc] # Daphne has no types
    """Writes whole, unmasked, uncompressed messages itself; leaves all else to Autobahn."""

    def sendMessage(self, payload: bytes, isBinary: bool = False, **options: Any) -> None:
        if options or self.state != self.STATE_OPEN or self._perMessageCompress is not None or self.send_queue:
            super().sendMessage(payload, isBinary, **options)
        else:
            write_now(self.transport, make_frame(payload, is_binary=isBinary))


def make_frame(payload: bytes, *, is_binary: bool) -> bytes:
    """A message in one frame, as RFC 6455, section 5.2, has it."""
    first, size = _BINARY if is_binary else _TEXT, len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    if size < 2**16:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def write_now(transport: Any, data: bytes) -> None:
    """Write to the socket itself while nothing waits before it; what it does not take waits in the transport."""
    if waiting_bytes(transport) == 0 and transport.connected and not transport.disconnecting:
        sent = transport.writeSomeData(data)
        if isinstance(sent, int) and sent > 0:
            data = data[sent:]
    if data:
        transport.write(data)


def waiting_bytes(transport: Any) -> int:
    """How much waits in a transport of Twisted's to be written; 1 where that cannot be known (over TLS)."""
    if not hasattr(transport, "_tempDataLen"):
        return 1
    waiting: int = len(transport.dataBuffer) - transport.offset + transport._tempDataLen
    return waiting


async def drained(protocol: Any) -> None:
    """Returns when not too much waits for the protocol's far side to read it."""
    channel = getattr(protocol, "channel", None)
    transport = protocol.transport if channel is None else channel.transport
    while waiting_bytes(transport) > MOST_WAITING and transport.connected:  # noqa: ASYNC110 - Twisted tells nobody
        await asyncio.sleep(_LOOK_AGAIN_S)
