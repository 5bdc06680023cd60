"""Requests and replies of a method: its arguments, its results, the items of its streams, and the old form of each.

A request holds one part for each argument, a reply one part ``return``; each part's Data is one value, see
``encoding``. Encoders and decoders are compiled once for each signature, see ``fields.ByIdentity``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol.encoding import (
    REPEATED_NAMES,
    SCALAR_NAMES,
    SINGLE_NAMES,
    Data,
    Decode,
    Encode,
    decoder_of,
    encoder_of,
)
from playground.protocol.errors import InputError, ModelError, ServerError
from playground.protocol.fields import MISSING, ByIdentity, Field, FieldRules, Misfit, Types, rules_of
from playground.protocol.remote import remote_media
from playground.protocol.signatures import RETURN, Signature, missing_argument, output_field, unknown_argument

__all__ = [
    "METHOD_KEY",
    "MISSING",
    "Data",
    "decode",
    "decode_arguments",
    "decode_output",
    "decode_stream_item",
    "encode",
    "encode_arguments",
    "encode_output",
    "encode_stream_item",
    "fill_first_argument",
    "is_old_form",
    "method_name",
    "remote_media",
    "to_old_form",
]

METHOD_KEY = "_method_name"
# Names the argument that was sent only because official runners put something else in the place of a missing one.
FILLED_KEY = "_filled_argument"


# -- a field's codec -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _FieldCodec:
    rules: FieldRules
    name: str
    encode: Encode
    decode: Decode
    has_limit: bool

    def put(self, data: Data, value: Any) -> None:
        """Encode an argument, its limits kept."""
        try:
            if self.has_limit:
                value = self.rules.check(value)
            self.encode(data, value)
        except Misfit as error:
            raise error.as_input_error(self.name) from None

    def take(self, data: Data) -> Any:
        """Decode an argument, its limits kept."""
        try:
            value = self.decode(data)
            return self.rules.check(value) if self.has_limit else value
        except Misfit as error:
            raise error.as_input_error(self.name) from None


def _field_codec(field: Field) -> _FieldCodec:
    rules = rules_of(field)
    return _FieldCodec(rules, field.name, encoder_of(field), decoder_of(field), rules.limit is not None)


_codec_of: ByIdentity[_FieldCodec] = ByIdentity(_field_codec)


def encode(value: Any, field: Field) -> Data:
    """One value as the field's type; raises InputError where it does not fit."""
    codec = _codec_of(field)
    data = resources_pb2.Data()
    try:
        codec.encode(data, value)
    except Misfit as error:
        raise error.as_input_error(field.name) from None
    return data


def decode(data: Data, field: Field) -> Any:
    """One value of the field's type; raises InputError where the message holds another."""
    try:
        return _codec_of(field).decode(data)
    except Misfit as error:
        raise error.as_input_error(field.name) from None


# -- a method's codec ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _MethodCodec:
    name: str
    inputs: tuple[_FieldCodec, ...]
    by_name: dict[str, _FieldCodec]
    stream: _FieldCodec | None
    output: _FieldCodec | None
    metadata: Any
    filler: tuple[_FieldCodec, bool] | None


def _method_codec(signature: Signature) -> _MethodCodec:
    codecs = tuple(_codec_of(field) for field in signature.input_fields)
    metadata = resources_pb2.Data()
    metadata.metadata[METHOD_KEY] = signature.name
    return _MethodCodec(
        name=signature.name,
        inputs=codecs,
        by_name={codec.name: codec for codec in codecs},
        stream=next((codec for codec in codecs if codec.rules.field.iterator), None),
        output=_codec_of(signature.output_fields[0]) if signature.output_fields else None,
        metadata=metadata,
        filler=_filler(codecs),
    )


_FILLED_TYPES = (Types.FLOAT, Types.LIST, Types.TUPLE, Types.NAMED_FIELDS)


def _filler(codecs: tuple[_FieldCodec, ...]) -> tuple[_FieldCodec, bool] | None:
    """The first argument, when an official runner would make something wrong of its absence, and whether what we
    send instead is only a stand-in (an empty list for a null)."""
    if not codecs or codecs[0].rules.field.iterator or codecs[0].rules.field.type not in _FILLED_TYPES:
        return None
    default = codecs[0].rules.make_default()
    if default is None and codecs[0].rules.field.type == Types.LIST:
        return codecs[0], True
    return None if default is None or default is MISSING else (codecs[0], False)


_method_of: ByIdentity[_MethodCodec] = ByIdentity(_method_codec)


def encode_arguments(signature: Signature, arguments: Mapping[str, Any], *, item: Any = MISSING) -> Data:
    """The request's Data: one part for each argument given, in the signature's order.

    ``item`` is the first item of the stream argument, which may also come later with ``encode_stream_item``. An
    argument of None is left out where the declared default is null. Raises InputError naming the argument.
    """
    method = _method_of(signature)
    data = resources_pb2.Data()
    data.CopyFrom(method.metadata)
    add = data.parts.add
    if method.filler is not None:
        _fill(method.filler, arguments, data)
    for codec in method.inputs:
        value = item if codec is method.stream else arguments.get(codec.name, MISSING)
        if value is not MISSING and not (value is None and codec.rules.is_nullable):
            codec.put(add(id=codec.name).data, value)
        elif codec.rules.field.required and codec is not method.stream:
            raise missing_argument(signature, codec.name)
    if not data.parts:
        add()  # without it an official runner takes the request for one of the old form
    for name in arguments:
        if name not in method.by_name or (method.stream and name == method.stream.name):
            raise unknown_argument(signature, name)
    return data


def _fill(filler: tuple[_FieldCodec, bool], arguments: Mapping[str, Any], data: Data) -> None:
    codec, is_stand_in = filler
    if codec.name in arguments and not (arguments[codec.name] is None and codec.rules.is_nullable):
        return
    part = data.parts.add(id=codec.name)
    if is_stand_in:
        data.metadata[FILLED_KEY] = codec.name
    else:
        codec.encode(part.data, codec.rules.make_default())


def fill_first_argument(signature: Signature, data: Data) -> None:
    """Add to another's request what ``encode_arguments`` adds by itself, for official runners."""
    method = _method_of(signature)
    if method.filler is not None:
        name = _inline_name(method.filler[0].rules.field)
        if name is None or not _holds(data, name):
            _fill(method.filler, {part.id: MISSING for part in data.parts}, data)
    if not data.parts:
        data.parts.add()


def encode_stream_item(signature: Signature, item: Any) -> Data:
    """A later message of a stream: one item, under the stream argument's name. Raises InputError."""
    method = _method_of(signature)
    stream = _stream(signature, method)
    data = resources_pb2.Data()
    data.CopyFrom(method.metadata)
    stream.put(data.parts.add(id=stream.name).data, item)
    return data


def decode_stream_item(signature: Signature, data: Data) -> Any:
    """The stream's item in a message, first or later; MISSING where a message carries none. Raises InputError."""
    method = _method_of(signature)
    stream = _stream(signature, method)
    for part in data.parts:
        if part.id == stream.name:
            return stream.take(part.data)
    if is_old_form(data):
        return _take_old(method, data).get(stream.name, MISSING)
    return MISSING


def _stream(signature: Signature, method: _MethodCodec) -> _FieldCodec:
    if method.stream is None:
        raise InputError(f'"{signature.name}" takes no stream')
    return method.stream


def decode_arguments(signature: Signature, data: Data) -> dict[str, Any]:
    """The method's arguments: those sent, and the declared defaults of the others. Not the stream's items.

    A default that only the model can make (an object of its own) is left out, for Python to fill in. Raises InputError
    naming an argument that is unknown, missing, of the wrong type or outside its limits.
    """
    method = _method_of(signature)
    given = _take_parts(signature, method, data) if data.parts or not is_old_form(data) else _take_old(method, data)
    arguments: dict[str, Any] = {}
    for codec in method.inputs:
        if codec is method.stream:
            continue
        value = given.get(codec.name, MISSING)
        if value is MISSING:
            if codec.rules.field.required:
                raise missing_argument(signature, codec.name)
            value = codec.rules.make_default()
        if value is not MISSING:
            arguments[codec.name] = value
    return arguments


def _take_parts(signature: Signature, method: _MethodCodec, data: Data) -> dict[str, Any]:
    by_name, stream = method.by_name, method.stream
    given: dict[str, Any] = {}
    for part in data.parts:
        name = part.id
        codec = by_name.get(name)
        if codec is None:
            if name:
                raise unknown_argument(signature, name)
        elif codec is not stream:
            given[name] = codec.take(part.data)
    if method.filler is not None and method.filler[1] and FILLED_KEY in data.metadata.fields:
        given.pop(data.metadata[FILLED_KEY], None)
    if method.inputs and method.inputs[0].name not in given and method.inputs[0] is not stream:
        _take_inline(method.inputs[0], data, given)
    return given


def _take_inline(codec: _FieldCodec, data: Data, given: dict[str, Any]) -> None:
    """The first argument may stand beside the parts instead of in one of its own."""
    name = _inline_name(codec.rules.field)
    if name is not None and _holds(data, name):
        only = resources_pb2.Data()
        _copy(data, name, only)
        given[codec.name] = codec.take(only)


def _inline_name(field: Field) -> str | None:
    kind = field.type
    names = {Types.NDARRAY: "ndarray", Types.JSON_DATA: "struct_value"}
    return SCALAR_NAMES.get(kind) or SINGLE_NAMES.get(kind) or REPEATED_NAMES.get(kind) or names.get(kind)


_MESSAGE_NAMES = frozenset({*SINGLE_NAMES.values(), "ndarray", "struct_value"})


def _holds(data: Data, name: str) -> bool:
    return bool(data.HasField(name)) if name in _MESSAGE_NAMES else bool(getattr(data, name))


def _copy(source: Data, name: str, target: Data) -> None:
    value = getattr(source, name)
    if name in _MESSAGE_NAMES:
        getattr(target, name).CopyFrom(value)
    elif name in REPEATED_NAMES.values():
        getattr(target, name).extend(value)
    else:
        setattr(target, name, value)


def encode_output(signature: Signature, value: Any, *, old_form: bool = False) -> Data:
    """One result, in the part ``return``; in the old form for who asked in it. Raises ModelError where the model
    returned something that its own signature does not allow."""
    output = _output(signature)
    data = resources_pb2.Data()
    try:
        output.encode(data.parts.add(id=RETURN).data, value)
    except Misfit as error:
        raise ModelError(f'what "{signature.name}" returned{error.path} {error.reason}') from None
    return to_old_form(data, signature) if old_form else data


def decode_output(signature: Signature, data: Data) -> Any:
    """One result: from the part ``return``, else from the Data itself (the old form). Raises ServerError."""
    output = _output(signature)
    try:
        for part in data.parts:
            if part.id == RETURN:
                return output.decode(part.data)
        return output.decode(data) if data.parts else _decode_bare(output, data)
    except Misfit as error:
        raise ServerError(f'the answer of "{signature.name}"{error.path} {error.reason}') from None


def _decode_bare(output: _FieldCodec, data: Data) -> Any:
    field = output.rules.field
    if field.type == Types.LIST and field.type_args and field.type_args[0].type in REPEATED_NAMES:
        return output.decode(data)
    name = _inline_name(field)
    if name is None:
        return output.decode(data)
    only = resources_pb2.Data()
    if _holds(data, name):
        _copy(data, name, only)
    elif field.type in (Types.STR, Types.TEXT) and (data.HasField("text") or data.string_value):
        only.string_value = data.text.raw or data.string_value
    return output.decode(only)


def _output(signature: Signature) -> _FieldCodec:
    output = _method_of(signature).output
    return output if output is not None else _codec_of(output_field(signature))


# -- the old form ----------------------------------------------------------------------------------------------------


def method_name(data: Data) -> str | None:
    """The method that a request names, None in the old form."""
    if not data.HasField("metadata") or METHOD_KEY not in data.metadata.fields:
        return None
    return str(data.metadata.fields[METHOD_KEY].string_value) or None


def is_old_form(data: Data) -> bool:
    """Whether a request has its values in the Data itself, and wants its answer so."""
    if data.parts:
        return False
    if method_name(data) is None:
        return True
    return any(descriptor.name != "metadata" for descriptor, _ in data.ListFields())


def _take_old(method: _MethodCodec, data: Data) -> dict[str, Any]:
    """Arguments from an old request: each takes the field of its type, if no argument before it has."""
    taken: set[str] = set()
    given: dict[str, Any] = {}
    for codec in method.inputs:
        for name in _old_names(codec.rules.field):
            if name not in taken and _holds(data, name):
                taken.add(name)
                only = resources_pb2.Data()
                _copy(data, name, only)
                given[codec.name] = codec.take(only)
                break
    return given


def _old_names(field: Field) -> tuple[str, ...]:
    if field.type in (Types.STR, Types.TEXT):
        return ("text", "string_value")
    if field.type == Types.JSON_DATA:
        return ("struct_value", "string_value")
    if field.type == Types.LIST and field.type_args and field.type_args[0].type in REPEATED_NAMES:
        return (REPEATED_NAMES[field.type_args[0].type],)
    name = _inline_name(field)
    return (name,) if name else ()


def to_old_form(data: Data, signature: Signature) -> Data:
    """A reply as old clients read it: the first part's content itself, text also as ``text.raw``."""
    old = resources_pb2.Data()
    if data.parts:
        old.CopyFrom(data.parts[0].data)
    kind = output_field(signature).type
    if kind == Types.STR:
        old.text.raw = old.string_value
    elif kind == Types.JSON_DATA:
        old.string_value = ""
    return old
