"""Reply messages as bytes: made in the model's own thread, so that the event loop only passes them on.

A reply is put together from serialized parts, so that a picture is copied once and a small chunk costs little: on the
wire a message field is its tag, its length, and its bytes.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from typing import Any, TypeAlias

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.protocol import errors
from playground.protocol.codec import Data, encode_output
from playground.protocol.errors import ModelError, PlaygroundError
from playground.protocol.signatures import Signature
from playground.runner.model import Call

logger = logging.getLogger(__name__)

Reply: TypeAlias = service_pb2.MultiOutputResponse
Output: TypeAlias = resources_pb2.Output
Pieces: TypeAlias = tuple[bytes, ...]  # of an output, serialized: joined once only, with the reply around it
Outcome: TypeAlias = Pieces | PlaygroundError

_OK = status_pb2.Status(code=StatusCode.SUCCESS)
_REPLY_START: bytes = Reply(status=_OK).SerializeToString()
_OUTPUT_START: bytes = Output(status=_OK).SerializeToString()
_LENGTH_DELIMITED = 2


def _tag(message: Any, field: str) -> bytes:
    return _varint(message.DESCRIPTOR.fields_by_name[field].number << 3 | _LENGTH_DELIMITED)


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    made = bytearray()
    while number >= 0x80:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


_OUTPUTS_TAG = _tag(Reply, "outputs")
_DATA_TAG = _tag(Output, "data")


def output(signature: Signature, value: Any, call: Call, *, old_form: bool) -> Pieces:
    """One value as a reply's output, with the token counts that were set for it. Raises ModelError.

    An output of a stream names the last input that was taken before it, by its number from 1, as its ``input.id``.
    """
    data: bytes = encode_output(signature, value, old_form=old_form).SerializeToString()
    tokens = call.tokens
    call.tokens = None
    facts = (_counts(*tokens) if tokens else b"") + (_taken(call.taken) if call.taken else b"")
    return (_OUTPUT_START, _DATA_TAG, _varint(len(data)), data, facts)


def _counts(prompt: int, completion: int, cached: int) -> bytes:
    return bytes(Output(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached).SerializeToString())


def _taken(number: int) -> bytes:
    return bytes(Output(input=resources_pb2.Input(id=str(number))).SerializeToString())


def success(outputs: Sequence[Pieces]) -> bytes:
    parts = [_REPLY_START]
    for pieces in outputs:
        parts += (_OUTPUTS_TAG, _varint(sum(map(len, pieces))), *pieces)
    return b"".join(parts)


def text(raw: str) -> bytes:
    """An answer of bare text, as ``_GET_SIGNATURES`` gives it."""
    return success([(Output(status=_OK, data=Data(text=resources_pb2.Text(raw=raw))).SerializeToString(),)])


def failure(error: PlaygroundError, *, is_owner: bool) -> bytes:
    return bytes(Reply(status=_status(error, is_owner=is_owner)).SerializeToString())


def batch(outcomes: Sequence[Outcome], *, is_owner: bool) -> bytes:
    """One output for each input, in order; where some failed the whole says so, and each output says it of itself."""
    failures = [(place, outcome) for place, outcome in enumerate(outcomes) if isinstance(outcome, PlaygroundError)]
    if not failures:
        return success([outcome for outcome in outcomes if isinstance(outcome, tuple)])
    place, first = failures[0]
    status = _status(first, is_owner=is_owner)
    if len(outcomes) > 1:
        status.description = f"input {place + 1} of {len(outcomes)}: {status.description}"
    reply = Reply(status=status)
    if len(failures) < len(outcomes):
        reply.status.code = StatusCode.MIXED_STATUS
        for outcome in outcomes:
            if isinstance(outcome, tuple):
                reply.outputs.add().ParseFromString(b"".join(outcome))
            else:
                reply.outputs.add(status=_status(outcome, is_owner=is_owner))
    return bytes(reply.SerializeToString())


def _status(error: PlaygroundError, *, is_owner: bool) -> status_pb2.Status:
    status = errors.to_status(error)
    del status.stack_trace[:]
    if is_owner and error.traceback:
        status.stack_trace.extend(error.traceback.splitlines())
    return status


def as_error(error: BaseException, *, call_id: str = "") -> PlaygroundError:
    """What a failure travels as: our own errors as they are, all else as the model's. The log gets the traceback."""
    if isinstance(error, PlaygroundError):
        error.call_id = error.call_id or call_id
        logger.info("refused %s: %s: %s", call_id or "a call", error.name, error.message)
        return error
    said = _sayable(_words_of(error))
    shown = _sayable("".join(traceback.format_exception(type(error), error, _own_frames(error))).rstrip())
    logger.error("the model failed in %s\n%s", call_id or "a call", shown)
    summary = f"The model failed: {type(error).__name__}" + (f": {said}" if said else "")
    return ModelError(_sayable(summary, 2_000), details=said, traceback=shown, call_id=call_id)


def _words_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001 - the model's own code, too
        return f"its words could not be told: {type(second).__name__}"


def _own_frames(error: BaseException) -> Any:
    """The traceback without the frames of this package above the model's own."""
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None and frames.tb_frame.f_code.co_filename in _OUR_FILES:
        frames = frames.tb_next
    return frames


_OUR_FILES = frozenset(__file__.replace("replies.py", name) for name in ("answering.py", "methods.py", "handoff.py"))


def _sayable(text: str, most: int = 20_000) -> str:
    """Text that UTF-8 can carry and a status, or the log, has room for, whatever an exception was made of."""
    cut = text if len(text) <= most else f"{text[:most]} …"
    return cut.encode("utf-8", "replace").decode()
