"""Calls to official runners, mended on the way: those check nothing, misread what was left out, follow any address.

What goes there is held against the model's signatures, with addresses followed here, behind the fence; what comes back
is put into the words that our own runners use. Calls to those pass unread instead.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from google.protobuf.message import DecodeError

from playground.protocol import codec
from playground.protocol.errors import InputError, ModelError, NotFoundError, ServerError, from_status, to_status
from playground.protocol.fields import MISSING, ByIdentity, Field, Types
from playground.protocol.pipes import Rpc
from playground.protocol.signatures import RETURN, MethodKind, Signature, kind_of, output_field, stream_field
from playground.runner.methods import fill_addresses
from playground.sdk.calls import GET_SIGNATURES, ask_signatures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playground.runner.methods import Fetch

Data: TypeAlias = resources_pb2.Data
Request: TypeAlias = service_pb2.PostModelOutputsRequest
Reply: TypeAlias = service_pb2.MultiOutputResponse

_KINDS = {Rpc.POST: MethodKind.UNARY, Rpc.GENERATE: MethodKind.GENERATE, Rpc.STREAM: MethodKind.STREAM}
_HOW = {
    MethodKind.UNARY: "answers once: call it with PostModelOutputs",
    MethodKind.GENERATE: "answers in pieces: call it with GenerateModelOutputs",
    MethodKind.STREAM: "takes a stream and answers in pieces: call it with StreamModelOutputs",
}
_NONE = re.compile(r"Incompatible type for \w+: <class 'NoneType'>|'NoneType' object has no attribute 'items'")
# Looked up once: an enum's value costs more than the rest of a comparison.
_SUCCESS, _ZERO = StatusCode.SUCCESS, StatusCode.ZERO
_FLOAT, _STR, _TEXT, _LIST = Types.FLOAT, Types.STR, Types.TEXT, Types.LIST
_TUPLE, _FIELDS = Types.TUPLE, Types.NAMED_FIELDS
_fetching = ThreadPoolExecutor(16, thread_name_prefix="fetch")


@dataclass(frozen=True, slots=True)
class Asked:
    """One input of a call, as far as its answer depends on it. No signature: the model reads messages by itself."""

    signature: Signature | None
    is_old_form: bool = False


class Dialect:
    """How to speak with one model on an official runner."""

    def __init__(self, signatures: Mapping[str, Signature], fetch: Fetch) -> None:
        self._signatures = signatures
        self._fetch = fetch

    # -- what goes there --

    async def mend_request(self, rpc: Rpc, content: bytes) -> tuple[bytes, list[Asked]]:
        """The first message of a call. Raises InputError and NotFoundError, in the words of our own runners."""
        request = _parse_request(content)
        if not request.inputs:
            raise InputError("the request has no inputs")
        if rpc is not Rpc.POST and len(request.inputs) != 1:
            raise InputError(
                f"a call that answers in pieces takes one input in each message, not {len(request.inputs)}"
            )
        names = {codec.method_name(entry.data) for entry in request.inputs}
        if len(names) > 1:
            raise InputError("all inputs of a request name the same method")
        if names == {GET_SIGNATURES} and rpc is Rpc.POST:
            return ask_signatures(b""), []  # not what was sent: addresses in it would be followed
        await self._follow_addresses(request)
        asked = [self._mend_input(rpc, entry.data) for entry in request.inputs]
        return request.SerializeToString(), asked

    async def mend_item(self, asked: Asked, content: bytes) -> bytes | None:
        """A later message of a stream; None where it holds no item, on which the runner would stumble.

        Raises InputError.
        """
        request = _parse_request(content)
        if len(request.inputs) != 1 or asked.signature is None:
            raise InputError(f"a message of a stream has one input, not {len(request.inputs)}")
        await self._follow_addresses(request)
        data = request.inputs[0].data
        item = codec.decode_stream_item(asked.signature, data)
        if item is MISSING:
            return None
        if asked.is_old_form:
            data.CopyFrom(codec.encode_stream_item(asked.signature, item))
        else:
            _say_plainly(asked.signature, data)
        return bytes(request.SerializeToString())

    async def _follow_addresses(self, request: Request) -> None:
        """The runner itself would read its own files, and any address it can reach."""
        for entry in request.inputs:
            if next(codec.remote_media(entry.data), None) is not None:
                await asyncio.get_running_loop().run_in_executor(_fetching, self._fill, entry.data)

    def _fill(self, data: Data) -> None:
        given = sum(1 for _ in codec.remote_media(data))
        if data.parts and given > sum(1 for part in data.parts for _ in codec.remote_media(part.data)):
            raise InputError("an address beside the arguments is not followed: give it as an argument")
        fill_addresses(data, self._fetch)
        for media in codec.remote_media(data):
            media.ClearField("url")  # it led to nothing at all, which the runner would fetch again

    def _mend_input(self, rpc: Rpc, data: Data) -> Asked:
        kind = _KINDS[rpc]
        name = codec.method_name(data)
        if name is None and rpc is Rpc.POST and kind.value not in self._signatures:
            return Asked(None)  # a model from before methods
        signature = self._find(kind, name or kind.value)
        arguments = codec.decode_arguments(signature, data)
        is_old = codec.is_old_form(data)
        if is_old:
            item = codec.decode_stream_item(signature, data) if kind is MethodKind.STREAM else MISSING
            data.CopyFrom(codec.encode_arguments(signature, arguments, item=item))
        else:
            _say_plainly(signature, data)
            codec.fill_first_argument(signature, data)
        if kind is MethodKind.STREAM:
            _need_first_item(signature, data)
        return Asked(signature, is_old)

    def _find(self, kind: MethodKind, name: str) -> Signature:
        signature = self._signatures.get(name)
        if signature is None:
            known = ", ".join(self._signatures) or "none"
            raise NotFoundError(f'this model has no method "{name}"; its methods are {known}')
        if kind_of(signature) is not kind:
            raise InputError(f'the method "{name}" {_HOW[kind_of(signature)]}')
        return signature


def _parse_request(content: bytes) -> Request:
    try:
        return Request.FromString(content)
    except DecodeError:
        raise InputError("The message is no PostModelOutputsRequest.") from None


def _need_first_item(signature: Signature, data: Data) -> None:
    field = stream_field(signature)
    if field is not None and all(part.id != field.name for part in data.parts):
        raise InputError(
            f'"{signature.name}" runs where a stream begins with an item of "{field.name}"; there was none'
        )


_fields_of: ByIdentity[dict[str, Field]] = ByIdentity(
    lambda signature: {field.name: field for field in signature.input_fields}
)


def _say_plainly(signature: Signature, data: Data) -> None:
    """What we read leniently the official runner would take for nothing: say it in the field it looks at."""
    fields = _fields_of(signature)
    for part in data.parts:
        field = fields.get(part.id)
        if field is not None:
            _plain(field, part.data)


def _plain(field: Field, data: Data) -> None:
    kind = field.type
    if kind == _FLOAT:
        if data.int_value:
            data.float_value = float(data.int_value)
    elif kind == _STR:
        if not data.string_value and data.HasField("text"):
            data.string_value = data.text.raw
    elif kind == _TEXT:
        if data.string_value and not data.HasField("text"):
            data.text.raw = data.string_value
    elif kind == _LIST and field.type_args:
        for part in data.parts:
            _plain(field.type_args[0], part.data)
    elif kind == _TUPLE:
        for inner, part in zip(field.type_args, data.parts, strict=False):
            _plain(inner, part.data)
    elif kind == _FIELDS:
        inners = {inner.name: inner for inner in field.type_args}
        for part in data.parts:
            if part.id in inners:
                _plain(inners[part.id], part.data)


# -- what comes back -------------------------------------------------------------------------------------------------


def mend_reply(content: bytes, asked: list[Asked], *, is_owner: bool) -> bytes:
    """A reply in our own runners' words; tracebacks, which name files, only for the owner. Raises PlaygroundError."""
    try:
        reply = Reply.FromString(content)
    except DecodeError:
        raise ServerError("The runner answered with something that is no V2 reply.") from None
    if reply.status.code == _ZERO:
        raise ServerError("The runner's answer has no status.")
    if asked and _is_refused_none(reply.status):
        _take_none(reply, asked)
    elif reply.status.code != _SUCCESS:
        _restate(reply.status, is_owner=is_owner)
    elif asked and len(reply.outputs) != len(asked) and asked[0].signature is not None:
        raise ServerError(f"{len(asked)} inputs were sent to the runner, and {len(reply.outputs)} outputs came back.")
    for output, one in zip(reply.outputs, asked, strict=False):
        if output.status.code in (_SUCCESS, _ZERO):
            _mend_output(output, one)
        else:
            _restate(output.status, is_owner=is_owner)
    return bytes(reply.SerializeToString())


def _is_refused_none(status: status_pb2.Status) -> bool:
    """Whether the model returned None, for which the runner has no message."""
    is_from_output = any("_convert_output_to_proto" in line for line in status.stack_trace)
    return is_from_output and _NONE.fullmatch(status.details) is not None


def _take_none(reply: Reply, asked: list[Asked]) -> None:
    """None is fine where JSON is returned; else it is refused as our own runners do. Raises ModelError."""
    signature = asked[0].signature
    if len(asked) > 1 or signature is None or output_field(signature).iterator or output_field(signature).type_args:
        raise ModelError("The model returned None, which this runner cannot pass on.")
    codec.encode_output(signature, None)
    reply.Clear()
    reply.status.code = _SUCCESS
    reply.outputs.add().status.code = _SUCCESS


def _restate(status: status_pb2.Status, *, is_owner: bool) -> None:
    traceback = list(status.stack_trace)
    if not status.details:
        status.details = status.internal_details  # where it puts what the model raised outside of its methods
    status.internal_details = ""
    error = from_status(status)
    status.CopyFrom(to_status(error))
    if is_owner:
        status.stack_trace.extend(traceback)


def _mend_output(output: resources_pb2.Output, asked: Asked) -> None:
    """A result that is missing was None: said aloud, since whoever reads it would see a zero or ``{}``."""
    signature = asked.signature
    if signature is None:
        return
    if all(part.id != RETURN for part in output.data.parts):
        output.data.CopyFrom(codec.encode_output(signature, None))
    if asked.is_old_form:
        output.data.CopyFrom(codec.to_old_form(output.data, signature))
