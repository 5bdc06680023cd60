"""Reply messages as bytes: made in the model's own thread, so that the event loop only passes them on."""

from __future__ import annotations

import logging
import traceback
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

_OK = status_pb2.Status(code=StatusCode.SUCCESS, description="Ok")
_OutputMessage = resources_pb2.Output
_Reply = service_pb2.MultiOutputResponse
Outcome: TypeAlias = resources_pb2.Output | PlaygroundError


def output(signature: Signature, value: Any, call: Call, *, old_form: bool) -> resources_pb2.Output:
    """One value as a reply's output, with the token counts that were set for it. Raises ModelError."""
    message = _OutputMessage(status=_OK, data=encode_output(signature, value, old_form=old_form))
    tokens = call.tokens
    if tokens is not None:
        message.prompt_tokens, message.completion_tokens, message.cached_tokens = tokens
        call.tokens = None
    return message


def success(outputs: list[resources_pb2.Output]) -> bytes:
    return bytes(_Reply(status=_OK, outputs=outputs).SerializeToString())


def text(raw: str) -> bytes:
    """An answer of bare text, as ``_GET_SIGNATURES`` gives it."""
    return success([_OutputMessage(status=_OK, data=Data(text=resources_pb2.Text(raw=raw)))])


def failure(error: PlaygroundError, *, is_owner: bool) -> bytes:
    return bytes(_Reply(status=_status(error, is_owner=is_owner)).SerializeToString())


def batch(results: list[Outcome], *, is_owner: bool) -> bytes:
    """One output for each input, in order; where some failed the whole says so, and each output says it of itself."""
    failures = [(place, result) for place, result in enumerate(results) if isinstance(result, PlaygroundError)]
    if not failures:
        return success([result for result in results if not isinstance(result, PlaygroundError)])
    place, first = failures[0]
    status = _status(first, is_owner=is_owner)
    if len(results) > 1:
        status.description = f"input {place + 1} of {len(results)}: {status.description}"
        status.code = status.code if len(failures) == len(results) else StatusCode.MIXED_STATUS
    outputs = [
        _OutputMessage(status=_status(result, is_owner=is_owner)) if isinstance(result, PlaygroundError) else result
        for result in results
    ]
    has_answer = len(failures) < len(results)
    return bytes(_Reply(status=status, outputs=outputs if has_answer else []).SerializeToString())


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
        logger.info("refused %s: %s: %s", call_id, error.name, error.message)
        return error
    said = str(error)
    shown = "".join(traceback.format_exception(type(error), error, _own_frames(error)))
    logger.error("the model failed %s\n%s", call_id, shown.rstrip())
    summary = f"The model failed: {type(error).__name__}" + (f": {said}" if said else "")
    return ModelError(_sayable(summary), details=_sayable(said), traceback=_sayable(shown), call_id=call_id)


def _own_frames(error: BaseException) -> Any:
    """The traceback without the frames of this package above the model's own."""
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None and _is_ours(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return frames


def _is_ours(filename: str) -> bool:
    return filename.startswith(__file__.removesuffix("replies.py")) and "examples" not in filename


def _sayable(text: str) -> str:
    """Text that UTF-8 can carry, whatever an exception was made of."""
    return text.encode("utf-8", "replace").decode()[:100_000]
