"""Calls of the form before methods: one medium in, given by its bytes or its address, and replies left as they come.

A model with methods is asked so too: its runner converts. Only ``inference_params`` need our help, as an official
runner ignores them: they become the method's own named arguments where it has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypedDict

from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol import codec, signatures
from playground.protocol.errors import InputError
from playground.protocol.signatures import MISSING, stream_field
from playground.protocol.values import Audio, Image, Text, Video
from playground.sdk.calls import Data, Reply, Signature, check, make_request
from playground.sdk.texts import parse_value

DataType = resources_pb2.ModelTypeField.DataType
Field: TypeAlias = resources_pb2.ModelTypeField

MEDIA = ("text", "image", "audio", "video")
MEDIUM_OF = {
    DataType.STR: "text",
    DataType.TEXT: "text",
    DataType.IMAGE: "image",
    DataType.AUDIO: "audio",
    DataType.VIDEO: "video",
}


ReadSource = Callable[[str, Any], Data]


class Where(TypedDict, total=False):
    """Selectors of one call, in the words of the original documentation: ``user_id`` is whose deployment."""

    deployment_id: str | None
    compute_cluster_id: str | None
    nodepool_id: str | None
    user_id: str | None


def check_medium(medium: str) -> str:
    if medium not in MEDIA:
        raise InputError(f"input_type is one of {', '.join(MEDIA)}; not {medium!r}.")
    return medium


def guess_medium(signature: Signature) -> str:
    """The one medium that a method takes, where there is no doubt about it."""
    fields = [field for field in signature.input_fields if field.required] or list(signature.input_fields[:1])
    media = {MEDIUM_OF[field.type] for field in fields if field.type in MEDIUM_OF}
    if len(media) != 1:
        raise InputError(f"{signature.name} does not take just one medium: say input_type, or call the method by name.")
    return media.pop()


def read_file(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from None


def from_bytes(medium: str, content: bytes) -> Data:
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise InputError(f"The input is {type(content).__name__}, not bytes.")
    if medium != "text":
        return Data(**{medium: {"base64": bytes(content)}})
    try:
        return Data(text=resources_pb2.Text(raw=bytes(content).decode()))
    except UnicodeDecodeError:
        raise InputError("The input is no UTF-8 text: say another input_type.") from None


def from_url(medium: str, url: str) -> Data:
    if not isinstance(url, str) or not url:
        raise InputError("The input is no URL.")
    return Data(**{medium: {"url": url}})


def name_arguments(signature: Signature, medium: str, data: Data, params: Mapping[str, Any]) -> dict[str, Any]:
    """The same input as named arguments, ``params`` among them; what the method does not have is refused by name."""
    field = next((field for field in signature.input_fields if MEDIUM_OF.get(field.type) == medium), None)
    if field is None:
        raise InputError(f"{signature.name} takes no {medium}.")
    by_name = {known.name: known for known in signature.input_fields}
    given = {name: _read_param(by_name.get(name), value) for name, value in params.items()}
    return signatures.bind(signature, (), {field.name: _to_value(field, medium, data), **given})


def _read_param(field: Field | None, value: Any) -> Any:
    """The original documentation gives numbers as texts (``temperature=str(0.7)``)."""
    if field is not None and isinstance(value, str) and field.type not in {DataType.STR, DataType.TEXT}:
        return parse_value(field, value)
    return value


def _to_value(field: Field, medium: str, data: Data) -> Any:
    if medium == "text":
        if field.type == DataType.STR and data.text.url:
            raise InputError(f"{field.name} is a plain text: with inference_params, give the text itself, no URL.")
        return data.text.raw if field.type == DataType.STR else Text(data.text.raw, url=data.text.url or None)
    part = getattr(data, medium)
    return {"image": Image, "audio": Audio, "video": Video}[medium](url=part.url or None, bytes=part.base64 or None)


def as_old_form(reply: Reply) -> Reply:
    """A reply to named arguments, turned into what the old form would have brought."""
    for output in reply.outputs:
        if output.data.parts and output.data.parts[0].id == "return":
            data = Data()
            data.CopyFrom(output.data.parts[0].data)
            output.data.CopyFrom(data)
        if output.data.string_value and not output.data.text.raw:
            output.data.text.raw = output.data.string_value
    return reply


@dataclass(frozen=True, slots=True)
class OldCall:
    """One call's medium and header; with a signature, where its parameters go by name."""

    header: bytes
    medium: str
    read_source: ReadSource
    signature: Signature | None
    params: Mapping[str, Any]

    def make_request(self, source: Any) -> bytes:
        data = self.read_source(self.medium, source)
        if self.signature is None:
            return make_request(self.header, data)
        arguments = name_arguments(self.signature, self.medium, data, self.params)
        field = stream_field(self.signature)
        item = arguments.pop(field.name, MISSING) if field else MISSING
        return make_request(self.header, codec.encode_arguments(self.signature, arguments, item=item))

    def make_next_request(self, source: Any) -> bytes:
        """A later input of a stream: it alone, without the parameters."""
        data = self.read_source(self.medium, source)
        field = stream_field(self.signature) if self.signature is not None else None
        if self.signature is None or field is None:
            return make_request(self.header, data)
        return make_request(self.header, codec.encode_stream_item(self.signature, _to_value(field, self.medium, data)))

    def read(self, reply: Reply) -> Reply:
        check(reply)
        return reply if self.signature is None else as_old_form(reply)


def plan_old_call(
    header: bytes,
    signature: Signature | None,
    medium: str | None,
    read_source: ReadSource,
    params: Mapping[str, Any] | None,
) -> OldCall:
    if medium is None:
        if signature is None:
            raise InputError(f"Say input_type: one of {', '.join(MEDIA)}.")
        medium = guess_medium(signature)
    return OldCall(header, check_medium(medium), read_source, signature if params else None, params or {})


class OldItemEncoder:
    """A stream's inputs as requests."""

    def __init__(self, call: OldCall) -> None:
        self._call = call
        self.count = 0

    def encode(self, item: Any) -> bytes:
        self.count += 1
        return self._call.make_request(item) if self.count == 1 else self._call.make_next_request(item)

    def finish(self) -> bytes | None:
        if not self.count:
            raise InputError("There was no input to send.")
        return None
