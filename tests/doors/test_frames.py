"""Messages go out whole, in one frame each, and as soon as the socket takes them."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from playground.doors.frames import make_frame, waiting_bytes, write_now


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 300_000])
@pytest.mark.parametrize("is_binary", [False, True])
def test_a_frame_is_as_any_other_library_writes_it(size: int, is_binary: bool) -> None:
    payload = b"x" * size
    opcode = Opcode.BINARY if is_binary else Opcode.TEXT
    assert make_frame(payload, is_binary=is_binary) == Frame(opcode, payload).serialize(mask=False)


class Transport:
    """Takes so many bytes at once; the rest waits."""

    connected, disconnecting = 1, False
    offset = _tempDataLen = 0

    def __init__(self, takes: int) -> None:
        self.takes = takes
        self.taken = b""
        self.dataBuffer = b""

    def writeSomeData(self, data: bytes) -> int:
        self.taken += data[: self.takes]
        return min(self.takes, len(data))

    def write(self, data: bytes) -> None:
        self.dataBuffer += data


@pytest.mark.parametrize("takes", [0, 3, 100])
def test_nothing_is_lost_or_overtaken_where_the_socket_is_full(takes: int) -> None:
    transport = Transport(takes)
    for message in (b"first ", b"second ", b"third"):
        write_now(transport, message)
    assert transport.taken + transport.dataBuffer == b"first second third"


def test_a_transport_that_hides_its_buffer_is_left_alone() -> None:
    assert waiting_bytes(object()) == 1
