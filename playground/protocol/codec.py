"""Values to V2 ``Data`` messages and back, by the types that a signature gives.

Every argument and result is one Data; a request holds one part for each argument, a reply one part ``return``. An
empty Data is the type's zero value. Encoders and decoders are compiled once for each field, see ``fields.ByIdentity``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol import structs
from playground.protocol.errors import InputError, ModelError, ServerError
from playground.protocol.fields import (
    MESSAGES,
    MISSING,
    ByIdentity,
    Field,
    FieldRules,
    Misfit,
    Types,
    fields_of,
    fit_of,
    rules_of,
)
from playground.protocol.signatures import (
    RETURN,
    Signature,
    missing_argument,
    output_field,
    unknown_argument,
)
from playground.protocol.values import MessageData, NamedFields, Text, _numpy

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
    "fill_media",
    "is_old_form",
    "method_name",
    "remote_media",
    "to_old_form",
]

Data: TypeAlias = resources_pb2.Data
Encode: TypeAlias = Callable[[Data, Any], None]
Decode: TypeAlias = Callable[[Data], Any]

METHOD_KEY = "_method_name"
# Names the argument that was sent only because official runners put something else in the place of a missing one.
FILLED_KEY = "_filled_argument"
_SCALAR_NAMES: dict[int, str] = {
    Types.STR: "string_value",
    Types.BYTES: "bytes_value",
    Types.INT: "int_value",
    Types.FLOAT: "float_value",
    Types.BOOL: "bool_value",
}
_SINGLE_NAMES: dict[int, str] = {
    Types.TEXT: "text",
    Types.IMAGE: "image",
    Types.AUDIO: "audio",
    Types.VIDEO: "video",
}
_REPEATED_NAMES: dict[int, str] = {Types.CONCEPT: "concepts", Types.REGION: "regions", Types.FRAME: "frames"}
_ARRAY_KINDS = "biufc"


# -- one value to Data -----------------------------------------------------------------------------------------------


def _encoder(field: Field) -> Encode:
    if field.type in _SCALAR_NAMES:
        return _ENCODE_SCALAR[field.type]
    if field.type in _SINGLE_NAMES:
        return _single_encoder(_SINGLE_NAMES[field.type], fit_of(field))
    if field.type in _REPEATED_NAMES:
        return _repeated_encoder(_REPEATED_NAMES[field.type], fit_of(field))
    return _ENCODERS.get(field.type, _unknown_encoder)(field)


def _unknown_encoder(field: Field) -> NoReturn:
    raise InputError(f'the signature gives "{field.name}" a type that is not known here ({field.type})')


def _scalar_encoder(kind: int) -> Encode:
    name = _SCALAR_NAMES[kind]
    fit = fit_of(resources_pb2.ModelTypeField(type=kind))

    def encode(data: Data, value: Any) -> None:
        setattr(data, name, fit(value))

    return encode


def _encode_str(data: Data, value: Any) -> None:
    try:
        data.string_value = value if type(value) is str else _FIT_STR(value)
    except UnicodeError:
        raise Misfit("must be text that UTF-8 can say (it has a lone surrogate)") from None


_FIT_STR = fit_of(resources_pb2.ModelTypeField(type=Types.STR))
_ENCODE_SCALAR: dict[int, Encode] = {kind: _scalar_encoder(kind) for kind in _SCALAR_NAMES} | {Types.STR: _encode_str}


def _single_encoder(name: str, fit: Callable[[Any], MessageData]) -> Encode:
    def encode(data: Data, value: Any) -> None:
        try:
            getattr(data, name).CopyFrom(fit(value).to_proto())
        except UnicodeError:
            raise Misfit("must be text that UTF-8 can say (it has a lone surrogate)") from None

    return encode


def _repeated_encoder(name: str, fit: Callable[[Any], MessageData]) -> Encode:
    def encode(data: Data, value: Any) -> None:
        getattr(data, name).append(_repeated_proto(fit(value)))

    return encode


def _repeated_proto(value: MessageData) -> Any:
    try:
        return value.to_proto()
    except (TypeError, ValueError) as error:
        raise Misfit(f"cannot be sent: {error}") from None


def _array_encoder(field: Field) -> Encode:
    fit = fit_of(field)

    def encode(data: Data, value: Any) -> None:
        array = fit(value)
        target = data.ndarray
        target.buffer = array.tobytes()
        target.shape.extend(array.shape)
        target.dtype = str(array.dtype)

    return encode


def _json_encoder(field: Field) -> Encode:
    fit = fit_of(field)

    def encode(data: Data, value: Any) -> None:
        try:
            structs.write(data, fit(value))
        except (structs.NotJSONError, UnicodeError) as error:
            raise Misfit(str(error)) from None

    return encode


def _list_encoder(field: Field) -> Encode:
    fit = fit_of(field)
    inner_field = field.type_args[0]
    if inner_field.type in _REPEATED_NAMES:
        name = _REPEATED_NAMES[inner_field.type]

        def encode_repeated(data: Data, value: Any) -> None:
            getattr(data, name).extend([_repeated_proto(item) for item in fit(value)])

        return encode_repeated
    inner = _encoder(inner_field)

    def encode(data: Data, value: Any) -> None:
        add = data.parts.add
        if isinstance(value, str | bytes | dict):
            fit(value)
        try:
            items = enumerate(value)
        except TypeError:
            fit(value)
            raise
        for position, item in items:
            try:
                inner(add().data, item)
            except Misfit as error:
                raise error.under(f"[{position}]") from None

    return encode


def _tuple_encoder(field: Field) -> Encode:
    inners = [_encoder(inner) for inner in field.type_args]
    fit = fit_of(field)

    def encode(data: Data, value: Any) -> None:
        if not isinstance(value, tuple | list) or len(value) != len(inners):
            fit(value)
        for position, (inner, item) in enumerate(zip(inners, value, strict=True)):
            try:
                inner(data.parts.add(id=str(position)).data, item)
            except Misfit as error:
                raise error.under(f"[{position}]") from None

    return encode


def _fields_encoder(field: Field) -> Encode:
    inners = {inner.name: _encoder(inner) for inner in field.type_args}
    fit = fit_of(field)

    def encode(data: Data, value: Any) -> None:
        given = fields_of(value)
        if given.keys() != inners.keys():
            fit(value)
        for name, inner in inners.items():
            try:
                inner(data.parts.add(id=name).data, given[name])
            except Misfit as error:
                raise error.under(f".{name}") from None

    return encode


_ENCODERS: dict[int, Callable[[Field], Encode]] = {
    Types.NDARRAY: _array_encoder,
    Types.JSON_DATA: _json_encoder,
    Types.LIST: _list_encoder,
    Types.TUPLE: _tuple_encoder,
    Types.NAMED_FIELDS: _fields_encoder,
}


# -- Data to one value -----------------------------------------------------------------------------------------------


def _decoder(field: Field) -> Decode:
    if field.type in _SCALAR_NAMES:
        return _DECODE_SCALAR[field.type]
    if field.type in _SINGLE_NAMES:
        return _single_decoder(field)
    if field.type in _REPEATED_NAMES:
        return _repeated_decoder(field)
    return _DECODERS.get(field.type, _unknown_encoder)(field)


def _refuse_other(data: Data, wanted: str) -> None:
    """An empty Data is a zero value; one that holds something else is of the wrong type."""
    if data.ByteSize():
        held = ", ".join(descriptor.name for descriptor, _ in data.ListFields())
        raise Misfit(f"must be sent as {wanted}, not {held}")


def _scalar_decoder(kind: int) -> Decode:
    name = _SCALAR_NAMES[kind]

    def decode(data: Data) -> Any:
        value = getattr(data, name)
        if not value:
            _refuse_other(data, name)
        return value

    return decode


def _decode_str(data: Data) -> str:
    value: str = data.string_value
    if not value and data.ByteSize():
        if data.HasField("text"):
            return str(data.text.raw)
        _refuse_other(data, "string_value")
    return value


def _decode_float(data: Data) -> float:
    value: float = data.float_value
    if not value and data.ByteSize() and value == 0:
        if data.int_value:
            return float(data.int_value)
        if str(value) == "0.0":
            _refuse_other(data, "float_value")
    return value


_DECODE_SCALAR: dict[int, Decode] = {kind: _scalar_decoder(kind) for kind in _SCALAR_NAMES} | {
    Types.STR: _decode_str,
    Types.FLOAT: _decode_float,
}


def _single_decoder(field: Field) -> Decode:
    name, cls = _SINGLE_NAMES[field.type], MESSAGES[field.type]

    def decode(data: Data) -> Any:
        if not data.HasField(name):
            if cls is Text and data.string_value:
                return Text(data.string_value)
            _refuse_other(data, name)
        return cls.from_proto(getattr(data, name))

    return decode


def _repeated_decoder(field: Field) -> Decode:
    name, cls = _REPEATED_NAMES[field.type], MESSAGES[field.type]
    make_zero = {"concepts": resources_pb2.Concept, "regions": resources_pb2.Region, "frames": resources_pb2.Frame}[
        name
    ]

    def decode(data: Data) -> Any:
        protos = getattr(data, name)
        if len(protos) == 1:
            return cls.from_proto(protos[0])
        if protos:
            raise Misfit(f"must be one {cls.__name__}, not {len(protos)}")
        _refuse_other(data, name)
        return cls.from_proto(make_zero())

    return decode


def _array_decoder(field: Field) -> Decode:
    def decode(data: Data) -> Any:
        numpy = _numpy()
        if not data.HasField("ndarray"):
            _refuse_other(data, "ndarray")
            return numpy.zeros(0)
        source = data.ndarray
        try:
            dtype = numpy.dtype(source.dtype)
            if dtype.kind not in _ARRAY_KINDS:
                raise Misfit(f"must be an array of numbers, not of {source.dtype!r}")
            if not source.buffer:
                return numpy.zeros(tuple(source.shape), dtype=dtype) if 0 in source.shape else _no_content(source)
            return numpy.frombuffer(source.buffer, dtype=dtype).reshape(tuple(source.shape))
        except (TypeError, ValueError) as error:
            raise Misfit(f"is not an array: {error}") from None

    return decode


def _no_content(source: resources_pb2.NDArray) -> NoReturn:
    raise Misfit(f"is not an array: shape {list(source.shape)} without content")


def _json_decoder(field: Field) -> Decode:
    def decode(data: Data) -> Any:
        try:
            value = structs.read(data)
        except structs.NotJSONError as error:
            raise Misfit(str(error)) from None
        if value is None and not data.string_value:
            _refuse_other(data, "struct_value")
        return value

    return decode


def _list_decoder(field: Field) -> Decode:
    if not field.type_args:
        raise InputError(f'the signature gives no type for the items of "{field.name}"')
    inner_field = field.type_args[0]
    if inner_field.type in _REPEATED_NAMES:
        return _repeated_list_decoder(_REPEATED_NAMES[inner_field.type], MESSAGES[inner_field.type])
    inner = _decoder(inner_field)

    def decode(data: Data) -> list[Any]:
        if not data.parts:
            _refuse_other(data, "parts")
        return _decode_parts(data, inner)

    return decode


def _decode_parts(data: Data, inner: Decode) -> list[Any]:
    items: list[Any] = []
    for part in data.parts:
        try:
            items.append(inner(part.data))
        except Misfit as error:
            raise error.under(f"[{len(items)}]") from None
    return items


def _repeated_list_decoder(name: str, cls: type[MessageData]) -> Decode:
    def decode(data: Data) -> list[Any]:
        protos = getattr(data, name)
        if not protos:
            _refuse_other(data, name)
        return [cls.from_proto(proto) for proto in protos]

    return decode


def _tuple_decoder(field: Field) -> Decode:
    inners = [_decoder(inner) for inner in field.type_args]

    def decode(data: Data) -> tuple[Any, ...]:
        if not data.parts:
            _refuse_other(data, "parts")
            return tuple(inner(_EMPTY) for inner in inners)
        if len(data.parts) != len(inners):
            raise Misfit(f"must have {len(inners)} items, not {len(data.parts)}")
        items: list[Any] = []
        for inner, part in zip(inners, data.parts, strict=True):
            try:
                items.append(inner(part.data))
            except Misfit as error:
                raise error.under(f"[{len(items)}]") from None
        return tuple(items)

    return decode


def _fields_decoder(field: Field) -> Decode:
    inners = {inner.name: _decoder(inner) for inner in field.type_args}

    def decode(data: Data) -> NamedFields:
        if not data.parts:
            _refuse_other(data, "parts")
        parts = {part.id: part.data for part in data.parts}
        value = NamedFields()
        for name, inner in inners.items():
            if name not in parts and parts:
                raise Misfit(f"lacks the field {name!r}")
            try:
                value[name] = inner(parts.get(name, _EMPTY))
            except Misfit as error:
                raise error.under(f".{name}") from None
        return value

    return decode


_EMPTY = resources_pb2.Data()
_DECODERS: dict[int, Callable[[Field], Decode]] = {
    Types.NDARRAY: _array_decoder,
    Types.JSON_DATA: _json_decoder,
    Types.LIST: _list_decoder,
    Types.TUPLE: _tuple_decoder,
    Types.NAMED_FIELDS: _fields_decoder,
}


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
    return _FieldCodec(rules, field.name, _encoder(field), _decoder(field), rules.limit is not None)


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
    return _SCALAR_NAMES.get(kind) or _SINGLE_NAMES.get(kind) or _REPEATED_NAMES.get(kind) or names.get(kind)


_MESSAGE_NAMES = frozenset({*_SINGLE_NAMES.values(), "ndarray", "struct_value"})


def _holds(data: Data, name: str) -> bool:
    return bool(data.HasField(name)) if name in _MESSAGE_NAMES else bool(getattr(data, name))


def _copy(source: Data, name: str, target: Data) -> None:
    value = getattr(source, name)
    if name in _MESSAGE_NAMES:
        getattr(target, name).CopyFrom(value)
    elif name in _REPEATED_NAMES.values():
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
    if field.type == Types.LIST and field.type_args and field.type_args[0].type in _REPEATED_NAMES:
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
    if field.type == Types.LIST and field.type_args and field.type_args[0].type in _REPEATED_NAMES:
        return (_REPEATED_NAMES[field.type_args[0].type],)
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


# -- addresses in a request ------------------------------------------------------------------------------------------


def remote_media(data: Data) -> Iterator[Any]:
    """Every picture, sound, film or text in a request that is only an address, at any depth; for ``fill_media``."""
    for name in ("image", "audio", "video"):
        if data.HasField(name) and (media := getattr(data, name)).url and not media.base64:
            yield media
    if data.HasField("text") and data.text.url and not data.text.raw:
        yield data.text
    for part in data.parts:
        yield from remote_media(part.data)
    for frame in data.frames:
        yield from remote_media(frame.data)
    for region in data.regions:
        mask = region.region_info.mask.image
        if mask.url and not mask.base64:
            yield mask
        yield from remote_media(region.data)


def fill_media(media: Any, content: bytes) -> None:
    """Put fetched content into one that ``remote_media`` gave; raises InputError for a text that is none."""
    if not isinstance(media, resources_pb2.Text):
        media.base64 = content
        return
    try:
        media.raw = content.decode()
    except UnicodeDecodeError:
        raise InputError(f"what {media.url} holds is not text") from None
