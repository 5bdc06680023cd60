"""What a call's bytes tell without being parsed: how many outputs, which tokens, how it ended, how long it all took.

Only the outermost fields of a reply are walked over, so a picture costs no more than a word.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from google.protobuf.message import DecodeError

from playground.compute.usage.records import CallRecord
from playground.protocol.errors import PlaygroundError, from_status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.compute.routing import Route
    from playground.gateway.access import Caller

_STATUS = b"\x0a\x03\x08\x90\x4e"  # a reply's status as our runners begin it: SUCCESS alone
_STATUS_FIELD, _OUTPUTS_FIELD = 1, 2
_TOKEN_FIELDS = {7: 0, 8: 1, 9: 2}  # prompt, completion, cached
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_NO_END = -1
_SMALL_BYTES = 4096
_CODES = frozenset(StatusCode.values())


class Tally:
    """One call's figures, kept while it passes. Times are those of ``time.monotonic``."""

    __slots__ = (
        "_is_stream",
        "_last",
        "_output",
        "_tokens",
        "bytes_in",
        "bytes_out",
        "caller",
        "ended",
        "first_at",
        "method",
        "outcome",
        "outputs",
        "request_id",
        "route",
        "sent_at",
        "started",
        "started_at",
        "tail",
        "version_id",
    )

    def __init__(self, request_id: str, bytes_in: int, *, is_stream: bool) -> None:
        self._is_stream = is_stream
        self.request_id = request_id
        self.started = time.monotonic()
        self.started_at = time.time()
        self.caller: Caller | None = None
        self.route: Route | None = None
        self.version_id = ""
        self.tail = b""  # what says where it ran, once it does
        self.method = ""
        self.outcome = ""
        self.sent_at: float | None = None
        self.first_at: float | None = None
        self.bytes_in = bytes_in
        self.bytes_out = 0
        self.outputs = 0
        self.ended = 0.0
        self._last = b""
        self._output = b""
        self._tokens: tuple[int, int, int] | None = None

    def take(self, reply: bytes) -> None:
        """Count a reply of the model's."""
        if self.first_at is None:
            self.first_at = time.monotonic()
        self.bytes_out += len(reply)
        self._last = reply
        if outputs := count_outputs(reply):
            self.outputs += outputs
            self._output = reply

    def end(self) -> None:
        """The call is over. Large replies are not kept until somebody reads the figures."""
        self.ended = time.monotonic()
        self.outcome = self.outcome or outcome_of(self._last)
        self._last = b""
        if len(self._output) > _SMALL_BYTES:
            self._tokens = read_tokens(self._output, is_stream=self._is_stream)
            self._output = b""

    def record(self) -> CallRecord:
        """The figures of a call that has ended."""
        prompt, completion, _ = self._tokens or read_tokens(self._output, is_stream=self._is_stream)
        return CallRecord(
            deployment_pk=self.route.deployment.pk if self.route else 0,
            version_slug=self.version_id or (self.route.version_id if self.route else ""),
            method=self.method,
            user_pk=self.caller.pk if self.caller else 0,
            outcome=self.outcome,
            started_at=self.started_at,
            duration_s=self.ended - self.started,
            first_output_s=self.first_at - self.started if self.first_at and self.outputs else None,
            queue_s=(self.sent_at or self.ended) - self.started,
            outputs=self.outputs,
            prompt_tokens=prompt,
            completion_tokens=completion,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
        )


def count_outputs(reply: bytes) -> int:
    """How many outputs a serialised reply has; what is no reply has none."""
    position, size, count = (5 if reply.startswith(_STATUS) else 0), len(reply), 0
    try:
        while position < size:
            tag = reply[position]
            length = reply[position + 1]
            position += 2
            if tag & 7 != _BYTES or tag >= 0x80:
                return count
            shift = 7
            if length >= 0x80:
                length &= 0x7F
                while True:
                    more = reply[position]
                    position += 1
                    length |= (more & 0x7F) << shift
                    if more < 0x80:
                        break
                    shift += 7
            position += length
            count += tag == _OUTPUTS_FIELD << 3 | _BYTES
    except IndexError:
        return count
    return count


def refusal_of(reply: bytes) -> PlaygroundError | None:
    """The error that a reply is, when it is one and brings no output."""
    if reply.startswith(_STATUS) or count_outputs(reply):
        return None
    status = _status_of(reply)
    return None if status is None or status.code in {StatusCode.ZERO, StatusCode.SUCCESS} else from_status(status)


def outcome_of(reply: bytes) -> str:
    """The name of the status code that the last reply of a call ended with."""
    status = _status_of(reply)
    return name_of(status.code) if status is not None and status.code else "SUCCESS"


def name_of(code: int) -> str:
    """A status code in words, where it has any."""
    return str(StatusCode.Name(code)) if code in _CODES else str(code)


def read_tokens(reply: bytes, *, is_stream: bool) -> tuple[int, int, int]:
    """Prompt, completion and cached tokens: of all outputs of an answer, of the latest piece of a stream."""
    outputs = [(start, end) for field, start, end in _fields(reply, 0, len(reply)) if field == _OUTPUTS_FIELD]
    counts = [0, 0, 0]
    for start, end in outputs[-1:] if is_stream else outputs:
        for field, value, rest in _fields(reply, start, end):
            if field in _TOKEN_FIELDS and rest == _NO_END:
                counts[_TOKEN_FIELDS[field]] += value
    return counts[0], counts[1], counts[2]


def _status_of(reply: bytes) -> status_pb2.Status | None:
    try:
        parts = [
            reply[start:end]
            for field, start, end in _fields(reply, 0, len(reply))
            if field == _STATUS_FIELD and end != _NO_END
        ]
        return status_pb2.Status.FromString(b"".join(parts))
    except DecodeError:
        return None


def _fields(data: bytes, position: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Each field's number, and where its bytes start and end, or its value and no end. Ends where it makes no sense."""
    while position < end:
        tag = data[position]
        position += 1
        if tag >= 0x80:
            tag, position = _varint(data, position - 1, end)
        kind = tag & 7
        if kind == _BYTES and position < end:
            length = data[position]
            position += 1
            if length >= 0x80:
                length, position = _varint(data, position - 1, end)
            if position + length > end:
                return
            yield tag >> 3, position, position + length
            position += length
        elif kind == _VARINT:
            value, position = _varint(data, position, end)
            yield tag >> 3, value, _NO_END
        elif kind in {_FIXED64, _FIXED32}:
            position += 8 if kind == _FIXED64 else 4
        else:
            return


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """A number and where it ends; 7 (which is no tag, nor short) and the end where there is none."""
    value = shift = 0
    while position < end and shift < 70:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    return 7, end
